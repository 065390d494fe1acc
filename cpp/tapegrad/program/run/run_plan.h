// The order in which a run takes the steps of a program, and when it lets go of each value.
#pragma once

#include <optional>

#include "tapegrad/program/program.h"

namespace tapegrad {

struct RunPlan {
  // Steps that wait for nothing but turns before this one.
  struct Turn {
    uint32_t first_step = 0, n_steps = 0;  // into steps
    uint32_t first_drop = 0, n_drops = 0;  // into drops: values that nothing reads any more
    bool together = false;                 // worth sharing out: a thread a step
  };

  std::vector<Turn> turns;
  std::vector<uint32_t> steps;  // each once
  std::vector<ValueId> drops;
  // By operand: its step is the last to read the value, so that it may overwrite it.
  std::vector<uint8_t> takes;
};

// One step after the other, as they stand. The first `n_owned` inputs may be overwritten too.
RunPlan plan_in_order(const Program& p, size_t n_owned = 0);

// Level by level, where enough of the work lies in levels of several steps that are too small to
// use threads inside; nothing where it does not.
std::optional<RunPlan> plan_together(const Program& p, size_t n_owned = 0);

// The most bytes that the arrays made by steps take at a time, by the lengths of their lives. Views
// count as what they show; inputs, captures and constants are somebody else's.
size_t peak_bytes(const Program& p, const RunPlan& plan);

}  // namespace tapegrad
