#include <algorithm>

#include "tapegrad/kernels/linalg/matmul_cross.h"
#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/einsum/einsum.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// NumPy's other products, as compositions of matmul, einsum and multiply. Each entry point checks
// shapes itself, so that an error names the function that the user called.

namespace tapegrad {
namespace {

Ref ravel(const Ref& a) { return a.ndim() == 1 ? a : reshape(a, Dims{a.size()}); }

void check_equal(const char* op, const Ref& a, const Ref& b, size_t a_axis, size_t b_axis,
                 const char* remedy) {
  const Dims x = a.shape(), y = b.shape();
  if (x[a_axis] != y[b_axis])
    throw_error<ValueError>(op, ": shapes ", x, " and ", y, " are not aligned: ", x[a_axis],
                            " (axis ", a_axis, ") != ", y[b_axis], " (axis ", b_axis, "); ",
                            remedy);
}

size_t from_end(const Ref& a, int count) { return static_cast<size_t>(a.ndim() - count); }

Ref inner(const Ref& a, const Ref& b) {
  if (a.ndim() == 0 || b.ndim() == 0) return multiply(a, b);
  check_equal("inner", a, b, from_end(a, 1), from_end(b, 1),
              "the last axes must have equal lengths, as in (3,), (2, 3)");
  if (b.ndim() == 1) return matmul(a, b);
  const int64_t a_axis[] = {a.ndim() - 1}, b_axis[] = {b.ndim() - 1};
  return tensordot(a, b, a_axis, b_axis);
}

Ref vdot(const Ref& a, const Ref& b) {
  if (a.size() != b.size())
    throw_error<ValueError>("vdot: operands of shapes ", a.shape(), " and ", b.shape(), " have ",
                            a.size(), " and ", b.size(),
                            " elements, which must be equal; for matrix products use a @ b");
  return matmul(ravel(a), ravel(b));
}

// Axis `from` becomes the last one; `back` puts the last one at `from`.
Ref move_axis(const Ref& a, int axis, bool back) {
  const int n = a.ndim();
  if (axis == n - 1) return a;
  Axes order;
  for (int i = 0; i < n; ++i) {
    if (back) {
      order.push_back(i < axis ? i : i == axis ? n - 1 : i - 1);
    } else if (i != axis) {
      order.push_back(i);
    }
  }
  if (!back) order.push_back(axis);
  return transpose(a, order);
}

constexpr AttrKey axis_key{0, "axis"};                           // of vecdot
constexpr AttrKey keep_key{0, "keep"};                           // of cross_last
constexpr AttrKey axes_key{0, "axes"}, b_axes_key{1, "axes_b"};  // of tensordot
namespace cross_attrs {
constexpr AttrKey axisa{0, "axisa"}, axisb{1, "axisb"}, axisc{2, "axisc"}, axis{3, "axis"};
}

Ref cross(const Attrs& attrs, const Ref& a, const Ref& b) {
  int64_t a_axis = attrs.integer_or(cross_attrs::axisa, -1),
          b_axis = attrs.integer_or(cross_attrs::axisb, -1),
          out_axis = attrs.integer_or(cross_attrs::axisc, -1);
  if (!attrs.is_none(cross_attrs::axis))
    a_axis = b_axis = out_axis = attrs.integer(cross_attrs::axis);
  if (a.ndim() == 0 || b.ndim() == 0)
    throw_error<ValueError>("cross: at least one array has zero dimensions (shapes ", a.shape(),
                            " and ", b.shape(), "); give vectors of length 3");
  const Ref x = move_axis(a, normalize_axis(a_axis, a.ndim(), "cross"), false);
  const Ref y = move_axis(b, normalize_axis(b_axis, b.ndim(), "cross"), false);
  const int64_t p = x.shape().back(), q = y.shape().back();
  if ((p != 2 && p != 3) || (q != 2 && q != 3))
    throw_error<ValueError>(
        "cross: incompatible dimensions for cross product (dimension must be 2 or 3), got ", p,
        " and ", q, " for shapes ", a.shape(), " and ", b.shape(),
        "; name the axes that hold the vectors by axisa= and axisb=");
  if (p == 2 && q == 2) return squeeze(cross_last(x, y), -1);
  const Ref out = cross_last(x, y);
  return move_axis(out, normalize_axis(out_axis, out.ndim(), "cross"), true);
}

Ref vecdot(const Attrs& attrs, const Ref& a, const Ref& b) {
  const int64_t axis = attrs.integer_or(axis_key, -1);
  if (a.ndim() == 0 || b.ndim() == 0)
    throw_error<ValueError>("vecdot: an operand has 0 dimensions (shapes ", a.shape(), " and ",
                            b.shape(), "), at least 1 is needed; use a * b for scalars");
  const Ref x = move_axis(a, normalize_axis(axis, a.ndim(), "vecdot"), false);
  const Ref y = move_axis(b, normalize_axis(axis, b.ndim(), "vecdot"), false);
  check_equal("vecdot", x, y, from_end(x, 1), from_end(y, 1),
              "the summed axes must have equal lengths");
  return einsum("...i,...i->...", {x, y});
}

void need_dimensions(const char* op, const Ref& a, int needed, const char* which) {
  if (a.ndim() < needed)
    throw_error<ValueError>(op, ": the ", which, " operand of shape ", a.shape(),
                            " needs at least ", needed, needed == 1 ? " dimension" : " dimensions",
                            "; for vectors use np.vecdot(a, b)");
}

Ref matvec(const Ref& a, const Ref& b) {
  need_dimensions("matvec", a, 2, "first");
  need_dimensions("matvec", b, 1, "second");
  check_equal("matvec", a, b, from_end(a, 1), from_end(b, 1),
              "shapes like (..., m, n) and (..., n) work");
  if (b.ndim() == 1) return matmul(a, b);
  return squeeze(matmul(a, expand_dims(b, -1)), -1);
}

Ref vecmat(const Ref& a, const Ref& b) {
  need_dimensions("vecmat", a, 1, "first");
  need_dimensions("vecmat", b, 2, "second");
  check_equal("vecmat", a, b, from_end(a, 1), from_end(b, 2),
              "shapes like (..., n) and (..., n, m) work");
  if (a.ndim() == 1) return matmul(a, b);
  return squeeze(matmul(expand_dims(a, -2), b), -2);
}

Ref kron(const Ref& a, const Ref& b) {
  const Dims p = a.shape(), q = b.shape();
  const size_t n = std::max(p.size(), q.size());
  Dims left, right, shape;
  for (size_t i = 0; i < n; ++i) {
    const int64_t x = i + p.size() < n ? 1 : p[i + p.size() - n];
    const int64_t y = i + q.size() < n ? 1 : q[i + q.size() - n];
    left.push_back(x);
    left.push_back(1);
    right.push_back(1);
    right.push_back(y);
    shape.push_back(x * y);
  }
  return reshape(multiply(reshape(a, left), reshape(b, right)), shape);
}

Axes axes_of(const Attrs& attrs, AttrKey i, int ndim) {
  Axes axes = axis_list(attrs, i);
  for (int64_t& axis : axes) axis = normalize_axis(axis, ndim, "tensordot");
  return axes;
}

// Attributes: an integer (the last axes of a against the first of b), or two lists of axes.
Ref tensordot_by(const Attrs& attrs, const Ref& a, const Ref& b) {
  if (!attrs.is_none(b_axes_key))
    return tensordot(a, b, axes_of(attrs, axes_key, a.ndim()),
                     axes_of(attrs, b_axes_key, b.ndim()));
  const int64_t count = attrs.integer_or(axes_key, 2);
  if (count < 0 || count > a.ndim() || count > b.ndim())
    throw_error<ValueError>("tensordot: axes=", count,
                            " needs operands of at least as many dimensions, got shapes ",
                            a.shape(), " and ", b.shape());
  Axes of_a, of_b;
  for (int64_t i = 0; i < count; ++i) {
    of_a.push_back(a.ndim() - count + i);
    of_b.push_back(i);
  }
  return tensordot(a, b, of_a, of_b);
}

// x as a matrix: the other axes, then `summed` (or the reverse).
Ref as_matrix(const Ref& x, std::span<const int64_t> summed, bool summed_first, Dims& free) {
  const Dims shape = x.shape();
  Axes rest;
  int64_t rows = 1, columns = 1;
  for (int64_t i = 0; i < x.ndim(); ++i) {
    if (std::find(summed.begin(), summed.end(), i) != summed.end()) continue;
    rest.push_back(i);
    free.push_back(shape[static_cast<size_t>(i)]);
    rows *= shape[static_cast<size_t>(i)];
  }
  for (int64_t axis : summed) columns *= shape[static_cast<size_t>(axis)];
  Axes order = rest;
  order.insert(summed_first ? order.begin() : order.end(), summed.begin(), summed.end());
  const Ref ordered = std::is_sorted(order.begin(), order.end()) ? x : transpose(x, order);
  const Dims to = summed_first ? Dims{columns, rows} : Dims{rows, columns};
  return ordered.shape() == to ? ordered : reshape(ordered, to);
}

TensorType cross_type(const Attrs& attrs, const TensorType& left, const TensorType& right) {
  const Dims &a = left.shape, &b = right.shape;
  Dims shape =
      broadcast_shapes(Dims(a.data(), a.size() - 1), Dims(b.data(), b.size() - 1), "cross");
  shape.push_back(attrs.integer(keep_key));
  const DType dtype = promote(left.dtype, right.dtype);
  return {is_floating(dtype) ? dtype : DType::float64, shape};
}

std::vector<TensorType> cross_infer(const Attrs& attrs, std::span<const TensorType> in) {
  return {cross_type(attrs, in[0], in[1])};
}

void cross_eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType result = cross_type(attrs, type_of(in[0]), type_of(in[1]));
  out[0] = cross_vectors(in[0].cast(result.dtype), in[1].cast(result.dtype), result.shape,
                         attrs.integer(keep_key));
}

const Op& cross_last_op();

Ref cross_of(const Ref& a, const Ref& b, int64_t keep) {
  return apply(cross_last_op(), {keep}, {a, b});
}

void cross_vjp(VjpContext& ctx) {
  const Dims a = ctx.in_shape(0), b = ctx.in_shape(1);
  const Ref ct = ctx.ct();
  if (ctx.needs(0)) ctx.add(0, sum_to_shape(cross_of(ctx.in(1), ct, a.back()), a));
  if (ctx.needs(1)) ctx.add(1, sum_to_shape(cross_of(ct, ctx.in(0), b.back()), b));
}

void cross_jvp(JvpContext& ctx) {
  const int64_t keep = ctx.attrs().integer(keep_key);
  Ref sum;
  if (ctx.has_tangent(0)) sum = cross_of(ctx.tangent(0), ctx.in(1), keep);
  if (ctx.has_tangent(1)) {
    const Ref second = cross_of(ctx.in(0), ctx.tangent(1), keep);
    sum = ctx.has_tangent(0) ? add(sum, second) : second;
  }
  ctx.set(0, sum);
}

std::vector<Ref> lanes_cross(const LanesCall& call) {
  const int ndim = std::max(call.in_types[0].shape.ndim(), call.in_types[1].shape.ndim());
  const Ref product =
      apply(call.op, call.attrs, {aligned_lanes(call, 0, ndim), aligned_lanes(call, 1, ndim)});
  return {reshape(product, lanes_shape(call, call.out_types[0].shape))};
}

const Op& cross_last_op() {
  static const Op& op = register_op(
      {.name = "cross_last",
       .n_in = 2,
       .attrs = {{keep_key, attr_kind::integer}},
       .infer = cross_infer,
       .eval = cross_eval,
       .vjp = cross_vjp,
       .jvp = cross_jvp,
       .lanes = lanes_cross,
       .expand = expand_cross,
       .expand_keeps_bits = true,
       .reads = {reads_in(1), reads_in(0)},
       .summary = "cross product along the last axes, of lengths 3 (xyz), 2 (xy) or 1 (z)"});
  return op;
}

template <Ref (*F)(const Ref&, const Ref&)>
std::vector<Ref> compose_plain(const Attrs&, std::span<const Ref> in) {
  return {F(in[0], in[1])};
}

template <Ref (*F)(const Attrs&, const Ref&, const Ref&)>
std::vector<Ref> compose_with(const Attrs& attrs, std::span<const Ref> in) {
  return {F(attrs, in[0], in[1])};
}

using Compose = std::vector<Ref> (*)(const Attrs&, std::span<const Ref>);

void register_composed(const char* name, Compose compose, const char* summary,
                       std::vector<AttrDeclaration> attrs = {}) {
  register_op(
      {.name = name, .n_in = 2, .attrs = std::move(attrs), .compose = compose, .summary = summary});
}

}  // namespace

