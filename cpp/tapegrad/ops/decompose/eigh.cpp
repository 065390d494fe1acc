#include "tapegrad/kernels/decompose/decompose.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// Symmetric eigenvalues: A V = V diag(w). The value reads one triangle alone, as NumPy's does;
// derivatives are those of eigh((A + A') / 2), so the gradient is symmetric. With M = V' dA V and
// G_ij = 1 / (w_j - w_i): dw = diag(M), dV = V (G o M); transposed, the adjoint of A is
// V (diag(wbar) + sym(G o (V' Vbar))) V'. M. B. Giles, Collected matrix derivative results, 2008.
// For equal eigenvalues see ties.cpp.

namespace tapegrad {
namespace {

constexpr AttrKey lower_key{0, "is_lower"};
constexpr AttrKey values_key{1, "for_values"};  // the caller wrote eigvalsh, which errors name

bool is_lower(const Attrs& attrs) { return attrs.flag_or(lower_key, true); }

std::vector<TensorType> infer_values(const Attrs&, std::span<const TensorType> in) {
  Dims shape = square_shape(in[0].shape, "eigvalsh");
  shape.push_back(in[0].shape.back());
  return {{linalg_dtype(in[0].dtype), shape}};
}

void decompose(const char* op, const Attrs& attrs, const Value& a, std::span<Value> out) {
  const Dims stack = square_shape(a.shape(), op);
  const int64_t failed = eigh_values(a.cast(DType::float64), is_lower(attrs), out[0],
                                     out.size() > 1 ? &out[1] : nullptr);
  if (failed >= 0) throw_not_converged(op, "Eigenvalues did not converge", stack, failed);
  round_to(a.dtype(), out);
}

void eval_values(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  decompose("eigvalsh", attrs, in[0], out);
}

std::vector<TensorType> infer_eigh(const Attrs&, std::span<const TensorType> in) {
  Dims shape = square_shape(in[0].shape, "eigh");
  shape.push_back(in[0].shape.back());
  const DType dtype = linalg_dtype(in[0].dtype);
  return {{dtype, shape}, {dtype, in[0].shape}};
}

void eval_eigh(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  decompose(attrs.flag_or(values_key, false) ? "eigvalsh" : "eigh", attrs, in[0], out);
}

Ref in_basis(const Ref& v, const Ref& x) { return matmul(swap_last_axes(v), matmul(x, v)); }

void vjp_eigh(VjpContext& ctx) {
  const Ref w = ctx.out(0), v = ctx.out(1);
  const Ref of_values = ctx.has_ct(0) ? ctx.ct(0) : zeros_like(w);
  const Ref shared = share_ties(w, of_values, Tip::none);
  if (!ctx.has_ct(1)) {
    ctx.add(0, scaled_product(v, shared, swap_last_axes(v)));
    return;
  }
  const Ref turned = matmul(swap_last_axes(v), ctx.ct(1));
  const Ref asked = add(absolute(of_values), sum(absolute(ctx.ct(1)), {-2}));
  const Ref middle = add(as_diagonal(shared), symmetric_part(divide_by_gaps(w, turned, asked)));
  ctx.add(0, matmul(v, matmul(middle, swap_last_axes(v))));
}

void jvp_eigh(JvpContext& ctx) {
  const Ref w = ctx.out(0), v = ctx.out(1);
  const Ref m = in_basis(v, symmetric_part(ctx.tangent(0)));
  ctx.set(0, share_ties(w, diagonal(m), Tip::none));
  ctx.set(1, matmul(v, divide_by_gaps(w, m, zeros_like(w))));
}

}  // namespace

const Op& eigh_op() {
  static const Op& op =
      register_op({.name = "eigh",
                   .n_out = 2,
                   .attrs = {{lower_key, attr_kind::flag, Attr{true}},
                             {values_key, attr_kind::flag, Attr{false}}},
                   .infer = infer_eigh,
                   .eval = eval_eigh,
                   .vjp = vjp_eigh,
                   .jvp = jvp_eigh,
                   .lanes = apply_stacked,
                   .reads = {reads_out(0) | reads_out(1)},
                   .summary = "eigenvalues and eigenvectors of symmetric (..., n, n)"});
  return op;
}

namespace {

// Of a program of values alone that is differentiated later.
void vjp_values(VjpContext& ctx) {
  const std::vector<Ref> both = apply(eigh_op(), ctx.attrs(), std::vector<Ref>{ctx.in(0)});
  const Ref shared = share_ties(both[0], ctx.ct(), Tip::none);
  ctx.add(0, scaled_product(both[1], shared, swap_last_axes(both[1])));
}

void jvp_values(JvpContext& ctx) {
  const std::vector<Ref> both = apply(eigh_op(), ctx.attrs(), std::vector<Ref>{ctx.in(0)});
  const Ref m = in_basis(both[1], symmetric_part(ctx.tangent(0)));
  ctx.set(0, share_ties(both[0], diagonal(m), Tip::none));
}

const Op& values_op() {
  static const Op& op =
      register_op({.name = "eigvalsh_alone",
                   .attrs = {{lower_key, attr_kind::flag, Attr{true}}},
                   .infer = infer_values,
                   .eval = eval_values,
                   .vjp = vjp_values,
                   .jvp = jvp_values,
                   .lanes = apply_stacked,
                   .reads = {reads_in(0)},
                   .summary = "eigenvalues of symmetric (..., n, n), without vectors"});
  return op;
}

std::vector<Ref> compose_values(const Attrs& attrs, std::span<const Ref> in) {
  if (!may_be_swept(in[0])) return apply(values_op(), attrs, std::vector<Ref>{in[0]});
  return {apply(eigh_op(), {is_lower(attrs), true}, std::vector<Ref>{in[0]})[0]};
}

}  // namespace

void register_eigh_ops() {
  eigh_op();
  values_op();
  register_op({.name = "eigvalsh",
               .attrs = {{lower_key, attr_kind::flag, Attr{true}}},
               .compose = compose_values,
               .summary = "eigenvalues of symmetric (..., n, n)"});
}

}  // namespace tapegrad
