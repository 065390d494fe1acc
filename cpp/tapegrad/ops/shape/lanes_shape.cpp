#include <algorithm>
#include <numeric>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"

// Lanes of ops that change shapes or pick elements.

namespace tapegrad {
namespace {

Ref apply_one(const LanesCall& call, const Attrs& attrs, std::vector<Ref> in) {
  return std::move(apply(call.op, attrs, std::move(in))[0]);
}

std::vector<Ref> all_with_lanes(const LanesCall& call) {
  std::vector<Ref> in;
  for (size_t i = 0; i < call.in.size(); ++i) in.push_back(with_lanes(call, i));
  return in;
}

// As it is, on whole stacks.
std::vector<Ref> direct(const LanesCall& call) {
  return apply(call.op, call.attrs, all_with_lanes(call));
}

// reshape, expand_dims, squeeze: the lane's result in front of which the lanes stay.
std::vector<Ref> by_shape(const LanesCall& call) {
  return {reshape(with_lanes(call, 0), lanes_shape(call, call.out_types[0].shape))};
}

std::vector<Ref> broadcast_lanes(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  return {broadcast_to(aligned_lanes(call, 0, shape.ndim()), lanes_shape(call, shape))};
}

std::vector<Ref> transpose_lanes(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  Axes perm{0};
  for (int i = 0; i < ndim; ++i)
    perm.push_back(1 + (call.attrs.is_none(0)
                            ? ndim - 1 - i
                            : normalize_axis(axis_list(call.attrs, 0)[static_cast<size_t>(i)], ndim,
                                             "transpose")));
  return {transpose(with_lanes(call, 0), perm)};
}

std::vector<Ref> sum_to_shape_lanes(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  const int ndim = call.in_types[0].shape.ndim();
  Dims padded{call.n};
  for (int k = shape.ndim(); k < ndim; ++k) padded.push_back(1);
  for (int64_t d : shape) padded.push_back(d);
  return {reshape(sum_to_shape(with_lanes(call, 0), padded), lanes_shape(call, shape))};
}

std::vector<Ref> pad_lanes(const LanesCall& call) {
  std::vector<int64_t> widths = call.attrs.integers(0);
  widths.insert(widths.begin(), {0, 0});
  return {pad_constant(with_lanes(call, 0), widths, call.attrs.real(1))};
}

std::vector<Ref> crop_lanes(const LanesCall& call) {
  std::vector<int64_t> starts = call.attrs.integers(0), lengths = call.attrs.integers(1);
  starts.insert(starts.begin(), 0);
  lengths.insert(lengths.begin(), call.n);
  return {crop(with_lanes(call, 0), starts, lengths)};
}

// Updates of a region: what is written broadcasts against the region of one lane.
std::vector<Ref> region_lanes(const LanesCall& call) {
  const IndexSpec spec = IndexSpec::from(call.attrs);
  const int ndim = result_shape(spec, call.in_types[0].shape).ndim();
  return apply(call.op, call.attrs,
               std::vector<Ref>{with_lanes(call, 0), aligned_lanes(call, 1, ndim)});
}

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

// x[key], base[key] += update.
std::vector<Ref> gather_lanes(const LanesCall& call) {
  const bool updates = call.op.in_place;
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

std::vector<Ref> concatenate_lanes(const LanesCall& call) {
  std::vector<Ref> in;
  if (call.attrs.is_none(0)) {
    for (size_t i = 0; i < call.in.size(); ++i)
      in.push_back(
          reshape(with_lanes(call, i), Dims{call.n, element_count(call.in_types[i].shape)}));
    return {concatenate(std::move(in), 1)};
  }
  const int ndim = call.in_types[0].shape.ndim();
  const int axis = normalize_axis(call.attrs.integer(0), ndim, "concatenate");
  return {concatenate(all_with_lanes(call), axis - ndim)};
}

// stack, unstack, split: the axis counts in the array that has it.
std::vector<Ref> stack_lanes(const LanesCall& call) {
  const int ndim = call.out_types[0].shape.ndim();
  const int axis = normalize_axis(call.attrs.integer(0), ndim, "stack");
  return {stack(all_with_lanes(call), axis - ndim)};
}

std::vector<Ref> unstack_lanes(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  return unstack(with_lanes(call, 0),
                 normalize_axis(call.attrs.integer(0), ndim, "unstack") - ndim);
}

std::vector<Ref> split_lanes(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  return split(with_lanes(call, 0), normalize_axis(call.attrs.integer(0), ndim, "split") - ndim,
               call.attrs.integers(1));
}

std::vector<Ref> roll_lanes(const LanesCall& call) {
  const Dims& shape = call.in_types[0].shape;
  if (call.attrs.is_none(1)) {
    const Ref flat = reshape(with_lanes(call, 0), Dims{call.n, element_count(shape)});
    return {reshape(roll(flat, axis_list(call.attrs, 0), Axes{-1}), lanes_shape(call, shape))};
  }
  Axes axes;
  for (int64_t a : axis_list(call.attrs, 1))
    axes.push_back(normalize_axis(a, shape.ndim(), "roll") - shape.ndim());
  return {roll(with_lanes(call, 0), axis_list(call.attrs, 0), axes)};
}

std::vector<Ref> diagonal_lanes(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  return {diagonal(with_lanes(call, 0), call.attrs.integer(0),
                   normalize_axis(call.attrs.integer(1), ndim, "diagonal") - ndim,
                   normalize_axis(call.attrs.integer(2), ndim, "diagonal") - ndim)};
}

std::vector<Ref> diagonal_scatter_lanes(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  const int ndim = shape.ndim();
  return {diagonal_scatter(with_lanes(call, 0), lanes_shape(call, shape), call.attrs.integer(1),
                           normalize_axis(call.attrs.integer(2), ndim, "diagonal") - ndim,
                           normalize_axis(call.attrs.integer(3), ndim, "diagonal") - ndim)};
}

// tril and triu repeat a vector as the rows of a square.
std::vector<Ref> triangle_lanes(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  const Ref a = broadcast_to(aligned_lanes(call, 0, shape.ndim()), lanes_shape(call, shape));
  return {apply_one(call, call.attrs, {a})};
}

}  // namespace

void register_shape_lanes() {
  for (const char* name : {"cast", "slice", "slice_copy"}) set_lanes(name, direct);
  for (const char* name : {"reshape", "expand_dims", "squeeze"}) set_lanes(name, by_shape);
  for (const char* name : {"slice_add", "slice_set"}) set_lanes(name, region_lanes);
  for (const char* name : {"gather", "gather_add", "gather_set"}) set_lanes(name, gather_lanes);
  for (const char* name : {"tril", "triu"}) set_lanes(name, triangle_lanes);
  set_lanes("broadcast_to", broadcast_lanes);
  set_lanes("transpose", transpose_lanes);
  set_lanes("sum_to_shape", sum_to_shape_lanes);
  set_lanes("pad_constant", pad_lanes);
  set_lanes("crop", crop_lanes);
  set_lanes("concatenate", concatenate_lanes);
  set_lanes("stack", stack_lanes);
  set_lanes("unstack", unstack_lanes);
  set_lanes("split", split_lanes);
  set_lanes("roll", roll_lanes);
  set_lanes("diagonal", diagonal_lanes);
  set_lanes("diagonal_scatter", diagonal_scatter_lanes);
}

}  // namespace tapegrad
