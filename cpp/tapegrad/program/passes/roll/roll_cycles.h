// Which steps of a loop's body wait for one another from turn to turn, and which do not: what is in
// no cycle could be made for all turns at once.
#pragma once

#include "tapegrad/program/passes/roll/find/roll_find.h"

namespace tapegrad {

// A strongly connected component of a body: a step reads what the turn before made, that the step
// before that, and so on until it comes back. Components come before those that read of them.
struct LoopCycles {
  std::vector<uint32_t> of;  // by step of the body: its component
  std::vector<bool> recurs;  // by component: whether there is a cycle at all
  bool recurs_at(uint32_t k) const { return recurs[of[k]]; }
};

// The time is linear in the steps of the body and their operands.
LoopCycles cycles_of(const Program& p, const RolledLoop& loop);

// The step of the body, in this turn or one before, that makes an operand; none if it is made
// outside.
inline constexpr uint32_t made_outside = ~uint32_t{0};
uint32_t source_in_body(const Program& p, const RolledLoop& loop, uint32_t k, uint32_t a);

}  // namespace tapegrad
