#pragma once

#include <memory>

#include "tapegrad/tape/rule.h"

// Products of vectors and matrices of Refs, by NumPy's rules.

namespace tapegrad {

const Op& matmul_op();  // for passes that write it

// matmul of arrays of one shape and one place in memory after the other, given where they lie.
class LikeProduct {
 public:
  virtual ~LikeProduct() = default;
  // The result is packed.
  virtual void run(const void* a, const void* b, void* out) = 0;
};
// For arrays with the shapes and strides of these; null where one of them would be copied first,
// and for stacks.
std::unique_ptr<LikeProduct> product_like(const Value& a, const Value& b);

Ref matmul(const Ref& a, const Ref& b);
Ref dot(const Ref& a, const Ref& b);
Ref outer(const Ref& a, const Ref& b);
Ref tensordot(const Ref& a, const Ref& b, std::span<const int64_t> a_axes,
              std::span<const int64_t> b_axes);
// The cross product of vectors of length 3 along the last axes, which broadcast.
Ref cross_last(const Ref& a, const Ref& b);

// Stacks of matrices of one dtype: a (..., m, k) times b (..., k, n); the stacks broadcast, the
// shapes fit.
Value multiply_values(const Value& a, const Value& b);

// Input i of lanes as a stack of matrices, its vector (if it is one) a row or a column.
Ref matrix_of_lanes(const LanesCall& call, size_t i, bool row, int ndim);

void register_product_ops();  // dot inner outer vdot tensordot cross vecdot matvec vecmat kron

}  // namespace tapegrad
