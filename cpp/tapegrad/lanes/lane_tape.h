// The part of a kernel that is the same for all lanes (all of it, where the space has one element):
// a scalar tape over a file of registers.
#pragma once

#include <cstdint>
#include <vector>

#include "tapegrad/scalar/scalar_fn.h"

namespace tapegrad {

struct TapeStep {
  uint16_t code;  // what the interpreter switches on
  uint16_t fn;
  uint32_t out, a, b, c;  // registers
};

// Where a step's first or second operand is the result of the step before, it is taken from there
// and not through memory: chains of dependent steps then take an operation's latency and no more.
TapeStep make_tape_step(ScalarFn fn, uint32_t out, const uint32_t* args, uint32_t previous_out);
void finish_tape(std::vector<TapeStep>& tape);  // appends the end

// Same bits as eval_scalar.
template <class T>
void run_tape(const TapeStep* step, T* registers);

}  // namespace tapegrad
