#pragma once

#include <cstdint>

// These factorizations work on one packed row-major matrix, in place: by plain loops for small
// orders, by LAPACK for the others.

namespace tapegrad {

inline constexpr int64_t small_order = 16;

// Factors P A = L U. Returns false where a pivot is exactly zero. NaN counts as the largest pivot.
template <class T>
bool factor_lu(int64_t n, T* a, int32_t* pivots);

// Solves with the factors in place of b (n by columns).
template <class T>
void solve_lu(int64_t n, int64_t columns, const T* lu, const int32_t* pivots, T* b);

// A Triangle is one triangle of a matrix with any strides; the other one, and with is_unit the
// diagonal, is not read.
template <class T>
struct Triangle {
  const T* data;
  int64_t row_stride, column_stride;
  bool is_lower, is_unit;
};

// Solves with a triangle of small_order at most in place of b (n by columns). Returns false where
// an element of the diagonal is exactly zero.
template <class T>
bool solve_small_triangle(int64_t n, int64_t columns, const Triangle<T>& a, T* b);

// Computes the lower factor; the strict upper triangle becomes zero. Returns false where the matrix
// is not positive definite.
template <class T>
bool factor_cholesky(int64_t n, T* a);

}  // namespace tapegrad
