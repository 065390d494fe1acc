// Fused kernels over arrays: a LaneKernel with its plans, ready to run.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "tapegrad/lanes/lane_kernel.h"

namespace tapegrad {

// A kernel made ready to run: superinstructions found, slots given out by liveness. Immutable; any
// thread may run it at any time.
class LaneProgram {
 public:
  explicit LaneProgram(LaneKernel kernel);
  ~LaneProgram();
  LaneProgram(const LaneProgram&) = delete;
  LaneProgram& operator=(const LaneProgram&) = delete;

  const LaneKernel& kernel() const;
  int slot_count() const;
  // What was compiled by now of its plans, an instruction a line; "" where all is interpreted.
  std::string machine_code() const;

  // outputs[k] is made here, or its memory reused where it is an array of the right shape and dtype
  // that owns its buffer. Throws ValueError where an input does not broadcast to `space`.
  void run(std::span<const Value> inputs, std::span<const int64_t> space,
           std::span<Value> outputs) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace tapegrad
