#include "tapegrad/ops/reduce/reduce_spread.h"

#include <algorithm>
#include <limits>

#include "tapegrad/kernels/reduce/reduce_axis.h"
#include "tapegrad/kernels/reduce/reduce_finish.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce_common.h"
#include "tapegrad/tape/rule.h"

// var and std. With d = x - mean(x) and m = n - ddof:
//   d var = 2/m sum(d dx),   d std = sum(d dx) / (m std);
// the mean's own derivative drops out because the deviations add up to zero. std has a kink where
// it is zero; the rules give its smallest subgradient there, zero.

namespace tapegrad {
namespace {

using namespace reduction_attrs;

const Op* standard_deviation;

std::vector<TensorType> infer_spread(const Attrs& attrs, std::span<const TensorType> in) {
  return {reduced_type(attrs, in[0], mean_dtype(in[0].dtype), "var")};
}

double freedom(const Attrs& attrs, const Dims& shape) {
  return std::max(reduced_count(attrs, shape, "var") - attrs.real(ddof), 0.0);
}

Value variance(const Value& x, const Attrs& attrs, const char* op) {
  const Dims flags = axis_flags(attrs, axis, x.ndim(), op);
  const Value center =
      divided_by(fold_axes(Fold::sum, x, flags), reduced_count(attrs, x.shape(), op));
  const Value total = fold_axes(Fold::square_deviation, x, flags, &center);
  const Value result = divided_by(total, freedom(attrs, x.shape()));
  return result.reshaped(reduced_shape(x.shape(), flags, attrs.flag_or(keepdims, false)));
}

void eval_var(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = variance(in[0].cast(mean_dtype(in[0].dtype())), attrs, "var");
}

void eval_std(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = square_roots(variance(in[0].cast(mean_dtype(in[0].dtype())), attrs, "std"));
}

Ref deviations(const Ref& x, const Attrs& attrs) {
  return subtract(x, mean(x, flagged_axes(axis_flags(attrs, axis, x.ndim(), "var")), true));
}

// 2 x / m, with m itself as the constant: a program knows how it depends on a length. Where m is
// zero, as for one element and ddof=1, the derivative is not finite, and a zero x stays zero.
Ref twice_over(const Ref& x, double m) {
  if (m == 0) return zmul(x, scalar_like(x, std::numeric_limits<double>::infinity()));
  return divide(multiply(x, scalar_like(x, 2)), scalar_like(x, m));
}

void vjp_var(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  const Ref ct = twice_over(ctx.ct(), freedom(ctx.attrs(), shape));
  ctx.add(0, zmul(restore_axes(ct, shape, ctx.attrs(), "var"), deviations(ctx.in(0), ctx.attrs())));
}

void jvp_var(JvpContext& ctx) {
  const Ref total = sum_like(zmul(ctx.tangent(0), deviations(ctx.in(0), ctx.attrs())), ctx.attrs());
  ctx.set(0, twice_over(total, freedom(ctx.attrs(), ctx.in_shape(0))));
}

// m std, or m where std is zero.
Ref std_scale(const Ref& result, double m) {
  const Ref zero = scalar_like(result, 0), one = scalar_like(result, 1);
  return multiply(where(equal(result, zero), one, result), scalar_like(result, m));
}

Ref over_scale(const Ref& x, const Ref& result, double m) {
  if (m == 0) return zmul(x, scalar_like(x, std::numeric_limits<double>::quiet_NaN()));
  return divide(x, std_scale(result, m));
}

void vjp_std(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  const Ref ct = over_scale(ctx.ct(), ctx.out(), freedom(ctx.attrs(), shape));
  ctx.add(0, zmul(restore_axes(ct, shape, ctx.attrs(), "std"), deviations(ctx.in(0), ctx.attrs())));
}

void jvp_std(JvpContext& ctx) {
  const Ref total = sum_like(zmul(ctx.tangent(0), deviations(ctx.in(0), ctx.attrs())), ctx.attrs());
  ctx.set(0, over_scale(total, ctx.out(), freedom(ctx.attrs(), ctx.in_shape(0))));
}

}  // namespace

const Op& std_op() { return *standard_deviation; }

void register_spread_ops() {
  std::vector<AttrDeclaration> declarations = reduction_declarations();
  declarations.push_back({ddof, attr_kind::real});
  register_op({.name = "var",
               .attrs = declarations,
               .infer = infer_spread,
               .eval = eval_var,
               .vjp = vjp_var,
               .jvp = jvp_var,
               .reads = {reads_in(0)},
               .axes = axis.index,
               .reduces = ReductionKind::other,
               .summary = "variance over axes"});
  standard_deviation = &register_op({.name = "std",
                                     .attrs = declarations,
                                     .infer = infer_spread,
                                     .eval = eval_std,
                                     .vjp = vjp_std,
                                     .jvp = jvp_std,
                                     .reads = {reads_in(0) | reads_out()},
                                     .axes = axis.index,
                                     .reduces = ReductionKind::other,
                                     .summary = "standard deviation over axes"});
}

}  // namespace tapegrad
