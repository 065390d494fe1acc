// One run of a LanePlan.
#pragma once

#include <span>

#include "tapegrad/lanes/lane_plan.h"

namespace tapegrad {

// The space has elements, the inputs broadcast to it, and the pattern of uniform ones is that of
// the plan.
template <class T>
void run_lane_plan(const LaneKernel& kernel, const LanePlan<T>& plan, std::span<const Value> inputs,
                   std::span<const int64_t> space, std::span<Value> outputs);

// Memory for a result: that of `v` where it fits and nobody else reads it.
void make_lane_output(Value& v, DType dtype, std::span<const int64_t> shape);

}  // namespace tapegrad
