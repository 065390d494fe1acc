// Runs plans over arrays.
#pragma once

#include <span>

#include "tapegrad/lanes/lane_plan.h"

namespace tapegrad {

// The space has elements, the inputs broadcast to it, and the pattern of uniform ones is that of
// the plan.
template <class T>
void run_lane_plan(const LaneKernel& kernel, const LanePlan<T>& plan, std::span<const Value> inputs,
                   std::span<const int64_t> space, std::span<Value> outputs);

// Runs a plan that was made for a kernel over a batch of n lanes; `inputs` and `outputs` are the
// arrays of its LaneBatch.
template <class T>
void run_lane_batch(const LaneKernel& kernel, const LanePlan<T>& plan,
                    std::span<const Value> inputs, int64_t n, std::span<Value> outputs);

}  // namespace tapegrad
