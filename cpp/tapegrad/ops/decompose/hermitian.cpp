#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/decompose/pair.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"

// Hermitian eigenvalues and complex singular values: the rules of eigh.cpp and svd.cpp with
// conjugate transposes. A complex vector has a phase, which moves with nothing: its derivative is
// the one for which v^H dv is real, so zero, and of singular vectors u^H du + v^H dv is. What does
// not depend on phases has its own derivative so. Ties are those of ties.cpp.

namespace tapegrad {
namespace {

constexpr AttrKey lower_key{0, "is_lower"};
constexpr AttrKey tip_key{0, "tip"};  // of svd_complex

void require_alike(const char* op, std::span<const TensorType> in) {
  if (in[0].shape != in[1].shape)
    throw_error<ValueError>(op, ": real and imaginary part have shapes ", in[0].shape, " and ",
                            in[1].shape, ", which must be the same");
}

DType common_dtype(std::span<const TensorType> in) {
  return linalg_dtype(promote(in[0].dtype, in[1].dtype));
}

std::vector<TensorType> infer_eigh(const Attrs&, std::span<const TensorType> in) {
  require_alike("eigh", in);
  Dims shape = square_shape(in[0].shape, "eigh");
  shape.push_back(in[0].shape.back());
  const DType dtype = common_dtype(in);
  return {{dtype, shape}, {dtype, in[0].shape}, {dtype, in[0].shape}};
}

void eval_eigh(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  ComplexValue v;
  const int64_t failed =
      hermitian_values(in_double(in, infer_eigh), attrs.flag_or(lower_key, true), out[0], v);
  if (failed >= 0)
    throw_not_converged("eigh", "Eigenvalues did not converge", square_shape(in[0].shape(), "eigh"),
                        failed);
  out[1] = v.re;
  out[2] = v.im;
  round_to(promote(in[0].dtype(), in[1].dtype()), out);
}

// k_ij / (w_j - w_i), 0 or NaN for ties.
Pair over_gaps(const Ref& w, const Pair& k, const Ref& asked) {
  return {divide_by_gaps(w, k.re, asked), divide_by_gaps(w, k.im, asked)};
}

Ref sizes_of_columns(const Pair& x) { return sum(add(absolute(x.re), absolute(x.im)), {-2}); }

// u diag(d) u^H
Pair scaled(const Pair& u, const Ref& d, const Pair& vt) {
  const auto product = [&](const Ref& left, const Ref& right) {
    return scaled_product(left, d, right);
  };
  return {subtract(product(u.re, vt.re), product(u.im, vt.im)),
          add(product(u.re, vt.im), product(u.im, vt.re))};
}

void vjp_eigh(VjpContext& ctx) {
  const Ref w = ctx.out(0);
  const Pair v = outputs(ctx, 1), vh = adjoint(v);
  const Ref of_values = ctx.has_ct(0) ? ctx.ct(0) : zeros_like(w);
  const Ref shared = share_ties(w, of_values, Tip::none);
  if (!has_cotangents(ctx, 1)) return add_pair(ctx, scaled(v, shared, vh));
  const Pair c = cotangents(ctx, 1);
  const Ref asked = add(absolute(of_values), sizes_of_columns(c));
  Pair middle = hermitian_part(over_gaps(w, matmul(vh, c), asked));
  middle.re = add(middle.re, as_diagonal(shared));
  add_pair(ctx, matmul(v, matmul(middle, vh)));
}

void jvp_eigh(JvpContext& ctx) {
  const Ref w = ctx.out(0);
  const Pair v = outputs(ctx, 1);
  const Pair m = matmul(adjoint(v), matmul(hermitian_part(tangents(ctx)), v));
  ctx.set(0, share_ties(w, diagonal(m.re), Tip::none));
  set_pair(ctx, 1, matmul(v, over_gaps(w, m, zeros_like(w))));
}

}  // namespace

const Op& hermitian_op() {
  static const Op& op =
      register_op({.name = "eigh_complex",
                   .n_in = 2,
                   .n_out = 3,
                   .attrs = {{lower_key, attr_kind::flag, Attr{true}}},
                   .infer = infer_eigh,
                   .eval = eval_eigh,
                   .vjp = vjp_eigh,
                   .jvp = jvp_eigh,
                   .lanes = apply_stacked,
                   .reads = {reads_out(0) | reads_out(1) | reads_out(2)},
                   .summary = "eigenvalues and both parts of eigenvectors of Hermitian matrices"});
  return op;
}

namespace {

Tip tip_of(const Attrs& attrs) { return static_cast<Tip>(attrs.integer_or(tip_key, 0)); }

std::vector<TensorType> infer_svd(const Attrs&, std::span<const TensorType> in) {
  require_alike("svd", in);
  const MatrixShape shape = matrix_shape(in[0].shape, "svd");
  const DType dtype = common_dtype(in);
  const TensorType u{dtype, shape.with({shape.m, shape.k})},
      vt{dtype, shape.with({shape.k, shape.n})};
  return {u, u, {dtype, shape.with({shape.k})}, vt, vt};
}

void eval_svd(const Attrs&, std::span<Value> in, std::span<Value> out) {
  ComplexValue u, vt;
  const int64_t failed = svd_values(in_double(in, infer_svd), out[2], u, vt);
  if (failed >= 0)
    throw_not_converged("svd", "SVD did not converge", matrix_shape(in[0].shape(), "svd").stack,
                        failed);
  out[0] = u.re;
  out[1] = u.im;
  out[3] = vt.re;
  out[4] = vt.im;
  round_to(promote(in[0].dtype(), in[1].dtype()), out);
}

Pair over_sums(const Pair& y, const Ref& s) {
  const Ref inverse = reciprocal(add(as_column(s), as_row(s)));
  return {zmul(y.re, inverse), zmul(y.im, inverse)};
}

// The part of the columns of x that is orthogonal to those of u, each over its number; 0 / 0 is 0
// where nothing is asked of the number either.
Pair beyond(const Pair& x, const Pair& u, const Ref& s, const Ref& asked) {
  const Ref inverse = reciprocal(as_row(s)),
            silent = equal(as_row(asked), Value::scalar(0, s.dtype()));
  const auto over = [&](const Ref& part) {
    return where(silent, zmul(part, inverse), multiply(part, inverse));
  };
  const Pair scaled{over(x.re), over(x.im)};
  return subtract(scaled, matmul(u, matmul(adjoint(u), scaled)));
}

void vjp_svd(VjpContext& ctx) {
  const MatrixShape shape = matrix_shape(ctx.in_shape(0), "svd");
  const Pair u = outputs(ctx, 0), vh = outputs(ctx, 3), v = adjoint(vh);
  const Ref s = ctx.out(2);
  const Ref of_values = ctx.has_ct(2) ? ctx.ct(2) : zeros_like(s);
  const Ref shared = share_ties(s, of_values, tip_of(ctx.attrs()));
  const bool left = has_cotangents(ctx, 0), right = has_cotangents(ctx, 3);
  if (!left && !right) return add_pair(ctx, scaled(u, shared, vh));
  const Pair of_u = cotangents(ctx, 0), of_v = adjoint(cotangents(ctx, 3));
  const Pair turn_u = matmul(adjoint(u), of_u), turn_v = matmul(vh, of_v);
  const Ref asked = add(absolute(of_values), add(sizes_of_columns(of_u), sizes_of_columns(of_v)));
  const Pair together = hermitian_part(over_gaps(s, add(turn_u, turn_v), asked));
  const Pair apart = over_sums(antihermitian_part(subtract(turn_u, turn_v)), s);
  Pair middle = add(together, apart);
  middle.re = add(middle.re, as_diagonal(shared));
  Pair found = matmul(u, matmul(middle, vh));
  if (left && shape.m > shape.k) found = add(found, matmul(beyond(of_u, u, s, of_values), vh));
  if (right && shape.n > shape.k)
    found = add(found, matmul(u, adjoint(beyond(of_v, v, s, of_values))));
  add_pair(ctx, found);
}

void jvp_svd(JvpContext& ctx) {
  const MatrixShape shape = matrix_shape(ctx.in_shape(0), "svd");
  const Pair u = outputs(ctx, 0), v = adjoint(outputs(ctx, 3)), da = tangents(ctx);
  const Ref s = ctx.out(2), none = zeros_like(s);
  const Pair to_u = matmul(da, v), to_v = matmul(adjoint(da), u), p = matmul(adjoint(u), to_u);
  ctx.set(2, share_ties(s, diagonal(p.re), tip_of(ctx.attrs())));
  const Pair together = over_gaps(s, hermitian_part(p), none);
  const Pair apart = over_sums(antihermitian_part(p), s);
  Pair du = matmul(u, add(together, apart)), dv = matmul(v, subtract(together, apart));
  if (shape.m > shape.k) du = add(du, beyond(to_u, u, s, none));
  if (shape.n > shape.k) dv = add(dv, beyond(to_v, v, s, none));
  set_pair(ctx, 0, du);
  set_pair(ctx, 3, adjoint(dv));
}

}  // namespace

const Op& complex_svd_op() {
  static const Op& op =
      register_op({.name = "svd_complex",
                   .n_in = 2,
                   .n_out = 5,
                   .attrs = {{tip_key, attr_kind::integer, Attr{int64_t{0}}}},
                   .infer = infer_svd,
                   .eval = eval_svd,
                   .vjp = vjp_svd,
                   .jvp = jvp_svd,
                   .lanes = apply_stacked,
                   .reads = {reads_all_outputs},
                   .summary = "both parts of U, s, both parts of V^H of complex matrices"});
  return op;
}

namespace {

std::vector<TensorType> infer_rest(const Attrs&, std::span<const TensorType> in) {
  require_alike("svd", in);
  const MatrixShape shape = matrix_shape(in[0].shape, "svd");
  const DType dtype = common_dtype(in);
  const TensorType u{dtype, shape.with({shape.m, shape.m - shape.k})},
      vt{dtype, shape.with({shape.n - shape.k, shape.n})};
  return {u, u, vt, vt};
}

void eval_rest(const Attrs&, std::span<Value> in, std::span<Value> out) {
  ComplexValue u, vt;
  const int64_t failed = svd_rest_values(in_double(in, infer_rest), u, vt);
  if (failed >= 0)
    throw_not_converged("svd", "SVD did not converge", matrix_shape(in[0].shape(), "svd").stack,
                        failed);
  out[0] = u.re;
  out[1] = u.im;
  out[2] = vt.re;
  out[3] = vt.im;
  round_to(promote(in[0].dtype(), in[1].dtype()), out);
}

}  // namespace

void register_hermitian_ops() {
  hermitian_op();
  complex_svd_op();
  register_op({.name = "svd_complex_rest",
               .n_in = 2,
               .n_out = 4,
               .infer = infer_rest,
               .eval = eval_rest,
               .vjp = no_vjp,
               .jvp = no_jvp,
               .lanes = apply_stacked,
               .reads = {reads_nothing},
               .summary = "both parts of the vectors that complete those of svd_complex"});
}

}  // namespace tapegrad
