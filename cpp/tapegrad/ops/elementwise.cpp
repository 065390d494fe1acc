#include "tapegrad/ops/elementwise.h"

#include <array>
#include <utility>

#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/ops/expand.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/scalar/partial.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/ref_algebra.h"
#include "tapegrad/tape/rule.h"

// Every scalar function becomes an op whose id is its ScalarFn. Its rules replay the recorded
// partials with Refs, so what they do is recorded where the sweep is; unrecorded sweeps run the
// same programs through the lane kernels.

namespace tapegrad {
namespace {

DType result_dtype(const ScalarFnInfo& info, std::span<const DType> in) {
  DType d = DType::bool_;
  for (size_t i = 0; i < in.size(); ++i)
    if (!(info.data_inputs >> i & 1)) d = promote(d, in[i]);
  return is_floating(d) ? d : DType::float64;
}

std::vector<TensorType> infer_elementwise(ScalarFn fn, std::span<const TensorType> in) {
  const ScalarFnInfo& info = scalar_fn_info(fn);
  TensorType out{DType::bool_, in[0].shape};
  std::vector<DType> dtypes;
  for (const TensorType& t : in) {
    out.shape = broadcast_shapes(out.shape, t.shape, info.name);
    dtypes.push_back(t.dtype);
  }
  if (!info.returns_bool) out.dtype = result_dtype(info, dtypes);
  return {out};
}

void eval_any(ScalarFn fn, std::span<Value> in, Value& out) {
  const ScalarFnInfo& info = scalar_fn_info(fn);
  if (info.returns_bool) {
    out = Value::integer_scalar(0, DType::bool_);
  } else {
    DType dtypes[3];
    for (size_t i = 0; i < in.size(); ++i) dtypes[i] = in[i].dtype();
    out = Value::scalar(0, result_dtype(info, {dtypes, in.size()}));
  }
  eval_elementwise(fn, in, out);
}

// The partial with respect to input i, as a Ref over what it reads.
template <class Context>
Ref partial_ref(const Context& ctx, ScalarFn fn, int i) {
  const PartialTape& p = partial_tape(fn, i);
  const int n = static_cast<int>(p.arity());
  std::array<Ref, 4> operands;
  for (int k = 0; k < n; ++k)
    if (p.reads >> k & 1) operands[static_cast<size_t>(k)] = ctx.in(k);
  if (p.reads & PartialTape::reads_output) operands[static_cast<size_t>(n)] = ctx.out();
  const DType dtype = ctx.out_type().dtype;
  const auto apply_fn = [](ScalarFn f, std::span<const Ref> args) {
    return apply_single(op_by_id(static_cast<uint16_t>(f)), Attrs(), args);
  };
  const auto make_const = [dtype](double c) { return Ref(Value::scalar(c, dtype)); };
  return replay<Ref>(p, {operands.data(), static_cast<size_t>(n) + 1}, apply_fn, make_const);
}

// partial * c, where a zero c gives zero whatever the partial.
template <class Context>
Ref scaled(const Context& ctx, ScalarFn fn, int i, const Ref& c) {
  const PartialTape& p = partial_tape(fn, i);
  if (p.is_mask) return where(partial_ref(ctx, fn, i), c, Ref(Value::scalar(0.0, c.dtype())));
  if (p.strong) return zproduct(partial_ref(ctx, fn, i), c);
  if (!p.constant) return zmul(c, partial_ref(ctx, fn, i));
  return *p.constant == 1.0 ? c
                            : multiply(c, Ref(Value::scalar(*p.constant, ctx.out_type().dtype)));
}

void vjp_elementwise(ScalarFn fn, VjpContext& ctx) {
  const Ref ct = ctx.take_ct();
  for (int i = 0; i < ctx.n_in(); ++i) {
    if (!ctx.needs(i) || partial_tape(fn, i).is_zero) continue;
    ctx.add(i, sum_to_shape(scaled(ctx, fn, i, ct), ctx.in_shape(i)));
  }
}

void jvp_elementwise(ScalarFn fn, JvpContext& ctx) {
  Ref sum;
  bool any = false;
  for (int i = 0; i < ctx.n_in(); ++i) {
    if (!ctx.has_tangent(i) || partial_tape(fn, i).is_zero) continue;
    Ref term = scaled(ctx, fn, i, ctx.tangent(i));
    sum = any ? add(sum, term) : std::move(term);
    any = true;
  }
  if (!any) return;
  if (sum.shape() != ctx.out_shape()) sum = broadcast_to(sum, ctx.out_shape());
  ctx.set(0, std::move(sum));
}

ReadMask reads_of_partial(ScalarFn fn, int i) {
  const PartialTape& p = partial_tape(fn, i);
  ReadMask mask = 0;
  for (int k = 0; k < static_cast<int>(p.arity()); ++k)
    if (p.reads >> k & 1) mask |= reads_in(k);
  if (p.reads & PartialTape::reads_output) mask |= reads_out(0);
  return mask;
}

struct FnPointers {
  decltype(Op::infer) infer;
  decltype(Op::eval) eval;
  decltype(Op::vjp) vjp;
  decltype(Op::jvp) jvp;
};

// An op's functions are plain pointers: one thin set for each scalar function.
template <size_t Fn>
FnPointers pointers_of() {
  constexpr auto fn = static_cast<ScalarFn>(Fn);
  return {[](const Attrs&, std::span<const TensorType> in) { return infer_elementwise(fn, in); },
          [](const Attrs&, std::span<Value> in, std::span<Value> out) { eval_any(fn, in, out[0]); },
          [](VjpContext& ctx) { vjp_elementwise(fn, ctx); },
          [](JvpContext& ctx) { jvp_elementwise(fn, ctx); }};
}

void register_fn(ScalarFn fn, const FnPointers& pointers) {
  const ScalarFnInfo& info = scalar_fn_info(fn);
  Op op;
  op.name = info.name;
  op.n_in = info.arity;
  op.infer = pointers.infer;
  op.eval = pointers.eval;
  op.summary = "elementwise, with NumPy's broadcasting and promotion";
  if (!info.returns_bool) {
    op.vjp = pointers.vjp;
    op.jvp = pointers.jvp;
    for (int i = 0; i < info.arity; ++i)
      op.reads.push_back(info.data_inputs >> i & 1 ? reads_nothing : reads_of_partial(fn, i));
  }
  op.by_element = true;
  op.scalar_fn = static_cast<int>(fn);
  if (register_op(op).id != static_cast<uint16_t>(fn))
    throw_error<RuntimeError>(
        "internal error: elementwise ops must be registered first, in the order of the list");
}

template <size_t... Fn>
void register_all_fns(std::index_sequence<Fn...>) {
  (register_fn(static_cast<ScalarFn>(Fn), pointers_of<Fn>()), ...);
}

const Op* op_cast;

std::vector<TensorType> infer_cast(const Attrs& attrs, std::span<const TensorType> in) {
  return {{static_cast<DType>(attrs.integer(cast_attrs::dtype)), in[0].shape}};
}

void eval_cast(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = in[0].cast(static_cast<DType>(attrs.integer(cast_attrs::dtype)));
}

void vjp_cast(VjpContext& ctx) { ctx.add(0, cast(ctx.take_ct(), ctx.in_type(0).dtype)); }

// Scalars have one dtype: a cast to another is left to the array.
bool expand_cast(ExpandContext& c) {
  if (c.in_type(0).dtype != c.dtype()) return false;
  c.set(0, c.in(0));
  return true;
}

const Op& op_of(ScalarFn fn) { return op_by_id(static_cast<uint16_t>(fn)); }

template <class F>
Ref apply_fn(std::initializer_list<Ref> inputs) {
  return apply_single(op_of(scalar_fn_of<F>()), Attrs(), {inputs.begin(), inputs.size()});
}

}  // namespace

void register_elementwise_ops() {
  register_all_fns(std::make_index_sequence<scalar_fn_count>());
  op_cast = &register_op({.name = "cast",
                          .attrs = {{cast_attrs::dtype, attr_kind::integer}},
                          .infer = infer_cast,
                          .eval = eval_cast,
                          .vjp = vjp_cast,
                          .expand = expand_cast,
                          .expand_keeps_bits = true,
                          .linear = true,
                          .by_element = true,
                          .converts = true,
                          .summary = "converts between floating dtypes"});
  ref_algebra.add = add;
  ref_algebra.cast = cast;
  ref_algebra.zeros = [](const TensorType& type) { return constant_full(type, 0.0); };
}

const Op& cast_op() { return *op_cast; }

Ref elementwise(ScalarFn fn, std::initializer_list<Ref> inputs) {
  return apply_single(op_of(fn), Attrs(), {inputs.begin(), inputs.size()});
}

Ref add(const Ref& a, const Ref& b) { return apply_fn<Add>({a, b}); }
Ref subtract(const Ref& a, const Ref& b) { return apply_fn<Subtract>({a, b}); }
Ref multiply(const Ref& a, const Ref& b) { return apply_fn<Multiply>({a, b}); }
Ref divide(const Ref& a, const Ref& b) { return apply_fn<Divide>({a, b}); }
Ref negative(const Ref& a) { return apply_fn<Negative>({a}); }
Ref square(const Ref& a) { return apply_fn<Square>({a}); }
Ref sqrt(const Ref& a) { return apply_fn<Sqrt>({a}); }
Ref exp(const Ref& a) { return apply_fn<Exp>({a}); }
Ref log(const Ref& a) { return apply_fn<Log>({a}); }
Ref reciprocal(const Ref& a) { return apply_fn<Reciprocal>({a}); }
Ref absolute(const Ref& a) { return apply_fn<Absolute>({a}); }
Ref zmul(const Ref& c, const Ref& p) { return apply_fn<Zmul>({c, p}); }
Ref zproduct(const Ref& a, const Ref& b) { return apply_fn<Zproduct>({a, b}); }
Ref where(const Ref& mask, const Ref& a, const Ref& b) { return apply_fn<Select>({mask, a, b}); }
Ref equal(const Ref& a, const Ref& b) { return apply_fn<Equal>({a, b}); }
Ref less(const Ref& a, const Ref& b) { return apply_fn<Less>({a, b}); }
Ref less_equal(const Ref& a, const Ref& b) { return apply_fn<LessEqual>({a, b}); }

Ref cast(const Ref& a, DType dtype) {
  if (a.dtype() == dtype) return a;
  return apply_single(cast_op(), Attrs{static_cast<int64_t>(dtype)}, {&a, 1});
}

Ref zeros_like(const Ref& a) { return constant_full(a.type(), 0.0); }
Ref ones_like(const Ref& a) { return constant_full(a.type(), 1.0); }

Ref constant_full(const TensorType& type, double fill) {
  return Ref(Value::full(type.dtype, type.shape, fill));
}

}  // namespace tapegrad
