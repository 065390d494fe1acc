// Decompositions of packed column-major matrices, double and float, on one thread: by LAPACK where
// OpenBLAS is loaded, with NumPy's routines and hence its signs, else by the kernels of
// builtin.h, whose signs of eigenvectors and singular vectors are their own.
#pragma once

#include <cstdint>

namespace tapegrad {

// A dimension as LAPACK takes it; throws where it is too large.
int checked_int(int64_t value);

// Eigenvalues in ascending order of the symmetric matrix of which one triangle is read; with
// vectors, a becomes the eigenvectors, in its columns, else it is overwritten. Of a matrix that is
// not finite everything is NaN. Returns false where the iteration does not converge.
template <class T>
bool symmetric_eigen(bool is_lower, bool vectors, int64_t n, T* a, T* values);

// Singular values in descending order of a (m by n), which is overwritten. With vectors u becomes m
// by k and vt k by n, k = min(m, n), or m by m and n by n where `whole`. Infinities make everything
// NaN. Returns false where a has NaN or the iteration does not converge.
template <class T>
bool singular_decomposition(bool vectors, int64_t m, int64_t n, T* a, T* s, T* u, T* vt,
                            bool whole = false);

// a (m by n, m >= n) becomes Q; the upper triangle of r
// (n by n) becomes R, the rest zero.
template <class T>
void orthogonal_triangular(int64_t m, int64_t n, T* a, T* r);

// q (m by m) becomes Q and the columns that make it a basis of the space; a is overwritten.
template <class T>
void orthogonal_basis(int64_t m, int64_t n, T* a, T* q);

}  // namespace tapegrad
