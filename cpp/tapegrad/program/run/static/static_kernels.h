// Kernels that a static plan makes of what is none in the program.
#pragma once

#include <optional>

#include "tapegrad/lanes/lane_kernel.h"
#include "tapegrad/program/program.h"

namespace tapegrad {

// A step that is a function of numbers alone, as a kernel of one instruction; nothing where it is
// not, or where it mixes dtypes.
std::optional<LaneKernel> kernel_of_step(const Program& p, const Program::Step& s);
// 1 for true and 0 for false, of one mask.
LaneKernel kernel_of_mask(DType numbers);
// The same of inputs that are picked already.
LaneKernel without_gathers(LaneKernel kernel);

}  // namespace tapegrad
