// Vectors of the level's width, for loops that keep several of them in registers.
#pragma once

#include "tapegrad/rows/isa/lane_loops.h"

#if TAPEGRAD_ISA_LEVEL >= 3
#include <immintrin.h>
#endif

namespace tapegrad {
namespace {

template <class T>
struct VectorOf {
  typedef T Type __attribute__((vector_size(vector_width<T> * sizeof(T))));
};
template <class T>
using Vector = typename VectorOf<T>::Type;

template <class T>
[[gnu::always_inline]] inline void load_vector(Vector<T>& to, const T* from) {
  __builtin_memcpy(&to, from, sizeof to);
}

template <class T>
[[gnu::always_inline]] inline void store_vector(T* to, const Vector<T>& from) {
  __builtin_memcpy(to, &from, sizeof from);
}

template <class T>
[[gnu::always_inline]] inline void fill_vector(Vector<T>& to, T x) {
  to = x - Vector<T>{};  // which is x, the zero of either sign too
}

// to = from in the first n lanes.
template <class T>
[[gnu::always_inline]] inline void take_lanes(Vector<T>& to, const Vector<T>& from, int64_t n) {
  Vector<T> number;
  for (int64_t j = 0; j < vector_width<T>; ++j) number[j] = static_cast<T>(j);
  to = number < static_cast<T>(n) - Vector<T>{} ? from : to;
}

// sum += a * b, rounded once where the level has fused multiply-adds.
template <class T>
[[gnu::always_inline]] inline void add_products(Vector<T>& sum, const Vector<T>& a,
                                                const Vector<T>& b) {
#if TAPEGRAD_ISA_LEVEL >= 4
  if constexpr (sizeof(T) == sizeof(double)) {
    sum = (Vector<T>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum);
  } else {
    sum = (Vector<T>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
  }
#elif TAPEGRAD_ISA_LEVEL >= 3
  if constexpr (sizeof(T) == sizeof(double)) {
    sum = (Vector<T>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
  } else {
    sum = (Vector<T>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
  }
#else
  sum = sum + a * b;
#endif
}

}  // namespace
}  // namespace tapegrad
