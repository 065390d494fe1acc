// These functions factorize stacks of matrices (..., n, n), float32 or float64, with any strides.
// Results are packed. `failed` is the lowest position in the stack (in C order) whose matrix is
// singular or not positive definite, -1 where none is.
#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// Returns the axes before those of the matrices; it serves shapes and strides.
inline Dims stack_of(const Dims& shape) { return Dims(shape.data(), shape.size() - 2); }

Value inverse_values(const Value& a, int64_t& failed);

// Returns x (batch..., n, k) with a x = b; the stacks of a and b broadcast to `batch`.
Value solve_values(const Value& a, const Value& b, const Dims& batch, int64_t& failed);

// Does the same for a triangular matrix; the other triangle, and with is_unit the diagonal, is not
// read.
Value solve_triangular_values(const Value& a, const Value& b, const Dims& batch, bool is_lower,
                              bool is_trans, bool is_unit, int64_t& failed);

Value det_values(const Value& a);
void slogdet_values(const Value& a, Value& sign, Value& logarithm);

// Returns the lower factor; only the lower triangle is read.
Value cholesky_values(const Value& a, int64_t& failed);

// Singular matrices are bordered with unit vectors `rows` (..., n, width) and `columns` (...,
// width, n) such that [[a, rows], [columns, 0]] is regular. width is the largest deficiency in the
// stack, by the pivots of an elimination with complete pivoting; it is 0 where every matrix is
// safely regular.
struct Border {
  int64_t width = 0;
  Value rows, columns;
};
Border border_of(const Value& a);

}  // namespace tapegrad
