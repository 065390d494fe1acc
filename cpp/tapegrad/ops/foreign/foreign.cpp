#include "tapegrad/ops/foreign/foreign.h"

#include <ostream>

#include "tapegrad/base/error.h"
#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// A loop runs on the calling thread: what other libraries do about errors may need the host's lock,
// for which the threads of a parallel region would wait for ever.

namespace tapegrad {

ForeignHost foreign_host;

void ForeignFunction::set_partial(size_t j, size_t i, Partial partial) {
  partials_.resize(n_in * n_out);
  if (j >= n_out || i >= n_in)
    throw_error<ValueError>(name, ": has no derivative of output ", j, " by input ", i);
  partials_[j * n_in + i] = std::move(partial);
}

void ForeignFunction::print(std::ostream& out) const { out << name; }

namespace {

constexpr AttrKey function_key{0, "function"};

const ForeignFunction& function_of(const Attrs& attrs) {
  const AttrObject& object = *attrs.object(function_key);
  if (typeid(object) != typeid(ForeignFunction))
    throw_error<TypeError>("foreign: the attribute must be a foreign function");
  return static_cast<const ForeignFunction&>(object);
}

struct Choice {
  const ForeignFunction::Loop* loop;
  DType dtype;
};

template <class Items, class DTypeOf>
Choice choose(const ForeignFunction& f, const Items& in, DTypeOf dtype_of_item) {
  if (in.size() != f.n_in)
    throw_error<TypeError>(f.name, ": takes ", f.n_in, " operands, got ", in.size());
  DType common = DType::bool_;
  for (const auto& x : in) common = promote(common, dtype_of_item(x));
  if (f.whole.run) return {&f.whole, DType::float64};
  if (common == DType::float32 && f.f32.run) return {&f.f32, DType::float32};
  return {&f.f64, DType::float64};
}

std::vector<TensorType> infer_foreign(const Attrs& attrs, std::span<const TensorType> in) {
  const ForeignFunction& f = function_of(attrs);
  const Choice chosen = choose(f, in, [](const TensorType& t) { return t.dtype; });
  TensorType out{chosen.dtype, in[0].shape};
  for (const TensorType& t : in) out.shape = broadcast_shapes(out.shape, t.shape, f.name.c_str());
  return std::vector<TensorType>(f.n_out, out);
}

// One number, as the loops read and write it.
union Number {
  double f64;
  float f32;
  int64_t i64;

  Number() : f64(0) {}
  Number(const Value& v, DType d) : f64(0) {
    if (d == DType::int64) {
      i64 = v.as_int64();
    } else if (d == DType::float32) {
      f32 = static_cast<float>(v.as_double());
    } else {
      f64 = v.as_double();
    }
  }
  Value value(DType d) const {
    return Value::scalar(d == DType::float32 ? static_cast<double>(f32) : f64, d);
  }
};

// Packed, in this dtype and shape.
Value as_operand(const Value& v, DType d, const Dims& shape) {
  Value x = v.cast(d);
  if (x.shape() == shape) return x.contiguous();
  return x.view(shape, broadcast_strides(x.shape(), x.strides(), shape), 0).contiguous();
}

class HostCall {
 public:
  explicit HostCall(int64_t n) : state_(foreign_host.begin ? foreign_host.begin(n) : nullptr) {}
  void end() const {
    if (foreign_host.end) foreign_host.end(state_);
  }

