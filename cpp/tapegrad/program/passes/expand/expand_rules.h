// What the rules of expand.cpp share: expand_rules.cpp has most of them, expand_folds.cpp,
// expand_products.cpp, expand_einsum.cpp and expand_linalg.cpp those of reductions, products and
// linear systems.
#pragma once

#include "tapegrad/program/passes/expand/expand.h"

namespace tapegrad {

using Elements = std::vector<ValueId>;

inline const Dims& shape_of(const ScalarWriter& w, ValueId v) { return w.from().type_of(v).shape; }
inline DType dtype_of_value(const ScalarWriter& w, ValueId v) { return w.from().type_of(v).dtype; }
inline ValueId input(const ScalarWriter& w, const Program::Step& s, size_t i) {
  return w.from().in(s)[i];
}

// Positions in an array of `shape` of the elements of its broadcast to `to`.
std::vector<size_t> broadcast_positions(const Dims& shape, const Dims& to);
// Whether all operands and results have one floating dtype.
bool is_float_step(const ScalarWriter& w, const Program::Step& s);

// Whether kernels/linalg/matmul.h adds the products of each element one after the other.
bool adds_in_order(size_t stack, size_t rows, size_t columns, size_t inner);
// Sums over axes of an array packed in C order.
Elements sum_axes(ScalarWriter& w, DType d, const Elements& in, const Dims& shape,
                  const Dims& flags);

bool expand_sum(ScalarWriter& w, const Program::Step& s);
bool expand_mean(ScalarWriter& w, const Program::Step& s);
bool expand_prod(ScalarWriter& w, const Program::Step& s);
bool expand_max(ScalarWriter& w, const Program::Step& s);
bool expand_min(ScalarWriter& w, const Program::Step& s);
bool expand_sum_to_shape(ScalarWriter& w, const Program::Step& s);
bool expand_tie_shares(ScalarWriter& w, const Program::Step& s);
bool expand_logsumexp(ScalarWriter& w, const Program::Step& s);
bool expand_matmul(ScalarWriter& w, const Program::Step& s);
bool expand_einsum(ScalarWriter& w, const Program::Step& s);
bool expand_cross(ScalarWriter& w, const Program::Step& s);
bool expand_solve(ScalarWriter& w, const Program::Step& s);
bool expand_inv(ScalarWriter& w, const Program::Step& s);
bool expand_solve_triangular(ScalarWriter& w, const Program::Step& s);
bool expand_det(ScalarWriter& w, const Program::Step& s);
bool expand_slogdet(ScalarWriter& w, const Program::Step& s);
bool expand_cholesky(ScalarWriter& w, const Program::Step& s);

}  // namespace tapegrad
