// These kernels stand in for OpenBLAS where there is none: plain blocked loops, any strides, one
// thread.
#pragma once

#include <cstdint>

namespace tapegrad::builtin {

template <class T>
void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
          const T* b, int64_t ldb, T beta, T* c, int64_t ldc);

// Solves op(A) X = B in place of B, A triangular n by n, B n by nrhs, both row-major.
template <class T>
void trsm(bool is_lower, bool is_trans, bool is_unit, int64_t n, int64_t nrhs, const T* a,
          int64_t lda, T* b, int64_t ldb);

// Solves X L' = B in place of B (rows by n), L lower triangular.
template <class T>
void trsm_right(int64_t rows, int64_t n, const T* l, int64_t ldl, T* b, int64_t ldb);

// Factorizes a column-major m by n matrix as LAPACK's getrf does. Pivots count from 1; the result
// is 0 or the first zero pivot.
template <class T>
int getrf(int64_t m, int64_t n, T* a, int64_t lda, int* pivots);

// Makes the row-major lower Cholesky factor in place; reads and writes the lower triangle only.
// Returns 0, or the order of the first minor that is not positive definite.
template <class T>
int potrf(int64_t n, T* a, int64_t lda);

}  // namespace tapegrad::builtin
