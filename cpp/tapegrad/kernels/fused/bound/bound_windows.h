// Windows of short kernels as masks: what is the same at each run is looked up once.
#pragma once

#include <vector>

#include "tapegrad/lanes/lane_kernel.h"

namespace tapegrad {

// A kernel without windows: behind its own inputs it reads a mask of each, which is 1 at the lanes
// within and 0 beside them, and selects.
struct MaskedKernel {
  LaneKernel kernel;
  std::vector<LaneWindow> masks;
};

MaskedKernel windows_as_masks(const LaneKernel& kernel);

}  // namespace tapegrad
