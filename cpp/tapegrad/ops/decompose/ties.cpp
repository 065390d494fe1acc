#include "tapegrad/kernels/decompose/ties.h"
#include "tapegrad/base/promotion.h"

#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"
#include "tapegrad/tape/tape.h"
#include "tapegrad/tape/tracer.h"

// Equal eigenvalues (and singular values; both are w here). A tie leaves its vectors to choice, and
// of its numbers the sum alone is smooth. So
//   - the derivatives of the numbers of a tie are shared out evenly (share_ties): right for
//     whatever treats them alike, as the ties of np.max for what does not;
//   - vectors move by k_ij / (w_j - w_i) towards each other (divide_by_gaps). For a tie this is 0
//     where nothing is asked of its vectors and numbers, as when other vectors are used alone, and
//     NaN where something is. That V f(w) V' has a derivative there does not help: it is the limit
//     of a quotient of which only 0 / 0 is left, f' of a tie reaches the diagonal alone.

namespace tapegrad {
namespace {

constexpr AttrKey tip_key{0, "tip"};

Tip tip_of(const Attrs& attrs) { return static_cast<Tip>(attrs.integer_or(tip_key, 0)); }

DType common_dtype(std::span<const TensorType> in) {
  DType dtype = in[0].dtype;
  for (const TensorType& t : in) dtype = promote(dtype, t.dtype);
  return linalg_dtype(dtype);
}

// All in one dtype; throws where `infer` does.
std::vector<Value> prepared(std::span<const Value> in,
                            std::vector<TensorType> (*infer)(const Attrs&,
                                                             std::span<const TensorType>)) {
  std::vector<TensorType> types;
  for (const Value& v : in) types.push_back(type_of(v));
  const DType dtype = infer({}, types)[0].dtype;
  std::vector<Value> all;
  for (const Value& v : in) all.push_back(v.cast(dtype));
  return all;
}

void require_fit(const char* op, bool fits, std::span<const TensorType> in) {
  if (!fits)
    throw_error<ValueError>(op, ": shapes ", in[0].shape, " and ", in[1].shape,
                            " do not belong to one decomposition");
}

// Whether `shape` is that of the numbers and then `more`.
bool extends(const Dims& numbers, const Dims& shape, std::initializer_list<int64_t> more) {
  Dims expected = numbers;
  for (const int64_t n : more) expected.push_back(n);
  return !numbers.empty() && shape == expected;
}

std::vector<TensorType> infer_gaps(const Attrs&, std::span<const TensorType> in) {
  const Dims& w = in[0].shape;
  require_fit("divide_by_gaps",
              in[2].shape == w && !w.empty() && extends(w, in[1].shape, {w.back()}), in);
  return {{common_dtype(in), in[1].shape}};
}

void eval_gaps(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> all = prepared(in, infer_gaps);
  out[0] = divide_by_gaps_values(all[0], all[1], all[2]);
}

Ref quotients(const Ref& w, const Ref& k) { return divide_by_gaps(w, k, zeros_like(w)); }

void vjp_gaps(VjpContext& ctx) {
  const Ref w = ctx.in(0), back = quotients(w, ctx.ct());
  if (ctx.needs(1)) ctx.add(1, back);
  if (!ctx.needs(0)) return;
  const Ref z = zmul(back, ctx.in(1));
  const Ref each = quotients(w, z);
  ctx.add(0, subtract(sum(each, {-1}), sum(each, {-2})));
}

void jvp_gaps(JvpContext& ctx) {
  const Ref w = ctx.in(0);
  Ref change;
  if (ctx.has_tangent(0)) {
    const Ref dw = ctx.tangent(0);
    change = negative(zmul(ctx.out(), subtract(as_row(dw), as_column(dw))));
  }
  if (ctx.has_tangent(1))
    change = ctx.has_tangent(0) ? add(change, ctx.tangent(1)) : ctx.tangent(1);
  if (ctx.has_tangent(0) || ctx.has_tangent(1)) ctx.set(0, quotients(w, change));
}

const Op& gaps_op() {
  static const Op& op = register_op(
      {.name = "divide_by_gaps",
       .n_in = 3,
       .infer = infer_gaps,
       .eval = eval_gaps,
       .vjp = vjp_gaps,
       .jvp = jvp_gaps,
       .lanes = apply_stacked,
       .reads = {reads_in(0) | reads_in(1) | reads_out(), reads_in(0) | reads_out(), reads_nothing},
       .summary = "k_ij / (w_j - w_i); 0 or NaN for ties of sorted w"});
  return op;
}

std::vector<TensorType> infer_share(const Attrs&, std::span<const TensorType> in) {
  require_fit("share_ties", extends(in[0].shape, in[1].shape, {}), in);
  return {{common_dtype(in), in[1].shape}};
}

void eval_share(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> all = prepared(in, infer_share);
  out[0] = share_ties_values(all[0], all[1], tip_of(attrs));
}

void vjp_share(VjpContext& ctx) {
  if (ctx.needs(1)) ctx.add(1, share_ties(ctx.in(0), ctx.ct(), tip_of(ctx.attrs())));
}

void jvp_share(JvpContext& ctx) {
  if (ctx.has_tangent(1)) ctx.set(0, share_ties(ctx.in(0), ctx.tangent(1), tip_of(ctx.attrs())));
}

const Op& share_op() {
  static const Op& op =
      register_op({.name = "share_ties",
                   .n_in = 2,
                   .attrs = {{tip_key, attr_kind::integer, Attr{int64_t{0}}}},
                   .infer = infer_share,
                   .eval = eval_share,
                   .vjp = vjp_share,
                   .jvp = jvp_share,
                   .lanes = apply_stacked,
                   .reads = {reads_nothing, reads_in(0)},
                   .summary = "means of d over the ties of sorted w; 0 at a tip w = 0"});
  return op;
}

// u diag(d) vt, in which a d that is zero hides what its vectors do.
std::vector<TensorType> infer_scaled(const Attrs&, std::span<const TensorType> in) {
  Dims shape = in[0].shape;
  const Dims &d = in[1].shape, &vt = in[2].shape;
  const bool matrices = shape.size() >= 2 && vt.size() >= 2 && d.size() + 1 == vt.size();
  require_fit("scaled_product",
              matrices && extends(d, vt, {vt.back()}) && shape.back() == d.back() &&
                  Dims(shape.data(), shape.size() - 2) == Dims(d.data(), d.size() - 1),
              in);
  shape[shape.size() - 1] = in[2].shape.back();
  return {{common_dtype(in), shape}};
}

void eval_scaled(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> all = prepared(in, infer_scaled);
  out[0] = matmul(multiply(as_row(all[1]), all[0]), all[2]).value();
}

void vjp_scaled(VjpContext& ctx) {
  const Ref u = ctx.in(0), d = ctx.in(1), vt = ctx.in(2), c = ctx.ct();
  const Ref ut = swap_last_axes(u), v = swap_last_axes(vt);
  if (ctx.needs(0)) ctx.add(0, zmul(as_row(d), matmul(c, v)));
  if (ctx.needs(1)) ctx.add(1, sum(multiply(u, matmul(c, v)), {-2}));
  if (ctx.needs(2)) ctx.add(2, zmul(as_column(d), matmul(ut, c)));
}

void jvp_scaled(JvpContext& ctx) {
  const Ref u = ctx.in(0), d = ctx.in(1), vt = ctx.in(2);
  Ref change = zeros_like(ctx.out());
  if (ctx.has_tangent(0)) change = add(change, matmul(zmul(as_row(d), ctx.tangent(0)), vt));
  if (ctx.has_tangent(1)) change = add(change, scaled_product(u, ctx.tangent(1), vt));
  if (ctx.has_tangent(2)) change = add(change, matmul(u, zmul(as_column(d), ctx.tangent(2))));
  ctx.set(0, change);
}

const Op& scaled_op() {
  constexpr ReadMask all = reads_in(0) | reads_in(1) | reads_in(2);
  static const Op& op = register_op({.name = "scaled_product",
                                     .n_in = 3,
                                     .infer = infer_scaled,
                                     .eval = eval_scaled,
                                     .vjp = vjp_scaled,
                                     .jvp = jvp_scaled,
                                     .lanes = apply_stacked,
                                     .reads = {all | reads_out()},
                                     .summary = "u diag(d) vt of one stack"});
  return op;
}

Ref half(const Ref& x) { return multiply(x, Value::scalar(0.5, x.dtype())); }

}  // namespace

Ref divide_by_gaps(const Ref& w, const Ref& k, const Ref& d) {
  return apply(gaps_op(), {}, {w, k, d});
}

Ref share_ties(const Ref& w, const Ref& d, Tip tip) {
  return apply(share_op(), {static_cast<int64_t>(tip)}, {w, d});
}

Ref scaled_product(const Ref& u, const Ref& d, const Ref& vt) {
  return apply(scaled_op(), {}, {u, d, vt});
}

Ref as_row(const Ref& numbers) { return expand_dims(numbers, -2); }
Ref as_column(const Ref& numbers) { return expand_dims(numbers, -1); }
Ref symmetric_part(const Ref& x) { return half(add(x, swap_last_axes(x))); }
Ref antisymmetric_part(const Ref& x) { return half(subtract(x, swap_last_axes(x))); }

Ref as_diagonal(const Ref& numbers) {
  Dims shape = numbers.shape();
  shape.push_back(shape.back());
  return diagonal_scatter(numbers, shape);
}

Dims MatrixShape::with(std::initializer_list<int64_t> last) const {
  Dims shape = stack;
  for (const int64_t size : last) shape.push_back(size);
  return shape;
}

MatrixShape matrix_shape(const Dims& shape, const char* op) {
  if (shape.size() < 2)
    throw_error<LinAlgError>(op, ": ", shape.size(), "-dimensional array given (shape ", shape,
                             "), at least two dimensions are needed; reshape it to (m, n)");
  const int64_t m = shape[shape.size() - 2], n = shape.back();
  return {Dims(shape.data(), shape.size() - 2), m, n, std::min(m, n)};
}

bool may_be_swept(const Ref& a) {
  if (!a.tracked()) return false;
  const Tape& tape = *a.tape();
  const bool is_of_values = tape.tracing() && tape.innermost_scope() == tape.tracer()->scope();
  return tape.recording() && !is_of_values && !tape.is_program_only(tape.node(a.slot()).origin);
}

void round_to(DType input, std::span<Value> out) {
  for (Value& v : out) v = v.cast(linalg_dtype(input));
}

void throw_not_converged(const char* op, const char* what, const Dims& stack, int64_t failed) {
  throw_error<LinAlgError>(
      op, ": ", what,
      stack.empty() ? "" : join_text(" at position ", failed, " of the stack of shape ", stack),
      "; check that np.all(np.isfinite(a))");
}

const std::vector<VectorsOfNumbers>& vectors_of_numbers(const Op& op) {
  static const std::vector<VectorsOfNumbers> none, of_eigh{{0, 1, false}},
      of_svd{{1, 0, false}, {1, 2, true}}, of_hermitian{{0, 1, false}, {0, 2, false}},
      of_complex_svd{{2, 0, false}, {2, 1, false}, {2, 3, true}, {2, 4, true}};
  if (op.id == hermitian_op().id) return of_hermitian;
  if (op.id == complex_svd_op().id) return of_complex_svd;
  return op.id == eigh_op().id ? of_eigh : op.id == svd_op().id ? of_svd : none;
}

void register_tie_ops() {
  gaps_op();
  share_op();
  scaled_op();
}

void register_decompose_ops() {
  register_tie_ops();
  register_eigh_ops();
  register_svd_ops();
  register_qr_ops();
  register_stein_op();
  register_pinv_ops();
  register_hermitian_ops();
  register_eig_ops();
}

}  // namespace tapegrad
