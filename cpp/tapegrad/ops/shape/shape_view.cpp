#include <numeric>

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// reshape, transpose, swapaxes, moveaxis, expand_dims, squeeze, broadcast_to, ravel: new shapes and
// strides for the same elements (reshape copies where no strides will do).

namespace tapegrad {
namespace {

constexpr AttrKey axis1_key{0, "axis1"}, axis2_key{1, "axis2"};  // of swapaxes
constexpr AttrKey source_key{0, "source"}, destination_key{1, "destination"};

const Op *op_reshape, *op_transpose, *op_expand_dims, *op_squeeze, *op_broadcast_to;

// reshape (shape, one length may be -1)
Dims resolve_shape(Dims shape, const Dims& from) {
  const int64_t size = element_count(from);
  int64_t known = 1;
  int free_axis = -1;
  for (int i = 0; i < shape.ndim(); ++i) {
    const int64_t n = shape[static_cast<size_t>(i)];
    if (n >= 0) {
      known *= n;
    } else if (n != -1 || free_axis >= 0) {
      throw_error<ValueError>("reshape: ",
                              free_axis >= 0 ? "can only specify one unknown dimension"
                                             : "negative dimensions are not allowed",
                              ", got ", shape, "; give one length as -1 at most");
    } else {
      free_axis = i;
    }
  }
  const bool fits = free_axis >= 0 ? known != 0 && size % known == 0 : known == size;
  if (!fits)
    throw_error<ValueError>("cannot reshape array of size ", size, " into shape ", shape,
                            " (reshape of an array of shape ", from, ")");
  if (free_axis >= 0) shape[static_cast<size_t>(free_axis)] = size / known;
  return shape;
}

std::vector<TensorType> infer_reshape(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, resolve_shape(axis_dims(attrs, shape_attrs::shape), in[0].shape)}};
}

void eval_reshape(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = reshaped_view(in[0], resolve_shape(axis_dims(attrs, shape_attrs::shape), in[0].shape()));
}

void vjp_reshape(VjpContext& ctx) { ctx.add(0, reshape(ctx.ct(), ctx.in_shape(0))); }

std::vector<Ref> compose_ravel(const Attrs&, std::span<const Ref> in) {
  static const Attrs flat{Axes{-1}};
  std::vector<Ref> made;
  made.push_back(apply(*op_reshape, flat, {in[0]}));
  return made;
}

std::vector<Ref> compose_part_of_pair(const Attrs&, std::span<const Ref> in) { return {in[0]}; }

// transpose (perm or None)
Dims permutation(const Attrs& attrs, int ndim) {
  Dims perm(static_cast<size_t>(ndim));
  if (attrs.is_none(axes_attrs::axes)) {
    for (int i = 0; i < ndim; ++i) perm[static_cast<size_t>(i)] = ndim - 1 - i;
    return perm;
  }
  const Dims given = axis_dims(attrs, axes_attrs::axes);
  if (given.size() != perm.size())
    throw_error<ValueError>("transpose: axes don't match array: ", given,
                            " for an array of dimension ", ndim);
  Dims seen(perm.size(), 0);
  for (size_t i = 0; i < perm.size(); ++i) {
    perm[i] = normalize_axis(given[i], ndim, "transpose");
    if (seen[static_cast<size_t>(perm[i])]++)
      throw_error<ValueError>("transpose: repeated axis in transpose: ", given);
  }
  return perm;
}

Dims permuted(const Dims& d, const Dims& perm) {
  Dims out(d.size());
  for (size_t i = 0; i < perm.size(); ++i) out[i] = d[static_cast<size_t>(perm[i])];
  return out;
}

std::vector<TensorType> infer_transpose(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, permuted(in[0].shape, permutation(attrs, in[0].shape.ndim()))}};
}

void eval_transpose(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Dims perm = permutation(attrs, in[0].ndim());
  out[0] = in[0].is_scalar()
               ? in[0]
               : in[0].view(permuted(in[0].shape(), perm), permuted(in[0].strides(), perm), 0);
}

