// A step of a loop's body for all turns at once: what is something else at each turn has a leading
// axis of turns.
#pragma once

#include <span>

#include "tapegrad/program/passes/edit.h"

namespace tapegrad {

// Whether there is such a step for this one. Bits stay, except that a product of each turn's row
// with the same matrix becomes one product of matrices.
bool can_be_at_once(const Program& p, const Program::Step& s);

// A new value with the axis of turns: repeated where it has none. `own`: its type in a turn.
ValueId with_turns(Edit& edit, const TensorType& own, ValueId v, int64_t turns);

// Writes it for step s of the program that is rewritten; returns its output. `in` are new values.
ValueId write_at_once(Edit& edit, const Program& p, const Program::Step& s,
                      std::span<const ValueId> in, int64_t turns);

}  // namespace tapegrad
