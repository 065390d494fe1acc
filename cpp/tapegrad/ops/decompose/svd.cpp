#include "tapegrad/kernels/decompose/decompose.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/tape/rule.h"

// Singular values: A = U diag(s) V', U (m, k), V (n, k). With P = U' dA V and its symmetric and
// antisymmetric parts X and Y, G_ij = X_ij / (s_j - s_i) and H_ij = Y_ij / (s_j + s_i):
//   ds = diag(P), dU = U (G + H) + (I - U U') dA V / s, dV = V (G - H) + (I - V V') dA' U / s,
// the last terms where U or V is not square. So only G knows ties (ties.cpp). The adjoint of A is
// the transposed map. Of svdvals alone one that is zero is the tip of a cone: its derivative is
// zero, as that of a norm; in norms so is one that is zero up to rounding.

namespace tapegrad {
namespace {

constexpr AttrKey rounded_key{0, "rounded"};  // of svdvals
constexpr AttrKey tip_key{0, "tip"};          // of svd: what its values have

Tip tip_of(const Attrs& attrs) {
  return attrs.flag_or(rounded_key, false) ? Tip::up_to_rounding : Tip::at_zero;
}

Tip tip_of_svd(const Attrs& attrs) { return static_cast<Tip>(attrs.integer_or(tip_key, 0)); }

std::vector<TensorType> infer_values(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape shape = matrix_shape(in[0].shape, "svdvals");
  return {{linalg_dtype(in[0].dtype), shape.with({shape.k})}};
}

std::vector<TensorType> infer_svd(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape shape = matrix_shape(in[0].shape, "svd");
  const DType dtype = linalg_dtype(in[0].dtype);
  return {{dtype, shape.with({shape.m, shape.k})},
          {dtype, shape.with({shape.k})},
          {dtype, shape.with({shape.k, shape.n})}};
}

void eval_values(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const MatrixShape shape = matrix_shape(in[0].shape(), "svdvals");
  const int64_t failed = svd_values(in[0].cast(DType::float64), out[0], nullptr, nullptr);
  if (failed >= 0) throw_not_converged("svdvals", "SVD did not converge", shape.stack, failed);
  round_to(in[0].dtype(), out);
}

// Only where its values are all that is wanted they have a tip.
void eval_svd(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const char* const name = tip_of_svd(attrs) == Tip::none ? "svd" : "svdvals";
  const MatrixShape shape = matrix_shape(in[0].shape(), name);
  const int64_t failed = svd_values(in[0].cast(DType::float64), out[1], &out[0], &out[2]);
  if (failed >= 0) throw_not_converged(name, "SVD did not converge", shape.stack, failed);
  round_to(in[0].dtype(), out);
}

Ref over_sums(const Ref& y, const Ref& s) {
  return zmul(y, reciprocal(add(as_column(s), as_row(s))));
}

// x / s for the vectors x of s, 0 / 0 being 0 where nothing is asked of s either: what is asked of
// it may be all that tells of a product of both.
Ref over_values(const Ref& x, const Ref& s, const Ref& asked) {
  const Ref inverse = reciprocal(s);
  return where(equal(asked, Value::scalar(0, s.dtype())), zmul(x, inverse), multiply(x, inverse));
}

// The part of the columns of x that is orthogonal to those of u.
Ref beyond(const Ref& x, const Ref& u) {
  return subtract(x, matmul(u, matmul(swap_last_axes(u), x)));
}

void vjp_svd(VjpContext& ctx) {
  const MatrixShape shape = matrix_shape(ctx.in_shape(0), "svd");
  const Ref u = ctx.out(0), s = ctx.out(1), vt = ctx.out(2);
  const Ref of_values = ctx.has_ct(1) ? ctx.ct(1) : zeros_like(s);
  const bool left = ctx.has_ct(0), right = ctx.has_ct(2);
  const Ref shared = share_ties(s, of_values, tip_of_svd(ctx.attrs()));
  if (!left && !right) {
    ctx.add(0, scaled_product(u, shared, vt));
    return;
  }
  Ref middle = as_diagonal(shared);
  const Ref none = zeros_like(middle);
  const Ref turn_u = left ? matmul(swap_last_axes(u), ctx.ct(0)) : none;
  const Ref turn_v = right ? matmul(vt, swap_last_axes(ctx.ct(2))) : none;
  Ref asked = absolute(of_values);
  if (left) asked = add(asked, sum(absolute(ctx.ct(0)), {-2}));
  if (right) asked = add(asked, sum(absolute(ctx.ct(2)), {-1}));
  const Ref together = symmetric_part(divide_by_gaps(s, add(turn_u, turn_v), asked));
  const Ref apart = over_sums(antisymmetric_part(subtract(turn_u, turn_v)), s);
  middle = add(middle, add(together, apart));
  Ref adjoint = matmul(u, matmul(middle, vt));
  if (left && shape.m > shape.k) {
    const Ref scaled = over_values(ctx.ct(0), as_row(s), as_row(of_values));
    adjoint = add(adjoint, matmul(beyond(scaled, u), vt));
  }
  if (right && shape.n > shape.k) {
    const Ref scaled = over_values(swap_last_axes(ctx.ct(2)), as_row(s), as_row(of_values));
    adjoint = add(adjoint, matmul(u, swap_last_axes(beyond(scaled, swap_last_axes(vt)))));
  }
  ctx.add(0, adjoint);
}

void jvp_svd(JvpContext& ctx) {
  const MatrixShape shape = matrix_shape(ctx.in_shape(0), "svd");
  const Ref u = ctx.out(0), s = ctx.out(1), v = swap_last_axes(ctx.out(2));
  const Ref da = ctx.tangent(0);
  const Ref to_u = matmul(da, v), to_v = matmul(swap_last_axes(da), u);
  const Ref p = matmul(swap_last_axes(u), to_u);
  ctx.set(1, share_ties(s, diagonal(p), tip_of_svd(ctx.attrs())));
  const Ref together = divide_by_gaps(s, symmetric_part(p), zeros_like(s));
  const Ref apart = over_sums(antisymmetric_part(p), s);
  const Ref inverse = reciprocal(as_row(s));
  Ref du = matmul(u, add(together, apart)), dv = matmul(v, subtract(together, apart));
  if (shape.m > shape.k) du = add(du, zmul(beyond(to_u, u), inverse));
  if (shape.n > shape.k) dv = add(dv, zmul(beyond(to_v, v), inverse));
  ctx.set(0, du);
  ctx.set(2, swap_last_axes(dv));
}

}  // namespace

const Op& svd_op() {
  static const Op& op =
      register_op({.name = "svd",
                   .n_out = 3,
                   .attrs = {{tip_key, attr_kind::integer, Attr{int64_t{0}}}},
                   .infer = infer_svd,
                   .eval = eval_svd,
                   .vjp = vjp_svd,
                   .jvp = jvp_svd,
                   .lanes = apply_stacked,
                   .reads = {reads_out(0) | reads_out(1) | reads_out(2)},
                   .summary = "U, s, V' of (..., m, n), as many vectors as singular values"});
  return op;
}

namespace {

std::vector<TensorType> infer_rest(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape shape = matrix_shape(in[0].shape, "svd");
  const DType dtype = linalg_dtype(in[0].dtype);
  return {{dtype, shape.with({shape.m, shape.m - shape.k})},
          {dtype, shape.with({shape.n - shape.k, shape.n})}};
}

void eval_rest(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const MatrixShape shape = matrix_shape(in[0].shape(), "svd");
  const int64_t failed = svd_rest_values(in[0].cast(DType::float64), out[0], out[1]);
  if (failed >= 0) throw_not_converged("svd", "SVD did not converge", shape.stack, failed);
  round_to(in[0].dtype(), out);
}

// Of a program of values alone that is differentiated later.
void vjp_values(VjpContext& ctx) {
  const std::vector<Ref> all = apply(svd_op(), {}, std::vector<Ref>{ctx.in(0)});
  const Ref shared = share_ties(all[1], ctx.ct(), tip_of(ctx.attrs()));
  ctx.add(0, scaled_product(all[0], shared, all[2]));
}

void jvp_values(JvpContext& ctx) {
  const std::vector<Ref> all = apply(svd_op(), {}, std::vector<Ref>{ctx.in(0)});
  const Ref p = matmul(swap_last_axes(all[0]), matmul(ctx.tangent(0), swap_last_axes(all[2])));
  ctx.set(0, share_ties(all[1], diagonal(p), tip_of(ctx.attrs())));
}

const Op& values_op() {
  static const Op& op = register_op({.name = "svdvals_alone",
                                     .attrs = {{rounded_key, attr_kind::flag, Attr{false}}},
                                     .infer = infer_values,
                                     .eval = eval_values,
                                     .vjp = vjp_values,
                                     .jvp = jvp_values,
                                     .lanes = apply_stacked,
                                     .reads = {reads_in(0)},
                                     .summary = "singular values of (..., m, n), without vectors"});
  return op;
}

std::vector<Ref> compose_values(const Attrs& attrs, std::span<const Ref> in) {
  if (!may_be_swept(in[0])) return apply(values_op(), attrs, std::vector<Ref>{in[0]});
  const Attrs tip{static_cast<int64_t>(tip_of(attrs))};
  return {apply(svd_op(), tip, std::vector<Ref>{in[0]})[1]};
}

}  // namespace

Ref singular_values_of_norm(const Ref& a) { return compose_values({true}, {{a}})[0]; }

void register_svd_ops() {
  svd_op();
  values_op();
  register_op({.name = "svd_rest",
               .n_out = 2,
               .infer = infer_rest,
               .eval = eval_rest,
               .vjp = no_vjp,
               .jvp = no_jvp,
               .lanes = apply_stacked,
               .reads = {reads_nothing},
               .summary = "vectors that complete those of svd to bases; they stand still"});
  register_op({.name = "svdvals",
               .attrs = {{rounded_key, attr_kind::flag, Attr{false}}},
               .compose = compose_values,
               .summary = "singular values of (..., m, n)"});
}

}  // namespace tapegrad
