#include <algorithm>
#include <numeric>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_gather.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/shape/shape.h"

// What ops on parts of arrays are on many lanes at once, and as scalars.

namespace tapegrad {
namespace {

Ref moved_axis(const Ref& x, int64_t from, int64_t to) {
  Axes order(static_cast<size_t>(x.ndim()));
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return from == to ? x : transpose(x, order);
}

// Each lane has a key of its own: the lanes are one more axis of the index arrays, and where the
// array has lanes one more index, which counts them.
std::vector<Ref> gather_by_lane(const LanesCall& call, size_t first_index) {
  IndexSpec spec = IndexSpec::from(call.attrs);
  int index_ndim = 0;
  for (size_t i = first_index; i < call.in.size(); ++i)
    index_ndim = std::max(index_ndim, call.in_types[i].shape.ndim());
  const bool updates = first_index == 2, counted = updates || call.has_lanes[0];
  std::vector<Ref> in{counted ? with_lanes(call, 0) : call.in[0]};
  if (updates) {
    std::vector<Dims> shapes;
    for (size_t i = first_index; i < call.in.size(); ++i) shapes.push_back(call.in_types[i].shape);
    const Dims region = result_shape(spec, call.in_types[0].shape, shapes);
    const Ref update = aligned_lanes(call, 1, region.ndim());
    in.push_back(moved_axis(broadcast_to(update, lanes_shape(call, region)), 0, spec.position));
  }
  if (counted) {
    Dims shape{call.n};
    for (int i = 0; i < index_ndim; ++i) shape.push_back(1);
    const Value lanes = Value::empty(DType::int64, shape);
    for (int64_t i = 0; i < call.n; ++i) lanes.data<int64_t>()[i] = i;
    in.push_back(lanes);
    IndexSpec first;
    first.array();
    spec.code.insert(spec.code.begin(), first.code.begin(), first.code.end());
  }
  for (size_t i = first_index; i < call.in.size(); ++i)
    in.push_back(aligned_lanes(call, i, index_ndim));
  const Ref found = std::move(apply(call.op, spec.attrs(), std::move(in))[0]);
  return {updates ? found : moved_axis(found, spec.position, 0)};
}

}  // namespace

std::vector<Ref> lanes_gather(const LanesCall& call) {
  const bool updates = call.op.update != UpdateKind::none;
  const size_t first_index = updates ? 2 : 1;
  for (size_t i = first_index; i < call.in.size(); ++i)
    if (call.has_lanes[i]) return gather_by_lane(call, first_index);
  std::vector<Ref> in{with_lanes(call, 0)};
  if (updates) {
    std::vector<Dims> shapes;
    for (size_t i = first_index; i < call.in.size(); ++i) shapes.push_back(call.in_types[i].shape);
    const Dims region = result_shape(IndexSpec::from(call.attrs), call.in_types[0].shape, shapes);
    in.push_back(aligned_lanes(call, 1, region.ndim()));
  }
  for (size_t i = first_index; i < call.in.size(); ++i) in.push_back(call.in[i]);
  return apply(call.op, call.attrs, std::move(in));
}

bool expand_add_to_part(ExpandContext& c, const Op& read) {
  const DType d = c.in_type(0).dtype;
  if (d != c.in_type(1).dtype) return false;
  Scalars out = c.in(0);
  const Dims& shape = c.in_shape(0);
  std::vector<int64_t> own(out.size());
  std::iota(own.begin(), own.end(), 0);
  std::vector<Value> in, region(1);
  in.push_back(shape.empty() ? Value::integer_scalar(0) : Value::from_int64(own, shape));
  for (size_t i = 2; i < c.n_in(); ++i) {
    if (!c.constant(i)) return false;
    in.push_back(*c.constant(i));
  }
  read.eval(c.attrs(), in, region);
  Dims from = c.in_shape(1);
  const Dims to = region[0].shape();
  if (from.size() > to.size()) {  // by axes of length 1
    const size_t extra = from.size() - to.size();
    from = Dims(from.data() + extra, to.size());
  }
  const std::vector<size_t> at = broadcast_positions(from, to);
  const Scalars added = c.in(1);
  for (size_t k = 0; k < at.size(); ++k) {
    Scalar& element = out[static_cast<size_t>(region[0].at(static_cast<int64_t>(k)))];
    element = c.add(d, element, added[at[k]]);
  }
  c.set(0, std::move(out));
  return true;
}

}  // namespace tapegrad
