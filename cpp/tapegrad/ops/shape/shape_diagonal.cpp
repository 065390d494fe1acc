#include <algorithm>

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// diagonal, diagonal_scatter, trace, tril, triu.

namespace tapegrad {
namespace {

constexpr AttrKey offset_key{0, "offset"}, axis1_key{1, "axis1"}, axis2_key{2, "axis2"};
namespace scatter_attrs {
constexpr AttrKey shape{0, "shape"}, offset{1, "offset"}, axis1{2, "axis1"}, axis2{3, "axis2"};
}
constexpr AttrKey k_key{0, "k"};  // of tril and triu

const Op *op_diagonal, *op_diagonal_scatter, *op_tril, *op_triu;

struct Diagonal {
  int axis1, axis2;
  int64_t row, column, length;  // its first element
  Dims rest;                    // flags: neither of the two axes
};

Diagonal find_diagonal(const Dims& shape, int64_t offset, int64_t first, int64_t second) {
  if (shape.ndim() < 2)
    throw_error<ValueError>(
        "diagonal: diag requires an array of at least two dimensions, got shape ", shape);
  Diagonal d;
  d.axis1 = normalize_axis(first, shape.ndim(), "diagonal");
  d.axis2 = normalize_axis(second, shape.ndim(), "diagonal");
  if (d.axis1 == d.axis2)
    throw_error<ValueError>("diagonal: axis1 and axis2 cannot be the same, got ", first, " and ",
                            second);
  const auto a = static_cast<size_t>(d.axis1), b = static_cast<size_t>(d.axis2);
  d.row = std::max<int64_t>(-offset, 0);
  d.column = std::max<int64_t>(offset, 0);
  d.length = std::max<int64_t>(std::min(shape[a] - d.row, shape[b] - d.column), 0);
  d.rest = Dims(shape.size(), 0);
  d.rest[a] = d.rest[b] = 1;
  return d;
}

Value diagonal_view(const Value& v, const Diagonal& d) {
  const Dims strides = v.strides();
  const int64_t a = strides[static_cast<size_t>(d.axis1)],
                b = strides[static_cast<size_t>(d.axis2)];
  Dims shape = reduced_shape(v.shape(), d.rest, false);
  Dims steps = reduced_shape(strides, d.rest, false);
  shape.push_back(d.length);
  steps.push_back(a + b);
  return v.view(shape, steps, d.length ? d.row * a + d.column * b : 0);
}

// diagonal (offset, axis1, axis2): the diagonal becomes the last axis
std::vector<TensorType> infer_diagonal(const Attrs& attrs, std::span<const TensorType> in) {
  const Diagonal d = find_diagonal(in[0].shape, attrs.integer(offset_key), attrs.integer(axis1_key),
                                   attrs.integer(axis2_key));
  Dims shape = reduced_shape(in[0].shape, d.rest, false);
  shape.push_back(d.length);
  return {{in[0].dtype, shape}};
}

void eval_diagonal(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = diagonal_view(in[0], find_diagonal(in[0].shape(), attrs.integer(offset_key),
                                              attrs.integer(axis1_key), attrs.integer(axis2_key)));
}

void vjp_diagonal(VjpContext& ctx) {
  const Attrs& a = ctx.attrs();
  ctx.add(0, diagonal_scatter(ctx.ct(), ctx.in_shape(0), a.integer(offset_key),
                              a.integer(axis1_key), a.integer(axis2_key)));
}

// diagonal_scatter (shape, offset, axis1, axis2): its transpose
TensorType scattered_type(const Attrs& attrs, const TensorType& from) {
  const Dims shape = axis_dims(attrs, scatter_attrs::shape);
  const Diagonal d =
      find_diagonal(shape, attrs.integer(scatter_attrs::offset),
                    attrs.integer(scatter_attrs::axis1), attrs.integer(scatter_attrs::axis2));
  Dims expected = reduced_shape(shape, d.rest, false);
  expected.push_back(d.length);
  if (!(expected == from.shape))
    throw_error<ValueError>("diagonal_scatter: the diagonal of an array of shape ", shape,
                            " has shape ", expected, ", got ", from.shape);
  return {from.dtype, shape};
}

std::vector<TensorType> infer_diagonal_scatter(const Attrs& attrs, std::span<const TensorType> in) {
  return {scattered_type(attrs, in[0])};
}

void eval_diagonal_scatter(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType type = scattered_type(attrs, type_of(in[0]));
  out[0] = Value::zeros(type.dtype, type.shape);
  const Diagonal d =
      find_diagonal(type.shape, attrs.integer(scatter_attrs::offset),
                    attrs.integer(scatter_attrs::axis1), attrs.integer(scatter_attrs::axis2));
  copy_parallel(diagonal_view(out[0], d), in[0]);
}

void vjp_diagonal_scatter(VjpContext& ctx) {
  const Attrs& a = ctx.attrs();
  ctx.add(0, diagonal(ctx.ct(), a.integer(scatter_attrs::offset), a.integer(scatter_attrs::axis1),
                      a.integer(scatter_attrs::axis2)));
}

std::vector<Ref> compose_trace(const Attrs& attrs, std::span<const Ref> in) {
  return {sum(diagonal(in[0], attrs.integer(offset_key), attrs.integer(axis1_key),
                       attrs.integer(axis2_key)),
              Axes{-1})};
}

// tril, triu (k): of the last two axes; a vector is repeated as the rows of a square, as in NumPy
Dims square_shape(const Dims& shape, const char* op) {
  if (shape.empty())
    throw_error<ValueError>(op, ": expected an array of at least one dimension, got a scalar");
  return shape.size() == 1 ? Dims{shape[0], shape[0]} : shape;
}

std::vector<TensorType> infer_triangle(const Attrs&, std::span<const TensorType> in) {
  return {{in[0].dtype, square_shape(in[0].shape, "tril")}};
}

// Row by row, the columns [first, last) that stay.
void eval_triangle(const Attrs& attrs, std::span<Value> in, std::span<Value> out, bool lower) {
  const Dims shape = square_shape(in[0].shape(), lower ? "tril" : "triu");
  const int64_t k = attrs.integer(k_key), rows = shape[shape.size() - 2], columns = shape.back();
  out[0] = Value::zeros(in[0].dtype(), shape);
  if (out[0].size() == 0) return;
  const Value from = in[0].view(shape, broadcast_strides(in[0].shape(), in[0].strides(), shape), 0);
  const int axis = static_cast<int>(shape.size()) - 2;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t edge = std::clamp<int64_t>(r + k + (lower ? 1 : 0), 0, columns);
    const int64_t first = lower ? 0 : edge, length = lower ? edge : columns - edge;
    if (length == 0) continue;
    const auto part = [&](const Value& v) {
      return slice_axis(slice_axis(v, axis, r, 1), axis + 1, first, length);
    };
    copy_parallel(part(out[0]), part(from));
  }
}

void eval_tril(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  eval_triangle(attrs, in, out, true);
}

void eval_triu(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  eval_triangle(attrs, in, out, false);
}

void vjp_tril(VjpContext& ctx) {
  ctx.add(0, sum_to_shape(tril(ctx.ct(), ctx.attrs().integer(k_key)), ctx.in_shape(0)));
}

void vjp_triu(VjpContext& ctx) {
  ctx.add(0, sum_to_shape(triu(ctx.ct(), ctx.attrs().integer(k_key)), ctx.in_shape(0)));
}

std::vector<Ref> compose_diagonal(const Attrs& attrs, std::span<const Ref> in) {
  return apply(*op_diagonal, attrs, std::vector<Ref>{in[0]});
}

std::vector<Ref> lanes_diagonal(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  const auto axis = [&](AttrKey key) { return axis_from_end(call, call.attrs.integer(key), ndim); };
  return {diagonal(with_lanes(call, 0), call.attrs.integer(offset_key), axis(axis1_key),
                   axis(axis2_key))};
}

std::vector<Ref> lanes_diagonal_scatter(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  const auto axis = [&](AttrKey key) {
    return axis_from_end(call, call.attrs.integer(key), shape.ndim());
  };
  return {diagonal_scatter(with_lanes(call, 0), lanes_shape(call, shape),
                           call.attrs.integer(scatter_attrs::offset), axis(scatter_attrs::axis1),
                           axis(scatter_attrs::axis2))};
}

// A vector is repeated as the rows of a square.
std::vector<Ref> lanes_triangle(const LanesCall& call) {
  const Dims& shape = call.out_types[0].shape;
  const Ref a = broadcast_to(aligned_lanes(call, 0, shape.ndim()), lanes_shape(call, shape));
  return apply(call.op, call.attrs, std::vector<Ref>{a});
}

}  // namespace

