// Sums of products of a list of rows, for each lane.
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
    } else if (const T* b = at[place] + i; a == b) {  // one load is enough
#pragma omp simd
      for (int64_t j = 0; j < lanes; ++j) sums[j] = add_product<contracted>(a[j], a[j], sums[j]);
    } else {
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

}  // namespace
}  // namespace tapegrad