void vjp_transpose(VjpContext& ctx) {
  const Dims perm = permutation(ctx.attrs(), ctx.in_shape(0).ndim());
  Axes inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i)
    inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  ctx.add(0, transpose(ctx.ct(), inverse));
}

Axes identity_permutation(int ndim) {
  Axes perm(static_cast<size_t>(ndim));
  std::iota(perm.begin(), perm.end(), 0);
  return perm;
}

std::vector<Ref> compose_swapaxes(const Attrs& attrs, std::span<const Ref> in) {
  const int ndim = in[0].ndim();
  Axes perm = identity_permutation(ndim);
  const auto a = static_cast<size_t>(normalize_axis(attrs.integer(axis1_key), ndim, "swapaxes"));
  const auto b = static_cast<size_t>(normalize_axis(attrs.integer(axis2_key), ndim, "swapaxes"));
  std::swap(perm[a], perm[b]);
  return {transpose(in[0], perm)};
}

std::vector<Ref> compose_moveaxis(const Attrs& attrs, std::span<const Ref> in) {
  const int ndim = in[0].ndim();
  const Axes from = axis_list(attrs, source_key), to = axis_list(attrs, destination_key);
  if (from.size() != to.size())
    throw_error<ValueError>(
        "moveaxis: `source` and `destination` arguments must have the same number of elements, "
        "got ",
        to_dims(from), " and ", to_dims(to));
  Axes perm(static_cast<size_t>(ndim), -1);
  Dims moved(static_cast<size_t>(ndim), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    const int source = normalize_axis(from[i], ndim, "moveaxis");
    const int target = normalize_axis(to[i], ndim, "moveaxis");
    if (moved[static_cast<size_t>(source)]++ || perm[static_cast<size_t>(target)] >= 0)
      throw_error<ValueError>("moveaxis: repeated axis in ", to_dims(from), " or ", to_dims(to));
    perm[static_cast<size_t>(target)] = source;
  }
  size_t next = 0;
  for (int64_t& p : perm) {
    if (p >= 0) continue;
    while (moved[next]) ++next;
    p = static_cast<int64_t>(next++);
  }
  return {transpose(in[0], perm)};
}

// expand_dims (axes of the result), squeeze (axes or None)
Dims new_axis_flags(const Attrs& attrs, int ndim) {
  const auto result_ndim = axis_dims(attrs, axes_attrs::axes).ndim() + ndim;
  if (result_ndim > max_ndim)
    throw_error<ValueError>("expand_dims: an array of dimension ", result_ndim,
                            " would result; the limit is ", max_ndim);
  return axis_flags(attrs, axes_attrs::axes, result_ndim, "expand_dims");
}

Dims expanded(const Dims& d, const Dims& flags, int64_t fill) {
  Dims out(flags.size(), fill);
  for (size_t i = 0, k = 0; i < flags.size(); ++i)
    if (!flags[i]) out[i] = d[k++];
  return out;
}

std::vector<TensorType> infer_expand_dims(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, expanded(in[0].shape, new_axis_flags(attrs, in[0].shape.ndim()), 1)}};
}

void eval_expand_dims(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Value& v = in[0];
  const Dims flags = new_axis_flags(attrs, v.ndim());
  const Dims shape = expanded(v.shape(), flags, 1);
  out[0] =
      v.is_contiguous() ? v.reshaped(shape) : v.view(shape, expanded(v.strides(), flags, 0), 0);
}

void vjp_expand_dims(VjpContext& ctx) {
  const Dims flags = new_axis_flags(ctx.attrs(), ctx.in_shape(0).ndim());
  ctx.add(0, squeeze(ctx.ct(), flagged_axes(flags)));
}

Dims squeezed_flags(const Attrs& attrs, const Dims& shape) {
  if (shape.empty() && !attrs.is_none(axes_attrs::axes)) {  // NumPy lets one axis through
    for (const int64_t axis : axis_span(attrs, axes_attrs::axes))
      normalize_axis(axis, 1, "squeeze");
    return {};
  }
  Dims flags = axis_flags(attrs, axes_attrs::axes, shape.ndim(), "squeeze");
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!flags[i] || shape[i] == 1) continue;
    if (!attrs.is_none(axes_attrs::axes))
      throw_error<ValueError>(
          "squeeze: cannot select an axis to squeeze out which has size not equal to one: axis ", i,
          " of shape ", shape);
    flags[i] = 0;
  }
  return flags;
}

