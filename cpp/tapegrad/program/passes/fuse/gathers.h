// What the passes that look at gathers ask of them.
#pragma once

#include <vector>

#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {

inline bool reads_by_arrays(const Op& op) {
  return op.key == KeyKind::arrays && op.update == UpdateKind::none;
}

inline bool is_gather(const Program::Step& s) {
  return s.kernel < 0 && !s.held && reads_by_arrays(op_by_id(s.op));
}

// The axis that a gather takes by its one index array, where it takes the others whole; or -1.
int taken_axis(const Program& p, const Program::Step& s);

// The number of steps that read each value, and read_outside more for each output or guard that it
// is.
constexpr uint32_t read_outside = 1u << 24;
std::vector<uint32_t> count_readers(const Program& p);

}  // namespace tapegrad
