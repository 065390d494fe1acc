#include "tapegrad/ops/linalg/linalg.h"

#include "tapegrad/kernels/linalg/linalg.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// inv, solve and solve_triangular. With x = A^-1 b: dx = A^-1 (db - dA x), and for a cotangent c,
// with g = A^-T c, the adjoints are g for b and -g x^T for A.

namespace tapegrad {

Dims square_shape(const Dims& shape, const char* op) {
  if (shape.size() < 2)
    throw_error<LinAlgError>(op, ": ", shape.size(), "-dimensional array given (shape ", shape,
                             "), at least two dimensions are needed; reshape it to (n, n)");
  const int64_t rows = shape[shape.size() - 2];
  if (rows != shape.back())
    throw_error<LinAlgError>(op, ": the last two dimensions must be square, got shape ", shape,
                             "; for a rectangular a, a.T @ a is square");
  return Dims(shape.data(), shape.size() - 2);
}

DType linalg_dtype(DType d) { return is_floating(d) ? d : DType::float64; }

namespace {

[[noreturn]] void throw_singular(const char* op, const Dims& stack, int64_t failed) {
  const std::string where =
      stack.empty() ? "" : join_text(" at position ", failed, " of the stack of shape ", stack);
  throw_error<LinAlgError>(op, ": Singular matrix", where,
                           "; it has no inverse: check np.linalg.cond(a), or regularise it, as in "
                           "a + 1e-10 * np.eye(n)");
}

std::vector<TensorType> infer_inv(const Attrs&, std::span<const TensorType> in) {
  square_shape(in[0].shape, "inv");
  return {{linalg_dtype(in[0].dtype), in[0].shape}};
}

void eval_inv(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const Dims stack = square_shape(in[0].shape(), "inv");
  int64_t failed = -1;
  out[0] = inverse_values(in[0].cast(linalg_dtype(in[0].dtype())), failed);
  if (failed >= 0) throw_singular("inv", stack, failed);
}

void vjp_inv(VjpContext& ctx) {
  const Ref transposed = swap_last_axes(ctx.out());
  ctx.add(0, negative(matmul(transposed, matmul(ctx.ct(), transposed))));
}

void jvp_inv(JvpContext& ctx) {
  const Ref x = ctx.out();
  ctx.set(0, negative(matmul(x, matmul(ctx.tangent(0), x))));
}

struct SolveShape {
  bool vector = false;
  int64_t n = 0;
  Dims batch, out;
  DType dtype = DType::float64;
};

SolveShape solve_shape(const TensorType& a, const TensorType& b, const char* op) {
  SolveShape s;
  const Dims stack = square_shape(a.shape, op);
  s.n = a.shape.back();
  s.vector = b.shape.size() == 1;
  if (b.shape.empty())
    throw_error<ValueError>(
        op, ": the right-hand side has 0 dimensions, at least 1 is needed (a has shape ", a.shape,
        ")");
  const int64_t rows = s.vector ? b.shape[0] : b.shape[b.shape.size() - 2];
  if (rows != s.n)
    throw_error<ValueError>(op, ": shapes ", a.shape, " and ", b.shape,
                            " do not match: the matrix has ", s.n, " rows, the right-hand side ",
                            rows,
                            b.shape.size() > 1 && b.shape.back() == s.n
                                ? "; for a stack of vectors use b[..., None]"
                                : "; shapes like (n, n) and (n,) or (n, k) work");
  s.batch =
      s.vector ? stack : broadcast_shapes(stack, Dims(b.shape.data(), b.shape.size() - 2), op);
  s.out = s.batch;
  s.out.push_back(s.n);
  if (!s.vector) s.out.push_back(b.shape.back());
  s.dtype = linalg_dtype(promote(a.dtype, b.dtype));
  return s;
}

Value column_of(const Value& b) {
  return b.view(Dims{b.dim(0), 1}, Dims{b.layout()->strides()[0], 1}, 0);
}

// f(a, b, batch, failed) on matrices of one dtype; the result in its final shape.
template <class F>
Value solve_with(const char* op, const Value& a, const Value& b, F&& f) {
  const SolveShape s = solve_shape(type_of(a), type_of(b), op);
  const Value right = b.cast(s.dtype);
  int64_t failed = -1;
  const Value x = f(a.cast(s.dtype), s.vector ? column_of(right) : right, s.batch, failed);
  if (failed >= 0) throw_singular(op, s.batch, failed);
  return s.vector ? x.view(s.out, contiguous_strides(s.out), 0) : x;
}

std::vector<TensorType> infer_solve(const Attrs&, std::span<const TensorType> in) {
  const SolveShape s = solve_shape(in[0], in[1], "solve");
  return {{s.dtype, s.out}};
}

void eval_solve(const Attrs&, std::span<Value> in, std::span<Value> out) {
  out[0] = solve_with("solve", in[0], in[1], solve_values);
}

struct Triangle {
  bool is_lower, is_trans, is_unit;
  explicit Triangle(const Attrs& attrs)
      : is_lower(attrs.flag_or(triangle_attrs::is_lower, true)),
        is_trans(attrs.flag_or(triangle_attrs::is_trans, false)),
        is_unit(attrs.flag_or(triangle_attrs::is_unit, false)) {}
  Ref of(const Ref& a) const {
    return is_lower ? tril(a, is_unit ? -1 : 0) : triu(a, is_unit ? 1 : 0);
  }
};

std::vector<TensorType> infer_triangular(const Attrs&, std::span<const TensorType> in) {
  const SolveShape s = solve_shape(in[0], in[1], "solve_triangular");
  return {{s.dtype, s.out}};
}

void eval_triangular(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Triangle t(attrs);
  out[0] = solve_with("solve_triangular", in[0], in[1],
                      [&](const Value& a, const Value& b, const Dims& batch, int64_t& failed) {
                        return solve_triangular_values(a, b, batch, t.is_lower, t.is_trans,
                                                       t.is_unit, failed);
                      });
}

// Both solves share their rules: `again(b)` solves with the matrix, `back(c)` with its transpose;
// `masked` keeps what the op reads of a matrix like A; is_trans says that A itself is read
// transposed.
Ref as_column(const Ref& x, bool vector) { return vector ? expand_dims(x, -1) : x; }
Ref as_vector(const Ref& x, bool vector) { return vector ? squeeze(x, -1) : x; }

template <class Back, class Mask>
void vjp_of(VjpContext& ctx, bool is_trans, Back&& back, Mask&& masked) {
  const bool vector = ctx.in_shape(1).size() == 1;
  const Ref g = back(as_column(ctx.ct(), vector));
  if (ctx.needs(1)) ctx.add(1, sum_to_shape(as_vector(g, vector), ctx.in_shape(1)));
  if (ctx.needs(0)) {
    const Ref x = as_column(ctx.out(), vector);
    const Ref product = is_trans ? matmul(x, swap_last_axes(g)) : matmul(g, swap_last_axes(x));
    ctx.add(0, sum_to_shape(negative(masked(product)), ctx.in_shape(0)));
  }
}

template <class Again, class Mask>
void jvp_of(JvpContext& ctx, bool is_trans, Again&& again, Mask&& masked) {
  const bool vector = ctx.in_shape(1).size() == 1;
  Ref right;
  if (ctx.has_tangent(1)) right = as_column(ctx.tangent(1), vector);
  if (ctx.has_tangent(0)) {
    const Ref change = masked(ctx.tangent(0));
    const Ref product =
        matmul(is_trans ? swap_last_axes(change) : change, as_column(ctx.out(), vector));
    right = ctx.has_tangent(1) ? subtract(right, product) : negative(product);
  }
  ctx.set(0, as_vector(again(right), vector));
}

Ref unchanged(const Ref& a) { return a; }

void vjp_solve(VjpContext& ctx) {
  vjp_of(ctx, false, [&](const Ref& c) { return solve(swap_last_axes(ctx.in(0)), c); }, unchanged);
}

void jvp_solve(JvpContext& ctx) {
  jvp_of(ctx, false, [&](const Ref& b) { return solve(ctx.in(0), b); }, unchanged);
}

void vjp_triangular(VjpContext& ctx) {
  const Triangle t(ctx.attrs());
  vjp_of(
      ctx, t.is_trans,
      [&](const Ref& c) {
        return solve_triangular(ctx.in(0), c, t.is_lower, !t.is_trans, t.is_unit);
      },
      [&](const Ref& a) { return t.of(a); });
}

void jvp_triangular(JvpContext& ctx) {
  const Triangle t(ctx.attrs());
  jvp_of(
      ctx, t.is_trans,
      [&](const Ref& b) {
        return solve_triangular(ctx.in(0), b, t.is_lower, t.is_trans, t.is_unit);
      },
      [&](const Ref& a) { return t.of(a); });
}

// b is a vector where it has one axis: a column then.
std::vector<Ref> lanes_solve(const LanesCall& call) {
  const int a_ndim = call.in_types[0].shape.ndim(), b_ndim = call.in_types[1].shape.ndim();
  const int ndim = std::max({2, a_ndim, b_ndim});
  const Ref a = call.has_lanes[0] ? aligned_lanes(call, 0, ndim) : with_lanes(call, 0);
  const Ref b = b_ndim == 1 ? matrix_of_lanes(call, 1, false, ndim) : aligned_lanes(call, 1, ndim);
  const Ref x = apply(call.op, call.attrs, {a, b});
  return {reshape(x, lanes_shape(call, call.out_types[0].shape))};
}

const Op& inv_op() {
  static const Op& op = register_op({.name = "inv",
                                     .infer = infer_inv,
                                     .eval = eval_inv,
                                     .vjp = vjp_inv,
                                     .jvp = jvp_inv,
                                     .expand = expand_inv,
                                     .expand_keeps_bits = true,
                                     .reads = {reads_out()},
                                     .matrix_stack = true,
                                     .summary = "inverse of (..., n, n)"});
  return op;
}

const Op& solve_op() {
  static const Op& op =
      register_op({.name = "solve",
                   .n_in = 2,
                   .infer = infer_solve,
                   .eval = eval_solve,
                   .vjp = vjp_solve,
                   .jvp = jvp_solve,
                   .lanes = lanes_solve,
                   .expand = expand_solve,
                   .expand_keeps_bits = true,
                   .reads = {reads_in(0) | reads_out(), reads_in(0)},
                   .matrix_stack = true,
                   .summary = "x with a x = b; b is a vector where it has one axis"});
  return op;
}

const Op& triangular_op() {
  static const Op& op =
      register_op({.name = "solve_triangular",
                   .n_in = 2,
                   .attrs = {{triangle_attrs::is_lower, attr_kind::flag, Attr{true}},
                             {triangle_attrs::is_trans, attr_kind::flag, Attr{false}},
                             {triangle_attrs::is_unit, attr_kind::flag, Attr{false}}},
                   .infer = infer_triangular,
                   .eval = eval_triangular,
                   .vjp = vjp_triangular,
                   .jvp = jvp_triangular,
                   .lanes = lanes_solve,
                   .expand = expand_solve_triangular,
                   .expand_keeps_bits = true,
                   .reads = {reads_in(0) | reads_out(), reads_in(0)},
                   .matrix_stack = true,
                   .summary = "x with op(triangle of a) x = b"});
  return op;
}

}  // namespace

Ref inv(const Ref& a) { return apply(inv_op(), {}, {a}); }
Ref solve(const Ref& a, const Ref& b) { return apply(solve_op(), {}, {a, b}); }
Ref solve_triangular(const Ref& a, const Ref& b, bool is_lower, bool is_trans, bool is_unit) {
  return apply(triangular_op(), {is_lower, is_trans, is_unit}, {a, b});
}

void register_solve_ops() {
  inv_op();
  solve_op();
  triangular_op();
}

void register_linalg_ops() {
  register_solve_ops();
  register_det_ops();
  register_cholesky_ops();
  register_norm_ops();
  register_complex_det_ops();
}

}  // namespace tapegrad
