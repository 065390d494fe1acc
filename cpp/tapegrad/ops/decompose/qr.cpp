#include "tapegrad/kernels/decompose/decompose.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// QR of m >= n: with C = dA R^-1, W = Q' C and w = its strict lower part, the rotation is w - w'
// and the rest, T = W - w + w', is upper triangular: dQ = C - Q T, dR = T R. The adjoint of A is
// (Qbar + Q N) R^-T, where N is Rbar R' - Q' Qbar, its upper triangle copied to the lower one.
// A wider matrix [X Y] is [Q U, Q V] with X = Q U and V = Q' Y.

namespace tapegrad {
namespace {

std::vector<TensorType> infer(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape shape = matrix_shape(in[0].shape, "qr");
  if (shape.m < shape.n)
    throw_error<LinAlgError>("qr_tall: shape ", in[0].shape,
                             " has more columns than rows; qr takes it");
  const DType dtype = linalg_dtype(in[0].dtype);
  return {{dtype, in[0].shape}, {dtype, shape.with({shape.n, shape.n})}};
}

void eval(const Attrs&, std::span<Value> in, std::span<Value> out) {
  qr_values(in[0].cast(DType::float64), out[0], out[1]);
  round_to(in[0].dtype(), out);
}

// Columns that depend on each other have no derivative.
void require_regular(const Value& r) {
  const int64_t n = r.shape().back();
  for (int64_t i = 0; i < (n > 0 ? r.size() : 0); i += i % (n * n) == n * n - 1 ? 1 : n + 1)
    if (r.at(i) == 0)
      throw_error<LinAlgError>(
          "qr: Singular matrix, the columns depend on each other; Q and R have no derivative "
          "there: "
          "leave out columns, or use np.linalg.svd(a, full_matrices=False)");
}

// x R^-T and x R^-1
Ref over_transposed(const Ref& x, const Ref& r) {
  return swap_last_axes(solve_triangular(r, swap_last_axes(x), false));
}
Ref over(const Ref& x, const Ref& r) {
  return swap_last_axes(solve_triangular(r, swap_last_axes(x), false, true));
}

void vjp(VjpContext& ctx) {
  const Ref q = ctx.out(0), r = ctx.out(1);
  require_regular(r.value());
  Ref n = zeros_like(r);
  if (ctx.has_ct(1)) n = add(n, matmul(ctx.ct(1), swap_last_axes(r)));
  if (ctx.has_ct(0)) n = subtract(n, matmul(swap_last_axes(q), ctx.ct(0)));
  const Ref copied = add(triu(n), swap_last_axes(triu(n, 1)));
  Ref sum = matmul(q, copied);
  if (ctx.has_ct(0)) sum = add(ctx.ct(0), sum);
  ctx.add(0, over_transposed(sum, r));
}

void jvp(JvpContext& ctx) {
  const Ref q = ctx.out(0), r = ctx.out(1);
  require_regular(r.value());
  const Ref c = over(ctx.tangent(0), r);
  const Ref w = matmul(swap_last_axes(q), c);
  const Ref triangle = add(triu(w), swap_last_axes(tril(w, -1)));
  ctx.set(0, subtract(c, matmul(q, triangle)));
  ctx.set(1, matmul(triangle, r));
}

std::vector<TensorType> infer_rest(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape shape = matrix_shape(in[0].shape, "qr");
  return {{linalg_dtype(in[0].dtype), shape.with({shape.m, shape.m - shape.k})}};
}

void eval_rest(const Attrs&, std::span<Value> in, std::span<Value> out) {
  matrix_shape(in[0].shape(), "qr");
  out[0] = qr_rest_values(in[0].cast(DType::float64));
  round_to(in[0].dtype(), out);
}

const Op& tall_op() {
  static const Op& op = register_op({.name = "qr_tall",
                                     .n_out = 2,
                                     .infer = infer,
                                     .eval = eval,
                                     .vjp = vjp,
                                     .jvp = jvp,
                                     .lanes = apply_stacked,
                                     .reads = {reads_out(0) | reads_out(1)},
                                     .summary = "Q (..., m, n) and R (..., n, n) for m >= n"});
  return op;
}

Ref columns_of(const Ref& a, int64_t first, int64_t count) {
  std::vector<int64_t> starts(static_cast<size_t>(a.ndim()), 0), lengths = to_vector(a.shape());
  starts.back() = first;
  lengths.back() = count;
  return crop(a, starts, lengths);
}

std::vector<Ref> compose(const Attrs&, std::span<const Ref> in) {
  const MatrixShape shape = matrix_shape(in[0].shape(), "qr");
  if (shape.m >= shape.n) return apply(tall_op(), {}, std::vector<Ref>{in[0]});
  const Ref a = cast(in[0], linalg_dtype(in[0].dtype()));
  const std::vector<Ref> square = apply(tall_op(), {}, std::vector<Ref>{columns_of(a, 0, shape.m)});
  const Ref rest = matmul(swap_last_axes(square[0]), columns_of(a, shape.m, shape.n - shape.m));
  return {square[0], concatenate({square[1], rest}, -1)};
}

}  // namespace

void register_qr_ops() {
  tall_op();
  register_op({.name = "qr_rest",
               .infer = infer_rest,
               .eval = eval_rest,
               .vjp = no_vjp,
               .jvp = no_jvp,
               .lanes = apply_stacked,
               .reads = {reads_nothing},
               .summary = "columns that complete those of Q to a basis; they stand still"});
  register_op({.name = "qr",
               .n_out = 2,
               .compose = compose,
               .summary = "Q (..., m, k) and R (..., k, n), k the smaller one"});
}

}  // namespace tapegrad
