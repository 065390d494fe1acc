// These are matrix products over row-major matrices with leading dimensions, double and float.
//
// Large products are cut into tiles that run on several threads. The tiles depend on the shapes
// alone, so the bits do not depend on the number of threads. IEEE holds: 0 * inf is NaN, and with
// beta 0 the old C is not read.
#pragma once

#include <cstdint>

namespace tapegrad {

// Computes C = alpha op(A) op(B) + beta C, where op(A) is m by k (A itself k by m if ta), op(B) k
// by n, C m by n. Element (i, j) of A is a[i * lda + j]. Where a matrix has one row its leading
// dimension is not used.
template <class T>
void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
          const T* b, int64_t ldb, T beta, T* c, int64_t ldc);

// Computes one product for each i in [0, batch), of the matrices at a + a_offsets[i], b +
// b_offsets[i], c + c_offsets[i]. The results must not overlap; the operands may (a broadcast
// operand has equal offsets).
template <class T>
void gemm_batched(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
                  int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc, int64_t batch,
                  const int64_t* a_offsets, const int64_t* b_offsets, const int64_t* c_offsets);

}  // namespace tapegrad
