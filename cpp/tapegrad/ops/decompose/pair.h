#pragma once

#include "tapegrad/kernels/decompose/complex.h"
#include "tapegrad/tape/rule.h"

// Complex arrays as pairs of Refs, in the rules of complex decompositions. An adjoint is the pair
// of the adjoints of the parts, g = df/dx + i df/dy: that of y = a x is conj(a)' g.

namespace tapegrad {

struct Pair {
  Ref re, im;
};

Pair add(const Pair& a, const Pair& b);
Pair subtract(const Pair& a, const Pair& b);
Pair multiply(const Pair& a, const Pair& b);  // elementwise
Pair multiply(const Pair& a, const Ref& real);
Pair conjugate(const Pair& a);
Pair matmul(const Pair& a, const Pair& b);
Ref real_of_matmul(const Pair& a, const Pair& b);
Pair adjoint(const Pair& a);  // of matrices: conjugate and transposed
Pair hermitian_part(const Pair& a);
Pair antihermitian_part(const Pair& a);
Pair diagonal(const Pair& a);
Pair as_diagonal(const Pair& numbers);
Pair as_row(const Pair& numbers);
Ref squares(const Pair& a);  // |a|^2

// Outputs first and first + 1 of an application, their cotangents (zeros where there are none).
Pair outputs(const VjpContext& ctx, int first);
Pair outputs(const JvpContext& ctx, int first);
bool has_cotangents(const VjpContext& ctx, int first);
Pair cotangents(const VjpContext& ctx, int first);
// The tangent of a complex matrix, which is inputs 0 and 1.
Pair tangents(const JvpContext& ctx);
void set_pair(JvpContext& ctx, int first, const Pair& tangent);
void add_pair(VjpContext& ctx, const Pair& adjoint);  // to inputs 0 and 1

// Both parts in double precision; throws where `infer` does.
ComplexValue in_double(std::span<const Value> in,
                       std::vector<TensorType> (*infer)(const Attrs&, std::span<const TensorType>));

}  // namespace tapegrad
