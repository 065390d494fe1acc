#include <cmath>

#include "tapegrad/kernels/linalg/linalg.h"
#include "tapegrad/ops/einsum/einsum.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// det and slogdet. The derivative of det A is tr(adj(A) dA). Where A is safely regular, adj(A) =
// det(A) A^-1. Where it is not, A is bordered: M = [[A, B], [C, 0]] with constant B, C that make it
// regular, K = M^-1, and by Jacobi's identity for complementary minors det A = det M det K22 near
// A, whatever the rank of A. Hence
//   adj(A) = det M (det(K22) K11 - K12 adj(K22) K21),
// smooth in A, so that derivatives of every order come out of the ops it is composed of. K22 is as
// small as A's deficiency; its determinant and adjugate are polynomials in K22 (Faddeev-LeVerrier).

namespace tapegrad {
namespace {

std::vector<TensorType> infer_det(const Attrs&, std::span<const TensorType> in) {
  return {{linalg_dtype(in[0].dtype), square_shape(in[0].shape, "det")}};
}

void eval_det(const Attrs&, std::span<Value> in, std::span<Value> out) {
  square_shape(in[0].shape(), "det");
  out[0] = det_values(in[0].cast(linalg_dtype(in[0].dtype())));
}

Ref as_matrix(const Ref& numbers) { return expand_dims(expand_dims(numbers, -1), -1); }

// tr(a b) of each pair.
Ref trace_of_product(const Ref& a, const Ref& b) { return einsum("...ij,...ji->...", {a, b}); }

void vjp_of(VjpContext& ctx, const Ref& adjugate_of_a) {
  ctx.add(0, zmul(as_matrix(ctx.ct()), swap_last_axes(adjugate_of_a)));
}

void vjp_det(VjpContext& ctx) { vjp_of(ctx, adjugate(ctx.in(0), ctx.out())); }

void jvp_det(JvpContext& ctx) {
  ctx.set(0, trace_of_product(adjugate(ctx.in(0), ctx.out()), ctx.tangent(0)));
}

Ref regular_adjugate(const Ref& a, const Ref& det_of_a) {
  return multiply(as_matrix(det_of_a), inv(a));
}

void vjp_regular_det(VjpContext& ctx) { vjp_of(ctx, regular_adjugate(ctx.in(0), ctx.out())); }

void jvp_regular_det(JvpContext& ctx) {
  ctx.set(0, trace_of_product(regular_adjugate(ctx.in(0), ctx.out()), ctx.tangent(0)));
}

const Op& det_op() {
  static const Op& op = register_op(
      {.name = "det",
       .infer = infer_det,
       .eval = eval_det,
       .vjp = vjp_det,
       .jvp = jvp_det,
       .expand = expand_det,
       .expand_keeps_bits = true,
       .reads = {reads_in(0) | reads_out()},
       .matrix_stack = true,
       .summary = "determinant of (..., n, n); its derivatives hold at singular matrices too"});
  return op;
}

const Op& regular_det_op() {
  static const Op& op = register_op({.name = "det_regular",
                                     .infer = infer_det,
                                     .eval = eval_det,
                                     .vjp = vjp_regular_det,
                                     .jvp = jvp_regular_det,
                                     .expand = expand_det,
                                     .expand_keeps_bits = true,
                                     .reads = {reads_in(0) | reads_out()},
                                     .matrix_stack = true,
                                     .summary = "determinant of matrices known to be regular"});
  return op;
}

// The constant part [[0, B], [C, 0]] of a bordered matrix.
Value border_values(const Border& border, const Dims& stack, int64_t n) {
  const int64_t width = border.width, total = n + width;
  Dims shape = stack;
  shape.push_back(total);
  shape.push_back(total);
  const Value out = Value::zeros(border.rows.dtype(), shape);
  const Dims strides = out.strides();
  Dims rows = stack, columns = stack;
  rows.push_back(n);
  rows.push_back(width);
  columns.push_back(width);
  columns.push_back(n);
  copy_into(out.view(rows, strides, n), border.rows);
  copy_into(out.view(columns, strides, n * total), border.columns);
  return out;
}

struct Polynomial {
  Ref det, adjugate;
};

// M_1 = I, c_k = tr(S M_k) / k, M_k+1 = S M_k - c_k I; then det S = (-1)^(r-1) c_r and adj S =
// (-1)^(r-1) M_r.
Polynomial faddeev_leverrier(const Ref& s) {
  const int64_t order = s.shape().back();
  const Value unit = Value::zeros(s.dtype(), Dims{order, order});
  for (int64_t i = 0; i < order; ++i) unit.view(Dims{1}, Dims{1}, i * (order + 1)).set_at(0, 1);
  Ref m = unit;
  for (int64_t k = 1;; ++k) {
    const Value share = Value::scalar(1.0 / static_cast<double>(k), s.dtype());
    const Ref c = multiply(trace_of_product(s, m), share);
    if (k == order) return order % 2 ? Polynomial{c, m} : Polynomial{negative(c), negative(m)};
    m = subtract(matmul(s, m), multiply(as_matrix(c), unit));
  }
}

Ref block(const Ref& k, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  std::vector<int64_t> starts(static_cast<size_t>(k.ndim()), 0), lengths = to_vector(k.shape());
  const size_t last = starts.size() - 1;
  starts[last - 1] = row;
  starts[last] = column;
  lengths[last - 1] = rows;
  lengths[last] = columns;
  return crop(k, starts, lengths);
}

Ref bordered_adjugate(const Ref& a, const Border& border) {
  const Dims shape = a.shape();
  const int64_t n = shape.back(), width = border.width;
  std::vector<int64_t> widths(2 * shape.size(), 0);
  widths[widths.size() - 3] = widths[widths.size() - 1] = width;
  const Value constant = border_values(border, Dims(shape.data(), shape.size() - 2), n);
  const Ref m = add(pad_constant(a, widths), constant);
  const Ref k = inv(m);
  const Ref k11 = block(k, 0, n, 0, n), k12 = block(k, 0, n, n, width);
  const Ref k21 = block(k, n, width, 0, n), k22 = block(k, n, width, n, width);
  const Polynomial p = faddeev_leverrier(k22);
  const Ref difference =
      subtract(multiply(as_matrix(p.det), k11), matmul(k12, matmul(p.adjugate, k21)));
  return multiply(as_matrix(apply(regular_det_op(), {}, {m})), difference);
}

std::vector<TensorType> infer_slogdet(const Attrs&, std::span<const TensorType> in) {
  const TensorType one{linalg_dtype(in[0].dtype), square_shape(in[0].shape, "slogdet")};
  return {one, one};
}

void eval_slogdet(const Attrs&, std::span<Value> in, std::span<Value> out) {
  square_shape(in[0].shape(), "slogdet");
  slogdet_values(in[0].cast(linalg_dtype(in[0].dtype())), out[0], out[1]);
}

// The inverse; singular matrices have no derivative of log|det|.
Ref slogdet_inverse(const Ref& a, const Ref& logarithm) {
  const Value& v = logarithm.value();
  for (int64_t i = 0; i < v.size(); ++i) {
    if (std::isinf(v.at(i)) && v.at(i) < 0)
      throw_error<LinAlgError>(
          "slogdet: Singular matrix",
          v.is_scalar() ? "" : join_text(" at position ", i, " of the stack of shape ", v.shape()),
          "; log|det| has no derivative there: use np.linalg.det(a), whose derivative exists, or "
          "regularise, as in a + 1e-10 * np.eye(n)");
  }
  return inv(a);
}

void vjp_slogdet(VjpContext& ctx) {
  if (!ctx.has_ct(1)) return;
  const Ref x = slogdet_inverse(ctx.in(0), ctx.out(1));
  ctx.add(0, zmul(as_matrix(ctx.ct(1)), swap_last_axes(x)));
}

void jvp_slogdet(JvpContext& ctx) {
  ctx.set(1, trace_of_product(slogdet_inverse(ctx.in(0), ctx.out(1)), ctx.tangent(0)));
}

}  // namespace

Ref adjugate(const Ref& a, const Ref& det_of_a) {
  const Border border = border_of(a.value());
  return border.width == 0 ? regular_adjugate(a, det_of_a) : bordered_adjugate(a, border);
}

Ref det(const Ref& a) { return apply(det_op(), {}, {a}); }

void register_det_ops() {
  det_op();
  regular_det_op();
  register_op({.name = "slogdet",
               .n_out = 2,
               .infer = infer_slogdet,
               .eval = eval_slogdet,
               .vjp = vjp_slogdet,
               .jvp = jvp_slogdet,
               .expand = expand_slogdet,
               .expand_keeps_bits = true,
               .reads = {reads_in(0) | reads_out(1)},
               .matrix_stack = true,
               .summary = "sign and logarithm of |det|; the sign's derivative is zero"});
}

}  // namespace tapegrad
