// Decompositions of packed column-major complex matrices on one thread: by LAPACK where OpenBLAS
// is loaded, with NumPy's routines and hence its phases, else by the kernels of complex_builtin.h,
// whose phases are their own.
#pragma once

#include <complex>
#include <cstdint>

namespace tapegrad {

// As symmetric_eigen (matrix.h), with vectors.
bool hermitian_eigen(bool is_lower, int64_t n, std::complex<double>* a, double* values);

// As singular_decomposition (matrix.h), with vectors.
bool singular_decomposition(int64_t m, int64_t n, std::complex<double>* a, double* s,
                            std::complex<double>* u, std::complex<double>* vt, bool whole = false);

// Eigenvalues of a square matrix, which is overwritten, and eigenvectors of norm 1 in the columns
// of v (where it is not null), of which the largest element is real. Those of a real matrix are
// real or come in conjugate pairs. Returns false where a is not finite or the iteration does not
// converge.
bool general_eigen(int64_t n, std::complex<double>* a, std::complex<double>* values,
                   std::complex<double>* v);
bool general_eigen(int64_t n, double* a, std::complex<double>* values, std::complex<double>* v);

// The pivots of an elimination of a, which is overwritten, and whether rows were exchanged an odd
// number of times.
bool elimination(int64_t n, std::complex<double>* a, std::complex<double>* pivots);

// u becomes the inverse of the eigenvectors v; NaN where they do not span the space, up to
// rounding.
void inverse_of_vectors(int64_t n, const std::complex<double>* v, std::complex<double>* u);

}  // namespace tapegrad
