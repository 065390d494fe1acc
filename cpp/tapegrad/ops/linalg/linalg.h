#pragma once

#include "tapegrad/tape/ref.h"

// Linear algebra of Refs; stacks of matrices along the leading axes.

namespace tapegrad {

namespace triangle_attrs {  // solve_triangular
inline constexpr AttrKey is_lower{0, "is_lower"}, is_trans{1, "is_trans"}, is_unit{2, "is_unit"};
}

Ref inv(const Ref& a);
// b is a vector where it has one axis, else a stack of matrices.
Ref solve(const Ref& a, const Ref& b);
// op(A) x = b, A the lower or upper triangle of a (the other one is not read), op the transpose if
// is_trans; with is_unit the diagonal counts as ones.
Ref solve_triangular(const Ref& a, const Ref& b, bool is_lower, bool is_trans = false,
                     bool is_unit = false);
Ref det(const Ref& a);
Ref cholesky(const Ref& a);  // the lower factor

// What the files of the family share.
Dims square_shape(const Dims& shape,
                  const char* op);  // without the last two axes; throws LinAlgError
DType linalg_dtype(DType d);        // float64 for bool and integers
Ref adjugate(const Ref& a, const Ref& det_of_a);

// The parts of register_linalg_ops.
void register_solve_ops();
void register_det_ops();
void register_cholesky_ops();
void register_norm_ops();
void register_complex_det_ops();

}  // namespace tapegrad
