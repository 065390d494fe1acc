// Sums of products: over a list of rows for each lane, and over the lanes for each pair of rows.
#pragma once

#include "tapegrad/rows/isa/lane_loops.h"
#include "tapegrad/scalar/math/vector_math_base.h"

namespace tapegrad {
namespace {

// sum + a * b, rounded once where the level has fused multiply-adds and the caller wants it.
template <bool contracted, class T>
[[gnu::always_inline]] inline T add_product(T a, T b, T sum) {
  if constexpr (contracted && TAPEGRAD_ISA_LEVEL >= 3) {
    return vm::fma(a, b, sum);
  } else {
    return sum + a * b;
  }
}

// Some vectors of sums stay in registers while the list is read.
template <class T, bool contracted, int64_t lanes>
[[gnu::always_inline]] inline void sum_products_of(const LaneStep<T>& s, T* const* at, int64_t i,
                                                   const uint32_t* list) {
  T sums[lanes];
  uint32_t k = 0;
  if (s.a != no_place) {
    const T* t = at[s.a] + i;
#pragma omp simd
    for (int64_t j = 0; j < lanes; ++j) sums[j] = t[j];
  } else {
    const T* a = at[list[0]] + i;
    const bool uniform = list[1] & uniform_place;
    const T* b = at[list[1] & ~uniform_place] + (uniform ? 0 : i);
    const T y = b[0];
    if (uniform) {
#pragma omp simd
      for (int64_t j = 0; j < lanes; ++j) sums[j] = a[j] * y;
    } else {
#pragma omp simd
      for (int64_t j = 0; j < lanes; ++j) sums[j] = a[j] * b[j];
    }
    k = 1;
  }
  for (; k < s.c; ++k) {
    const T* a = at[list[2 * k]] + i;
    const uint32_t place = list[2 * k + 1];
    if (place & uniform_place) {
      const T y = at[place & ~uniform_place][0];
#pragma omp simd
      for (int64_t j = 0; j < lanes; ++j) sums[j] = add_product<contracted>(a[j], y, sums[j]);
    } else {
      const T* b = at[place] + i;
#pragma omp simd
      for (int64_t j = 0; j < lanes; ++j) sums[j] = add_product<contracted>(a[j], b[j], sums[j]);
    }
  }
  T* out = at[s.out] + i;
#pragma omp simd
  for (int64_t j = 0; j < lanes; ++j) out[j] = sums[j];
}

template <class T, bool contracted>
void sum_of_products(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>& frame) {
  const uint32_t* list = frame.lists + s.b;
  constexpr int64_t one = vector_width<T>, four = 4 * one, eight = 8 * one;
  int64_t i = 0;
  for (; i + eight <= n; i += eight) sum_products_of<T, contracted, eight>(s, at, i, list);
  for (; i + four <= n; i += four) sum_products_of<T, contracted, four>(s, at, i, list);
  for (; i < n; i += one) sum_products_of<T, contracted, one>(s, at, i, list);
}

constexpr int rows_at_once = 4;

// x[0] + ... + x[n - 1] by halves.
template <int n, class T>
[[gnu::always_inline]] inline T tree_sum(const T* x) {
  if constexpr (n == 1) {
    return x[0];
  } else {
    return tree_sum<n / 2>(x) + tree_sum<n / 2>(x + n / 2);
  }
}

// totals[list[3 k + 2]] += sum of a[i] * b_k[i] for `count` pairs that share the row a. A uniform
// factor (no `rows`) is read once; without a second factor it is 1.
template <class T, int count, bool rows>
[[gnu::always_inline]] inline void sum_rows_with(const uint32_t* list, T* const* at, int64_t n,
                                                 T* totals) {
  constexpr int64_t lanes = running_sums<T>;
  const T* a = at[list[0]];
  const T* b[count];
  T factor[count];
  T sums[count][lanes];
  for (int k = 0; k < count; ++k) {
    const uint32_t place = list[3 * k + 1];
    b[k] = place == no_place ? nullptr : at[place & ~uniform_place];
    factor[k] = place == no_place ? T{1} : b[k][0];
    for (int64_t j = 0; j < lanes; ++j) sums[k][j] = -T{0};
  }
  const auto term = [&](int k, int64_t i, T sum) {
    return add_product<true>(a[i], rows ? b[k][i] : factor[k], sum);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
#pragma GCC unroll 4
    for (int k = 0; k < count; ++k) {
#pragma omp simd
      for (int64_t j = 0; j < lanes; ++j) sums[k][j] = term(k, i + j, sums[k][j]);
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < count; ++k) {
    for (int64_t j = 0; i + j < n; ++j) sums[k][j] = term(k, i + j, sums[k][j]);
    T halves[lanes / 2];
#pragma omp simd
    for (int64_t j = 0; j < lanes / 2; ++j) halves[j] = sums[k][j] + sums[k][j + lanes / 2];
    totals[list[3 * k + 2]] += tree_sum<lanes / 2>(halves);
  }
}

template <class T>
void sums_of_rows(const LaneStep<T>& s, T* const* at, int64_t, LaneFrame<T>& frame) {
  const uint32_t *list = frame.lists + s.b, *const end = list + 3 * s.c;
  const int64_t n = frame.count;
  const auto is_row = [](const uint32_t* pair) { return !(pair[1] & uniform_place); };
  while (list != end) {
    int alike = 1;
    while (alike < rows_at_once && list + 3 * alike != end && list[3 * alike] == list[0] &&
           is_row(list + 3 * alike) == is_row(list))
      ++alike;
    if (!is_row(list)) {
      sum_rows_with<T, 1, false>(list, at, n, frame.totals);
      alike = 1;
    } else if (alike == rows_at_once) {
      sum_rows_with<T, rows_at_once, true>(list, at, n, frame.totals);
    } else if (alike >= 2) {
      sum_rows_with<T, 2, true>(list, at, n, frame.totals);
      alike = 2;
    } else {
      sum_rows_with<T, 1, true>(list, at, n, frame.totals);
    }
    list += 3 * alike;
  }
}

}  // namespace
}  // namespace tapegrad
