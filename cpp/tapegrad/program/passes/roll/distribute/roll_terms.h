// What a loop that is distributed adds up, turn by turn.
#pragma once

#include <vector>

#include "tapegrad/program/passes/roll/roll_cycles.h"
#include "tapegrad/program/scan/scan_products.h"

namespace tapegrad {

constexpr int64_t most_of_turn = most_ungathered;   // elements, of an array of a turn
constexpr int64_t most_at_once = int64_t{1} << 18;  // of one of all turns

// By step of the body: whether its results of all turns would be large, and one sum alone reads
// them, by itself or by steps of the same kind. The scan that adds them up makes them as it goes.
// `summand`: by step, the operand that a sum adds; made_outside where it is none.
std::vector<bool> terms_of_sums(const Program& p, const RolledLoop& loop, const LoopCycles& cycles,
                                const std::vector<uint32_t>& summand);

}  // namespace tapegrad
