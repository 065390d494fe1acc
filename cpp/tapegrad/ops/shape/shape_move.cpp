#include <optional>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/expand.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// flip, roll, pad_constant and crop, gather_axis and scatter_axis (each pair transposes of each
// other).

namespace tapegrad {
namespace {

constexpr AttrKey shift_key{0, "shift"}, roll_axis_key{1, "axis"};  // of roll
constexpr AttrKey axis_key{0, "axis"}, indices_key{1, "indices"}, length_key{2, "n"};

const Op *op_flip, *op_roll, *op_pad_constant, *op_crop, *op_gather, *op_scatter;

// flip (axes or None)
std::vector<TensorType> infer_flip(const Attrs& attrs, std::span<const TensorType> in) {
  axis_flags(attrs, axes_attrs::axes, in[0].shape.ndim(), "flip");
  return {in[0]};
}

void eval_flip(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Value& v = in[0];
  const Dims flags = axis_flags(attrs, axes_attrs::axes, v.ndim(), "flip"), shape = v.shape();
  if (v.size() <= 1) {
    out[0] = v;
    return;
  }
  Dims strides = v.strides();
  int64_t offset = 0;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (!flags[i]) continue;
    offset += (shape[i] - 1) * strides[i];
    strides[i] = -strides[i];
  }
  out[0] = v.view(shape, strides, offset);
}

void vjp_flip(VjpContext& ctx) { ctx.add(0, apply(*op_flip, ctx.attrs(), {ctx.ct()})); }

// roll (shifts, axes or None: of the flattened array)
Dims roll_offsets(const Attrs& attrs, const Dims& shape) {
  const std::span<const int64_t> shifts = axis_span(attrs, shift_key);
  Dims offsets(attrs.is_none(roll_axis_key) ? 1 : shape.size(), 0);
  const auto turn = [](int64_t& offset, int64_t by, int64_t n) {
    if (n > 0) offset = ((offset + by % n) % n + n) % n;
  };
  if (attrs.is_none(roll_axis_key)) {
    for (int64_t shift : shifts) turn(offsets[0], shift, element_count(shape));
    return offsets;
  }
  const std::span<const int64_t> axes = axis_span(attrs, roll_axis_key);
  if (shifts.size() != axes.size() && shifts.size() != 1 && axes.size() != 1)
    throw_error<ValueError>("roll: 'shift' and 'axis' should be of one length, got ", Dims(shifts),
                            " and ", Dims(axes));
  const size_t n = shifts.empty() || axes.empty() ? 0 : std::max(shifts.size(), axes.size());
  for (size_t k = 0; k < n; ++k) {
    const auto axis =
        static_cast<size_t>(normalize_axis(axes[axes.size() == 1 ? 0 : k], shape.ndim(), "roll"));
    turn(offsets[axis], shifts[shifts.size() == 1 ? 0 : k], shape[axis]);
  }
  return offsets;
}

std::vector<TensorType> infer_roll(const Attrs& attrs, std::span<const TensorType> in) {
  roll_offsets(attrs, in[0].shape);
  return {in[0]};
}

void eval_roll(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Dims shape = in[0].shape(), offsets = roll_offsets(attrs, shape);
  out[0] = in[0];
  if (in[0].size() <= 1) return;
  if (attrs.is_none(roll_axis_key)) out[0] = reshaped_view(in[0], Dims{in[0].size()});
  for (int axis = 0; axis < offsets.ndim(); ++axis) {
    const int64_t offset = offsets[static_cast<size_t>(axis)];
    if (offset == 0) continue;
    const Value from = out[0];
    const int64_t kept = from.dim(axis) - offset;
    out[0] = Value::empty(from.dtype(), from.shape());
    write_slice(out[0], axis, 0, slice_axis(from, axis, kept, offset));
    write_slice(out[0], axis, offset, slice_axis(from, axis, 0, kept));
  }
  out[0] = reshaped_view(out[0], shape);
}

void vjp_roll(VjpContext& ctx) {
  std::vector<int64_t> back = axis_list(ctx.attrs(), shift_key);
  for (int64_t& shift : back) shift = -shift;
  ctx.add(0, apply(*op_roll, ctx.attrs().with(shift_key, back), {ctx.ct()}));
}

// pad_constant (widths: before and after of each axis; fill), crop (starts, lengths)
Dims padded_shape(const Attrs& attrs, Dims shape) {
  const std::vector<int64_t>& widths = attrs.integers(pad_attrs::widths);
  if (widths.size() != 2 * shape.size())
    throw_error<ValueError>("pad: expected a width before and one after for each of ", shape.size(),
                            " axes, got ", to_dims(widths));
  for (size_t i = 0; i < shape.size(); ++i) {
    if (widths[2 * i] < 0 || widths[2 * i + 1] < 0)
      throw_error<ValueError>("pad: index can't contain negative values: ", to_dims(widths),
                              "; cut with x[a:b]");
    shape[i] += widths[2 * i] + widths[2 * i + 1];
  }
  return shape;
}

std::vector<TensorType> infer_pad_constant(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, padded_shape(attrs, in[0].shape)}};
}

