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
//
// Where values are left out that are not zero (`cuts`), R = A - A P A is what is left of A. The
// turns K of the columns of A P and L of those of P A, out of these spaces, then depend on each
// other, K = E dA P + R L P and L = G dA' P' + R' K P', in which P turns what it meets into at most
// (the largest value left out) / (the smallest that is not) of itself, and
//   dP = -P dA P + P K' + L P.
// Without L this is Stein's equation K - R R' K P' P = E dA P + R dA' P' P.

namespace tapegrad {
namespace {

constexpr AttrKey rcond_key{0, "rcond"};
constexpr AttrKey cuts_key{1, "cuts"};

bool cuts(const Attrs& attrs) { return attrs.flag_or(cuts_key, false); }

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

Ref adjoint_of(const Ref& a, const Ref& p, const Ref& c) {
  const Ref pt = swap_last_axes(p), ct = swap_last_axes(c);
  const Ref first = product(pt, c, pt);
  const Ref second = less_left(product(ct, p, pt), a, p);
  const Ref third = less_right(product(pt, p, ct), p, a);
  return subtract(add(second, third), first);
}

Ref tangent_of(const Ref& a, const Ref& p, const Ref& da) {
  const Ref pt = swap_last_axes(p), dat = swap_last_axes(da);
  const Ref first = product(p, da, p);
  const Ref second = less_right(product(p, pt, dat), a, p);
  const Ref third = less_left(product(dat, pt, p), p, a);
  return subtract(add(second, third), first);
}

// The same where values are left out.
struct Cut {
  Ref a, p, pt, rest, rest_t, of_rest, of_inverse;
  Cut(const Ref& a_, const Ref& p_)
      : a(a_),
        p(p_),
        pt(swap_last_axes(p)),
        rest(less_left(a, a, p)),
        rest_t(swap_last_axes(rest)),
        of_rest(matmul(rest, rest_t)),
        of_inverse(matmul(pt, p)) {}

  Ref adjoint(const Ref& c) const {
    const Ref ct = swap_last_axes(c), of_l = matmul(c, pt);
    const Ref of_k = add(matmul(ct, p), product(rest, of_l, p));
    const Ref k = solve_stein(of_rest, of_inverse, of_k);
    const Ref from_k =
        add(less_left(matmul(k, pt), a, p), product(of_inverse, swap_last_axes(k), rest));
    const Ref from_l = less_right(matmul(pt, swap_last_axes(of_l)), p, a);
    return subtract(add(from_k, from_l), product(pt, c, pt));
  }

  Ref tangent(const Ref& da) const {
    const Ref dat = swap_last_axes(da);
    const Ref alone = add(less_left(matmul(da, p), a, p), product(rest, dat, of_inverse));
    const Ref k = solve_stein(of_rest, of_inverse, alone);
    const Ref l = add(less_left(matmul(dat, pt), p, a), product(rest_t, k, pt));
    return subtract(add(matmul(p, swap_last_axes(k)), matmul(l, p)), product(p, da, p));
  }
};

// Of a matrix with more rows than columns the equation of the transpose is the smaller one.
bool is_tall(const Dims& shape) { return shape[shape.size() - 2] > shape.back(); }

void vjp(VjpContext& ctx) {
  const Ref a = ctx.in(0), p = ctx.out(), c = ctx.ct();
  if (!cuts(ctx.attrs())) {
    ctx.add(0, adjoint_of(a, p, c));
  } else if (is_tall(a.shape())) {
    const Cut cut(swap_last_axes(a), swap_last_axes(p));
    ctx.add(0, swap_last_axes(cut.adjoint(swap_last_axes(c))));
  } else {
    ctx.add(0, Cut(a, p).adjoint(c));
  }
}

void jvp(JvpContext& ctx) {
  const Ref a = ctx.in(0), p = ctx.out(), da = ctx.tangent(0);
  if (!cuts(ctx.attrs())) {
    ctx.set(0, tangent_of(a, p, da));
  } else if (is_tall(a.shape())) {
    const Cut cut(swap_last_axes(a), swap_last_axes(p));
    ctx.set(0, swap_last_axes(cut.tangent(swap_last_axes(da))));
  } else {
    ctx.set(0, Cut(a, p).tangent(da));
  }
}

const Op& pinv_op() {
  static const Op& op = register_op({.name = "pinv",
                                     .attrs = {{rcond_key, attr_kind::real, Attr{1e-15}},
                                               {cuts_key, attr_kind::flag, Attr{false}}},
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
  const Ref a = ctx.in(0), p = apply(pinv_op(), {ctx.attrs().real(rcond_key)}, {a}),
            pt = swap_last_axes(p);
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
  const Ref a = ctx.in(0), p = apply(pinv_op(), {ctx.attrs().real(rcond_key)}, {a}),
            pt = swap_last_axes(p);
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
