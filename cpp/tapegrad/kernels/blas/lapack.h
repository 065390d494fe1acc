// These are factorizations and triangular solves of row-major matrices, double and float. Large
// ones are blocked: their products and solves run on several threads, cut by shape alone. Results
// are 0 or what the comment says; nothing throws for a singular matrix.
#pragma once

#include <cstdint>

namespace tapegrad {

// Factors P A = L U in place: U on and above the diagonal, the unit lower L below it; row i was
// swapped with row pivots[i] >= i, for i = 0, 1, ... Returns 0, or i + 1 for the first U(i, i) that
// is exactly zero (the factors are complete all the same).
template <class T>
int64_t getrf(int64_t n, T* a, int64_t lda, int32_t* pivots);

// Solves A X = B (A' X = B if is_trans) with the factors from getrf, in place of B, which is n by
// nrhs.
template <class T>
void getrs(bool is_trans, int64_t n, int64_t nrhs, const T* lu, int64_t ldlu, const int32_t* pivots,
           T* b, int64_t ldb);

// Sets out to the inverse of A, which may not overlap it. Returns as getrf; where that is not 0,
// out is not meaningful.
template <class T>
int64_t inverse(int64_t n, const T* a, int64_t lda, T* out, int64_t ldo);

// Factors A = L L' in place: reads and writes the lower triangle only. Returns 0, or the order of
// the first leading minor that is not positive definite.
template <class T>
int64_t potrf(int64_t n, T* a, int64_t lda);

// Solves op(A) X = B in place of B (n by nrhs), A triangular; the other triangle, and with is_unit
// the diagonal, is not read. Returns 0, or i + 1 for the first A(i, i) that is exactly zero (B is
// then untouched).
template <class T>
int64_t trtrs(bool is_lower, bool is_trans, bool is_unit, int64_t n, int64_t nrhs, const T* a,
              int64_t lda, T* b, int64_t ldb);

}  // namespace tapegrad
