// A LaneLoop that only adds up series, each in the order of the steps: a row of sums stays in
// registers from the first step to the last.
#pragma once

#include <vector>

#include "tapegrad/kernels/fused/loop/lane_loop.h"

namespace tapegrad {

// Carry number k is the sum of series number `series[k]`. Empty where the loop does anything else.
std::vector<uint32_t> summed_series(const LaneLoop& loop);

// Returns false, and has done nothing, where series are of another dtype than the loop, or too long
// to be copied where their rows do not lie packed.
template <class T>
bool run_sums(const LaneLoopCall& call, const std::vector<uint32_t>& series);

}  // namespace tapegrad
