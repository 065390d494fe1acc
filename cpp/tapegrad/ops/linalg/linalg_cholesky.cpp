#include "tapegrad/kernels/linalg/linalg.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// Cholesky: A = L L'. The value reads the lower triangle alone, as NumPy's does; derivatives are
// those of cholesky((A + A') / 2), so the gradient is symmetric and belongs to the full symmetric
// matrix. I. Murray, Differentiation of the Cholesky decomposition, arXiv:1602.07527: with phi =
// the lower triangle, its diagonal halved, dL = L phi(L^-1 dA L^-T), and the adjoint of A is the
// symmetric part of L^-T phi(L' Lbar) L^-1.

namespace tapegrad {
namespace {

constexpr AttrKey upper_key{0, "upper"};

std::vector<TensorType> infer(const Attrs&, std::span<const TensorType> in) {
  square_shape(in[0].shape, "cholesky");
  return {{linalg_dtype(in[0].dtype), in[0].shape}};
}

void eval(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const Dims stack = square_shape(in[0].shape(), "cholesky");
  int64_t failed = -1;
  out[0] = cholesky_values(in[0].cast(linalg_dtype(in[0].dtype())), failed);
  if (failed >= 0)
    throw_error<LinAlgError>(
        "cholesky: Matrix is not positive definite",
        stack.empty() ? "" : join_text(" at position ", failed, " of the stack of shape ", stack),
        "; check np.linalg.eigvalsh(a), or add to the diagonal, as in a + 1e-8 * np.eye(n)");
}

Ref phi(const Ref& x) {
  const int64_t n = x.shape().back();
  const Value factor = Value::full(x.dtype(), Dims{n, n}, 1);
  for (int64_t i = 0; i < n; ++i) factor.view(Dims{1}, Dims{1}, i * (n + 1)).set_at(0, 0.5);
  return multiply(tril(x), factor);
}

Ref symmetric_part(const Ref& x) {
  return multiply(add(x, swap_last_axes(x)), Value::scalar(0.5, x.dtype()));
}

void vjp(VjpContext& ctx) {
  const Ref factor = ctx.out();
  const Ref middle = phi(matmul(swap_last_axes(factor), tril(ctx.ct())));
  const Ref left = solve_triangular(factor, middle, true, true);
  ctx.add(0, symmetric_part(solve_triangular(factor, swap_last_axes(left), true, true)));
}

void jvp(JvpContext& ctx) {
  const Ref factor = ctx.out();
  const Ref left = solve_triangular(factor, symmetric_part(ctx.tangent(0)), true);
  ctx.set(0, matmul(factor, phi(solve_triangular(factor, swap_last_axes(left), true))));
}

const Op& lower_op() {
  static const Op& op =
      register_op({.name = "cholesky_lower",
                   .infer = infer,
                   .eval = eval,
                   .vjp = vjp,
                   .jvp = jvp,
                   .expand = expand_cholesky,
                   .expand_keeps_bits = true,
                   .reads = {reads_out()},
                   .matrix_stack = true,
                   .summary = "lower L with L L' = a symmetric positive definite a"});
  return op;
}

std::vector<Ref> compose(const Attrs& attrs, std::span<const Ref> in) {
  square_shape(in[0].shape(), "cholesky");
  if (!attrs.flag_or(upper_key, false)) return {cholesky(in[0])};
  return {swap_last_axes(cholesky(swap_last_axes(in[0])))};
}

}  // namespace

Ref cholesky(const Ref& a) { return apply(lower_op(), {}, {a}); }

void register_cholesky_ops() {
  lower_op();
  register_op({.name = "cholesky",
               .attrs = {{upper_key, attr_kind::flag, Attr{false}}},
               .compose = compose,
               .summary = "the lower or the upper factor"});
}

}  // namespace tapegrad
