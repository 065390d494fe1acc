#include "tapegrad/lanes/block/block_lines.h"

#include <array>
#include <initializer_list>

#include "tapegrad/lanes/block/block_order.h"
#include "tapegrad/lanes/block/block_rows.h"
#include "tapegrad/lanes/block/block_slots.h"
#include "tapegrad/lanes/machine_function.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

using emit::Function;
using emit::RowValue;

constexpr uint32_t none = ~uint32_t{0};

// A sum of a tile.
struct TileSum {
  uint32_t out, first;  // places; no_place: it begins with a product
  uint32_t own;         // products of its own
  const uint32_t* products;
};

template <class T>
struct Tile {
  uint32_t common, count;  // of its products, and of its sums as they run
  const uint32_t* shared;  // for each product that all have: a row, and a number for each
  std::vector<TileSum> sums;

  Tile(const LaneStep<T>& s, const BlockCode<T>& code) : common(s.c), count(sums_in_tile(s)) {
    const uint32_t* heads = code.lists.data() + s.b;
    shared = heads + tile_head * count;
    const uint32_t* own = shared + common * (1 + count);
    for (uint32_t r = 0; r < count; ++r, heads += tile_head) {
      if (r == 0 || heads[0] != sums.back().out)
        sums.push_back({heads[0], heads[1], heads[2], own});
      own += 2 * heads[2];
    }
  }
};

template <class T>
class PieceWriter {
 public:
  explicit PieceWriter(const BlockCode<T>& code) : code_(code) {
    value_at_.assign(code.places, none);
    find_last_readers();
  }

  std::vector<BlockPiece> pieces() {
    std::vector<BlockPiece> all;
    const std::vector<LaneStep<T>>& steps = code_.steps;
    for (size_t begin = 0; begin < steps.size();) {
      size_t end = begin;
      for (size_t lines = 0; end < steps.size() && has_instructions(steps[end]); ++end)
        if ((lines += lines_of(steps[end])) > most_lines && end > begin) break;
      if (end - begin < least_steps) {
        skip(steps[begin++]);
        continue;
      }
      all.push_back({begin, end, {}});
      write(all.back());
      begin = end;
    }
    return all;
  }

 private:
  // A step alone has a loop that is as fast. What a piece keeps lies on the stack, a vector for
  // each line at most.
  static constexpr size_t least_steps = 2, most_lines = 2048;

  // At most.
  size_t lines_of(const LaneStep<T>& s) const {
    switch (s.form) {
      case LaneForm::products_tile: {
        size_t lines = 0;
        for (const TileSum& sum : Tile<T>(s, code_).sums) lines += s.c + sum.own;
        return lines;
      }
      case LaneForm::sum_of_products:
      case LaneForm::contracted_products:
        return 2 * s.c;
      default:
        return 3;
    }
  }

  // Each time that a row is written is a number, in order; by it, the last step that reads it.
  void find_last_readers() {
    std::vector<uint32_t> current(value_at_.size(), none);
    for (uint32_t i = 0; i < code_.steps.size(); ++i) {
      visit_rows(
          code_.steps[i], code_.lists.data(),
          [&](uint32_t place) {
            if (current[place] != none) last_reader_[current[place]] = i;
          },
          [&](uint32_t place) {
            current[place] = static_cast<uint32_t>(last_reader_.size());
            last_reader_.push_back(0);
          });
    }
  }

  void skip(const LaneStep<T>& s) {
    visit_rows(s, code_.lists.data(), [](uint32_t) {}, [this](uint32_t) { ++written_; });
  }

  void write(BlockPiece& piece) {
    program_ = &piece.program;
    program_->numbers = code_.first_number;
    end_ = piece.end;
    for (size_t i = piece.begin; i < piece.end; ++i) write(code_.steps[i]);
    for (uint32_t place : touched_) value_at_[place] = none;
    touched_.clear();
  }

  uint32_t add_value(RowValue value) {
    program_->values.push_back(value);
    return static_cast<uint32_t>(program_->values.size() - 1);
  }

  void set_value(uint32_t place, uint32_t value) {
    if (value_at_[place] == none) touched_.push_back(place);
    value_at_[place] = value;
  }

  uint32_t row(uint32_t place) {
    if (value_at_[place] == none)
      set_value(place, add_value({RowValue::Kind::row, static_cast<int32_t>(place)}));
    return value_at_[place];
  }

  uint32_t number(uint32_t place) {
    if (value_at_[place] == none) {
      const auto at = [this](uint32_t p) {
        return static_cast<int32_t>(code_.numbers[p - code_.first_number]);
      };
      set_value(place, add_value({RowValue::Kind::number, at(place) - at(code_.first_number)}));
    }
    return value_at_[place];
  }

  uint32_t operand(uint32_t place, bool is_number) {
    return is_number ? number(place) : row(place);
  }
  uint32_t listed(uint32_t place) {
    return operand(place & ~uniform_place, (place & uniform_place) != 0);
  }

  uint32_t line(Function f, std::initializer_list<uint32_t> operands) {
    std::array<uint32_t, 3> all{};
    std::copy(operands.begin(), operands.end(), all.begin());
    const uint32_t out = add_value({});
    program_->lines.push_back(
        {f, static_cast<uint8_t>(operands.size()), out, all[0], all[1], all[2], nullptr, nullptr});
    return out;
  }

  // The value is what stands in the row from now on. It is written where somebody wants it.
  void give(uint32_t place, uint32_t value) {
    set_value(place, value);
    const bool wanted = place < code_.first_slot || last_reader_[written_] >= end_;
    ++written_;
    if (wanted) program_->values[value] = {RowValue::Kind::row, static_cast<int32_t>(place)};
  }

