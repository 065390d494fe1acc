// These kernels stand in for LAPACK where there is no OpenBLAS. Matrices are packed, column-major
// and finite.
#pragma once

#include <cstdint>

namespace tapegrad::builtin {

// Jacobi's rotations of a symmetric matrix, both triangles of which are filled; v becomes the
// eigenvectors. Ascending order. Returns false where 60 sweeps were not enough.
template <class T>
bool symmetric_eigen(int64_t n, T* a, T* values, T* v);

// One-sided rotations of the columns of a (m by n, m >= n), which becomes U; v (n by n) becomes V.
// Descending order. Returns false where 60 sweeps were not enough.
template <class T>
bool singular_decomposition(int64_t m, int64_t n, T* a, T* s, T* v);

// Column j of the n columns u becomes a unit vector that is orthogonal to all others, of which
// those that are not zero are orthonormal.
template <class T>
void complete_column(int64_t m, int64_t n, int64_t j, T* u);

// Householder's reflections, one column after the other: R in the upper triangle of a (m by n,
// m >= n), the reflections below it and in tau, as LAPACK's geqrf leaves them.
template <class T>
void geqrf(int64_t m, int64_t n, T* a, T* tau);

// What geqrf left becomes Q (m by n).
template <class T>
void orgqr(int64_t m, int64_t n, T* a, const T* tau);

}  // namespace tapegrad::builtin
