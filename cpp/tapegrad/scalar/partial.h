// Partial derivatives of scalar functions, each written down as a scalar tape whose inputs are
// those of the function, x0.., and then its output y.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/scalar/tape.h"

namespace tapegrad {

struct PartialTape : ScalarTape {
  static constexpr unsigned reads_output = 8;

  ScalarFn of{};        // the function,
  int by = 0;           // and by which input it is differentiated
  uint32_t result = 0;  // the operand that is the partial

  // Facts, filled in by finish().
  unsigned reads = 0;              // bit i: reads input i; bit 3: reads the output
  bool is_zero = false;            // identically zero
  std::optional<double> constant;  // the partial where it is the same for all inputs
  // How the partial p is multiplied with what flows, c. Ordinarily zmul(c, p): 0 where c is 0.
  bool strong =
      false;  // as zproduct(c, p), 0 where p is 0 too: masks, choices, kinks, the c of zmul(c, p)
  bool is_mask = false;  // p is 0 or 1, made from data (where): the product is p ? c : 0

  uint32_t arity() const { return n_inputs - 1; }  // of the function
  void finish();
};

// The derivative of f by input i. Built once; may be read from any thread.
const PartialTape& partial_tape(ScalarFn f, int i);

// "t0 = multiply(y, y); t1 = subtract(1, t0); t1" for people.
std::string to_string(const PartialTape& partial);

// The partial over any kind of number: inputs are x0.., y (those that it does not read may be
// empty), apply(fn, span of arguments) computes one function, make_const(double) makes a constant.
template <class Num, class ApplyFn, class MakeConst>
Num replay(const PartialTape& p, std::span<const Num> inputs, ApplyFn&& apply,
           MakeConst&& make_const) {
  std::array<Num, 4> few;  // most are short
  std::vector<Num> many(p.code.size() <= few.size() ? 0 : p.code.size());
  Num* const done = many.empty() ? few.data() : many.data();
  size_t n_done = 0;
  auto operand = [&](uint32_t i) -> Num {
    if (p.is_input(i)) return inputs[i];
    if (p.is_constant(i)) return make_const(p.constants[i - p.first_constant()]);
    return done[i - p.first_result()];
  };
  for (const ScalarTape::Instruction& step : p.code) {
    const auto n = static_cast<size_t>(scalar_fn_info(step.fn).arity);
    std::array<Num, 3> args{};
    for (size_t k = 0; k < n; ++k) args[k] = operand(step.args[k]);
    done[n_done++] = apply(step.fn, std::span<const Num>(args.data(), n));
  }
  return operand(p.result);
}

}  // namespace tapegrad
