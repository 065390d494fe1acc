#pragma once

#include <memory>

#include "tapegrad/kernels/fused/loop/lane_loop.h"
#include "tapegrad/program/program.h"

namespace tapegrad {

// The body of a scan as one kernel over a short row of lanes. Bits are those of its steps.
class LaneBody {
 public:
  LaneBody(LaneLoop loop, std::vector<Value> constants)
      : program_(std::move(loop)), constants_(std::move(constants)) {}

  const LaneLoop& loop() const { return program_.loop(); }
  std::string machine_code() const { return program_.machine_code(); }
  // Inputs and outputs of the scan.
  void run(std::span<const Value> inputs, int64_t length, bool reverse,
           std::span<Value> outputs) const;

 private:
  LaneLoopProgram program_;
  std::vector<Value> constants_;  // arrays: inputs behind those of the scan
};

// Null where the body is more than elementwise steps over one shape, sums of it to a number, and
// numbers.
std::shared_ptr<const LaneBody> as_lane_body(const Program& body, size_t n_carry, size_t n_series);

}  // namespace tapegrad