Ref diagonal(const Ref& a, int64_t offset, int64_t axis1, int64_t axis2) {
  return apply(*op_diagonal, {offset, axis1, axis2}, {a});
}

Ref diagonal_scatter(const Ref& a, std::span<const int64_t> shape, int64_t offset, int64_t axis1,
                     int64_t axis2) {
  return apply(*op_diagonal_scatter, {Axes(shape.begin(), shape.end()), offset, axis1, axis2}, {a});
}

Ref tril(const Ref& a, int64_t k) { return apply(*op_tril, {k}, {a}); }
Ref triu(const Ref& a, int64_t k) { return apply(*op_triu, {k}, {a}); }

void register_diagonal_ops() {
  op_diagonal = &register_op({.name = "diagonal",
                              .attrs = {{offset_key, attr_kind::integer},
                                        {axis1_key, attr_kind::axis},
                                        {axis2_key, attr_kind::axis}},
                              .infer = infer_diagonal,
                              .eval = eval_diagonal,
                              .vjp = vjp_diagonal,
                              .lanes = lanes_diagonal,
                              .linear = true,
                              .view = ViewKind::part,
                              .shares = MemorySharing::view,
                              .elements = ElementKind::moved,
                              .summary = "a diagonal as the last axis"});
  register_op({.name = "read_diagonal",
               .attrs = {{offset_key, attr_kind::integer},
                         {axis1_key, attr_kind::axis},
                         {axis2_key, attr_kind::axis}},
               .compose = compose_diagonal,
               .shares = MemorySharing::read_only,
               .summary = "a diagonal that is not to be written to, as NumPy gives it"});
  op_diagonal_scatter = &register_op({.name = "diagonal_scatter",
                                      .attrs = {{scatter_attrs::shape, attr_kind::list},
                                                {scatter_attrs::offset, attr_kind::integer},
                                                {scatter_attrs::axis1, attr_kind::axis},
                                                {scatter_attrs::axis2, attr_kind::axis}},
                                      .infer = infer_diagonal_scatter,
                                      .eval = eval_diagonal_scatter,
                                      .vjp = vjp_diagonal_scatter,
                                      .lanes = lanes_diagonal_scatter,
                                      .linear = true,
                                      .elements = ElementKind::moved,
                                      .summary = "zeros with that diagonal"});
  register_op({.name = "trace",
               .attrs = {{offset_key, attr_kind::integer},
                         {axis1_key, attr_kind::axis},
                         {axis2_key, attr_kind::axis}},
               .compose = compose_trace,
               .summary = "the sum of a diagonal"});
  op_tril = &register_op({.name = "tril",
                          .attrs = {{k_key, attr_kind::integer}},
                          .infer = infer_triangle,
                          .eval = eval_tril,
                          .vjp = vjp_tril,
                          .lanes = lanes_triangle,
                          .linear = true,
                          .elements = ElementKind::moved,
                          .summary = "zero above diagonal k of the last two axes"});
  op_triu = &register_op({.name = "triu",
                          .attrs = {{k_key, attr_kind::integer}},
                          .infer = infer_triangle,
                          .eval = eval_triu,
                          .vjp = vjp_triu,
                          .lanes = lanes_triangle,
                          .linear = true,
                          .elements = ElementKind::moved,
                          .summary = "zero below diagonal k of the last two axes"});
}

}  // namespace tapegrad