  uint32_t add_product(uint32_t sum, uint32_t a, uint32_t b, bool is_contracted) {
    if (sum == none) return line(Function::multiply, {a, b});
    if (is_contracted) return line(Function::add_product, {a, b, sum});
    return line(Function::add, {sum, line(Function::multiply, {a, b})});
  }

  void write(const LaneStep<T>& s) {
    const auto value = [&](int k) {
      const uint32_t places[] = {s.a, s.b, s.c};
      return operand(places[k], (s.mask >> k & 1) != 0);
    };
    switch (s.form) {
      case LaneForm::pair: {
        const LaneFirst first = first_of_pair(s.fn);
        const uint32_t a = value(0);
        const uint32_t t = operands_of(first) == 2 ? line(function_of(first), {a, value(1)})
                                                   : line(function_of(first), {a});
        return give(s.out, second(second_of_pair(s.fn), t, s));
      }
      case LaneForm::two_products:
      case LaneForm::product_difference: {
        const uint32_t first = line(Function::multiply, {row(s.a), row(s.b)});
        const uint32_t other = line(Function::multiply, {row(s.c), row(s.d)});
        return give(s.out,
                    line(s.form == LaneForm::two_products ? Function::add : Function::subtract,
                         {first, other}));
      }
      case LaneForm::sum_of_products:
      case LaneForm::contracted_products: {
        uint32_t sum = s.a == no_place ? none : row(s.a);
        const uint32_t* list = code_.lists.data() + s.b;
        for (uint32_t k = 0; k < s.c; ++k)
          sum = add_product(sum, listed(list[2 * k]), listed(list[2 * k + 1]),
                            s.form == LaneForm::contracted_products);
        return give(s.out, sum);
      }
      case LaneForm::products_tile:
        return write_tile(Tile<T>(s, code_));
      case LaneForm::row_copy:
        return give(s.out, line(Function::copy, {value(0)}));
      default: {
        if (ScalarFn{s.fn} == scalar_fn_of<Clip>()) {
          const uint32_t low = line(Function::maximum, {value(0), value(1)});
          return give(s.out, line(Function::minimum, {low, value(2)}));
        }
        if (ScalarFn{s.fn} == scalar_fn_of<WithValue>())
          return give(s.out, line(Function::select, {value(0), value(2), value(1)}));
        const Function f = machine_function(ScalarFn{s.fn});
        switch (scalar_fn_info(ScalarFn{s.fn}).arity) {
          case 1:
            return give(s.out, line(f, {value(0)}));
          case 2:
            return give(s.out, line(f, {value(0), value(1)}));
          default:
            return give(s.out, line(f, {value(0), value(1), value(2)}));
        }
      }
    }
  }

  static Function function_of(LaneFirst f) {
    switch (f) {
      case LaneFirst::add:
        return Function::add;
      case LaneFirst::subtract:
        return Function::subtract;
      case LaneFirst::multiply:
        return Function::multiply;
      case LaneFirst::zmul:
        return Function::strong_product;
      case LaneFirst::negative:
        return Function::negative;
      default:
        return Function::square;
    }
  }

  uint32_t second(LaneSecond how, uint32_t t, const LaneStep<T>& s) {
    if (how == LaneSecond::negative) return line(Function::negative, {t});
    if (how == LaneSecond::square) return line(Function::square, {t});
    const uint32_t c = operand(s.c, (s.mask & 4) != 0);
    switch (how) {
      case LaneSecond::add:
        return line(Function::add, {t, c});
      case LaneSecond::subtract:
        return line(Function::subtract, {t, c});
      case LaneSecond::subtract_from:
        return line(Function::subtract, {c, t});
      case LaneSecond::multiply:
        return line(Function::multiply, {t, c});
      case LaneSecond::zmul:
        return line(Function::strong_product, {t, c});
      default:
        return line(Function::strong_product, {c, t});
    }
  }

  // All rows are read before any is written: a sum may stand where a factor of the next one stood.
  void write_tile(const Tile<T>& tile) {
    std::vector<uint32_t> sums;
    for (const TileSum& s : tile.sums) sums.push_back(s.first == no_place ? none : row(s.first));
    for (uint32_t k = 0; k < tile.common; ++k) {
      const uint32_t* places = tile.shared + k * (1 + tile.count);
      const uint32_t x = row(places[0]);
      for (size_t r = 0; r < sums.size(); ++r)
        sums[r] = add_product(sums[r], x, listed(places[1 + r]), true);
    }
    for (size_t r = 0; r < sums.size(); ++r)
      for (uint32_t k = 0; k < tile.sums[r].own; ++k) {
        const uint32_t* places = tile.sums[r].products + 2 * k;
        sums[r] = add_product(sums[r], listed(places[0]), listed(places[1]), true);
      }
    for (size_t r = 0; r < sums.size(); ++r) give(tile.sums[r].out, sums[r]);
  }

  const BlockCode<T>& code_;
  std::vector<uint32_t> last_reader_;
  uint32_t written_ = 0;            // so many times by now
  std::vector<uint32_t> value_at_;  // by place, in this piece
  std::vector<uint32_t> touched_;   // places that have one
  emit::RowProgram* program_ = nullptr;
  size_t end_ = 0;
};

}  // namespace

template <class T>
BlockPieces<T> pieces_of(const BlockCode<T>& code) {
  for (const uint32_t window : {192, 64, 24, 8}) {
    BlockPieces<T> made{in_long_pieces(code, window), {}};
    made.pieces = PieceWriter<T>(made.code).pieces();
    if (share_slots(made, code.places)) return made;
  }
  return {code, PieceWriter<T>(code).pieces()};
}

template BlockPieces<float> pieces_of(const BlockCode<float>&);
template BlockPieces<double> pieces_of(const BlockCode<double>&);

}  // namespace tapegrad
