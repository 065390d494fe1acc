#include "tapegrad/kernels/signals/correlate.h"

#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// y_i = sum_j a_(i + j - left) v_j, a between `left` and `right` zeros. It is linear in a and in v,
// and the transposes are correlations: of y with v reversed, and of a with y.

namespace tapegrad {
namespace {

constexpr AttrKey left_key{0, "left"}, right_key{1, "right"};

const Op* op_correlate;

Ref correlate(const Ref& a, const Ref& v, int64_t left, int64_t right) {
  return apply(*op_correlate, {left, right}, {a, v});
}

std::vector<TensorType> infer(const Attrs& attrs, std::span<const TensorType> in) {
  Dims shape = in[0].shape;
  const Dims& other = in[1].shape;
  const int64_t left = attrs.integer(left_key), right = attrs.integer(right_key);
  const bool are_stacks = !shape.empty() && shape.size() == other.size() &&
                          std::equal(shape.begin(), shape.end() - 1, other.begin());
  if (!are_stacks || other.back() < 1 || left < 0 || right < 0 ||
      shape.back() + left + right < other.back())
    throw_error<ValueError>("correlate: shapes ", in[0].shape, " and ", in[1].shape, " with ", left,
                            " and ", right, " zeros do not fit");
  shape[shape.size() - 1] += left + right - other.back() + 1;
  return {{linalg_dtype(promote(in[0].dtype, in[1].dtype)), shape}};
}

void eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType types[] = {type_of(in[0]), type_of(in[1])};
  const DType dtype = infer(attrs, types)[0].dtype;
  out[0] = correlate_values(in[0].cast(dtype), in[1].cast(dtype), attrs.integer(left_key),
                            attrs.integer(right_key));
}

void vjp(VjpContext& ctx) {
  const int64_t left = ctx.attrs().integer(left_key), right = ctx.attrs().integer(right_key);
  const int64_t last = ctx.in_shape(1).back() - 1;
  if (ctx.needs(0)) {
    // Zeros beyond the reach of v, which its adjoint does not see, are cut away.
    const Ref v = flip(ctx.in(1), {-1});
    const int64_t more_left = std::max(left - last, int64_t{0});
    const int64_t more_right = std::max(right - last, int64_t{0});
    Ref ct = ctx.ct();
    if (more_left > 0 || more_right > 0) {
      std::vector<int64_t> starts(static_cast<size_t>(ct.shape().ndim()), 0);
      std::vector<int64_t> lengths = to_vector(ct.shape());
      starts.back() = more_left;
      lengths.back() -= more_left + more_right;
      ct = crop(ct, starts, lengths);
    }
    ctx.add(0, correlate(ct, v, last - left + more_left, last - right + more_right));
  }
  if (ctx.needs(1)) ctx.add(1, correlate(ctx.in(0), ctx.ct(), left, right));
}

void jvp(JvpContext& ctx) {
  const int64_t left = ctx.attrs().integer(left_key), right = ctx.attrs().integer(right_key);
  Ref change;
  if (ctx.has_tangent(0)) change = correlate(ctx.tangent(0), ctx.in(1), left, right);
  if (ctx.has_tangent(1)) {
    const Ref other = correlate(ctx.in(0), ctx.tangent(1), left, right);
    change = ctx.has_tangent(0) ? add(change, other) : other;
  }
  if (ctx.has_tangent(0) || ctx.has_tangent(1)) ctx.set(0, change);
}

}  // namespace

void register_signal_ops() {
  op_correlate =
      &register_op({.name = "correlate",
                    .n_in = 2,
                    .attrs = {{left_key, attr_kind::integer}, {right_key, attr_kind::integer}},
                    .infer = infer,
                    .eval = eval,
                    .vjp = vjp,
                    .jvp = jvp,
                    .lanes = apply_stacked,
                    .reads = {reads_in(1), reads_in(0)},
                    .summary = "sums of products of v with each window of a, between zeros"});
}

}  // namespace tapegrad
