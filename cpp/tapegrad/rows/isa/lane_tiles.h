// Several sums of products of the same rows with numbers: a product of a small matrix and rows.
#pragma once

#include "tapegrad/rows/isa/lane_products.h"
#include "tapegrad/rows/isa/lane_vectors.h"

namespace tapegrad {
namespace {

// The places of a sum of its own: of its result, of t or no_place, and how many products follow
// those that all have in common.
constexpr uint32_t tile_words = 3;

template <class T, int sums>
struct TileOperands {
  uint32_t common;
  const T* rows[most_in_tile];
  T numbers[most_in_tile][sums];
  const uint32_t* heads;  // tile_words for each sum
  const uint32_t* rest;   // further products, sum after sum: pairs of places
};

// `vectors` from lane i on. All rows are read before any is written.
template <class T, int sums, int vectors>
[[gnu::always_inline]] inline void tile_of(const TileOperands<T, sums>& s, T* const* at,
                                           int64_t i) {
  constexpr int64_t width = vector_width<T>;
  Vector<T> total[sums][vectors], x[vectors], y;
#pragma GCC unroll 4
  for (int r = 0; r < sums; ++r) {
    const uint32_t t = s.heads[tile_words * static_cast<uint32_t>(r) + 1];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      if (t == no_place) {
        fill_vector<T>(total[r][v], -T{0});
      } else {
        load_vector<T>(total[r][v], at[t] + i + v * width);
      }
    }
  }
  for (uint32_t k = 0; k < s.common; ++k) {
    const T* row = s.rows[k] + i;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) load_vector<T>(x[v], row + v * width);
#pragma GCC unroll 4
    for (int r = 0; r < sums; ++r) {
      fill_vector<T>(y, s.numbers[k][r]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) add_products<T>(total[r][v], x[v], y);
    }
  }
  const uint32_t* rest = s.rest;
#pragma GCC unroll 4
  for (int r = 0; r < sums; ++r) {
    for (uint32_t k = s.heads[tile_words * static_cast<uint32_t>(r) + 2]; k > 0; --k, rest += 2) {
      const T* row = at[rest[0]] + i;
      const bool uniform = rest[1] & uniform_place;
      const T* other = at[rest[1] & ~uniform_place] + (uniform ? 0 : i);
      if (uniform) fill_vector<T>(y, other[0]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        load_vector<T>(x[0], row + v * width);
        if (!uniform) load_vector<T>(y, other + v * width);
        add_products<T>(total[r][v], x[0], y);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < sums; ++r) {
    T* out = at[s.heads[tile_words * static_cast<uint32_t>(r)]] + i;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) store_vector<T>(out + v * width, total[r][v]);
  }
}

template <class T, int sums>
void products_tile(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>& frame) {
  constexpr int vectors = TAPEGRAD_ISA_LEVEL >= 4 ? 4 : TAPEGRAD_ISA_LEVEL >= 3 ? 2 : 1;
  constexpr int64_t width = vector_width<T>;
  TileOperands<T, sums> tile;
  tile.common = s.c;
  tile.heads = frame.lists + s.b;
  const uint32_t* list = tile.heads + tile_words * sums;
  for (uint32_t k = 0; k < s.c; ++k, list += 1 + sums) {
    tile.rows[k] = at[list[0]];
#pragma GCC unroll 4
    for (int r = 0; r < sums; ++r) tile.numbers[k][r] = at[list[r + 1] & ~uniform_place][0];
  }
  tile.rest = list;
  int64_t i = 0;
  for (; i + vectors * width <= n; i += vectors * width) tile_of<T, sums, vectors>(tile, at, i);
  for (; i < n; i += width) tile_of<T, sums, 1>(tile, at, i);
}

}  // namespace
}  // namespace tapegrad
