#include "tapegrad/kernels/reduce/reduce_ties.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce_common.h"
#include "tapegrad/ops/reduce/reduce_expand.h"
#include "tapegrad/tape/rule.h"

// max and min. Ties share the cotangent equally.

namespace tapegrad {
namespace {

using namespace reduction_attrs;

const Op *op_max, *op_min, *op_tie_shares;

std::vector<TensorType> infer_extreme(const Attrs& attrs, std::span<const TensorType> in) {
  return {reduced_type(attrs, in[0], in[0].dtype, "max")};
}

// The loops know 64-bit integers alone.
DType wide_dtype(DType d) {
  if (is_floating(d)) return d;
  return d == DType::uint64 ? DType::uint64 : DType::int64;
}

Value extreme(Fold kind, const Value& x, const Attrs& attrs, const char* op, const char* ufunc) {
  const Dims flags = axis_flags(attrs, axis, x.ndim(), op);
  int64_t count = 1;  // of what goes into one result
  for (size_t i = 0; i < flags.size(); ++i)
    if (flags[i]) count *= x.shape()[i];
  if (count == 0)
    throw_error<ValueError>("zero-size array to reduction operation ", ufunc,
                            " which has no identity (", op, " of an array of shape ", x.shape(),
                            "; give an axis whose length is not 0, or test x.size first)");
  return fold(kind, x.cast(wide_dtype(x.dtype())), attrs, op).cast(x.dtype());
}

void eval_max(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = extreme(Fold::max, in[0], attrs, "max", "maximum");
}

void eval_min(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = extreme(Fold::min, in[0], attrs, "min", "minimum");
}

Ref shares(const Ref& x, const Ref& result, const Attrs& attrs) {
  const bool all = attrs.is_none(axis) || x.ndim() == 0;
  return apply(*op_tie_shares, {all ? Attr{} : Attr{axis_list(attrs, axis)}}, {x, result});
}

void vjp_extreme(VjpContext& ctx) {
  const Ref ct = restore_axes(ctx.ct(), ctx.in_shape(0), ctx.attrs(), "max");
  ctx.add(0, zmul(shares(ctx.in(0), ctx.out(), ctx.attrs()), ct));
}

void jvp_extreme(JvpContext& ctx) {
  const Ref weights = shares(ctx.in(0), ctx.out(), ctx.attrs());
  ctx.set(0, sum_like(zmul(weights, ctx.tangent(0)), ctx.attrs()));
}

// Constant almost everywhere, so its derivative rules add nothing; an op, so that it is recorded.
std::vector<TensorType> infer_tie_shares(const Attrs&, std::span<const TensorType> in) {
  return {in[0]};
}

void eval_tie_shares(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Dims flags = axis_flags(attrs, axis, in[0].ndim(), "tie_shares");
  const Dims shape = reduced_shape(in[0].shape(), flags, false);
  out[0] = share_ties(in[0], in[1].cast(in[0].dtype()).reshaped(shape), flags);
}

}  // namespace

Ref max(const Ref& a, const Axes& axes, bool keepdims) {
  return apply(*op_max, {axes, keepdims}, {a});
}

Ref min(const Ref& a, const Axes& axes, bool keepdims) {
  return apply(*op_min, {axes, keepdims}, {a});
}

void register_extreme_ops() {
  op_max = &register_op({.name = "max",
                         .attrs = reduction_declarations(),
                         .infer = infer_extreme,
                         .eval = eval_max,
                         .vjp = vjp_extreme,
                         .jvp = jvp_extreme,
                         .expand = expand_max,
                         .expand_keeps_bits = true,
                         .reads = {reads_in(0) | reads_out()},
                         .axes = axis.index,
                         .reduces = ReductionKind::maximum,
                         .summary = "largest element; NaN where there is one"});
  op_min = &register_op({.name = "min",
                         .attrs = reduction_declarations(),
                         .infer = infer_extreme,
                         .eval = eval_min,
                         .vjp = vjp_extreme,
                         .jvp = jvp_extreme,
                         .expand = expand_min,
                         .expand_keeps_bits = true,
                         .reads = {reads_in(0) | reads_out()},
                         .axes = axis.index,
                         .reduces = ReductionKind::minimum,
                         .summary = "smallest element; NaN where there is one"});
  op_tie_shares = &register_op(
      {.name = "tie_shares",
       .n_in = 2,
       .attrs = {{axis, attr_kind::axes}},
       .infer = infer_tie_shares,
       .eval = eval_tie_shares,
       .vjp = [](VjpContext&) {},
       .jvp = [](JvpContext&) {},
       .expand = expand_tie_shares,
       .expand_keeps_bits = true,
       .axes = axis.index,
       .summary = "of x and its max or min: 1 / number of ties where x attains it, else 0"});
}

}  // namespace tapegrad