Ref dot(const Ref& a, const Ref& b) {
  if (a.ndim() == 0 || b.ndim() == 0) return multiply(a, b);
  const size_t b_axis = b.ndim() == 1 ? 0 : from_end(b, 2);
  check_equal("dot", a, b, from_end(a, 1), b_axis,
              "shapes like (n, k) and (k, m) work; transpose an operand with .T");
  if (b.ndim() == 1 || (a.ndim() <= 2 && b.ndim() == 2)) return matmul(a, b);
  const int64_t a_axes[] = {a.ndim() - 1}, b_axes[] = {static_cast<int64_t>(b_axis)};
  return tensordot(a, b, a_axes, b_axes);
}

Ref outer(const Ref& a, const Ref& b) {
  return matmul(reshape(a, Dims{a.size(), 1}), reshape(b, Dims{1, b.size()}));
}

Ref tensordot(const Ref& a, const Ref& b, std::span<const int64_t> a_axes,
              std::span<const int64_t> b_axes) {
  const Dims x = a.shape(), y = b.shape();
  bool fits = a_axes.size() == b_axes.size();
  for (size_t i = 0; fits && i < a_axes.size(); ++i)
    fits = x[static_cast<size_t>(a_axes[i])] == y[static_cast<size_t>(b_axes[i])];
  if (!fits)
    throw_error<ValueError>("tensordot: shape-mismatch for sum: axes ", Dims(a_axes), " of shape ",
                            x, " against axes ", Dims(b_axes), " of shape ", y,
                            "; pair axes of equal lengths, as in axes=([1], [0])");
  Dims free;
  const Ref left = as_matrix(a, a_axes, false, free);
  const Ref right = as_matrix(b, b_axes, true, free);
  const Ref product = matmul(left, right);
  return product.shape() == free ? product : reshape(product, free);
}

