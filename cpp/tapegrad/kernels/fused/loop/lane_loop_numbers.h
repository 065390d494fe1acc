// A LaneLoop over a single lane: a scalar tape that runs again and again over a few registers.
#pragma once

#include "tapegrad/kernels/fused/loop/lane_loop.h"
#include "tapegrad/lanes/lane_plan.h"

namespace tapegrad {

// `plan` is made with every input uniform.
template <class T>
void run_number_loop(const LaneLoopCall& call, const LanePlan<T>& plan);

}  // namespace tapegrad
