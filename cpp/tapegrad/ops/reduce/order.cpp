#include "tapegrad/ops/reduce/order.h"

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/order.h"
#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/rule.h"

// Positions that follow from the order of elements: argsort, argmax, argmin, searchsorted, middle.
// Integers have no derivative; these are ops so that a program finds the positions anew.

namespace tapegrad {
namespace {

constexpr AttrKey axis_key{0, "axis"}, or_equal_key{0, "or_equal"};

const Op* op_argsort;

int axis_of(const Attrs& attrs, int ndim, const char* op) {
  return normalize_axis(attrs.integer(axis_key), ndim, op);
}

std::vector<TensorType> infer_argsort(const Attrs& attrs, std::span<const TensorType> in) {
  axis_of(attrs, in[0].shape.ndim(), "argsort");
  return {{DType::int64, in[0].shape}};
}

void eval_argsort(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = sorting_positions(in[0], axis_of(attrs, in[0].ndim(), "argsort"));
}

template <bool largest>
std::vector<TensorType> infer_extreme(const Attrs& attrs, std::span<const TensorType> in) {
  const char* op = largest ? "argmax" : "argmin";
  const auto axis = static_cast<size_t>(axis_of(attrs, in[0].shape.ndim(), op));
  if (in[0].shape[axis] == 0)
    throw_error<ValueError>("attempt to get ", op, " of an empty sequence (an array of shape ",
                            in[0].shape, "; test x.size first)");
  Dims shape;
  for (size_t i = 0; i < in[0].shape.size(); ++i)
    if (i != axis) shape.push_back(in[0].shape[i]);
  return {{DType::int64, shape}};
}

template <bool largest>
void eval_extreme(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType type = type_of(in[0]);
  infer_extreme<largest>(attrs, {&type, 1});
  out[0] = extreme_positions(in[0], axis_of(attrs, in[0].ndim(), largest ? "argmax" : "argmin"),
                             largest);
}

std::vector<TensorType> infer_searchsorted(const Attrs&, std::span<const TensorType> in) {
  if (in[0].shape.ndim() != 1)
    throw_error<ValueError>("searchsorted: the sorted array has shape ", in[0].shape,
                            ", and needs one axis");
  return {{DType::int64, in[1].shape}};
}

void eval_searchsorted(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType types[] = {type_of(in[0]), type_of(in[1])};
  infer_searchsorted(attrs, types);
  const DType d = promote(in[0].dtype(), in[1].dtype());
  out[0] = counts_below(in[0].cast(d), in[1].cast(d), attrs.flag(or_equal_key));
}

// middle keeps two of the n positions along the last axis: (n - 1) / 2 and n / 2.
std::vector<TensorType> infer_middle(const Attrs&, std::span<const TensorType> in) {
  Dims shape = in[0].shape;
  if (shape.empty() || shape.back() == 0)
    throw_error<ValueError>("middle: there is no element in the middle of an array of shape ",
                            in[0].shape);
  shape[shape.size() - 1] = 2;
  return {{DType::int64, shape}};
}

void eval_middle(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType type = type_of(in[0]);
  const int64_t n = in[0].dim(in[0].ndim() - 1);
  out[0] = Value::empty(DType::int64, infer_middle(attrs, {&type, 1})[0].shape);
  for (int64_t i = 0; i < out[0].size(); ++i)
    out[0].data<int64_t>()[i] = i % 2 == 0 ? (n - 1) / 2 : n / 2;
}

// The lanes of what is searched for are one more axis; lanes of sorted arrays go one by one.
std::vector<Ref> lanes_searchsorted(const LanesCall& call) {
  if (call.has_lanes[0]) return apply_each_lane(call);
  return apply(call.op, call.attrs, std::vector<Ref>(call.in.begin(), call.in.end()));
}

}  // namespace

Ref argsort(const Ref& x, int axis) { return apply(*op_argsort, {int64_t{axis}}, {x}); }

void register_order_ops() {
  const auto add = [](Op op) {
    op.vjp = [](VjpContext&) {};
    op.jvp = [](JvpContext&) {};
    return &register_op(op);
  };
  op_argsort = add({.name = "argsort",
                    .attrs = {{axis_key, attr_kind::axis}},
                    .infer = infer_argsort,
                    .eval = eval_argsort,
                    .axes = axis_key.index,
                    .summary = "numpy.argsort, equal elements in their order"});
  add({.name = "argmax",
       .attrs = {{axis_key, attr_kind::axis}},
       .infer = infer_extreme<true>,
       .eval = eval_extreme<true>,
       .axes = axis_key.index,
       .summary = "the first position of the largest element"});
  add({.name = "argmin",
       .attrs = {{axis_key, attr_kind::axis}},
       .infer = infer_extreme<false>,
       .eval = eval_extreme<false>,
       .axes = axis_key.index,
       .summary = "the first position of the smallest element"});
  add({.name = "searchsorted",
       .n_in = 2,
       .attrs = {{or_equal_key, attr_kind::flag}},
       .infer = infer_searchsorted,
       .eval = eval_searchsorted,
       .lanes = lanes_searchsorted,
       .summary = "how many elements of a sorted vector are less than each element"});
  add({.name = "middle",
       .infer = infer_middle,
       .eval = eval_middle,
       .lanes = apply_stacked,
       .summary = "the one or two positions in the middle of the last axis, as two"});
}

}  // namespace tapegrad
