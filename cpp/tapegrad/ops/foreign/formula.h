#pragma once

#include <span>
#include <vector>

#include "tapegrad/tape/ref.h"

namespace tapegrad {

// A short composition of ops, written down once and applied to Refs. Operands are numbered: the
// inputs first, then the constants, then the outputs of each step.
struct Formula {
  struct Step {
    const Op* op = nullptr;
    Attrs attrs;
    std::vector<uint32_t> args;
    uint32_t first_out = 0;  // the number of its first output
  };

  uint32_t n_inputs = 0;
  std::vector<double> constants;
  std::vector<Step> steps;
  uint32_t result = 0;

  bool reads(uint32_t input) const;
  // Inputs that it does not read may be empty. Constants are of this dtype.
  Ref at(std::span<const Ref> inputs, DType dtype) const;
};

}  // namespace tapegrad