void eval_pad_constant(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::vector<int64_t>& widths = attrs.integers(pad_attrs::widths);
  const TensorType from = type_of(in[0]);
  const TensorType type{from.dtype, padded_shape(attrs, from.shape)};
  if (type.shape.empty()) {
    out[0] = in[0];
    return;
  }
  out[0] = Value::empty(type.dtype, type.shape);
  const Value fill = Value::scalar(attrs.real(pad_attrs::fill)).cast(type.dtype);
  // Borders axis by axis, each within the interior of the axes before it.
  Value rest = out[0];
  for (size_t i = 0; i < type.shape.size(); ++i) {
    const int axis = static_cast<int>(i);
    const int64_t before = widths[2 * i], n = from.shape[i];
    if (before > 0) copy_parallel(slice_axis(rest, axis, 0, before), fill);
    if (widths[2 * i + 1] > 0)
      copy_parallel(slice_axis(rest, axis, before + n, widths[2 * i + 1]), fill);
    rest = slice_axis(rest, axis, before, n);
  }
  copy_parallel(rest, in[0]);
}

void vjp_pad_constant(VjpContext& ctx) {
  const std::vector<int64_t>& widths = ctx.attrs().integers(pad_attrs::widths);
  std::vector<int64_t> starts;
  for (size_t i = 0; i < widths.size(); i += 2) starts.push_back(widths[i]);
  ctx.add(0, crop(ctx.ct(), starts, to_vector(ctx.in_shape(0))));
}

void jvp_pad_constant(JvpContext& ctx) {
  ctx.set(0, pad_constant(ctx.tangent(0), ctx.attrs().integers(pad_attrs::widths)));
}

void check_crop(const Attrs& attrs, const Dims& shape) {
  const std::vector<int64_t>&starts = attrs.integers(crop_attrs::starts),
        &lengths = attrs.integers(crop_attrs::lengths);
  bool fits = starts.size() == shape.size() && lengths.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = starts[i] >= 0 && lengths[i] >= 0 && starts[i] + lengths[i] <= shape[i];
  if (!fits)
    throw_error<ValueError>("crop: starts ", to_dims(starts), " and lengths ", to_dims(lengths),
                            " leave an array of shape ", shape);
}

std::vector<TensorType> infer_crop(const Attrs& attrs, std::span<const TensorType> in) {
  check_crop(attrs, in[0].shape);
  return {{in[0].dtype, to_dims(attrs.integers(crop_attrs::lengths))}};
}

void eval_crop(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  check_crop(attrs, in[0].shape());
  out[0] = in[0];
  for (int axis = 0; axis < in[0].ndim(); ++axis)
    out[0] = slice_axis(out[0], axis, attrs.integers(crop_attrs::starts)[static_cast<size_t>(axis)],
                        attrs.integers(crop_attrs::lengths)[static_cast<size_t>(axis)]);
}

void vjp_crop(VjpContext& ctx) {
  const std::vector<int64_t>&starts = ctx.attrs().integers(crop_attrs::starts),
        &lengths = ctx.attrs().integers(crop_attrs::lengths);
  const Dims shape = ctx.in_shape(0);
  std::vector<int64_t> widths;
  for (size_t i = 0; i < shape.size(); ++i) {
    widths.push_back(starts[i]);
    widths.push_back(shape[i] - starts[i] - lengths[i]);
  }
  ctx.add(0, pad_constant(ctx.ct(), widths));
}

// gather_axis (axis, indices), scatter_axis (axis, indices, n)
void check_indices(std::span<const int64_t> indices, int64_t n, const char* op) {
  for (int64_t i : indices)
    if (i < 0 || i >= n)
      throw_error<IndexError>(op, ": index ", i, " is out of bounds for an axis of length ", n);
}

