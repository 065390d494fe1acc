// Sums that the turns of a loop take, each adding to what the turn before made.
#pragma once

#include <functional>
#include <vector>

#include "tapegrad/program/passes/roll/roll_cycles.h"

namespace tapegrad {

struct SumChains {
  // Steps that add something to what they made in the turn before, or take it away, which no other
  // step reads; or several such steps, of which each reads the one before, and the first the last.
  std::vector<std::vector<uint32_t>> chains;
  std::vector<uint32_t> of;       // by step: its chain, or made_outside
  std::vector<uint32_t> summand;  // by step: the operand that it adds, or made_outside
};

// `is_run`: whether an operand from outside, of a step, lies evenly in the turns.
SumChains chains_of_sums(const Program& p, const RolledLoop& loop,
                         const std::function<bool(uint32_t k, uint32_t a)>& is_run);

}  // namespace tapegrad
