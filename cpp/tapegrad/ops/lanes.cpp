#include "tapegrad/ops/lanes.h"

#include <algorithm>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"

// How ops take many lanes at once (vmap). Ops whose attributes count axes from the end, and ops
// that broadcast, work as they are once their operands are aligned; the others translate their
// attributes. What has no rule is applied to each lane by itself.

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

Ref aligned_lanes(const LanesCall& call, size_t i, int ndim) {
  if (!call.has_lanes[i]) return call.in[i];
  const Dims& own = call.in_types[i].shape;
  if (own.ndim() >= ndim) return call.in[i];
  Dims shape{call.n};
  for (int k = own.ndim(); k < ndim; ++k) shape.push_back(1);
  for (int64_t d : own) shape.push_back(d);
  return reshape(call.in[i], shape);
}

namespace {

std::vector<Ref> elementwise_lanes(const LanesCall& call) {
  const int ndim = call.out_types[0].shape.ndim();
  std::vector<Ref> in;
  for (size_t i = 0; i < call.in.size(); ++i) in.push_back(aligned_lanes(call, i, ndim));
  return apply(call.op, call.attrs, std::move(in));
}

std::vector<Ref> each_lane(const LanesCall& call) {
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

std::vector<Ref> searchsorted_lanes(const LanesCall& call) {
  if (call.has_lanes[0]) return each_lane(call);
  return apply(call.op, call.attrs, std::vector<Ref>(call.in.begin(), call.in.end()));
}

std::vector<Ref> middle_lanes(const LanesCall& call) {
  return apply(call.op, call.attrs, std::vector<Ref>{with_lanes(call, 0)});
}

}  // namespace

std::vector<Ref> apply_lanes(const LanesCall& call) {
  if (call.op.scalar_fn >= 0) return elementwise_lanes(call);
  if (call.op.lanes && call.n > 0) return call.op.lanes(call);
  return each_lane(call);
}

void register_lanes() {
  register_shape_lanes();
  register_axis_lanes();
  register_matrix_lanes();
  for (const char* name :
       {"int_add", "int_subtract", "int_multiply", "int_floor_divide", "int_remainder",
        "int_minimum", "int_maximum", "int_negative", "int_positive", "int_absolute"})
    set_lanes(name, elementwise_lanes);
  set_lanes("searchsorted", searchsorted_lanes);
  set_lanes("middle", middle_lanes);
}

}  // namespace tapegrad
