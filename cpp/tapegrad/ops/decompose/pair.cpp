#include "tapegrad/ops/decompose/pair.h"

#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/shape.h"

namespace tapegrad {

Pair add(const Pair& a, const Pair& b) { return {add(a.re, b.re), add(a.im, b.im)}; }

Pair subtract(const Pair& a, const Pair& b) { return {subtract(a.re, b.re), subtract(a.im, b.im)}; }

Pair multiply(const Pair& a, const Pair& b) {
  return {subtract(multiply(a.re, b.re), multiply(a.im, b.im)),
          add(multiply(a.re, b.im), multiply(a.im, b.re))};
}

Pair multiply(const Pair& a, const Ref& real) {
  return {multiply(a.re, real), multiply(a.im, real)};
}

Pair conjugate(const Pair& a) { return {a.re, negative(a.im)}; }

Ref real_of_matmul(const Pair& a, const Pair& b) {
  return subtract(matmul(a.re, b.re), matmul(a.im, b.im));
}

Pair matmul(const Pair& a, const Pair& b) {
  return {real_of_matmul(a, b), add(matmul(a.re, b.im), matmul(a.im, b.re))};
}

Pair adjoint(const Pair& a) { return {swap_last_axes(a.re), negative(swap_last_axes(a.im))}; }

Pair hermitian_part(const Pair& a) { return {symmetric_part(a.re), antisymmetric_part(a.im)}; }
Pair antihermitian_part(const Pair& a) { return {antisymmetric_part(a.re), symmetric_part(a.im)}; }

Pair diagonal(const Pair& a) { return {diagonal(a.re), diagonal(a.im)}; }
Pair as_diagonal(const Pair& numbers) { return {as_diagonal(numbers.re), as_diagonal(numbers.im)}; }
Pair as_row(const Pair& numbers) { return {as_row(numbers.re), as_row(numbers.im)}; }
Ref squares(const Pair& a) { return add(square(a.re), square(a.im)); }

Pair outputs(const VjpContext& ctx, int first) { return {ctx.out(first), ctx.out(first + 1)}; }
Pair outputs(const JvpContext& ctx, int first) { return {ctx.out(first), ctx.out(first + 1)}; }

bool has_cotangents(const VjpContext& ctx, int first) {
  return ctx.has_ct(first) || ctx.has_ct(first + 1);
}

Pair cotangents(const VjpContext& ctx, int first) {
  const auto of = [&](int j) {
    return ctx.has_ct(j) ? ctx.ct(j) : constant_full(ctx.out_type(j), 0);
  };
  return {of(first), of(first + 1)};
}

Pair tangents(const JvpContext& ctx) {
  const auto of = [&](int i) {
    return ctx.has_tangent(i) ? ctx.tangent(i) : constant_full(ctx.in_type(i), 0);
  };
  return {of(0), of(1)};
}

void set_pair(JvpContext& ctx, int first, const Pair& tangent) {
  ctx.set(first, tangent.re);
  ctx.set(first + 1, tangent.im);
}

void add_pair(VjpContext& ctx, const Pair& adjoint) {
  if (ctx.needs(0)) ctx.add(0, adjoint.re);
  if (ctx.needs(1)) ctx.add(1, adjoint.im);
}

ComplexValue in_double(std::span<const Value> in,
                       std::vector<TensorType> (*infer)(const Attrs&,
                                                        std::span<const TensorType>)) {
  const TensorType types[] = {type_of(in[0]), type_of(in[1])};
  infer({}, std::span(types));
  return {in[0].cast(DType::float64), in[1].cast(DType::float64)};
}

}  // namespace tapegrad
