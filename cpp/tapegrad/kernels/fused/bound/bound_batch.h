// Bound kernels over a batch of few lanes (lanes/lane_batch.h).
#pragma once

#include <memory>

#include "tapegrad/kernels/fused/bound/bound_kernel.h"

namespace tapegrad {

// Inputs and results are the arrays of the batch, packed; null where one has another dtype than the
// kernel's or bool. What is computed over `lanes` lanes has the bits of LaneProgram::run.
std::unique_ptr<const BoundKernel> bind_batch(const LaneKernel& kernel, int64_t lanes);

}  // namespace tapegrad
