// What repeats may be several loops, one after the other: the rows of a table, say. They are told
// apart by what each turn reads.
#pragma once

#include "tapegrad/program/passes/roll/roll_find.h"

namespace tapegrad {

// Steps that agree by their signatures, `turns` times `period` of them.
struct Repetition {
  uint32_t first, period, turns;
};

// Adds the loops of a repetition, in order; false where there are none. `uses`: by value, how often
// it is read. The time is linear in the number of steps.
bool find_in_stretch(const Program& p, const LongVector<uint32_t>& uses, const Repetition& where,
                     uint32_t least_turns, std::vector<RolledLoop>& found);

}  // namespace tapegrad