 private:
  void* state_;
};

void eval_foreign(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const ForeignFunction& f = function_of(attrs);
  const Choice chosen = choose(f, in, [](const Value& v) { return v.dtype(); });
  Dims shape = in[0].shape();
  for (const Value& v : in) shape = broadcast_shapes(shape, v.shape(), f.name.c_str());

  std::array<Number, ForeignFunction::most_operands> numbers;
  std::array<char*, ForeignFunction::most_operands> args{};
  std::array<std::ptrdiff_t, ForeignFunction::most_operands> steps{};
  std::array<Value, ForeignFunction::most_operands> converted;
  for (size_t i = 0; i < in.size(); ++i) {
    const DType d = f.whole_inputs >> i & 1 ? DType::int64 : chosen.dtype;
    if (in[i].is_scalar()) {
      numbers[i] = Number(in[i], d);
      args[i] = reinterpret_cast<char*>(&numbers[i]);
    } else {
      const bool as_it_is = in[i].dtype() == d && in[i].is_contiguous() && in[i].shape() == shape;
      if (!as_it_is) converted[i] = as_operand(in[i], d, shape);
      args[i] = (as_it_is ? in[i] : converted[i]).data<char>();
      steps[i] = static_cast<std::ptrdiff_t>(item_size(d));
    }
  }
  for (size_t j = 0; j < f.n_out; ++j) {
    const size_t at = f.n_in + j;
    if (shape.empty()) {
      args[at] = reinterpret_cast<char*>(&numbers[at]);
    } else {
      out[j] = Value::empty(chosen.dtype, shape);
      args[at] = out[j].data<char>();
      steps[at] = static_cast<std::ptrdiff_t>(item_size(chosen.dtype));
    }
  }
  const std::ptrdiff_t n = element_count(shape);
  if (n > 0) {
    const HostCall call(n);
    chosen.loop->run(args.data(), &n, steps.data(), chosen.loop->data);
    call.end();
  }
  if (shape.empty())
    for (size_t j = 0; j < f.n_out; ++j) out[j] = numbers[f.n_in + j].value(chosen.dtype);
}

// What the formula reads, of an application.
template <class Context>
Ref partial_at(const Context& ctx, const ForeignFunction& f, const Formula& formula) {
  std::vector<Ref> operands(f.n_in + f.n_out);
  for (uint32_t k = 0; k < operands.size(); ++k) {
    if (!formula.reads(k)) continue;
    operands[k] = k < f.n_in ? ctx.in(static_cast<int>(k)) : ctx.out(static_cast<int>(k - f.n_in));
  }
  return formula.at(operands, ctx.out_type().dtype);
}

// The partial times c, or nothing where it is 0.
template <class Context>
std::optional<Ref> scaled(const Context& ctx, const ForeignFunction& f, size_t j, size_t i,
                          const Ref& c) {
  const ForeignFunction::Partial& p = f.partial(j, i);
  if (const auto* why = std::get_if<std::string>(&p)) throw_error<TypeError>(*why);
  const auto* formula = std::get_if<Formula>(&p);
  if (formula == nullptr) return std::nullopt;
  return zmul(c, partial_at(ctx, f, *formula));
}

void vjp_foreign(VjpContext& ctx) {
  const ForeignFunction& f = function_of(ctx.attrs());
  for (size_t j = 0; j < f.n_out; ++j) {
    if (!ctx.has_ct(static_cast<int>(j))) continue;
    const Ref ct = ctx.ct(static_cast<int>(j));
    for (size_t i = 0; i < f.n_in; ++i) {
      const int at = static_cast<int>(i);
      if (!ctx.needs(at)) continue;
      if (std::optional<Ref> found = scaled(ctx, f, j, i, ct)) {
        const Dims shape = ctx.out_shape();
        if (found->shape() != shape) found = broadcast_to(*found, shape);
        ctx.add(at, sum_to_shape(*found, ctx.in_shape(at)));
      }
    }
  }
}

void jvp_foreign(JvpContext& ctx) {
  const ForeignFunction& f = function_of(ctx.attrs());
  for (size_t j = 0; j < f.n_out; ++j) {
    std::optional<Ref> sum;
    for (size_t i = 0; i < f.n_in; ++i) {
      if (!ctx.has_tangent(static_cast<int>(i))) continue;
      std::optional<Ref> term = scaled(ctx, f, j, i, ctx.tangent(static_cast<int>(i)));
      if (term) sum = sum ? add(*sum, *term) : std::move(*term);
    }
    if (!sum) continue;
    const Dims shape = ctx.out_shape(static_cast<int>(j));
    if (sum->shape() != shape) sum = broadcast_to(*sum, shape);
    ctx.set(static_cast<int>(j), cast(*sum, ctx.out_type(static_cast<int>(j)).dtype));
  }
}

Op foreign_record(const char* name, int n_out) {
  return {.name = name,
          .n_in = -1,
          .n_out = n_out,
          .attrs = {{function_key, attr_kind::object}},
          .infer = infer_foreign,
          .eval = eval_foreign,
          .vjp = vjp_foreign,
          .jvp = jvp_foreign,
          .reads = {reads_all_inputs | reads_all_outputs},
          .by_element = true,
          .summary = "an elementwise function of another library"};
}

const Op *op_single, *op_several;

}  // namespace

void register_foreign_ops() {
  op_single = &register_op(foreign_record("foreign", 1));
  op_several = &register_op(foreign_record("foreign_several", -1));
}

const Op& foreign_op(const ForeignFunction& f) { return f.n_out == 1 ? *op_single : *op_several; }

}  // namespace tapegrad
