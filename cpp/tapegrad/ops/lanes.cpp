#include "tapegrad/ops/lanes.h"

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"

namespace tapegrad {

Dims lanes_shape(const LanesCall& call, const Dims& shape) {
  Dims all{call.n};
  for (int64_t d : shape) all.push_back(d);
  return all;
}

Ref with_lanes(const LanesCall& call, size_t i) {
  if (call.has_lanes[i]) return call.in[i];
  return broadcast_to(call.in[i], lanes_shape(call, call.in_types[i].shape));
}

std::vector<Ref> all_with_lanes(const LanesCall& call) {
  std::vector<Ref> in;
  for (size_t i = 0; i < call.in.size(); ++i) in.push_back(with_lanes(call, i));
  return in;
}

Ref aligned_lanes(const LanesCall& call, size_t i, int ndim) {
  if (!call.has_lanes[i]) return call.in[i];
  const Dims& own = call.in_types[i].shape;
  if (own.ndim() == ndim) return call.in[i];
  Dims shape{call.n};
  for (int k = own.ndim(); k < ndim; ++k) shape.push_back(1);
  for (int k = std::max(own.ndim() - ndim, 0); k < own.ndim(); ++k)
    shape.push_back(own[static_cast<size_t>(k)]);
  return reshape(call.in[i], shape);
}

int64_t axis_from_end(const LanesCall& call, int64_t axis, int ndim) {
  return normalize_axis(axis, ndim, call.op.name) - ndim;
}

std::vector<Ref> apply_stacked(const LanesCall& call) {
  return apply(call.op, call.attrs, all_with_lanes(call));
}

std::vector<Ref> apply_each_lane(const LanesCall& call) {
  std::vector<std::vector<Ref>> outs(call.out_types.size());
  for (int64_t lane = 0; lane < call.n; ++lane) {
    std::vector<Ref> in;
    for (size_t i = 0; i < call.in.size(); ++i)
      in.push_back(call.has_lanes[i]
                       ? slice(call.in[i], IndexSpec::entry(call.in[i].shape(), 0, lane))
                       : call.in[i]);
    std::vector<Ref> out = apply(call.op, call.attrs, std::move(in));
    for (size_t j = 0; j < out.size(); ++j) outs[j].push_back(std::move(out[j]));
  }
  std::vector<Ref> result;
  for (size_t j = 0; j < outs.size(); ++j)
    result.push_back(call.n > 0 ? stack(std::move(outs[j]), 0)
                                : Ref(Value::zeros(call.out_types[j].dtype,
                                                   lanes_shape(call, call.out_types[j].shape))));
  return result;
}

namespace {

std::vector<Ref> apply_elementwise(const LanesCall& call) {
  const int ndim = call.out_types[0].shape.ndim();
  std::vector<Ref> in;
  for (size_t i = 0; i < call.in.size(); ++i) in.push_back(aligned_lanes(call, i, ndim));
  return apply(call.op, call.attrs, std::move(in));
}

// The same op, its axes counted from the end. Where a lane is one number it gets an axis of length
// 1 to work along.
std::vector<Ref> apply_along_axes(const LanesCall& call) {
  const AttrKey key(static_cast<size_t>(call.op.axes));
  const Dims& shape = call.in_types[0].shape;
  std::vector<Ref> in = all_with_lanes(call);
  if (shape.empty()) {
    in[0] = reshape(in[0], Dims{call.n, 1});
    std::vector<Ref> out = apply(call.op, call.attrs.with(key, Axes{-1}), std::move(in));
    for (size_t j = 0; j < out.size(); ++j)
      out[j] = reshape(out[j], lanes_shape(call, call.out_types[j].shape));
    return out;
  }
  const Attr axes =
      std::holds_alternative<int64_t>(call.attrs[key])
          ? Attr(axis_from_end(call, call.attrs.integer(key), shape.ndim()))
          : Attr(flagged_axes(axis_flags(call.attrs, key, shape.ndim(), call.op.name)));
  return apply(call.op, call.attrs.with(key, axes), std::move(in));
}

}  // namespace

std::vector<Ref> apply_lanes(const LanesCall& call) {
  if (call.op.by_element && !call.op.lanes) return apply_elementwise(call);
  if (call.n == 0) return apply_each_lane(call);
  if (call.op.lanes) return call.op.lanes(call);
  if (call.op.matrix_stack) return apply_stacked(call);
  if (call.op.axes >= 0) return apply_along_axes(call);
  return apply_each_lane(call);
}

}  // namespace tapegrad
