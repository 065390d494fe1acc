#include <algorithm>
#include <cstring>

#include "tapegrad/base/error.h"
#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// concatenate, stack, unstack, split.

namespace tapegrad {
namespace {

const Op *op_concatenate, *op_stack, *op_unstack, *op_split;

TensorType type_of(const TensorType& t) { return t; }
using tapegrad::type_of;

DType dtype_of(const TensorType& t) { return t.dtype; }
DType dtype_of(const Value& v) { return v.dtype(); }

template <class T>
DType common_dtype(std::span<T> in) {
  DType d = dtype_of(in[0]);
  for (const T& t : in) d = promote(d, dtype_of(t));
  return d;
}

// Few bytes, each part packed and of the result's dtype: one copy a part and step of the axes
// before.
bool join_small(const Value& to, std::span<Value> parts, int64_t steps) {
  constexpr size_t small = 8192;
  if (to.size() == 0 || to.byte_count() > small) return false;
  for (const Value& v : parts)
    if (v.is_scalar() || !v.is_contiguous() || v.dtype() != to.dtype()) return false;
  char* out = to.data<char>();
  for (int64_t s = 0; s < steps; ++s)
    for (const Value& v : parts) {
      const size_t bytes = v.byte_count() / static_cast<size_t>(steps);
      std::memcpy(out, v.data<char>() + static_cast<size_t>(s) * bytes, bytes);
      out += bytes;
    }
  return true;
}

int64_t steps_before(const Dims& shape, int axis) {
  return element_count({shape.data(), static_cast<size_t>(axis)});
}

// The tangents of all inputs, zeros where there are none, in the dtype of the output.
std::vector<Ref> tangents_of(JvpContext& ctx) {
  std::vector<Ref> parts;
  for (int i = 0; i < ctx.n_in(); ++i)
    parts.push_back(ctx.has_tangent(i) ? ctx.tangent(i)
                                       : constant_full({ctx.out_type().dtype, ctx.in_shape(i)}, 0));
  return parts;
}

// concatenate (axis, or None: all flattened)
template <class T>  // TensorType or Value
TensorType joined_type(const Attrs& attrs, std::span<T> in) {
  if (in.empty()) throw_error<ValueError>("concatenate: need at least one array to concatenate");
  const DType dtype = common_dtype(in);
  if (attrs.is_none(join_attrs::axis)) {
    int64_t total = 0;
    for (const T& t : in) total += element_count(type_of(t).shape);
    return {dtype, Dims{total}};
  }
  Dims shape = type_of(in[0]).shape;
  if (shape.empty())
    throw_error<ValueError>(
        "concatenate: zero-dimensional arrays cannot be concatenated; use np.stack");
  const auto axis = static_cast<size_t>(
      normalize_axis(attrs.integer(join_attrs::axis), shape.ndim(), "concatenate"));
  shape[axis] = 0;
  for (size_t k = 0; k < in.size(); ++k) {
    const Dims s = type_of(in[k]).shape;
    if (s.size() != shape.size())
      throw_error<ValueError>(
          "concatenate: all the input array dimensions except for the concatenation axis must "
          "match "
          "exactly, but the array at index 0 has ",
          shape.size(), " dimension(s) and the array at index ", k, " has ", s.size(),
          " dimension(s)");
    for (size_t i = 0; i < s.size(); ++i)
      if (i != axis && s[i] != shape[i])
        throw_error<ValueError>(
            "concatenate: all the input array dimensions except for the concatenation axis must "
            "match exactly, but along dimension ",
            i, ", the array at index 0 has size ", shape[i], " and the array at index ", k,
            " has size ", s[i]);
    shape[axis] += s[axis];
  }
  return {dtype, shape};
}

std::vector<TensorType> infer_concatenate(const Attrs& attrs, std::span<const TensorType> in) {
  return {joined_type(attrs, in)};
}

void eval_concatenate(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType type = joined_type(attrs, in);
  out[0] = Value::empty(type.dtype, type.shape);
  const bool flat = attrs.is_none(join_attrs::axis);
  const int axis =
      flat ? 0 : normalize_axis(attrs.integer(join_attrs::axis), type.shape.ndim(), "concatenate");
  if (join_small(out[0], in, steps_before(type.shape, axis))) return;
  int64_t start = 0;
  for (const Value& v : in) {
    const Value part = flat ? v.reshaped(Dims{v.size()}) : v;
    write_slice(out[0], axis, start, part);
    start += part.dim(axis);
  }
}

void vjp_concatenate(VjpContext& ctx) {
  const bool flat = ctx.attrs().is_none(join_attrs::axis);
  const int64_t axis = flat ? -1
                            : normalize_axis(ctx.attrs().integer(join_attrs::axis),
                                             ctx.out_shape().ndim(), "concatenate") -
                                  ctx.out_shape().ndim();
  std::vector<int64_t> cuts;
  int64_t start = 0;
  for (int i = 0; i + 1 < ctx.n_in(); ++i) {
    const Dims shape = ctx.in_shape(i);
    start += flat ? element_count(shape) : shape[static_cast<size_t>(shape.ndim() + axis)];
    cuts.push_back(start);
  }
  const std::vector<Ref> parts = split(ctx.ct(), axis, cuts);
  for (int i = 0; i < ctx.n_in(); ++i)
    if (ctx.needs(i)) ctx.add(i, reshape(parts[static_cast<size_t>(i)], ctx.in_shape(i)));
}

void jvp_concatenate(JvpContext& ctx) {
  ctx.set(0, apply(*op_concatenate, ctx.attrs(), tangents_of(ctx))[0]);
}

// stack (axis of the result), unstack (axis): inverses
template <class T>  // TensorType or Value
TensorType stacked_type(const Attrs& attrs, std::span<T> in) {
  if (in.empty()) throw_error<ValueError>("stack: need at least one array to stack");
  const Dims part = type_of(in[0]).shape;
  for (size_t k = 1; k < in.size(); ++k)
    if (const Dims other = type_of(in[k]).shape; !(other == part))
      throw_error<ValueError>(
          "stack: all input arrays must have the same shape, but the array at "
          "index 0 has shape ",
          part, " and the array at index ", k, " has shape ", other);
  const int ndim = part.ndim() + 1;
  const int axis = normalize_axis(attrs.integer(join_attrs::axis), ndim, "stack");
  Dims shape;
  for (int i = 0; i < ndim; ++i)
    shape.push_back(i == axis ? static_cast<int64_t>(in.size())
                              : part[static_cast<size_t>(i < axis ? i : i - 1)]);
  return {common_dtype(in), shape};
}

std::vector<TensorType> infer_stack(const Attrs& attrs, std::span<const TensorType> in) {
  return {stacked_type(attrs, in)};
}

void eval_stack(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType type = stacked_type(attrs, in);
  const int axis = normalize_axis(attrs.integer(join_attrs::axis), type.shape.ndim(), "stack");
  out[0] = Value::empty(type.dtype, type.shape);
  if (join_small(out[0], in, steps_before(type.shape, axis))) return;
  if (in[0].is_scalar()) {
    for (size_t k = 0; k < in.size(); ++k) {
      const auto at = static_cast<int64_t>(k);
      if (type.dtype == DType::float64) {
        out[0].data<double>()[k] = in[k].as_double();
      } else {
        copy_into(slice_axis(out[0], 0, at, 1), in[k]);
      }
    }
    return;
  }
  if (axis + 1 == type.shape.ndim() && out[0].size() != 0 && interleave(out[0], in)) return;
  for (size_t k = 0; k < in.size(); ++k) {
    Dims shape = type.shape, strides = out[0].strides();
    const int64_t offset = static_cast<int64_t>(k) * strides[static_cast<size_t>(axis)];
    Dims flags(shape.size(), 0);
    flags[static_cast<size_t>(axis)] = 1;
    copy_parallel(out[0].view(reduced_shape(shape, flags, false),
                              reduced_shape(strides, flags, false), offset),
                  in[k]);
  }
}

void vjp_stack(VjpContext& ctx) {
  const int ndim = ctx.out_shape().ndim();
  const std::vector<Ref> parts = unstack(
      ctx.ct(), normalize_axis(ctx.attrs().integer(join_attrs::axis), ndim, "stack") - ndim);
  for (int i = 0; i < ctx.n_in(); ++i)
    if (ctx.needs(i)) ctx.add(i, parts[static_cast<size_t>(i)]);
}

void jvp_stack(JvpContext& ctx) { ctx.set(0, apply(*op_stack, ctx.attrs(), tangents_of(ctx))[0]); }

Dims without_axis(const Dims& d, int axis) {
  Dims flags(d.size(), 0);
  flags[static_cast<size_t>(axis)] = 1;
  return reduced_shape(d, flags, false);
}

std::vector<TensorType> infer_unstack(const Attrs& attrs, std::span<const TensorType> in) {
  const int axis = normalize_axis(attrs.integer(join_attrs::axis), in[0].shape.ndim(), "unstack");
  return {static_cast<size_t>(in[0].shape[static_cast<size_t>(axis)]),
          TensorType{in[0].dtype, without_axis(in[0].shape, axis)}};
}

void eval_unstack(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const int axis = normalize_axis(attrs.integer(join_attrs::axis), in[0].ndim(), "unstack");
  const Dims shape = without_axis(in[0].shape(), axis), strides = in[0].strides();
  const Dims kept = without_axis(strides, axis);
  for (size_t k = 0; k < out.size(); ++k)
    out[k] = in[0].view(shape, kept, static_cast<int64_t>(k) * strides[static_cast<size_t>(axis)]);
}

// Cotangents of all outputs of an op that cuts up its input, zeros where there are none.
std::vector<Ref> all_cotangents(VjpContext& ctx, size_t n_out) {
  std::vector<Ref> parts;
  for (size_t j = 0; j < n_out; ++j) {
    const int at = static_cast<int>(j);
    parts.push_back(ctx.has_ct(at) ? ctx.ct(at) : constant_full(ctx.out_type(at), 0));
  }
  return parts;
}

void vjp_unstack(VjpContext& ctx) {
  const int ndim = ctx.in_shape(0).ndim();
  const int axis = normalize_axis(ctx.attrs().integer(join_attrs::axis), ndim, "unstack");
  const auto n = static_cast<size_t>(ctx.in_shape(0)[static_cast<size_t>(axis)]);
  if (n > 0) ctx.add(0, stack(all_cotangents(ctx, n), axis - ndim));
}

// split (axis, cut positions): part k holds [cut k-1, cut k), as slices of NumPy
struct Part {
  int64_t start, length;
};

PooledVector<Part> parts_of(const Attrs& attrs, const Dims& shape) {
  if (shape.empty())
    throw_error<ValueError>("split: array split does not work on 0-d arrays; use x.reshape(1)");
  const int64_t n = shape[static_cast<size_t>(
      normalize_axis(attrs.integer(join_attrs::axis), shape.ndim(), "split"))];
  const std::span<const int64_t> cuts = axis_span(attrs, join_attrs::cuts);
  PooledVector<Part> parts;
  const auto position = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  for (size_t k = 0; k <= cuts.size(); ++k) {
    const int64_t start = k == 0 ? 0 : position(cuts[k - 1]);
    const int64_t stop = k == cuts.size() ? n : position(cuts[k]);
    parts.push_back({start, std::max<int64_t>(stop - start, 0)});
  }
  return parts;
}

std::vector<TensorType> infer_split(const Attrs& attrs, std::span<const TensorType> in) {
  std::vector<TensorType> types;
  for (const Part& part : parts_of(attrs, in[0].shape)) {
    TensorType type = in[0];
    type.shape[static_cast<size_t>(
        normalize_axis(attrs.integer(join_attrs::axis), type.shape.ndim(), "split"))] = part.length;
    types.push_back(type);
  }
  return types;
}

void eval_split(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const PooledVector<Part> parts = parts_of(attrs, in[0].shape());
  const int axis = normalize_axis(attrs.integer(join_attrs::axis), in[0].ndim(), "split");
  for (size_t k = 0; k < parts.size(); ++k)
    out[k] = slice_axis(in[0], axis, parts[k].start, parts[k].length);
}

void vjp_split(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  const PooledVector<Part> parts = parts_of(ctx.attrs(), shape);
  const int axis = normalize_axis(ctx.attrs().integer(join_attrs::axis), shape.ndim(), "split");
  const int64_t n = shape[static_cast<size_t>(axis)];
  int64_t end = 0;
  bool covers = true;  // each position once, in order
  for (const Part& part : parts) {
    covers = covers && part.start == end;
    end += part.length;
  }
  if (covers && end == n) {
    ctx.add(0, concatenate(all_cotangents(ctx, parts.size()), axis - shape.ndim()));
    return;
  }
  for (size_t k = 0; k < parts.size(); ++k) {
    if (!ctx.has_ct(static_cast<int>(k)) || parts[k].length == 0) continue;
    std::vector<int64_t> widths(2 * shape.size(), 0);
    widths[2 * static_cast<size_t>(axis)] = parts[k].start;
    widths[2 * static_cast<size_t>(axis) + 1] = n - parts[k].start - parts[k].length;
    ctx.add(0, pad_constant(ctx.ct(static_cast<int>(k)), widths));
  }
}

std::vector<Ref> lanes_concatenate(const LanesCall& call) {
  if (call.attrs.is_none(join_attrs::axis)) {
    std::vector<Ref> in;
    for (size_t i = 0; i < call.in.size(); ++i)
      in.push_back(
          reshape(with_lanes(call, i), Dims{call.n, element_count(call.in_types[i].shape)}));
    return {concatenate(std::move(in), 1)};
  }
  const int64_t axis = call.attrs.integer(join_attrs::axis);
  return {
      concatenate(all_with_lanes(call), axis_from_end(call, axis, call.in_types[0].shape.ndim()))};
}

std::vector<Ref> lanes_stack(const LanesCall& call) {
  const int64_t axis = call.attrs.integer(join_attrs::axis);
  return {stack(all_with_lanes(call), axis_from_end(call, axis, call.out_types[0].shape.ndim()))};
}

// unstack and split
std::vector<Ref> lanes_cut(const LanesCall& call) {
  const int64_t axis = call.attrs.integer(join_attrs::axis);
  const int64_t from_end = axis_from_end(call, axis, call.in_types[0].shape.ndim());
  return apply(call.op, call.attrs.with(join_attrs::axis, from_end),
               std::vector<Ref>{with_lanes(call, 0)});
}

}  // namespace

const Op& concatenate_op() { return *op_concatenate; }
const Op& stack_op() { return *op_stack; }

Ref concatenate(std::vector<Ref> parts, int64_t axis) {
  return apply(*op_concatenate, {axis}, std::move(parts))[0];
}

Ref stack(std::vector<Ref> parts, int64_t axis) {
  return apply(*op_stack, {axis}, std::move(parts))[0];
}

std::vector<Ref> unstack(const Ref& a, int64_t axis) {
  return apply(*op_unstack, {axis}, std::vector<Ref>{a});
}

std::vector<Ref> split(const Ref& a, int64_t axis, const std::vector<int64_t>& cuts) {
  return apply(*op_split, {axis, cuts}, std::vector<Ref>{a});
}

void register_join_ops() {
  op_concatenate = &register_op({.name = "concatenate",
                                 .n_in = -1,
                                 .attrs = {{join_attrs::axis, attr_kind::axis | attr_kind::none}},
                                 .infer = infer_concatenate,
                                 .eval = eval_concatenate,
                                 .vjp = vjp_concatenate,
                                 .jvp = jvp_concatenate,
                                 .lanes = lanes_concatenate,
                                 .elements = ElementKind::moved,
                                 .join = JoinKind::concatenate,
                                 .summary = "joined along an axis"});
  op_stack = &register_op({.name = "stack",
                           .n_in = -1,
                           .attrs = {{join_attrs::axis, attr_kind::axis},
                                     {join_attrs::packed, attr_kind::flag, Attr{false}}},
                           .infer = infer_stack,
                           .eval = eval_stack,
                           .vjp = vjp_stack,
                           .jvp = jvp_stack,
                           .lanes = lanes_stack,
                           .elements = ElementKind::moved,
                           .join = JoinKind::stack,
                           .summary = "joined along a new axis"});
  op_unstack = &register_op({.name = "unstack",
                             .n_out = -1,
                             .attrs = {{join_attrs::axis, attr_kind::axis}},
                             .infer = infer_unstack,
                             .eval = eval_unstack,
                             .vjp = vjp_unstack,
                             .lanes = lanes_cut,
                             .linear = true,
                             .view = ViewKind::part,
                             .elements = ElementKind::moved,
                             .join = JoinKind::unstack,
                             .summary = "one array for each position along an axis"});
  op_split = &register_op(
      {.name = "split",
       .n_out = -1,
       .attrs = {{join_attrs::axis, attr_kind::axis}, {join_attrs::cuts, attr_kind::list}},
       .infer = infer_split,
       .eval = eval_split,
       .vjp = vjp_split,
       .lanes = lanes_cut,
       .linear = true,
       .view = ViewKind::part,
       .elements = ElementKind::moved,
       .join = JoinKind::split,
       .summary = "pieces along an axis"});
}

}  // namespace tapegrad