Ref cross_last(const Ref& a, const Ref& b) {
  return cross_of(a, b, a.shape().back() == 2 && b.shape().back() == 2 ? 1 : 3);
}

void register_product_ops() {
  cross_last_op();
  register_composed("dot", compose_plain<dot>, "NumPy's dot");
  register_composed("inner", compose_plain<inner>, "sum over the last axes");
  register_composed("outer", compose_plain<outer>,
                    "all products of the elements, (a.size, b.size)");
  register_composed("vdot", compose_plain<vdot>, "sum of products of the flattened operands");
  register_composed("matvec", compose_plain<matvec>, "(..., m, n), (..., n) -> (..., m)");
  register_composed("vecmat", compose_plain<vecmat>, "(..., n), (..., n, m) -> (..., m)");
  register_composed("kron", compose_plain<kron>, "Kronecker product");
  register_composed(
      "tensordot", compose_with<tensordot_by>,
      "sum over pairs of axes: a count of them, or those of each operand",
      {{axes_key, attr_kind::axes, Attr{int64_t{2}}}, {b_axes_key, attr_kind::axes, Attr{}}});
  register_composed("cross", compose_with<cross>, "products of 2- and 3-vectors",
                    {{cross_attrs::axisa, attr_kind::axis | attr_kind::none, Attr{}},
                     {cross_attrs::axisb, attr_kind::axis | attr_kind::none, Attr{}},
                     {cross_attrs::axisc, attr_kind::axis | attr_kind::none, Attr{}},
                     {cross_attrs::axis, attr_kind::axis | attr_kind::none, Attr{}}});
  register_composed("vecdot", compose_with<vecdot>, "sum of products along an axis",
                    {{axis_key, attr_kind::axis | attr_kind::none, Attr{int64_t{-1}}}});
}

}  // namespace tapegrad
