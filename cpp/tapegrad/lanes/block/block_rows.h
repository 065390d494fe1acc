// Which rows a step of a block reads and which it writes.
#pragma once

#include <cstdint>
#include <type_traits>

#include "tapegrad/lanes/interpreter.h"

namespace tapegrad {

constexpr uint32_t tile_head = 3;  // words for each sum of a tile, see LaneLoops::products_tile

// Of the form products_tile; three sums run as four, the last one twice.
template <class T>
uint32_t sums_in_tile(const LaneStep<T>& s) {
  return s.run == lane_loops<T>().products_tile[1] ? 4 : 2;
}

inline LaneFirst first_of_pair(uint16_t fn) {
  return static_cast<LaneFirst>(fn / lane_second_count);
}
inline LaneSecond second_of_pair(uint16_t fn) {
  return static_cast<LaneSecond>(fn % lane_second_count);
}
constexpr int operands_of(LaneFirst f) { return f < LaneFirst::negative ? 2 : 1; }

// Calls read(place) for the rows that a step reads, then write(place) for those that it writes.
// The places are those in the step and in its list: both may be changed where they are not const.
// A sum that runs twice is written once.
template <class Step, class Word, class Read, class Write>
void visit_rows(Step& s, Word* lists, Read&& read, Write&& write) {
  const auto read_first = [&](int n) {
    if (n > 0 && !(s.mask & 1)) read(s.a);
    if (n > 1 && !(s.mask & 2)) read(s.b);
    if (n > 2 && !(s.mask & 4)) read(s.c);
  };
  const auto read_place = [&](auto& place) {
    if (place != no_place && !(place & uniform_place)) read(place);
  };
  switch (s.form) {
    case LaneForm::function:
      read_first(scalar_fn_info(ScalarFn{s.fn}).arity);
      return write(s.out);
    case LaneForm::pair:
      read_first(operands_of(first_of_pair(s.fn)));
      if (takes_operand(second_of_pair(s.fn)) && !(s.mask & 4)) read(s.c);
      return write(s.out);
    case LaneForm::two_products:
    case LaneForm::product_difference:
      read_first(3);
      read(s.d);
      return write(s.out);
    case LaneForm::sum_of_products:
    case LaneForm::contracted_products:
      read_place(s.a);
      for (uint32_t k = 0; k < 2 * s.c; ++k) read_place(lists[s.b + k]);
      return write(s.out);
    case LaneForm::products_tile: {
      const uint32_t sums = sums_in_tile(s);
      Word* const heads = lists + s.b;
      Word* list = heads + tile_head * sums;
      for (uint32_t k = 0; k < s.c; ++k, list += 1 + sums) read(list[0]);
      for (uint32_t r = 0; r < sums; ++r) {
        read_place(heads[tile_head * r + 1]);
        for (uint32_t k = 0; k < 2 * heads[tile_head * r + 2]; ++k) read_place(*list++);
      }
      for (uint32_t r = 0, before = no_place; r < sums; ++r) {
        Word& out = heads[tile_head * r];
        if (out != before) {
          before = out;
          write(out);
        } else if constexpr (!std::is_const_v<Word>) {
          out = heads[tile_head * (r - 1)];
        }
      }
      return;
    }
    case LaneForm::sums_of_rows: {
      Word* list = lists + s.b;
      for (uint32_t group = 0; group < s.c; ++group) {
        const uint32_t n = RowSums::places[RowSums::from(*list++).form];
        for (uint32_t k = 0; k < n; ++k) read_place(*list++);
      }
      return;
    }
    case LaneForm::row_sum:
    case LaneForm::row_copy:
      read_first(1);
      return write(s.out);
    case LaneForm::window_add:
    case LaneForm::window_set:
      read_first(2);
      return write(s.out);
    case LaneForm::sink:
    case LaneForm::store:
    case LaneForm::store_bool:
    case LaneForm::store_part:
      return read(s.a);
  }
}

}  // namespace tapegrad
