#include "tapegrad/base/promotion.h"
#include "tapegrad/kernels/decompose/decompose.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// The pseudo-inverse P of A, singular values up to rcond times the largest one being taken for
// zero. While the rank stays as it is, with E = I - A P and G = I - P A,
//   dP = -P dA P + P P' dA' E + G dA' P' P
// (G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10, 1973), whatever values are equal. Least
// squares x = P b apply the factors of P to b one after the other, which keeps the residual of
// an ill-conditioned A small; their derivatives follow from those of P, with r = b - A x.

namespace tapegrad {
namespace {

constexpr AttrKey rcond_key{0, "rcond"};

std::vector<TensorType> infer(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape shape = matrix_shape(in[0].shape, "pinv");
  return {{linalg_dtype(in[0].dtype), shape.with({shape.n, shape.m})}};
}

// Row i of each t (k by columns) over s_i, or zero.
void divide_rows(const Value& s, double rcond, const Value& t) {
  const int64_t k = s.shape().back(), columns = t.shape().back();
  if (t.size() == 0) return;
  for (int64_t first = 0; first < s.size(); first += k) {
    const double* of = s.data<double>() + first;
    for (int64_t i = 0; i < k; ++i) {
      const bool counts = !(of[i] <= rcond * of[0]);
      double* row = t.data<double>() + (first + i) * columns;
      for (int64_t j = 0; j < columns; ++j) row[j] = counts ? row[j] / of[i] : 0;
    }
  }
}

Value transposed(const Value& v) {
  Dims shape = v.shape(), strides = v.strides();
  const size_t last = shape.size() - 1;
  std::swap(shape[last], shape[last - 1]);
  std::swap(strides[last], strides[last - 1]);
  return v.view(shape, strides, 0);
}

struct Factors {
  Value s, u, vt;
  Factors(const char* op, const Value& a) {
    const MatrixShape shape = matrix_shape(a.shape(), op);
    const int64_t failed = svd_values(a.cast(DType::float64), s, &u, &vt);
    if (failed >= 0) throw_not_converged(op, "SVD did not converge", shape.stack, failed);
  }
};

void eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Factors f("pinv", in[0]);
  const Value t = transposed(f.u).copy();
  divide_rows(f.s, attrs.real(rcond_key), t);
  out[0] = multiply_values(transposed(f.vt), t);
  round_to(in[0].dtype(), out);
}

// a b c in the order of fewer multiplications.
Ref product(const Ref& a, const Ref& b, const Ref& c) {
  const auto rows = [](const Ref& x) { return x.shape()[x.shape().size() - 2]; };
  const int64_t i = rows(a), j = rows(b), k = rows(c), l = c.shape().back();
  return i * j * k + i * k * l <= j * k * l + i * j * l ? matmul(matmul(a, b), c)
                                                        : matmul(a, matmul(b, c));
}

// (I - a p) x and x (I - a p)
Ref less_left(const Ref& x, const Ref& a, const Ref& p) { return subtract(x, product(a, p, x)); }
Ref less_right(const Ref& x, const Ref& a, const Ref& p) { return subtract(x, product(x, a, p)); }

void vjp(VjpContext& ctx) {
  const Ref a = ctx.in(0), p = ctx.out(), pt = swap_last_axes(p);
  const Ref c = ctx.ct(), ct = swap_last_axes(c);
  const Ref first = product(pt, c, pt);
  const Ref second = less_left(product(ct, p, pt), a, p);
  const Ref third = less_right(product(pt, p, ct), p, a);
  ctx.add(0, subtract(add(second, third), first));
}

void jvp(JvpContext& ctx) {
  const Ref a = ctx.in(0), p = ctx.out(), pt = swap_last_axes(p);
  const Ref da = ctx.tangent(0), dat = swap_last_axes(da);
  const Ref first = product(p, da, p);
  const Ref second = less_right(product(p, pt, dat), a, p);
  const Ref third = less_left(product(dat, pt, p), p, a);
  ctx.set(0, subtract(add(second, third), first));
}

const Op& pinv_op() {
  static const Op& op = register_op({.name = "pinv",
                                     .attrs = {{rcond_key, attr_kind::real, Attr{1e-15}}},
                                     .infer = infer,
                                     .eval = eval,
                                     .vjp = vjp,
                                     .jvp = jvp,
                                     .lanes = apply_stacked,
                                     .reads = {reads_in(0) | reads_out()},
                                     .summary = "pseudo-inverse of (..., m, n)"});
  return op;
}

std::vector<TensorType> infer_lstsq(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape a = matrix_shape(in[0].shape, "lstsq"), b = matrix_shape(in[1].shape, "lstsq");
  if (a.stack != b.stack || a.m != b.m)
    throw_error<LinAlgError>("lstsq: Incompatible dimensions: shapes ", in[0].shape, " and ",
                             in[1].shape);
  return {{linalg_dtype(promote(in[0].dtype, in[1].dtype)), a.with({a.n, b.n})}};
}

void eval_lstsq(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const DType dtype = promote(in[0].dtype(), in[1].dtype());
  const Factors f("lstsq", in[0]);
  const Value t = multiply_values(transposed(f.u), in[1].cast(DType::float64));
  divide_rows(f.s, attrs.real(rcond_key), t);
  out[0] = multiply_values(transposed(f.vt), t);
  round_to(dtype, out);
}

void vjp_lstsq(VjpContext& ctx) {
  const Ref a = ctx.in(0), p = apply(pinv_op(), ctx.attrs(), {a}), pt = swap_last_axes(p);
  const Ref c = ctx.ct(), g = matmul(pt, c);
  if (ctx.needs(1)) ctx.add(1, g);
  if (!ctx.needs(0)) return;
  const Ref x = ctx.out(), rest = subtract(ctx.in(1), matmul(a, x));
  const Ref first = matmul(g, swap_last_axes(x));
  const Ref second = matmul(rest, swap_last_axes(matmul(p, g)));
  const Ref beyond = subtract(c, matmul(swap_last_axes(a), g));
  const Ref third = matmul(matmul(pt, x), swap_last_axes(beyond));
  ctx.add(0, subtract(add(second, third), first));
}

void jvp_lstsq(JvpContext& ctx) {
  const Ref a = ctx.in(0), p = apply(pinv_op(), ctx.attrs(), {a}), pt = swap_last_axes(p);
  if (!ctx.has_tangent(0)) {
    if (ctx.has_tangent(1)) ctx.set(0, matmul(p, ctx.tangent(1)));
    return;
  }
  const Ref da = ctx.tangent(0), dat = swap_last_axes(da);
  const Ref x = ctx.out(), rest = subtract(ctx.in(1), matmul(a, x));
  Ref right = subtract(matmul(pt, matmul(dat, rest)), matmul(da, x));
  if (ctx.has_tangent(1)) right = add(right, ctx.tangent(1));
  const Ref third = matmul(dat, matmul(pt, x));
  ctx.set(0, add(matmul(p, right), subtract(third, matmul(p, matmul(a, third)))));
}

}  // namespace

void register_pinv_ops() {
  pinv_op();
  register_op({.name = "lstsq",
               .n_in = 2,
               .attrs = {{rcond_key, attr_kind::real, Attr{1e-15}}},
               .infer = infer_lstsq,
               .eval = eval_lstsq,
               .vjp = vjp_lstsq,
               .jvp = jvp_lstsq,
               .lanes = apply_stacked,
               .reads = {reads_in(0) | reads_in(1) | reads_out(), reads_in(0)},
               .summary = "x of least norm with least |a x - b|, (..., n, k)"});
}

}  // namespace tapegrad