std::vector<TensorType> infer_squeeze(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, reduced_shape(in[0].shape, squeezed_flags(attrs, in[0].shape), false)}};
}

void eval_squeeze(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Value& v = in[0];
  const Dims flags = squeezed_flags(attrs, v.shape());
  out[0] = v.is_scalar() ? v
                         : v.view(reduced_shape(v.shape(), flags, false),
                                  reduced_shape(v.strides(), flags, false), 0);
}

void vjp_squeeze(VjpContext& ctx) {
  ctx.add(0, expand_dims(ctx.ct(), flagged_axes(squeezed_flags(ctx.attrs(), ctx.in_shape(0)))));
}

// broadcast_to (shape)
Dims broadcast_shape(const Attrs& attrs, const Dims& from) {
  const Dims to = axis_dims(attrs, shape_attrs::shape);
  bool fits = from.size() <= to.size();
  for (size_t i = 0; fits && i < from.size(); ++i) {
    const int64_t n = to[to.size() - from.size() + i];
    fits = from[i] == n || (from[i] == 1 && n >= 0);
  }
  for (int64_t n : to) fits = fits && n >= 0;
  if (!fits)
    throw_error<ValueError>("broadcast_to: an array of shape ", from, " cannot be broadcast to ",
                            to, "; lengths must be equal or 1, counted from the last axis");
  return to;
}

std::vector<TensorType> infer_broadcast_to(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, broadcast_shape(attrs, in[0].shape)}};
}

void eval_broadcast_to(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Dims to = broadcast_shape(attrs, in[0].shape());
  if (in[0].is_scalar()) {
    out[0] = to.empty() ? in[0] : in[0].reshaped(Dims{1}).view(to, Dims(to.size(), 0), 0);
  } else {
    out[0] = in[0].view(to, broadcast_strides(in[0].shape(), in[0].strides(), to), 0);
  }
}

void vjp_broadcast_to(VjpContext& ctx) { ctx.add(0, sum_to_shape(ctx.ct(), ctx.in_shape(0))); }

// reshape, expand_dims, squeeze: the lanes stay in front of the lane's result.
std::vector<Ref> lanes_reshaped(const LanesCall& call) {
  return {reshape(with_lanes(call, 0), lanes_shape(call, call.out_types[0].shape))};
}

std::vector<Ref> lanes_transpose(const LanesCall& call) {
  Axes perm{0};
  for (int64_t axis : permutation(call.attrs, call.in_types[0].shape.ndim()))
    perm.push_back(1 + axis);
  return {transpose(with_lanes(call, 0), perm)};
}

std::vector<Ref> lanes_broadcast(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  return {broadcast_to(aligned_lanes(call, 0, shape.ndim()), lanes_shape(call, shape))};
}

}  // namespace

const Op& reshape_op() { return *op_reshape; }
const Op& transpose_op() { return *op_transpose; }
const Op& broadcast_to_op() { return *op_broadcast_to; }

Ref reshape(const Ref& a, std::span<const int64_t> shape) {
  if (a.shape() == Dims(shape)) return a;
  return apply(*op_reshape, {Axes(shape.begin(), shape.end())}, {a});
}

Ref transpose(const Ref& a, std::span<const int64_t> perm) {
  return apply(*op_transpose, {Axes(perm.begin(), perm.end())}, {a});
}

Ref swap_last_axes(const Ref& a) {
  if (a.ndim() < 2)
    throw_error<ValueError>("swap_last_axes: a matrix is needed, got an array of shape ",
                            a.shape());
  Axes perm = identity_permutation(a.ndim());
  std::swap(perm[perm.size() - 2], perm[perm.size() - 1]);
  return transpose(a, perm);
}

Ref broadcast_to(const Ref& a, std::span<const int64_t> shape) {
  if (a.shape() == Dims(shape)) return a;
  return apply(*op_broadcast_to, {Axes(shape.begin(), shape.end())}, {a});
}

