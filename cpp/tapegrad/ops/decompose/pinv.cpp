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
// (G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10, 1973), whatever values are equal.

namespace tapegrad {
namespace {

constexpr AttrKey rcond_key{0, "rcond"};

std::vector<TensorType> infer(const Attrs&, std::span<const TensorType> in) {
  const MatrixShape shape = matrix_shape(in[0].shape, "pinv");
  return {{linalg_dtype(in[0].dtype), shape.with({shape.n, shape.m})}};
}

// Column j of u (m by k) over s_j, or zero.
void divide_columns(int64_t m, int64_t k, const double* s, double rcond, double* u) {
  const double least = k > 0 ? rcond * s[0] : 0;
  for (int64_t j = 0; j < k; ++j) {
    const bool counts = !(s[j] <= least);
    for (int64_t i = 0; i < m; ++i) u[i * k + j] = counts ? u[i * k + j] / s[j] : 0;
  }
}

Value transposed(const Value& v) {
  Dims shape = v.shape(), strides = v.strides();
  const size_t last = shape.size() - 1;
  std::swap(shape[last], shape[last - 1]);
  std::swap(strides[last], strides[last - 1]);
  return v.view(shape, strides, 0);
}

void eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const MatrixShape shape = matrix_shape(in[0].shape(), "pinv");
  Value u, s, vt;
  const int64_t failed = svd_values(in[0].cast(DType::float64), s, &u, &vt);
  if (failed >= 0) throw_not_converged("pinv", "SVD did not converge", shape.stack, failed);
  const double rcond = attrs.real(rcond_key);
  for (int64_t i = 0; i < element_count(shape.stack); ++i)
    divide_columns(shape.m, shape.k, s.data<double>() + i * shape.k, rcond,
                   u.data<double>() + i * shape.m * shape.k);
  out[0] = multiply_values(transposed(vt), transposed(u));
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

}  // namespace

void register_pinv_ops() {
  register_op({.name = "pinv",
               .attrs = {{rcond_key, attr_kind::real, Attr{1e-15}}},
               .infer = infer,
               .eval = eval,
               .vjp = vjp,
               .jvp = jvp,
               .lanes = apply_stacked,
               .reads = {reads_in(0) | reads_out()},
               .summary = "pseudo-inverse of (..., m, n)"});
}

}  // namespace tapegrad
