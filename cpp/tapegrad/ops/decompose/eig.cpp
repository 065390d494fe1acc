#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/decompose/pair.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"

// Eigenvalues of any square matrix: A V = V diag(w), U = V^-1. With C = U dA V and
// K_ij = C_ij / (w_j - w_i), zero on the diagonal: dw = diag(C), and the vectors move by
// dV = V (K - diag(g)), dU = -(K - diag(g)) U, where g keeps what LAPACK fixes of each vector: its
// norm, and that its largest element is real. With B = V K and v_k that element,
// g = Re(v^H b) + i Im(b_k / v_k). The adjoint of A is U^H X V^H, X that of C.
// Ties share the derivatives of their numbers evenly, and those of their vectors are 0 or NaN, as
// in ties.cpp. Where the vectors do not span the space, U is NaN and so are derivatives.

namespace tapegrad {
namespace {

constexpr AttrKey real_key{0, "is_real"};  // the imaginary part is zero and not read

std::vector<TensorType> infer_eig(const Attrs&, std::span<const TensorType> in) {
  if (in[0].shape != in[1].shape)
    throw_error<ValueError>("eig: real and imaginary part have shapes ", in[0].shape, " and ",
                            in[1].shape, ", which must be the same");
  Dims shape = square_shape(in[0].shape, "eig");
  shape.push_back(in[0].shape.back());
  const DType dtype = linalg_dtype(promote(in[0].dtype, in[1].dtype));
  const TensorType numbers{dtype, shape}, vectors{dtype, in[0].shape};
  return {numbers, numbers, vectors, vectors, vectors, vectors};
}

void eval_eig(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  ComplexValue w, v, u;
  const ComplexValue a = in_double(in, infer_eig);
  const int64_t failed =
      attrs.flag_or(real_key, false) ? eig_values(a.re, w, v, u) : eig_values(a, w, v, u);
  if (failed >= 0)
    throw_not_converged("eig", "Eigenvalues did not converge", square_shape(in[0].shape(), "eig"),
                        failed);
  const ComplexValue* const all[] = {&w, &v, &u};
  for (size_t k = 0; k < 3; ++k) {
    out[2 * k] = all[k]->re;
    out[2 * k + 1] = all[k]->im;
  }
  round_to(promote(in[0].dtype(), in[1].dtype()), out);
}

ComplexValue pair_of(std::span<const Value> in, size_t first) { return {in[first], in[first + 1]}; }

void set_values(const ComplexValue& found, std::span<Value> out) {
  out[0] = found.re;
  out[1] = found.im;
}

std::vector<Value> in_one_dtype(std::span<const Value> in) {
  DType dtype = in[0].dtype();
  for (const Value& v : in) dtype = promote(dtype, v.dtype());
  std::vector<Value> all;
  for (const Value& v : in) all.push_back(v.cast(linalg_dtype(dtype)));
  return all;
}

// Two numbers (..., n), then two arrays of the shape of the results.
std::vector<TensorType> infer_of_numbers(const Attrs&, std::span<const TensorType> in) {
  DType dtype = in[0].dtype;
  for (const TensorType& t : in) dtype = promote(dtype, t.dtype);
  return {{linalg_dtype(dtype), in[2].shape}, {linalg_dtype(dtype), in[3].shape}};
}

Pair over_gaps(const Pair& w, const Pair& k);

void eval_gaps(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> all = in_one_dtype(in);
  set_values(divide_by_gaps_values(pair_of(all, 0), pair_of(all, 2)), out);
}

void vjp_gaps(VjpContext& ctx) {
  const Pair w{ctx.in(0), ctx.in(1)};
  const Pair back = conjugate(over_gaps(w, conjugate(cotangents(ctx, 0))));
  if (ctx.needs(2)) ctx.add(2, back.re);
  if (ctx.needs(3)) ctx.add(3, back.im);
  if (!ctx.needs(0) && !ctx.needs(1)) return;
  const Pair each = multiply(back, conjugate(outputs(ctx, 0)));
  const auto of_numbers = [](const Ref& x) { return subtract(sum(x, {-1}), sum(x, {-2})); };
  add_pair(ctx, {of_numbers(each.re), of_numbers(each.im)});
}

void jvp_gaps(JvpContext& ctx) {
  const Pair w{ctx.in(0), ctx.in(1)}, dw = tangents(ctx);
  const auto of = [&](int i) {
    return ctx.has_tangent(i) ? ctx.tangent(i) : constant_full(ctx.in_type(i), 0);
  };
  const auto gaps = [](const Ref& x) { return subtract(as_row(x), as_column(x)); };
  const Pair change = multiply(outputs(ctx, 0), {gaps(dw.re), gaps(dw.im)});
  set_pair(ctx, 0, over_gaps(w, subtract(Pair{of(2), of(3)}, change)));
}

const Op& gaps_op() {
  static const Op& op =
      register_op({.name = "divide_by_complex_gaps",
                   .n_in = 4,
                   .n_out = 2,
                   .infer = infer_of_numbers,
                   .eval = eval_gaps,
                   .vjp = vjp_gaps,
                   .jvp = jvp_gaps,
                   .lanes = apply_stacked,
                   .reads = {reads_in(0) | reads_in(1) | reads_out(0) | reads_out(1)},
                   .summary = "k_ij / (w_j - w_i) of both parts of w and k; 0 or NaN for ties"});
  return op;
}

Pair over_gaps(const Pair& w, const Pair& k) {
  const std::vector<Ref> found = apply(gaps_op(), {}, std::vector<Ref>{w.re, w.im, k.re, k.im});
  return {found[0], found[1]};
}

Pair shared(const Pair& w, const Pair& d);

void eval_share(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> all = in_one_dtype(in);
  set_values(share_ties_values(pair_of(all, 0), pair_of(all, 2)), out);
}

void vjp_share(VjpContext& ctx) {
  const Pair back = shared({ctx.in(0), ctx.in(1)}, cotangents(ctx, 0));
  if (ctx.needs(2)) ctx.add(2, back.re);
  if (ctx.needs(3)) ctx.add(3, back.im);
}

void jvp_share(JvpContext& ctx) {
  const auto of = [&](int i) {
    return ctx.has_tangent(i) ? ctx.tangent(i) : constant_full(ctx.in_type(i), 0);
  };
  if (ctx.has_tangent(2) || ctx.has_tangent(3))
    set_pair(ctx, 0, shared({ctx.in(0), ctx.in(1)}, {of(2), of(3)}));
}

const Op& share_op() {
  static const Op& op = register_op({.name = "share_complex_ties",
                                     .n_in = 4,
                                     .n_out = 2,
                                     .infer = infer_of_numbers,
                                     .eval = eval_share,
                                     .vjp = vjp_share,
                                     .jvp = jvp_share,
                                     .lanes = apply_stacked,
                                     .reads = {reads_in(0) | reads_in(1)},
                                     .summary = "means of both parts of d over the ties of w"});
  return op;
}

Pair shared(const Pair& w, const Pair& d) {
  const std::vector<Ref> found = apply(share_op(), {}, std::vector<Ref>{w.re, w.im, d.re, d.im});
  return {found[0], found[1]};
}

std::vector<TensorType> infer_places(const Attrs&, std::span<const TensorType> in) {
  return {{linalg_dtype(promote(in[0].dtype, in[1].dtype)), in[0].shape}};
}

void eval_places(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> all = in_one_dtype(in);
  out[0] = real_places(pair_of(all, 0));
}

// A place does not move.
const Op& places_op() {
  static const Op& op =
      register_op({.name = "real_places",
                   .n_in = 2,
                   .infer = infer_places,
                   .eval = eval_places,
                   .vjp = no_vjp,
                   .jvp = no_jvp,
                   .lanes = apply_stacked,
                   .reads = {reads_nothing},
                   .summary = "1 at each column's largest element, which is real"});
  return op;
}

// v / |v|^2 at the places of the real elements, 0 elsewhere.
Pair over_squares(const Pair& v) {
  const Ref place = apply(places_op(), {}, {v.re, v.im});
  const Ref elsewhere = subtract(ones_like(place), place);
  return multiply(v, divide(place, add(squares(v), elsewhere)));
}

void vjp_eig(VjpContext& ctx) {
  const Pair w = outputs(ctx, 0), v = outputs(ctx, 2), u = outputs(ctx, 4);
  const Pair of_values = shared(w, cotangents(ctx, 0));
  if (!has_cotangents(ctx, 2) && !has_cotangents(ctx, 4)) {
    const Pair turned = multiply(v, as_row(conjugate(of_values)));
    if (ctx.needs(1)) return add_pair(ctx, adjoint(matmul(turned, u)));
    return ctx.add(0, swap_last_axes(real_of_matmul(turned, u)));
  }
  const Pair vh = adjoint(v), uh = adjoint(u);
  Pair of_moves = has_cotangents(ctx, 2) ? matmul(vh, cotangents(ctx, 2))
                                         : Pair{zeros_like(v.re), zeros_like(v.re)};
  if (has_cotangents(ctx, 4)) of_moves = subtract(of_moves, matmul(cotangents(ctx, 4), uh));
  const Pair q = as_row(diagonal(of_moves));
  const Pair place = over_squares(v);
  const Pair fixed = add(multiply(v, q.re), multiply(Pair{negative(place.im), place.re}, q.im));
  const Pair of_k = subtract(of_moves, matmul(vh, fixed));
  const Pair middle = add(conjugate(over_gaps(w, conjugate(of_k))), as_diagonal(of_values));
  add_pair(ctx, matmul(uh, matmul(middle, vh)));
}

void jvp_eig(JvpContext& ctx) {
  const Pair w = outputs(ctx, 0), v = outputs(ctx, 2), u = outputs(ctx, 4);
  const Pair c = matmul(u, matmul(tangents(ctx), v));
  set_pair(ctx, 0, shared(w, diagonal(c)));
  const Pair k = over_gaps(w, c), b = matmul(v, k);
  const Pair norms = multiply(conjugate(v), b), phases = multiply(conjugate(over_squares(v)), b);
  const Pair g{sum(norms.re, {-2}), sum(phases.im, {-2})};
  set_pair(ctx, 2, subtract(b, multiply(v, as_row(g))));
  set_pair(ctx, 4, matmul(subtract(as_diagonal(g), k), u));
}

const Op& eig_op() {
  static const Op& op = register_op(
      {.name = "eig",
       .n_in = 2,
       .n_out = 6,
       .attrs = {{real_key, attr_kind::flag, Attr{false}}},
       .infer = infer_eig,
       .eval = eval_eig,
       .vjp = vjp_eig,
       .jvp = jvp_eig,
       .lanes = apply_stacked,
       .reads = {reads_all_outputs},
       .summary = "both parts of eigenvalues, of eigenvectors and of the inverse of these"});
  return op;
}

std::vector<TensorType> infer_eigvals(const Attrs& attrs, std::span<const TensorType> in) {
  std::vector<TensorType> all = infer_eig(attrs, in);
  all.resize(2);
  return all;
}

void eval_eigvals(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  ComplexValue w;
  const int64_t failed =
      eigvals_values(in_double(in, infer_eig), attrs.flag_or(real_key, false), w);
  if (failed >= 0)
    throw_not_converged("eigvals", "Eigenvalues did not converge",
                        square_shape(in[0].shape(), "eigvals"), failed);
  set_values(w, out);
  round_to(promote(in[0].dtype(), in[1].dtype()), out);
}

template <class Context>
std::vector<Ref> whole_eig(const Context& ctx) {
  return apply(eig_op(), ctx.attrs(), std::vector<Ref>{ctx.in(0), ctx.in(1)});
}

// Of a program of values alone that is differentiated later.
void vjp_eigvals(VjpContext& ctx) {
  const std::vector<Ref> all = whole_eig(ctx);
  const Pair of_values = shared({all[0], all[1]}, cotangents(ctx, 0));
  const Pair turned = multiply(Pair{all[2], all[3]}, as_row(conjugate(of_values)));
  add_pair(ctx, adjoint(matmul(turned, Pair{all[4], all[5]})));
}

void jvp_eigvals(JvpContext& ctx) {
  const std::vector<Ref> all = whole_eig(ctx);
  const Pair c = matmul(Pair{all[4], all[5]}, matmul(tangents(ctx), Pair{all[2], all[3]}));
  set_pair(ctx, 0, shared({all[0], all[1]}, diagonal(c)));
}

const Op& eigvals_op() {
  static const Op& op = register_op({.name = "eigvals_alone",
                                     .n_in = 2,
                                     .n_out = 2,
                                     .attrs = {{real_key, attr_kind::flag, Attr{false}}},
                                     .infer = infer_eigvals,
                                     .eval = eval_eigvals,
                                     .vjp = vjp_eigvals,
                                     .jvp = jvp_eigvals,
                                     .lanes = apply_stacked,
                                     .reads = {reads_in(0) | reads_in(1)},
                                     .summary = "both parts of eigenvalues, without vectors"});
  return op;
}

std::vector<Ref> compose_eigvals(const Attrs& attrs, std::span<const Ref> in) {
  const std::vector<Ref> both{in[0], in[1]};
  if (!may_be_swept(in[0]) && !may_be_swept(in[1])) return apply(eigvals_op(), attrs, both);
  std::vector<Ref> all = apply(eig_op(), attrs, both);
  all.resize(2);
  return all;
}

// Roots of polynomials p, the highest power first: dr = -dp(r) / p'(r).

std::vector<TensorType> infer_roots(const Attrs&, std::span<const TensorType> in) {
  Dims shape = in[0].shape;
  if (shape.empty() || shape.back() < 1 || in[1].shape != shape)
    throw_error<ValueError>("roots: coefficients of shapes ", in[0].shape, " and ", in[1].shape,
                            " are not both parts of polynomials");
  shape[shape.size() - 1] -= 1;
  const DType dtype = linalg_dtype(promote(in[0].dtype, in[1].dtype));
  return {{dtype, shape}, {dtype, shape}};
}

void eval_roots(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  ComplexValue found;
  const ComplexValue p = in_double(in, infer_roots);
  const int64_t failed = roots_values(p, attrs.flag_or(real_key, false), found);
  const Dims& shape = in[0].shape();
  if (failed >= 0)
    throw_not_converged("roots", "Eigenvalues did not converge",
                        Dims(shape.data(), shape.size() - 1), failed);
  set_values(found, out);
  round_to(promote(in[0].dtype(), in[1].dtype()), out);
}

// The derivatives of root i by coefficient k, which are holomorphic: -r_i^(n - k) / p'(r_i).
Pair slopes_of_roots(const Pair& p, const Pair& r) {
  const int64_t n = r.re.shape().back();
  std::vector<Pair> powers{{ones_like(r.re), zeros_like(r.re)}};
  for (int64_t k = 0; k < n; ++k) powers.push_back(multiply(powers.back(), r));
  std::vector<Ref> re, im;
  for (size_t k = powers.size(); k-- > 0;) {
    re.push_back(powers[k].re);
    im.push_back(powers[k].im);
  }
  const Pair rows{stack(std::move(re), -1), stack(std::move(im), -1)};
  Pair slope{zeros_like(r.re), zeros_like(r.re)};
  for (int64_t k = 0; k < n; ++k) {
    const auto coefficient = [&](const Ref& part) {
      return multiply(gather_axis(part, -1, {k}),
                      Value::scalar(static_cast<double>(n - k), part.dtype()));
    };
    slope = add(slope, multiply(powers[static_cast<size_t>(n - k - 1)],
                                Pair{coefficient(p.re), coefficient(p.im)}));
  }
  const Ref size = squares(slope);
  const Pair inverse{negative(divide(slope.re, size)), divide(slope.im, size)};
  return multiply(rows, Pair{as_column(inverse.re), as_column(inverse.im)});
}

void vjp_roots(VjpContext& ctx) {
  const Pair slopes = slopes_of_roots({ctx.in(0), ctx.in(1)}, outputs(ctx, 0));
  const Pair c = cotangents(ctx, 0);
  const Pair each = multiply(conjugate(slopes), Pair{as_column(c.re), as_column(c.im)});
  add_pair(ctx, {sum(each.re, {-2}), sum(each.im, {-2})});
}

void jvp_roots(JvpContext& ctx) {
  const Pair slopes = slopes_of_roots({ctx.in(0), ctx.in(1)}, outputs(ctx, 0));
  const Pair each = multiply(slopes, as_row(tangents(ctx)));
  set_pair(ctx, 0, {sum(each.re, {-1}), sum(each.im, {-1})});
}

const Op& roots_op() {
  static const Op& op =
      register_op({.name = "roots",
                   .n_in = 2,
                   .n_out = 2,
                   .attrs = {{real_key, attr_kind::flag, Attr{false}}},
                   .infer = infer_roots,
                   .eval = eval_roots,
                   .vjp = vjp_roots,
                   .jvp = jvp_roots,
                   .lanes = apply_stacked,
                   .reads = {reads_in(0) | reads_in(1) | reads_out(0) | reads_out(1)},
                   .summary = "both parts of the roots of polynomials (..., n + 1)"});
  return op;
}

}  // namespace

void register_eig_ops() {
  eigvals_op();
  register_op({.name = "eigvals",
               .n_in = 2,
               .n_out = 2,
               .attrs = {{real_key, attr_kind::flag, Attr{false}}},
               .compose = compose_eigvals,
               .summary = "both parts of eigenvalues"});
  roots_op();
  gaps_op();
  share_op();
  places_op();
  eig_op();
}

}  // namespace tapegrad