Ref expand_dims(const Ref& a, const Axes& axes) { return apply(*op_expand_dims, {axes}, {a}); }
Ref expand_dims(const Ref& a, int64_t axis) { return expand_dims(a, Axes{axis}); }
Ref squeeze(const Ref& a, const Axes& axes) { return apply(*op_squeeze, {axes}, {a}); }
Ref squeeze(const Ref& a, int64_t axis) { return squeeze(a, Axes{axis}); }

void register_shape_ops() {
  op_reshape = &register_op({.name = "reshape",
                             .attrs = {{shape_attrs::shape, attr_kind::list}},
                             .infer = infer_reshape,
                             .eval = eval_reshape,
                             .vjp = vjp_reshape,
                             .lanes = lanes_reshaped,
                             .linear = true,
                             .view = ViewKind::reshaped,
                             .shares = MemorySharing::view,
                             .elements = ElementKind::moved,
                             .summary = "one length may be -1"});
  op_transpose = &register_op({.name = "transpose",
                               .attrs = {{axes_attrs::axes, attr_kind::axes}},
                               .infer = infer_transpose,
                               .eval = eval_transpose,
                               .vjp = vjp_transpose,
                               .lanes = lanes_transpose,
                               .linear = true,
                               .view = ViewKind::permuted,
                               .shares = MemorySharing::view,
                               .elements = ElementKind::moved,
                               .summary = "axes in another order; None reverses"});
  op_expand_dims = &register_op({.name = "expand_dims",
                                 .attrs = {{axes_attrs::axes, attr_kind::list}},
                                 .infer = infer_expand_dims,
                                 .eval = eval_expand_dims,
                                 .vjp = vjp_expand_dims,
                                 .lanes = lanes_reshaped,
                                 .linear = true,
                                 .view = ViewKind::reshaped,
                                 .shares = MemorySharing::view,
                                 .elements = ElementKind::moved,
                                 .summary = "new axes of length 1"});
  op_squeeze = &register_op({.name = "squeeze",
                             .attrs = {{axes_attrs::axes, attr_kind::axes}},
                             .infer = infer_squeeze,
                             .eval = eval_squeeze,
                             .vjp = vjp_squeeze,
                             .lanes = lanes_reshaped,
                             .linear = true,
                             .view = ViewKind::reshaped,
                             .shares = MemorySharing::view,
                             .elements = ElementKind::moved,
                             .summary = "without those axes of length 1"});
  op_broadcast_to = &register_op({.name = "broadcast_to",
                                  .attrs = {{shape_attrs::shape, attr_kind::list}},
                                  .infer = infer_broadcast_to,
                                  .eval = eval_broadcast_to,
                                  .vjp = vjp_broadcast_to,
                                  .lanes = lanes_broadcast,
                                  .linear = true,
                                  .view = ViewKind::broadcast,
                                  .shares = MemorySharing::read_only,
                                  .elements = ElementKind::moved,
                                  .summary = "repeated along new and stretched axes"});
  register_op({.name = "ravel",
               .compose = compose_ravel,
               .shares = MemorySharing::view_of_packed,
               .summary = "reshape(-1)"});
  register_op({.name = "part_of_pair",
               .compose = compose_part_of_pair,
               .shares = MemorySharing::view_in_pair,
               .summary = "itself, a part of an array of complex numbers"});
  register_op({.name = "swapaxes",
               .attrs = {{axis1_key, attr_kind::axis}, {axis2_key, attr_kind::axis}},
               .compose = compose_swapaxes,
               .shares = MemorySharing::view,
               .summary = "transpose that swaps two axes"});
  register_op({.name = "moveaxis",
               .attrs = {{source_key, attr_kind::list}, {destination_key, attr_kind::list}},
               .compose = compose_moveaxis,
               .shares = MemorySharing::view,
               .summary = "transpose that moves axes"});
  register_join_ops();
  register_move_ops();
  register_repeat_ops();
  register_diagonal_ops();
  register_windows_op();
}

}  // namespace tapegrad
