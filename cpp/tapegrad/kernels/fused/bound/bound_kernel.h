// A fused kernel over a short space that is bound beforehand: a run is given where its arrays lie,
// allocates nothing and looks nothing up. What it computes has the bits of LaneProgram::run.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "tapegrad/lanes/lane_kernel.h"

namespace tapegrad {

constexpr int64_t most_bound_lanes = 4096;
// So many bytes behind each array may be read, and behind each result written.
constexpr size_t bound_slack = 64;

class BoundKernel {
 public:
  // Null where it can't be bound: inputs are packed arrays with the elements of the space, or of
  // any length where they stand beside it, or one number; of the kernel's dtype or bool. Inputs and
  // outputs of a kernel over a batch are its arrays.
  static std::unique_ptr<const BoundKernel> of(const LaneKernel& kernel, const Dims& space,
                                               std::span<const TensorType> inputs);
  virtual ~BoundKernel() = default;

  virtual size_t scratch_bytes() const = 0;
  // What was compiled of it by now, an instruction a line.
  virtual std::string machine_code() const = 0;
  // Once for each scratch memory, which is aligned to 64 bytes.
  virtual void set_up(char* scratch) const = 0;
  virtual void run(char* const* inputs, char* const* outputs, char* scratch) const = 0;
};

}  // namespace tapegrad
