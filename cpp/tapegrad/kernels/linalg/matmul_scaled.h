// Arithmetic on subnormal numbers takes a hundred times as long on many processors, and
// probabilities that underflow are full of them. A product with such an operand is computed from a
// copy that is scaled by a power of two, and scaled back: the same bits, and less lost where
// results underflow.
#pragma once

#include <cstdint>

namespace tapegrad {

// Computes C = op(A) op(B), with the arguments of gemm (blas.h).
template <class T>
void scaled_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda,
                 const T* b, int64_t ldb, T* c, int64_t ldc);

}  // namespace tapegrad
