// Decompositions of stacks of matrices (..., m, n), float32 or float64, with any strides. Results
// are packed. Each function returns the lowest position in the stack (in C order) for which the
// iteration did not converge, -1 where there is none.
#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// Eigenvalues in ascending order and, where v is not null, eigenvectors of symmetric matrices, of
// which one triangle is read.
int64_t eigh_values(const Value& a, bool is_lower, Value& w, Value* v);

// Singular values in descending order and, where u and vt are not null, the vectors that belong to
// them: (..., m, k) and (..., k, n), k = min(m, n).
int64_t svd_values(const Value& a, Value& s, Value* u, Value* vt);

// The vectors that make those of svd_values bases: (..., m, m - k) and (..., n - k, n).
int64_t svd_rest_values(const Value& a, Value& u, Value& vt);

// a = q r with m >= n, q (..., m, n), r (..., n, n).
void qr_values(const Value& a, Value& q, Value& r);
// The columns (..., m, m - n) that make those of q a basis.
Value qr_rest_values(const Value& a);

}  // namespace tapegrad
