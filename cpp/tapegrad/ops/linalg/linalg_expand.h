#pragma once

#include "tapegrad/ops/expand.h"

// Products and small linear systems taken apart into scalars: for the files of the family.

namespace tapegrad {

// Whether a step on stacks of square matrices is taken apart: the matrices are small, and what
// raises an error may be required.
bool can_expand_matrices(ExpandContext& c);
// Whether kernels/linalg/matmul.h adds the products of each element one after the other.
bool adds_in_order(size_t stack, size_t rows, size_t columns, size_t inner);

bool expand_matmul(ExpandContext& c);
bool expand_cross(ExpandContext& c);
bool expand_einsum(ExpandContext& c);
bool expand_solve(ExpandContext& c);
bool expand_inv(ExpandContext& c);
bool expand_solve_triangular(ExpandContext& c);
bool expand_det(ExpandContext& c);
bool expand_slogdet(ExpandContext& c);
bool expand_cholesky(ExpandContext& c);

}  // namespace tapegrad
