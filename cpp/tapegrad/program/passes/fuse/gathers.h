// What the passes that look at gathers ask of them.
#pragma once

#include <vector>

#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {

inline bool is_gather(const Program::Step& s) {
  return s.kernel < 0 && s.op == known_ops().gather && !s.held;
}

// The axis that a gather takes by its one index array, where it takes the others whole; or -1.
int taken_axis(const Program& p, const Program::Step& s);

// By value: how many steps read it, and read_outside more for each output or guard that it is.
constexpr uint32_t read_outside = 1u << 24;
std::vector<uint32_t> count_readers(const Program& p);

}  // namespace tapegrad
