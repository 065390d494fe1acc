#include "tapegrad/ops/reduce/reduce.h"

#include "tapegrad/kernels/reduce/reduce_axis.h"
#include "tapegrad/kernels/reduce/reduce_finish.h"
#include "tapegrad/kernels/reduce/reduce_sum.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/reduce/reduce_common.h"
#include "tapegrad/ops/reduce/reduce_expand.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// sum, mean, prod, logsumexp, sum_to_shape.

namespace tapegrad {
namespace {

using namespace reduction_attrs;

const Op *op_sum, *op_mean, *op_prod, *op_logsumexp, *op_sum_to_shape;

DType sum_dtype(DType d) {
  if (is_floating(d)) return d;
  return d >= DType::uint8 && d <= DType::uint64 ? DType::uint64 : DType::int64;
}

std::vector<TensorType> infer_sum(const Attrs& attrs, std::span<const TensorType> in) {
  return {reduced_type(attrs, in[0], sum_dtype(in[0].dtype), "sum")};
}

std::vector<TensorType> infer_prod(const Attrs& attrs, std::span<const TensorType> in) {
  return {reduced_type(attrs, in[0], sum_dtype(in[0].dtype), "prod")};
}

std::vector<TensorType> infer_mean(const Attrs& attrs, std::span<const TensorType> in) {
  return {reduced_type(attrs, in[0], mean_dtype(in[0].dtype), "mean")};
}

std::vector<TensorType> infer_logsumexp(const Attrs& attrs, std::span<const TensorType> in) {
  return {reduced_type(attrs, in[0], mean_dtype(in[0].dtype), "logsumexp")};
}

void eval_sum(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = fold(Fold::sum, in[0].cast(sum_dtype(in[0].dtype())), attrs, "sum");
}

void eval_prod(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = fold(Fold::prod, in[0].cast(sum_dtype(in[0].dtype())), attrs, "prod");
}

void eval_mean(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Value x = in[0].cast(mean_dtype(in[0].dtype()));
  out[0] = mean_value(x, attrs, "mean");
}

void eval_logsumexp(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Value x = in[0].cast(mean_dtype(in[0].dtype()));
  const Dims flags = axis_flags(attrs, axis, x.ndim(), "logsumexp");
  const Value largest = fold_axes(Fold::max, x, flags);
  const Value base = finite_or_zero(largest);
  const Value result = log_plus(fold_axes(Fold::exp_sum, x, flags, &base), base);
  out[0] = result.reshaped(reduced_shape(x.shape(), flags, attrs.flag_or(keepdims, false)));
}

void vjp_sum(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  ctx.add(0, broadcast_to(restore_axes(ctx.ct(), shape, ctx.attrs(), "sum"), shape));
}

void vjp_mean(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  const double n = reduced_count(ctx.attrs(), shape, "mean");
  const Ref each = divide(ctx.ct(), scalar_like(ctx.ct(), n));
  ctx.add(0, broadcast_to(restore_axes(each, shape, ctx.attrs(), "mean"), shape));
}

// d prod / d x[i]: the product of the others along all reduced axes, in x's shape.
Ref prod_partials(const Ref& x, const Attrs& attrs) {
  const Dims shape = x.shape();
  const Dims flags = axis_flags(attrs, axis, shape.ndim(), "prod");
  const Axes axes = flagged_axes(flags);
  if (axes.empty()) return ones_like(x);
  if (axes.size() == 1) return exclusive_prod(x, axes[0]);
  Axes perm, inverse(shape.size());
  Dims packed_shape;
  for (int64_t i = 0; i < shape.ndim(); ++i) {
    if (flags[static_cast<size_t>(i)]) continue;
    perm.push_back(i);
    packed_shape.push_back(shape[static_cast<size_t>(i)]);
  }
  int64_t count = 1;
  Dims moved_shape = packed_shape;
  for (int64_t reduced : axes) {
    perm.push_back(reduced + shape.ndim());
    moved_shape.push_back(shape[static_cast<size_t>(perm.back())]);
    count *= moved_shape.back();
  }
  packed_shape.push_back(count);
  for (size_t i = 0; i < perm.size(); ++i)
    inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  const Ref partials = exclusive_prod(reshape(transpose(x, perm), packed_shape), -1);
  return transpose(reshape(partials, moved_shape), inverse);
}

void vjp_prod(VjpContext& ctx) {
  const Ref ct = restore_axes(ctx.ct(), ctx.in_shape(0), ctx.attrs(), "prod");
  ctx.add(0, zmul(ct, prod_partials(ctx.in(0), ctx.attrs())));
}

void jvp_prod(JvpContext& ctx) {
  ctx.set(0, sum_like(zmul(ctx.tangent(0), prod_partials(ctx.in(0), ctx.attrs())), ctx.attrs()));
}

Ref softmax_of(const Ref& x, const Ref& result, const Attrs& attrs) {
  return exp(subtract(x, restore_axes(result, x.shape(), attrs, "logsumexp")));
}

void vjp_logsumexp(VjpContext& ctx) {
  const Ref ct = restore_axes(ctx.ct(), ctx.in_shape(0), ctx.attrs(), "logsumexp");
  ctx.add(0, zmul(ct, softmax_of(ctx.in(0), ctx.out(), ctx.attrs())));
}

void jvp_logsumexp(JvpContext& ctx) {
  const Ref p = softmax_of(ctx.in(0), ctx.out(), ctx.attrs());
  ctx.set(0, sum_like(zmul(ctx.tangent(0), p), ctx.attrs()));
}

std::vector<TensorType> infer_sum_to_shape(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims shape = to_dims(attrs.integers(shape_attrs::shape));
  broadcast_shapes(in[0].shape, shape, "sum_to_shape");
  return {{in[0].dtype, shape}};
}

void eval_sum_to_shape(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = sum_to_shape(in[0], to_dims(attrs.integers(shape_attrs::shape)));
}

void vjp_sum_to_shape(VjpContext& ctx) { ctx.add(0, broadcast_to(ctx.ct(), ctx.in_shape(0))); }

std::vector<Ref> lanes_sum_to_shape(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  const int ndim = call.in_types[0].shape.ndim();
  Dims padded{call.n};
  for (int k = shape.ndim(); k < ndim; ++k) padded.push_back(1);
  for (int64_t d : shape) padded.push_back(d);
  return {reshape(sum_to_shape(with_lanes(call, 0), padded), lanes_shape(call, shape))};
}

}  // namespace

const Op& sum_op() { return *op_sum; }
const Op& sum_to_shape_op() { return *op_sum_to_shape; }

Ref sum(const Ref& a) { return apply(*op_sum, {Attr{}, false}, {a}); }
Ref sum(const Ref& a, const Axes& axes, bool keepdims) {
  return apply(*op_sum, {axes, keepdims}, {a});
}
Ref mean(const Ref& a) { return apply(*op_mean, {Attr{}, false}, {a}); }
Ref mean(const Ref& a, const Axes& axes, bool keepdims) {
  return apply(*op_mean, {axes, keepdims}, {a});
}
Ref prod(const Ref& a, const Axes& axes, bool keepdims) {
  return apply(*op_prod, {axes, keepdims}, {a});
}
Ref logsumexp(const Ref& a, const Axes& axes, bool keepdims) {
  return apply(*op_logsumexp, {axes, keepdims}, {a});
}

Ref sum_to_shape(const Ref& a, std::span<const int64_t> shape) {
  if (a.shape() == Dims(shape)) return a;
  return apply(*op_sum_to_shape, {Axes(shape.begin(), shape.end())}, {a});
}

Ref restore_axes(const Ref& reduced, const Dims& shape, const Attrs& attrs, const char* op) {
  if (attrs.flag_or(keepdims, false) || attrs.is_none(axis)) return reduced;
  const Axes axes = flagged_axes(axis_flags(attrs, axis, shape.ndim(), op));
  return axes.size() == shape.size() || axes.empty() ? reduced : expand_dims(reduced, axes);
}

void register_reduction_ops() {
  op_sum = &register_op({.name = "sum",
                         .attrs = reduction_declarations(),
                         .infer = infer_sum,
                         .eval = eval_sum,
                         .vjp = vjp_sum,
                         .expand = expand_sum,
                         .expand_keeps_bits = true,
                         .linear = true,
                         .axes = axis.index,
                         .elements = ElementKind::added,
                         .reduces = ReductionKind::sum,
                         .summary = "sum over axes"});
  op_mean = &register_op({.name = "mean",
                          .attrs = reduction_declarations(),
                          .infer = infer_mean,
                          .eval = eval_mean,
                          .vjp = vjp_mean,
                          .expand = expand_mean,
                          .expand_keeps_bits = true,
                          .linear = true,
                          .axes = axis.index,
                          .reduces = ReductionKind::mean,
                          .summary = "arithmetic mean over axes"});
  op_prod = &register_op({.name = "prod",
                          .attrs = reduction_declarations(),
                          .infer = infer_prod,
                          .eval = eval_prod,
                          .vjp = vjp_prod,
                          .jvp = jvp_prod,
                          .expand = expand_prod,
                          .expand_keeps_bits = true,
                          .reads = {reads_in(0)},
                          .axes = axis.index,
                          .reduces = ReductionKind::product,
                          .summary = "product over axes"});
  op_logsumexp = &register_op({.name = "logsumexp",
                               .attrs = reduction_declarations(),
                               .infer = infer_logsumexp,
                               .eval = eval_logsumexp,
                               .vjp = vjp_logsumexp,
                               .jvp = jvp_logsumexp,
                               .expand = expand_logsumexp,
                               .expand_keeps_bits = true,
                               .reads = {reads_in(0) | reads_out()},
                               .axes = axis.index,
                               .reduces = ReductionKind::other,
                               .summary = "log of the sum of exponentials"});
  op_sum_to_shape = &register_op({.name = "sum_to_shape",
                                  .attrs = {{shape_attrs::shape, attr_kind::integers}},
                                  .infer = infer_sum_to_shape,
                                  .eval = eval_sum_to_shape,
                                  .vjp = vjp_sum_to_shape,
                                  .lanes = lanes_sum_to_shape,
                                  .expand = expand_sum_to_shape,
                                  .expand_keeps_bits = true,
                                  .linear = true,
                                  .elements = ElementKind::added,
                                  .reduces = ReductionKind::sum,
                                  .summary = "undoes a broadcast from that shape"});
  register_extreme_ops();
  register_spread_ops();
  register_scan_ops();
}

}  // namespace tapegrad
