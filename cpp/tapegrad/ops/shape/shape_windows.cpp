#include <utility>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// windows (axis, length): the windows of that length along an axis, whose elements become the last
// axis. They lie over one another in the memory of the input.

namespace tapegrad {
namespace {

constexpr AttrKey axis_key{0, "axis"}, length_key{1, "length"};

const Op* op_windows;

struct Windows {
  int axis;
  int64_t length, count;
};

Windows find_windows(const Attrs& attrs, const Dims& shape) {
  const int axis = normalize_axis(attrs.integer(axis_key), shape.ndim(), "windows");
  const int64_t length = attrs.integer(length_key), n = shape[static_cast<size_t>(axis)];
  if (length < 0 || length > n)
    throw_error<ValueError>("windows: a window of length ", length, " does not fit axis ", axis,
                            " of shape ", shape);
  return {axis, length, n - length + 1};
}

Dims windows_shape(const Dims& shape, const Windows& w) {
  Dims found = shape;
  found[static_cast<size_t>(w.axis)] = w.count;
  found.push_back(w.length);
  return found;
}

std::vector<TensorType> infer_windows(const Attrs& attrs, std::span<const TensorType> in) {
  return {{in[0].dtype, windows_shape(in[0].shape, find_windows(attrs, in[0].shape))}};
}

void eval_windows(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Windows w = find_windows(attrs, in[0].shape());
  Dims strides = in[0].strides();
  strides.push_back(strides[static_cast<size_t>(w.axis)]);
  out[0] = in[0].view(windows_shape(in[0].shape(), w), strides, 0);
}

// Each element gets what all its places in the windows get.
void vjp_windows(VjpContext& ctx) {
  const Dims& shape = ctx.in_shape(0);
  const Windows w = find_windows(ctx.attrs(), shape);
  Axes order;  // the window's axis behind that of its beginnings
  for (int i = 0; i < shape.ndim(); ++i) {
    order.push_back(i);
    if (i == w.axis) order.push_back(shape.ndim());
  }
  IndexSpec spec;
  for (int i = 0; i < shape.ndim(); ++i) {
    if (i == w.axis) {
      spec.array();
    } else {
      spec.whole(shape[static_cast<size_t>(i)]);
    }
  }
  spec.position = w.axis;
  Value places = Value::empty(DType::int64, Dims{w.count, w.length});
  for (int64_t i = 0, k = 0; i < w.count; ++i)
    for (int64_t j = 0; j < w.length; ++j) places.data<int64_t>()[k++] = i + j;
  const Ref ct = ctx.ct();
  const Ref index(std::move(places));
  ctx.add(
      0, gather_add(Ref(Value::zeros(ct.dtype(), shape)), spec, transpose(ct, order), {&index, 1}));
}

std::vector<Ref> lanes_windows(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  const int64_t axis = axis_from_end(call, call.attrs.integer(axis_key), ndim);
  return {apply(*op_windows, {axis, call.attrs.integer(length_key)}, {with_lanes(call, 0)})};
}

}  // namespace

void register_windows_op() {
  op_windows = &register_op(
      {.name = "windows",
       .attrs = {{axis_key, attr_kind::axis}, {length_key, attr_kind::integer}},
       .infer = infer_windows,
       .eval = eval_windows,
       .vjp = vjp_windows,
       .lanes = lanes_windows,
       .linear = true,
       .view = ViewKind::part,
       .shares = MemorySharing::read_only,
       .elements = ElementKind::moved,
       .summary = "all windows of a length along an axis, their elements as the last axis"});
}

}  // namespace tapegrad
