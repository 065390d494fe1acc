// Sums over the lanes of products of two rows, several at a time: each has a vector of sums in a
// register, and at the end these are added up across each other, so that the last steps of one
// sum are those of the others too.
#pragma once

#include <utility>

#include "tapegrad/rows/isa/lane_vectors.h"

namespace tapegrad {
namespace {

// Of x and y, which hold some sums in `length` lanes each: the same sums in half as many lanes.
template <int length, class T, size_t... i>
[[gnu::always_inline]] inline void halve(Vector<T>& out, const Vector<T>& x, const Vector<T>& y,
                                         std::index_sequence<i...>) {
  constexpr size_t half = length / 2;
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
  out = __builtin_shufflevector(x, y, (i / half * length + i % half)...) +
        __builtin_shufflevector(x, y, (i / half * length + i % half + half)...);
#else
  const Vector<T> both[] = {x, y};
  const auto at = [&](size_t k) { return both[k / sizeof...(i)][k % sizeof...(i)]; };
  ((out[i] = at(i / half * length + i % half) + at(i / half * length + i % half + half)), ...);
#endif
}

// Vector k holds sum k in all its lanes; at the end the sums stand one after the other.
template <int count, int length, class T>
[[gnu::always_inline]] inline void add_across(Vector<T>* sums) {
  constexpr std::make_index_sequence<vector_width<T>> lanes;
  if constexpr (length > 1) {
    constexpr int pairs = count > 1 ? count / 2 : 1;
#pragma GCC unroll 4
    for (int k = 0; k < pairs; ++k)
      halve<length, T>(sums[k], sums[2 * k], sums[count > 1 ? 2 * k + 1 : 0], lanes);
    add_across<pairs, length / 2, T>(sums);
  }
}

// Adds to totals[k], for the first `wanted` of `count` sums, sum over the lanes of a_k * b_k. The
// list has the places of a, then of the factors of each b where they share the row a, else of a
// and b in turn. `by_number`: b is uniform, or no_place, which is 1.
template <class T, int count, bool shared, bool by_number>
[[gnu::always_inline]] inline void sum_rows(const uint32_t* list, T* const* at, int64_t n,
                                            uint32_t wanted, T* totals) {
  constexpr int64_t width = vector_width<T>;
  const T* a[count];
  const T* b[count];
  Vector<T> factor[by_number ? count : 1];
  Vector<T> sums[count];
#pragma GCC unroll 8
  for (int k = 0; k < count; ++k) {
    a[k] = at[list[shared ? 0 : 2 * k]];
    const uint32_t place = list[shared ? k + 1 : 2 * k + 1];
    if constexpr (by_number) {
      fill_vector<T>(factor[k], place == no_place ? T{1} : at[place & ~uniform_place][0]);
    } else {
      b[k] = at[place];
    }
    fill_vector<T>(sums[k], -T{0});
  }
  const auto terms = [&](int64_t i, auto take) __attribute__((always_inline)) {
    Vector<T> x, y;
    if constexpr (shared) load_vector<T>(x, a[0] + i);
#pragma GCC unroll 8
    for (int k = 0; k < count; ++k) {
      if constexpr (!shared) load_vector<T>(x, a[k] + i);
      if constexpr (!by_number) load_vector<T>(y, b[k] + i);
      take(sums[k], x, by_number ? factor[by_number ? k : 0] : y);
    }
  };
  int64_t i = 0;
  for (; i + width <= n; i += width)
    terms(i, [](Vector<T>& sum, const Vector<T>& x, const Vector<T>& y)
                 __attribute__((always_inline)) { add_products<T>(sum, x, y); });
  if (i < n) {
    terms(i, [&](Vector<T>& sum, const Vector<T>& x, const Vector<T>& y)
                 __attribute__((always_inline)) {
                   Vector<T> next = sum;
                   add_products<T>(next, x, y);
                   take_lanes<T>(sum, next, n - i);
                 });
  }
  add_across<count, static_cast<int>(width), T>(sums);
  T found[count > width ? count : width];
  constexpr int vectors = count > width ? count / static_cast<int>(width) : 1;
#pragma GCC unroll 4
  for (int k = 0; k < vectors; ++k) store_vector<T>(found + k * width, sums[k]);
  if (wanted == count) {
#pragma omp simd
    for (int k = 0; k < count; ++k) totals[k] += found[k];
  } else {
    for (uint32_t k = 0; k < wanted; ++k) totals[k] += found[k];
  }
}

template <class T>
void sums_of_rows(const LaneStep<T>& s, T* const* at, int64_t, LaneFrame<T>& frame) {
  const uint32_t* list = frame.lists + s.b;
  const int64_t n = frame.count;
  T* totals = frame.totals + s.a;
  for (uint32_t group = 0; group < s.c; ++group) {
    const RowSums how = RowSums::from(list[0]);
    const uint32_t* const places = list + 1;
    switch (how.form) {
      case RowSums::shared_8:
        sum_rows<T, 8, true, false>(places, at, n, how.wanted, totals);
        break;
      case RowSums::shared_4:
        sum_rows<T, 4, true, false>(places, at, n, how.wanted, totals);
        break;
      case RowSums::pairs:
        sum_rows<T, 4, false, false>(places, at, n, how.wanted, totals);
        break;
      case RowSums::by_numbers:
        sum_rows<T, 4, false, true>(places, at, n, how.wanted, totals);
        break;
    }
    list = places + RowSums::places[how.form];
    totals += how.wanted;
  }
}

}  // namespace
}  // namespace tapegrad
