// What repeats may be several loops, one after the other: the rows of a table, say. They are told
// apart by what each turn reads.
#pragma once

#include <optional>

#include "tapegrad/program/passes/roll/find/roll_find.h"

namespace tapegrad {

// Steps that agree by their signatures, `turns` times `period` of them.
struct Repetition {
  uint32_t first, period, turns;
};

struct StretchSearch {
  bool found = false;
  std::optional<uint32_t> first;  // where none was: a step with which turns had better begin
  uint32_t in_turn = 0;           // or how many of them had better be one
};

// Adds the loops of a repetition, in order. `uses`: by value, how often it is read. The time is
// linear in the number of steps.
StretchSearch find_in_stretch(const Program& p, const LongVector<uint32_t>& uses,
                              const Repetition& where, uint32_t least_turns, LoopKind kind,
                              std::vector<RolledLoop>& found);

}  // namespace tapegrad