Dims gathered_shape(const Attrs& attrs, Dims shape) {
  int64_t& n = shape[static_cast<size_t>(
      normalize_axis(attrs.integer(axis_key), shape.ndim(), "gather_axis"))];
  check_indices(attrs.integers(indices_key), n, "gather_axis");
  n = static_cast<int64_t>(attrs.integers(indices_key).size());
  return shape;
}

// The distance of one position to the next where it is always the same, and not 0.
std::optional<int64_t> step_of(const std::vector<int64_t>& indices) {
  if (indices.empty()) return std::nullopt;
  const int64_t step = indices.size() == 1 ? 1 : indices[1] - indices[0];
  for (size_t i = 1; i < indices.size(); ++i)
    if (indices[i] - indices[i - 1] != step) return std::nullopt;
  return step == 0 ? std::nullopt : std::optional(step);
}

std::vector<TensorType> infer_gather(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, gathered_shape(attrs, in[0].shape)}};
}

void eval_gather(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  gathered_shape(attrs, in[0].shape());
  const int axis = normalize_axis(attrs.integer(axis_key), in[0].ndim(), "gather_axis");
  out[0] = gather_axis(in[0], axis, std::span<const int64_t>(attrs.integers(indices_key)));
}

void vjp_gather(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  const int axis = normalize_axis(ctx.attrs().integer(axis_key), shape.ndim(), "gather_axis");
  ctx.add(0, scatter_axis(ctx.ct(), axis - shape.ndim(), ctx.attrs().integers(indices_key),
                          shape[static_cast<size_t>(axis)]));
}

Dims scattered_shape(const Attrs& attrs, Dims shape) {
  int64_t& n = shape[static_cast<size_t>(
      normalize_axis(attrs.integer(axis_key), shape.ndim(), "scatter_axis"))];
  if (n != static_cast<int64_t>(attrs.integers(indices_key).size()))
    throw_error<ValueError>("scatter_axis: ", attrs.integers(indices_key).size(),
                            " indices for an axis of length ", n);
  n = attrs.integer(length_key);
  check_indices(attrs.integers(indices_key), n, "scatter_axis");
  return shape;
}

std::vector<TensorType> infer_scatter(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, scattered_shape(attrs, in[0].shape)}};
}

void eval_scatter(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  scattered_shape(attrs, in[0].shape());
  const int axis = normalize_axis(attrs.integer(axis_key), in[0].ndim(), "scatter_axis");
  out[0] = scatter_axis(in[0], axis, std::span<const int64_t>(attrs.integers(indices_key)),
                        attrs.integer(length_key));
}

void vjp_scatter(VjpContext& ctx) {
  ctx.add(0,
          gather_axis(ctx.ct(), ctx.attrs().integer(axis_key), ctx.attrs().integers(indices_key)));
}

std::vector<Ref> lanes_roll(const LanesCall& call) {
  const Dims& shape = call.in_types[0].shape;
  const Ref x = with_lanes(call, 0);
  const std::vector<int64_t> shifts = axis_list(call.attrs, shift_key);
  if (call.attrs.is_none(roll_axis_key)) {
    const Ref flat = reshape(x, Dims{call.n, element_count(shape)});
    return {reshape(roll(flat, shifts, Axes{-1}), lanes_shape(call, shape))};
  }
  Axes axes = axis_list(call.attrs, roll_axis_key);
  for (int64_t& axis : axes) axis = axis_from_end(call, axis, shape.ndim());
  return {roll(x, shifts, axes)};
}

std::vector<Ref> lanes_pad(const LanesCall& call) {
  std::vector<int64_t> widths = call.attrs.integers(pad_attrs::widths);
  widths.insert(widths.begin(), {0, 0});
  return {pad_constant(with_lanes(call, 0), widths, call.attrs.real(pad_attrs::fill))};
}

std::vector<Ref> lanes_crop(const LanesCall& call) {
  std::vector<int64_t> starts = call.attrs.integers(crop_attrs::starts);
  std::vector<int64_t> lengths = call.attrs.integers(crop_attrs::lengths);
  starts.insert(starts.begin(), 0);
  lengths.insert(lengths.begin(), call.n);
  return {crop(with_lanes(call, 0), starts, lengths)};
}

bool expand_pad(ExpandContext& c) {
  return expand_moves(c, c.attrs().with(pad_attrs::fill, 0.0), c.attrs().real(pad_attrs::fill));
}

}  // namespace

