// Kernels that are made of partial derivatives, and the plans of small ones. For the files of this
// folder only.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>

#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/scalar/partial.h"

namespace tapegrad {

// Appends the partial to a tape that has its constants already. `input(i)` and `constant(x)` give
// the operands that stand for the partial's inputs and constants.
template <class Input, class Constant>
uint32_t append_partial(ScalarTape& tape, const PartialTape& p, Input&& input,
                        Constant&& constant) {
  const uint32_t first = tape.first_result() + static_cast<uint32_t>(tape.code.size());
  const auto operand = [&](uint32_t op) -> uint32_t {
    if (p.is_input(op)) return input(op);
    if (p.is_constant(op)) return constant(p.constants[op - p.first_constant()]);
    return first + (op - p.first_result());
  };
  for (const ScalarTape::Instruction& step : p.code) {
    std::array<uint32_t, 3> args{};
    for (size_t k = 0; k < static_cast<size_t>(scalar_fn_info(step.fn).arity); ++k)
      args[k] = operand(step.args[k]);
    tape.add(step.fn, args);
  }
  return operand(p.result);
}

// Appends the product of a cotangent and the value of a partial.
template <class Constant>
uint32_t append_product(ScalarTape& tape, const PartialTape& p, uint32_t ct, uint32_t value,
                        Constant&& constant) {
  if (p.is_mask) return tape.add(scalar_fn_of<Select>(), {value, ct, constant(0.0)});
  const uint32_t product = tape.add(scalar_fn_of<Zmul>(), {ct, value, 0});
  if (!p.strong) return product;
  return tape.add(scalar_fn_of<Select>(), {value, product, constant(0.0)});
}

// Something that is made at first use, by whichever thread comes first.
template <class Made>
class Lazy {
 public:
  Lazy() = default;
  Lazy(const Lazy&) = delete;
  Lazy& operator=(const Lazy&) = delete;
  ~Lazy() { delete made_.load(); }

  template <class Make>
  const Made& get(Make&& make) const {
    if (const Made* made = made_.load(std::memory_order_acquire)) return *made;
    std::unique_ptr<const Made> mine = make();
    const Made* known = nullptr;
    if (made_.compare_exchange_strong(known, mine.get(), std::memory_order_acq_rel))
      return *mine.release();
    return *known;
  }

 private:
  mutable std::atomic<const Made*> made_{nullptr};
};

// A kernel of few inputs with one output, and its plans: one for each choice of uniform inputs.
template <class T>
class SmallKernel {
 public:
  static constexpr size_t most_inputs = 6;

  explicit SmallKernel(LaneKernel kernel);

  const LanePlan<T>& plan(unsigned uniform) const {
    return plans_[uniform].get([&] {
      InputBits bits(kernel_.n_inputs);
      for (uint32_t i = 0; i < kernel_.n_inputs; ++i)
        if (uniform >> i & 1) bits.set(i);
      return make_lane_plan<T>(kernel_, bits);
    });
  }

  // out = the kernel over `shape`, in C order. `values`: its inputs, which may be arrays of any
  // dtype and strides that broadcast to the shape; null where it does not read one. An array of T
  // that lies at `out` itself may be among them.
  void run(std::span<const Value* const> values, const Dims& shape, T* out) const;

 private:
  LaneKernel kernel_;
  double ns_;  // rough cost per element
  std::array<Lazy<LanePlan<T>>, size_t{1} << most_inputs> plans_;
};

}  // namespace tapegrad
