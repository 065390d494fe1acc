// Decompositions of stacks of complex matrices (..., m, n), real and imaginary part in arrays of
// float64 with any strides. Results are packed. Each function returns the lowest position in the
// stack for which the iteration did not converge, -1 where there is none.
#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

struct ComplexValue {
  Value re, im;
};

// Eigenvalues in ascending order and eigenvectors of Hermitian matrices, of which one triangle is
// read.
int64_t hermitian_values(const ComplexValue& a, bool is_lower, Value& w, ComplexValue& v);

// As svd_values (decompose.h), with vectors.
int64_t svd_values(const ComplexValue& a, Value& s, ComplexValue& u, ComplexValue& vt);

// As svd_rest_values (decompose.h).
int64_t svd_rest_values(const ComplexValue& a, ComplexValue& u, ComplexValue& vt);

// Eigenvalues, eigenvectors v of norm 1 and their inverse u (NaN where there is none).
int64_t eig_values(const ComplexValue& a, ComplexValue& w, ComplexValue& v, ComplexValue& u);
int64_t eig_values(const Value& a, ComplexValue& w, ComplexValue& v, ComplexValue& u);

// Eigenvalues alone; of a real matrix where `is_real`.
int64_t eigvals_values(const ComplexValue& a, bool is_real, ComplexValue& w);

// The sign of the determinant, of modulus one or zero, the logarithm of its modulus, and the share
// that the smallest pivot is of the largest one.
void slogdet_values(const ComplexValue& a, ComplexValue& sign, Value& logarithm, Value& share);

// Roots (..., n) of polynomials whose coefficients (..., n + 1), the first of which is not zero,
// are real or complex: eigenvalues of companion matrices, as NumPy's.
int64_t roots_values(const ComplexValue& p, bool is_real, ComplexValue& roots);

// Ties of complex numbers w (..., n), those at a distance of rounding.

// The elements k_ij / (w_j - w_i) of k (..., n, n); on the diagonal and for ties 0 where both
// elements of k are, and for ties NaN elsewhere.
ComplexValue divide_by_gaps_values(const ComplexValue& w, const ComplexValue& k);
// The means of d over the ties of w.
ComplexValue share_ties_values(const ComplexValue& w, const ComplexValue& d);
// 1 at the place of each column's largest element that is real (at its largest where none is), 0
// elsewhere.
Value real_places(const ComplexValue& v);

}  // namespace tapegrad
