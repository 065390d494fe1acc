// A ScalarProgram is a short list of scalar functions in SSA form: how a partial derivative is
// written down, and what the lane interpreter runs. Operands are numbered: the inputs x0.. first,
// then the output y (so y is number n_inputs), then the constants, then one number for each
// instruction's result.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/scalar/scalar_fn.h"

namespace tapegrad {

struct ScalarProgram {
  struct Instruction {
    ScalarFn fn;
    std::array<uint8_t, 3> args;
  };

  static constexpr unsigned reads_output = 8;

  int n_inputs = 0;
  std::vector<double> constants;
  std::vector<Instruction> code;
  uint8_t result = 0;  // the operand that is the program's value

  // Facts, filled in by finish().
  std::vector<uint8_t>
      slots;  // where each instruction's result is kept; no slot of its own arguments
  int slot_count = 0;
  unsigned reads = 0;              // bit i: reads input i; bit 3: reads the output
  bool is_zero = false;            // identically zero
  std::optional<double> constant;  // the program's value where it is the same for all inputs
  // How the partial p is multiplied with what flows, c. Ordinarily zmul(c, p): 0 where c is 0.
  bool strong =
      false;  // as zmul(p, c), 0 where p is 0: a mask, and the factor c of zmul(c, p) itself
  bool is_mask = false;  // p is 0 or 1, made from data (where): the product is p ? c : 0

  int first_constant() const { return n_inputs + 1; }
  int first_temporary() const { return first_constant() + static_cast<int>(constants.size()); }
  int operand_count() const { return first_temporary() + static_cast<int>(code.size()); }
  bool is_input(int operand) const { return operand <= n_inputs; }
  double constant_of(int operand) const {
    return constants[static_cast<size_t>(operand - first_constant())];
  }

  void finish();
};

// The derivative of f by input i. Built once; may be read from any thread.
const ScalarProgram& partial_program(ScalarFn f, int i);

// "%3 = multiply(y, y); 1 - ..." for people.
std::string to_string(const ScalarProgram& program);

// Runs a program over any kind of number: inputs are x0.., y (those that it does not read may be
// empty), apply(fn, span of arguments) computes one function, make_const(double) makes a constant.
template <class Num, class ApplyFn, class MakeConst>
Num replay(const ScalarProgram& p, std::span<const Num> inputs, ApplyFn&& apply,
           MakeConst&& make_const) {
  std::vector<Num> done;
  done.reserve(p.code.size());
  auto operand = [&](int i) -> Num {
    if (p.is_input(i)) return inputs[static_cast<size_t>(i)];
    if (i < p.first_temporary()) return make_const(p.constant_of(i));
    return done[static_cast<size_t>(i - p.first_temporary())];
  };
  for (const ScalarProgram::Instruction& step : p.code) {
    const int n = scalar_fn_info(step.fn).arity;
    std::array<Num, 3> args{};
    for (int k = 0; k < n; ++k)
      args[static_cast<size_t>(k)] = operand(step.args[static_cast<size_t>(k)]);
    done.push_back(apply(step.fn, std::span<const Num>(args.data(), static_cast<size_t>(n))));
  }
  return operand(p.result);
}

}  // namespace tapegrad