Ref flip(const Ref& a, const Axes& axes) { return apply(*op_flip, {axes}, {a}); }

Ref roll(const Ref& a, const std::vector<int64_t>& shifts, const Axes& axes) {
  return apply(*op_roll, {shifts, axes}, {a});
}

Ref pad_constant(const Ref& a, const std::vector<int64_t>& widths, double fill) {
  return apply(*op_pad_constant, {widths, fill}, {a});
}

Ref crop(const Ref& a, const std::vector<int64_t>& starts, const std::vector<int64_t>& lengths) {
  return apply(*op_crop, {starts, lengths}, {a});
}

Ref gather_axis(const Ref& a, int64_t axis, const std::vector<int64_t>& indices) {
  // Evenly spaced positions are a slice: its transpose adds to a part, where it lies.
  if (const auto step = step_of(indices)) {
    const Dims shape = a.shape();
    const int at = normalize_axis(axis, shape.ndim(), "gather_axis");
    check_indices(indices, shape[static_cast<size_t>(at)], "gather_axis");
    const auto n = static_cast<int64_t>(indices.size());
    return apply(slice_copy_op(), IndexSpec::along(shape, at, indices[0], *step, n).attrs(), {a});
  }
  return apply(*op_gather, {axis, indices}, {a});
}

Ref scatter_axis(const Ref& a, int64_t axis, const std::vector<int64_t>& indices, int64_t n) {
  return apply(*op_scatter, {axis, indices, n}, {a});
}

void register_move_ops() {
  op_flip = &register_op({.name = "flip",
                          .attrs = {{axes_attrs::axes, attr_kind::axes}},
                          .infer = infer_flip,
                          .eval = eval_flip,
                          .vjp = vjp_flip,
                          .linear = true,
                          .axes = axes_attrs::axes.index,
                          .view = ViewKind::reversed,
                          .shares = MemorySharing::view,
                          .elements = ElementKind::moved,
                          .summary = "in reverse order"});
  op_roll = &register_op({.name = "roll",
                          .attrs = {{shift_key, attr_kind::list}, {roll_axis_key, attr_kind::axes}},
                          .infer = infer_roll,
                          .eval = eval_roll,
                          .vjp = vjp_roll,
                          .lanes = lanes_roll,
                          .linear = true,
                          .axes = roll_axis_key.index,
                          .elements = ElementKind::moved,
                          .summary = "turned along axes"});
  op_pad_constant = &register_op(
      {.name = "pad_constant",
       .attrs = {{pad_attrs::widths, attr_kind::integers}, {pad_attrs::fill, attr_kind::real}},
       .infer = infer_pad_constant,
       .eval = eval_pad_constant,
       .vjp = vjp_pad_constant,
       .jvp = jvp_pad_constant,
       .lanes = lanes_pad,
       .expand = expand_pad,
       .expand_keeps_bits = true,
       .elements = ElementKind::moved,
       .frame = FrameKind::pads,
       .summary = "a border of one value"});
  op_crop = &register_op({.name = "crop",
                          .attrs = {{crop_attrs::starts, attr_kind::integers},
                                    {crop_attrs::lengths, attr_kind::integers}},
                          .infer = infer_crop,
                          .eval = eval_crop,
                          .vjp = vjp_crop,
                          .lanes = lanes_crop,
                          .linear = true,
                          .view = ViewKind::part,
                          .elements = ElementKind::moved,
                          .frame = FrameKind::crops,
                          .summary = "a box of the array"});
  op_gather =
      &register_op({.name = "gather_axis",
                    .attrs = {{axis_key, attr_kind::axis}, {indices_key, attr_kind::integers}},
                    .infer = infer_gather,
                    .eval = eval_gather,
                    .vjp = vjp_gather,
                    .linear = true,
                    .axes = axis_key.index,
                    .elements = ElementKind::moved,
                    .summary = "y[j] = x[indices[j]] along an axis"});
  op_scatter = &register_op({.name = "scatter_axis",
                             .attrs = {{axis_key, attr_kind::axis},
                                       {indices_key, attr_kind::integers},
                                       {length_key, attr_kind::integer}},
                             .infer = infer_scatter,
                             .eval = eval_scatter,
                             .vjp = vjp_scatter,
                             .linear = true,
                             .axes = axis_key.index,
                             .elements = ElementKind::added,
                             .summary = "y[indices[j]] += x[j] along an axis"});
}

}  // namespace tapegrad
