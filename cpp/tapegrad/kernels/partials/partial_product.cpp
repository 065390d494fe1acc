#include "tapegrad/kernels/partials/partial_product.h"

#include <algorithm>
#include <array>
#include <bit>

#include "tapegrad/kernels/partials/partial_kernel.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/elementwise_operands.h"
#include "tapegrad/rows/elementwise_table.h"

namespace tapegrad {
namespace {

// Holds one Made for each partial.
template <class Made>
struct ByPartial {
  std::array<std::array<Lazy<Made>, 3>, scalar_fn_count> made;

  template <class Make>
  const Made& get(const PartialTape& p, Make&& make) const {
    return made[index_of(p.of)][static_cast<size_t>(p.by)].get(make);
  }
};

constexpr int64_t grain = 1024;

// One element. Most partials are an input, a constant or one function of those.
template <class T>
T eval_as(const PartialTape& p, const T* inputs) {
  const auto operand = [&](uint32_t i) {
    return p.is_input(i) ? inputs[i] : static_cast<T>(p.constants[i - p.first_constant()]);
  };
  if (p.result < p.first_result()) return operand(p.result);
  if (p.code.size() == 1) {
    const auto& [fn, args] = p.code[0];
    const int n = scalar_fn_info(fn).arity;
    return elementwise_table().get<T>(fn).scalar(operand(args[0]), n > 1 ? operand(args[1]) : 0,
                                                 n > 2 ? operand(args[2]) : 0);
  }
  static const ByPartial<RegisterCode<T>> codes;
  constexpr size_t most_registers = 64;
  const RegisterCode<T>& code = codes.get(p, [&] {
    auto made = std::make_unique<RegisterCode<T>>(make_register_code<T>(p, {&p.result, 1}, true));
    if (made->registers > most_registers)
      throw_error<RuntimeError>("internal error: a partial needs ", made->registers, " registers");
    return made;
  });
  T registers[most_registers];
  std::copy(code.constants.begin(), code.constants.end(), registers);
  for (const auto& in : code.inputs) registers[in.reg] = inputs[in.number];
  run_registers(code, registers);
  return registers[code.outputs[0].reg];
}

// (adjoint +) ct * partial(x0.., y): the inputs are x0.., y, ct and the adjoint, where there is
// one.
template <class T>
std::unique_ptr<const SmallKernel<T>> product_kernel(const PartialTape& p, bool accumulate) {
  LaneKernel k;
  k.dtype = dtype_of<T>();
  const uint32_t ct = p.n_inputs, adjoint = ct + 1;
  k.n_inputs = p.n_inputs + (accumulate ? 2 : 1);
  k.constants = p.constants;
  k.constants.push_back(0.0);
  const auto constant = [&](double x) {
    const auto same = [x](double c) {
      return std::bit_cast<uint64_t>(c) == std::bit_cast<uint64_t>(x);
    };
    return k.first_constant() +
           static_cast<uint32_t>(std::ranges::find_if(k.constants, same) - k.constants.begin());
  };
  const uint32_t value = append_partial(k, p, [](uint32_t i) { return i; }, constant);
  uint32_t result = append_product(k, p, ct, value, constant);
  if (accumulate) result = k.add(scalar_fn_of<Add>(), {adjoint, result, 0});
  k.outputs.push_back({result, false, {}, k.dtype});
  return std::make_unique<const SmallKernel<T>>(std::move(k));
}

template <class T>
const SmallKernel<T>& product_kernel_of(const PartialTape& p, bool accumulate) {
  static const ByPartial<SmallKernel<T>> kernels[2];
  return kernels[accumulate].get(p, [&] { return product_kernel<T>(p, accumulate); });
}

template <class T>
T product_at(const PartialTape& partial, T ct, T p) {
  if (partial.is_mask) return p != 0 ? ct : T(0);
  return ct == 0 || (partial.strong && p == 0) ? T(0) : ct * p;
}

template <class T>
void add_in_place_as(Value& to, const Value& v) {
  if (to.is_scalar()) {
    to.set_scalar(static_cast<double>(static_cast<T>(to.as_double()) + scalar_as<T>(v)));
    return;
  }
  const Value* values[] = {&to, &v};
  const Dims shape = to.shape();
  const Operands<T> operands(values, shape);
  const auto add_to = [&](T* out) {
    const bool packed = operands.is_packed(0) || operands.is_packed(1);
    parallel_for(operands.size(), grain, 0.5, [&](int64_t begin, int64_t end) {
      T scratch[2][grain];
      for (int64_t i = begin, n = 0; i < end; i += n) {
        n = operands.block_length(i, packed ? std::min(grain, end - i) : end - i);
        const auto a = operands.read(0, i, n, scratch[0]), b = operands.read(1, i, n, scratch[1]);
        add_lanes(out + i, a.data, b.data, n, (a.uniform ? 1u : 0u) | (b.uniform ? 2u : 0u));
      }
    });
  };
  if (to.owns_buffer() && to.is_contiguous()) return add_to(to.data<T>());
  Value sum = Value::empty_like(to);
  add_to(sum.data<T>());
  to = std::move(sum);
}

template <class T>
void accumulate_product_as(const PartialTape& partial, std::span<const Value> inputs,
                           const Value& ct, Value& adjoint, bool accumulate) {
  if (partial.constant == 1.0) {
    if (accumulate) {
      add_in_place_as<T>(adjoint, ct);
    } else {
      adjoint = ct;
    }
    return;
  }
  std::array<const Value*, SmallKernel<T>::most_inputs> values{};
  size_t count = 0;
  bool all_scalars = ct.is_scalar();
  for (uint32_t i = 0; i < partial.n_inputs; ++i) {
    const unsigned bit = i == partial.arity() ? PartialTape::reads_output : 1u << i;
    const Value* v = partial.reads & bit ? &inputs[i] : nullptr;
    all_scalars &= v == nullptr || v->is_scalar();
    values[count++] = v;
  }
  if (all_scalars) {
    T x[4] = {};
    for (size_t i = 0; i < count; ++i)
      if (values[i]) x[i] = scalar_as<T>(*values[i]);
    const T product = product_at(partial, scalar_as<T>(ct), eval_as<T>(partial, x));
    if (!accumulate) {
      adjoint = Value::scalar(static_cast<double>(product), dtype_of<T>());
    } else {
      add_in_place_as<T>(adjoint, Value::scalar(static_cast<double>(product), dtype_of<T>()));
    }
    return;
  }
  values[count++] = &ct;
  const SmallKernel<T>& kernel = product_kernel_of<T>(partial, accumulate);
  if (accumulate) {
    values[count++] = &adjoint;
    const bool is_own = adjoint.owns_buffer() && adjoint.is_contiguous();
    Value sum = is_own ? Value() : Value::empty_like(adjoint);
    kernel.run({values.data(), count}, adjoint.shape(),
               (is_own ? adjoint : sum).template data<T>());
    if (!is_own) adjoint = std::move(sum);
    return;
  }
  Dims shape = ct.shape();
  for (size_t i = 0; i < partial.n_inputs; ++i)
    if (values[i]) shape = broadcast_shapes(shape, values[i]->shape(), "accumulate_product");
  adjoint = Value::empty(dtype_of<T>(), shape);
  kernel.run({values.data(), count}, shape, adjoint.data<T>());
}

}  // namespace

double eval_partial(const PartialTape& p, const double* inputs) { return eval_as(p, inputs); }
float eval_partial(const PartialTape& p, const float* inputs) { return eval_as(p, inputs); }

void accumulate_product(const PartialTape& partial, std::span<const Value> inputs, const Value& ct,
                        Value& adjoint, bool accumulate) {
  if (ct.dtype() == DType::float32) {
    accumulate_product_as<float>(partial, inputs, ct, adjoint, accumulate);
  } else {
    accumulate_product_as<double>(partial, inputs, ct, adjoint, accumulate);
  }
}

void add_in_place(Value& to, const Value& v) {
  if (to.dtype() == DType::float32) {
    add_in_place_as<float>(to, v);
  } else {
    add_in_place_as<double>(to, v);
  }
}

}  // namespace tapegrad
