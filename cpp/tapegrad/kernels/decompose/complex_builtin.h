// These kernels stand in for LAPACK's decompositions of complex matrices where there is no
// OpenBLAS. Matrices are packed, column-major and finite.
#pragma once

#include <complex>
#include <cstdint>

namespace tapegrad::builtin {

// Jacobi's rotations of a Hermitian matrix, both triangles of which are filled; v becomes the
// eigenvectors. Ascending order. Returns false where 60 sweeps were not enough.
bool hermitian_eigen(int64_t n, std::complex<double>* a, double* values, std::complex<double>* v);

// One-sided rotations of the columns of a (m by n, m >= n), which becomes U; v (n by n) becomes V.
// Descending order. Returns false where 60 sweeps were not enough.
bool singular_decomposition(int64_t m, int64_t n, std::complex<double>* a, double* s,
                            std::complex<double>* v);

// Column j of the n columns u becomes a unit vector that is orthogonal to all before it.
void complete_column(int64_t m, int64_t j, std::complex<double>* u);

// Eigenvalues and eigenvectors of any square matrix by the QR algorithm: Hessenberg's form,
// Wilkinson's shifts, vectors of the triangle, unless v is null. Returns false where 30 steps for
// each eigenvalue were not enough.
bool general_eigen(int64_t n, std::complex<double>* a, std::complex<double>* values,
                   std::complex<double>* v);

// a becomes the triangles of an elimination; says whether rows were exchanged an odd number of
// times.
bool eliminate(int64_t n, std::complex<double>* a);

// b (n by n) becomes a^-1 b; returns false where a pivot is zero.
bool solve(int64_t n, std::complex<double>* a, std::complex<double>* b);

}  // namespace tapegrad::builtin
