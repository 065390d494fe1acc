#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/decompose/pair.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"

// slogdet of complex matrices: with t = tr(A^-1 dA), the logarithm of |det A| moves by Re t and the
// sign s, of modulus one, by i s Im t. The inverse is that of the real matrix [[A, -B], [B, A]].

namespace tapegrad {
namespace {

std::vector<TensorType> infer(const Attrs&, std::span<const TensorType> in) {
  if (in[0].shape != in[1].shape)
    throw_error<ValueError>("slogdet: real and imaginary part have shapes ", in[0].shape, " and ",
                            in[1].shape, ", which must be the same");
  const TensorType one{linalg_dtype(promote(in[0].dtype, in[1].dtype)),
                       square_shape(in[0].shape, "slogdet")};
  return {one, one, one, one};
}

void eval(const Attrs&, std::span<Value> in, std::span<Value> out) {
  ComplexValue sign;
  slogdet_values(in_double(in, infer), sign, out[2], out[3]);
  out[0] = sign.re;
  out[1] = sign.im;
  round_to(promote(in[0].dtype(), in[1].dtype()), out);
}

Pair inverse(const Pair& a) {
  const int64_t n = a.re.shape().back();
  const Ref whole = inv(
      concatenate({concatenate({a.re, negative(a.im)}, -1), concatenate({a.im, a.re}, -1)}, -2));
  const auto part = [&](int64_t row) {
    std::vector<int64_t> starts(static_cast<size_t>(whole.ndim()), 0);
    std::vector<int64_t> lengths = to_vector(a.re.shape());
    starts[starts.size() - 2] = row;
    return crop(whole, starts, lengths);
  };
  return {part(0), part(n)};
}

Ref as_matrix(const Ref& numbers) { return expand_dims(expand_dims(numbers, -1), -1); }

void vjp(VjpContext& ctx) {
  const Pair sign = outputs(ctx, 0), c = cotangents(ctx, 0);
  const Ref turning = subtract(multiply(c.im, sign.re), multiply(c.re, sign.im));
  const Ref growing = ctx.has_ct(2) ? ctx.ct(2) : zeros_like(turning);
  const Pair factor{as_matrix(growing), as_matrix(turning)};
  add_pair(ctx, multiply(adjoint(inverse({ctx.in(0), ctx.in(1)})), factor));
}

void jvp(JvpContext& ctx) {
  const Pair sign = outputs(ctx, 0), da = tangents(ctx);
  const Pair x = inverse({ctx.in(0), ctx.in(1)});
  const Pair products = multiply({swap_last_axes(x.re), swap_last_axes(x.im)}, da);
  const Ref growing = sum(products.re, {-2, -1}), turning = sum(products.im, {-2, -1});
  set_pair(ctx, 0, {negative(multiply(sign.im, turning)), multiply(sign.re, turning)});
  ctx.set(2, growing);
}

}  // namespace

void register_complex_det_ops() {
  register_op({.name = "slogdet_complex",
               .n_in = 2,
               .n_out = 4,
               .infer = infer,
               .eval = eval,
               .vjp = vjp,
               .jvp = jvp,
               .lanes = apply_stacked,
               .reads = {reads_in(0) | reads_in(1) | reads_out(0) | reads_out(1)},
               .summary = "both parts of the sign, log|det|, smallest pivot over largest"});
}

}  // namespace tapegrad
