#include "tapegrad/kernels/reduce/reduce_scan.h"

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/expand.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// cumsum and cumprod run over the flattened array where the axis is None. linear_recurrence and
// shift are what the derivative of cumprod is made of. With y[i] = x[i] y[i-1] + c[i], the adjoint
// runs the other way,
//   b[i] = ct[i] + x[i+1] b[i+1],  dc[i] = b[i],  dx[i] = b[i] y[i-1],
// without a division, so zeros in x need no care, at any order. The product of all other elements
// (what prod needs) is a product of two shifted cumprods.

namespace tapegrad {
namespace {

constexpr AttrKey axis_key = scan_attrs::axis, reverse_key = scan_attrs::reverse;
constexpr AttrKey offset_key{1, "offset"}, fill_key{2, "fill"};  // of shift

const Op *cumsum_op, *cumprod_op, *recurrence_op, *shift_op;

bool is_reverse(const Attrs& attrs) { return attrs.flag_or(reverse_key, false); }

TensorType scanned_type(const Attrs& attrs, const TensorType& from) {
  const DType d = from.dtype;
  const DType dtype = is_floating(d)                            ? d
                      : d >= DType::uint8 && d <= DType::uint64 ? DType::uint64
                                                                : DType::int64;
  if (attrs.is_none(axis_key)) return {dtype, Dims{element_count(from.shape)}};
  if (!std::holds_alternative<int64_t>(attrs[axis_key]))
    throw_error<TypeError>("cumsum, cumprod: axis must be None or one integer, got ",
                           axis_dims(attrs, axis_key),
                           "; write one axis after the other, np.cumsum(np.cumsum(v, 0), 1)");
  normalize_axis(axis_span(attrs, axis_key)[0], std::max(from.shape.ndim(), 1), "cumsum");
  return {dtype, from.shape.empty() ? Dims{1} : from.shape};
}

std::vector<TensorType> infer_scan(const Attrs& attrs, std::span<const TensorType> in) {
  return {scanned_type(attrs, in[0])};
}

void eval_scan(const Attrs& attrs, std::span<Value> in, std::span<Value> out, const char* op,
               Value (*scan)(const Value&, int, bool)) {
  const TensorType type = scanned_type(attrs, type_of(in[0]));
  const Value x = in[0].cast(type.dtype).reshaped(type.shape);
  const int axis =
      attrs.is_none(axis_key) ? 0 : normalize_axis(attrs.integer(axis_key), x.ndim(), op);
  out[0] = scan(x, axis, is_reverse(attrs));
}

void eval_cumsum(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  eval_scan(attrs, in, out, "cumsum", cumulative_sum);
}

void eval_cumprod(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  eval_scan(attrs, in, out, "cumprod", cumulative_prod);
}

int64_t scan_axis(const Attrs& attrs) {
  return attrs.is_none(axis_key) ? -1 : attrs.integer(axis_key);
}

void vjp_cumsum(VjpContext& ctx) {
  const Ref back = cumsum(ctx.ct(), scan_axis(ctx.attrs()), !is_reverse(ctx.attrs()));
  ctx.add(0, reshape(back, ctx.in_shape(0)));
}

void vjp_cumprod(VjpContext& ctx) {
  const int64_t axis = scan_axis(ctx.attrs());
  const bool reverse = is_reverse(ctx.attrs());
  const int64_t d = reverse ? -1 : 1;
  const Ref x = reshape(ctx.in(0), ctx.out_shape());
  const Ref b = linear_recurrence(ctx.ct(), shift(x, axis, -d), axis, !reverse);
  ctx.add(0, reshape(zmul(b, shift(ctx.out(), axis, d, 1)), ctx.in_shape(0)));
}

void jvp_cumprod(JvpContext& ctx) {
  const int64_t axis = scan_axis(ctx.attrs());
  const bool reverse = is_reverse(ctx.attrs());
  const Ref x = reshape(ctx.in(0), ctx.out_shape()), t = reshape(ctx.tangent(0), ctx.out_shape());
  const Ref c = zmul(t, shift(ctx.out(), axis, reverse ? -1 : 1, 1));
  ctx.set(0, linear_recurrence(c, x, axis, reverse));
}

TensorType recurrence_type(const Attrs& attrs, const TensorType& c, const TensorType& x) {
  if (!(c.shape == x.shape))
    throw_error<ValueError>("linear_recurrence: c and x must have one shape, got ", c.shape,
                            " and ", x.shape, "; broadcast them first with np.broadcast_to");
  normalize_axis(attrs.integer(axis_key), c.shape.ndim(), "linear_recurrence");
  return {promote(c.dtype, x.dtype), c.shape};
}

std::vector<TensorType> infer_recurrence(const Attrs& attrs, std::span<const TensorType> in) {
  return {recurrence_type(attrs, in[0], in[1])};
}

void eval_recurrence(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType type = recurrence_type(attrs, type_of(in[0]), type_of(in[1]));
  const int axis = normalize_axis(attrs.integer(axis_key), in[0].ndim(), "linear_recurrence");
  out[0] = linear_recurrence(in[0].cast(type.dtype), in[1].cast(type.dtype), axis,
                             attrs.flag(reverse_key));
}

void vjp_recurrence(VjpContext& ctx) {
  const int64_t axis = ctx.attrs().integer(axis_key);
  const bool reverse = ctx.attrs().flag(reverse_key);
  const int64_t d = reverse ? -1 : 1;
  const Ref b = linear_recurrence(ctx.ct(), shift(ctx.in(1), axis, -d), axis, !reverse);
  if (ctx.needs(0)) ctx.add(0, b);
  if (ctx.needs(1)) ctx.add(1, zmul(b, shift(ctx.out(), axis, d)));
}

void jvp_recurrence(JvpContext& ctx) {
  const int64_t axis = ctx.attrs().integer(axis_key);
  const bool reverse = ctx.attrs().flag(reverse_key);
  Ref c;
  if (ctx.has_tangent(1)) c = zmul(ctx.tangent(1), shift(ctx.out(), axis, reverse ? -1 : 1));
  if (ctx.has_tangent(0)) c = ctx.has_tangent(1) ? add(c, ctx.tangent(0)) : ctx.tangent(0);
  ctx.set(0, linear_recurrence(c, ctx.in(1), axis, reverse));
}

std::vector<TensorType> infer_shift(const Attrs& attrs, std::span<const TensorType> in) {
  normalize_axis(attrs.integer(axis_key), in[0].shape.ndim(), "shift");
  return {in[0]};
}

void eval_shift(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Value& x = in[0];
  const int axis = normalize_axis(attrs.integer(axis_key), x.ndim(), "shift");
  const int64_t n = x.dim(axis), offset = std::clamp(attrs.integer(offset_key), -n, n);
  const int64_t kept = n - std::abs(offset);
  out[0] = Value::empty(x.dtype(), x.shape());
  if (out[0].size() == 0) return;
  copy_parallel(slice_axis(out[0], axis, offset > 0 ? 0 : kept, n - kept),
                Value::scalar(attrs.real(fill_key)).cast(x.dtype()));
  write_slice(out[0], axis, std::max<int64_t>(offset, 0),
              slice_axis(x, axis, std::max<int64_t>(-offset, 0), kept));
}

void vjp_shift(VjpContext& ctx) {
  ctx.add(0, shift(ctx.ct(), ctx.attrs().integer(axis_key), -ctx.attrs().integer(offset_key)));
}

void jvp_shift(JvpContext& ctx) {
  ctx.set(0, shift(ctx.tangent(0), ctx.attrs().integer(axis_key), ctx.attrs().integer(offset_key)));
}

// cumsum and cumprod flatten where no axis is given, and take a number for one element.
std::vector<Ref> lanes_scan(const LanesCall& call) {
  const Dims& shape = call.in_types[0].shape;
  const Dims flat{call.n, element_count(shape)};
  const bool whole = call.attrs.is_none(axis_key) || shape.empty();
  const int64_t axis =
      whole ? -1 : axis_from_end(call, axis_list(call.attrs, axis_key).at(0), shape.ndim());
  const Ref x = with_lanes(call, 0);
  return apply(call.op, call.attrs.with(axis_key, axis),
               std::vector<Ref>{whole ? reshape(x, flat) : x});
}

bool expand_shift(ExpandContext& c) {
  return expand_moves(c, c.attrs().with(fill_key, 0.0), c.attrs().real(fill_key));
}

}  // namespace

Ref cumsum(const Ref& a, int64_t axis, bool reverse) {
  return apply(*cumsum_op, {axis, reverse}, {a});
}

Ref cumprod(const Ref& a, int64_t axis, bool reverse) {
  return apply(*cumprod_op, {axis, reverse}, {a});
}

Ref linear_recurrence(const Ref& c, const Ref& x, int64_t axis, bool reverse) {
  return apply(*recurrence_op, {axis, reverse}, {c, x});
}

Ref shift(const Ref& a, int64_t axis, int64_t offset, double fill) {
  return apply(*shift_op, {axis, offset, fill}, {a});
}

Ref exclusive_prod(const Ref& a, int64_t axis) {
  return multiply(shift(cumprod(a, axis), axis, 1, 1), shift(cumprod(a, axis, true), axis, -1, 1));
}

void register_scan_ops() {
  cumsum_op = &register_op({.name = "cumsum",
                            .attrs = {{axis_key, attr_kind::axis | attr_kind::none},
                                      {reverse_key, attr_kind::flag, Attr{false}}},
                            .infer = infer_scan,
                            .eval = eval_cumsum,
                            .vjp = vjp_cumsum,
                            .lanes = lanes_scan,
                            .linear = true,
                            .axes = axis_key.index,
                            .elements = ElementKind::added,
                            .summary = "running sum"});
  cumprod_op = &register_op({.name = "cumprod",
                             .attrs = {{axis_key, attr_kind::axis | attr_kind::none},
                                       {reverse_key, attr_kind::flag, Attr{false}}},
                             .infer = infer_scan,
                             .eval = eval_cumprod,
                             .vjp = vjp_cumprod,
                             .jvp = jvp_cumprod,
                             .lanes = lanes_scan,
                             .reads = {reads_in(0) | reads_out()},
                             .axes = axis_key.index,
                             .summary = "running product"});
  recurrence_op =
      &register_op({.name = "linear_recurrence",
                    .n_in = 2,
                    .attrs = {{axis_key, attr_kind::axis}, {reverse_key, attr_kind::flag}},
                    .infer = infer_recurrence,
                    .eval = eval_recurrence,
                    .vjp = vjp_recurrence,
                    .jvp = jvp_recurrence,
                    .reads = {reads_in(1), reads_in(1) | reads_out()},
                    .axes = axis_key.index,
                    .summary = "of c and x: y[i] = x[i] y[i-1] + c[i]"});
  shift_op = &register_op({.name = "shift",
                           .attrs = {{axis_key, attr_kind::axis},
                                     {offset_key, attr_kind::integer},
                                     {fill_key, attr_kind::real}},
                           .infer = infer_shift,
                           .eval = eval_shift,
                           .vjp = vjp_shift,
                           .jvp = jvp_shift,
                           .expand = expand_shift,
                           .expand_keeps_bits = true,
                           .axes = axis_key.index,
                           .elements = ElementKind::moved,
                           .summary = "y[i] = x[i - offset], else fill"});
}

}  // namespace tapegrad
