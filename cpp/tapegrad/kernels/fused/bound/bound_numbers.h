#pragma once

#include "tapegrad/kernels/fused/bound/bound_kernel.h"

namespace tapegrad {

// Binds a kernel over a batch of one lane, to which small arrays were taken apart: a scalar tape
// that reads and writes their elements where they lie. Null where arrays have lanes, or other
// dtypes than the kernel's and bool. Its inputs and outputs are the arrays.
std::unique_ptr<const BoundKernel> bind_numbers(const LaneKernel& kernel);

}  // namespace tapegrad
