#include "tapegrad/base/promotion.h"
#include "tapegrad/kernels/decompose/decompose.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// Stein's equation X - M X N = C of symmetric M and N. With eigenvalues m and n and in the bases of
// the eigenvectors, X_ij = C_ij / (1 - m_i n_j). X does not depend on the choice of the bases, so
// the rules are written without them: the map from C to X is its own transpose, and
//   dX - M dX N = dC + dM X N + M X dN
// holds whatever eigenvalues are equal.

namespace tapegrad {
namespace {

std::vector<TensorType> infer(const Attrs&, std::span<const TensorType> in) {
  const Dims m = in[0].shape, n = in[1].shape, c = in[2].shape;
  const Dims stack = square_shape(m, "solve_stein");
  Dims fits = stack;
  fits.push_back(m.back());
  fits.push_back(n.back());
  if (stack != square_shape(n, "solve_stein") || c != fits)
    throw_error<ValueError>("solve_stein: shapes ", m, ", ", n, " and ", c,
                            " do not belong to one equation X - M X N = C");
  return {{linalg_dtype(promote(promote(in[0].dtype, in[1].dtype), in[2].dtype)), c}};
}

Value turned(const Value& x) { return swap_last_axes(Ref(x)).value(); }

void eval(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const DType dtype = linalg_dtype(promote(promote(in[0].dtype(), in[1].dtype()), in[2].dtype()));
  Value w[2], v[2];
  for (size_t k = 0; k < 2; ++k) {
    const int64_t failed = eigh_values(in[k].cast(DType::float64), true, w[k], &v[k]);
    if (failed >= 0)
      throw_not_converged("solve_stein", "Eigenvalues did not converge",
                          square_shape(in[k].shape(), "solve_stein"), failed);
  }
  const Ref u = v[0], z = v[1], c = in[2].cast(DType::float64);
  const Ref one = Value::scalar(1.0, DType::float64);
  const Ref inside = matmul(turned(v[0]), matmul(c, z));
  const Ref gaps = subtract(one, multiply(as_column(w[0]), as_row(w[1])));
  out[0] = matmul(u, matmul(divide(inside, gaps), turned(v[1]))).value().cast(dtype);
}

void vjp(VjpContext& ctx) {
  const Ref m = ctx.in(0), n = ctx.in(1), x = ctx.out(), back = solve_stein(m, n, ctx.ct());
  if (ctx.needs(0)) ctx.add(0, matmul(back, matmul(n, swap_last_axes(x))));
  if (ctx.needs(1)) ctx.add(1, matmul(swap_last_axes(x), matmul(m, back)));
  if (ctx.needs(2)) ctx.add(2, back);
}

void jvp(JvpContext& ctx) {
  const Ref m = ctx.in(0), n = ctx.in(1), x = ctx.out();
  Ref change = ctx.has_tangent(2) ? ctx.tangent(2) : zeros_like(x);
  if (ctx.has_tangent(0)) change = add(change, matmul(ctx.tangent(0), matmul(x, n)));
  if (ctx.has_tangent(1)) change = add(change, matmul(m, matmul(x, ctx.tangent(1))));
  ctx.set(0, solve_stein(m, n, change));
}

const Op& stein_op() {
  constexpr ReadMask both = reads_in(0) | reads_in(1);
  static const Op& op = register_op({.name = "solve_stein",
                                     .n_in = 3,
                                     .infer = infer,
                                     .eval = eval,
                                     .vjp = vjp,
                                     .jvp = jvp,
                                     .lanes = apply_stacked,
                                     .reads = {both | reads_out(), both | reads_out(), both},
                                     .summary = "X - m X n = c of symmetric m and n"});
  return op;
}

}  // namespace

Ref solve_stein(const Ref& m, const Ref& n, const Ref& c) {
  return apply(stein_op(), {}, {m, n, c});
}

void register_stein_op() { stein_op(); }

}  // namespace tapegrad
