// A scalar tape: scalar functions in the order in which they are applied, each result written once
// (SSA). Everything that runs scalar code speaks of it in this one form: partial derivatives, fused
// kernels, bodies of loops, training steps. Operands are numbered: the inputs first, then the
// constants, then one number for each instruction's result.
//
// A tape says what is computed. In which registers and rows it happens is planned in lanes/, and
// lanes/interpreter.h runs the plan.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {

struct ScalarTape {
  struct Instruction {
    ScalarFn fn;
    std::array<uint32_t, 3> args;  // operands; those past the arity are 0
    friend bool operator==(const Instruction&, const Instruction&) = default;
  };

  uint32_t n_inputs = 0;
  std::vector<double> constants;
  std::vector<Instruction> code;

  uint32_t first_constant() const { return n_inputs; }
  uint32_t first_result() const { return n_inputs + static_cast<uint32_t>(constants.size()); }
  bool is_input(uint32_t operand) const { return operand < n_inputs; }
  bool is_constant(uint32_t operand) const {
    return operand >= first_constant() && operand < first_result();
  }

  // Appends an instruction and gives the number of its result. The constants must be complete.
  uint32_t add(ScalarFn fn, std::array<uint32_t, 3> args) {
    code.push_back({fn, args});
    return first_result() + static_cast<uint32_t>(code.size()) - 1;
  }
};

}  // namespace tapegrad
