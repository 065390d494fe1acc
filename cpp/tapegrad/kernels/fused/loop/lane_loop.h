// A kernel that runs again and again over one short row of lanes: the body of a time loop. What one
// step hands to the next stays in two rows that trade places; nothing is allocated between steps.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/lanes/lane_kernel.h"

namespace tapegrad {

// The kernel's inputs are the carries, then the elements of series, then what is the same at every
// step; its outputs the next carries, then the elements of the resulting series. Each is a number
// (it stands in every lane) or an array of the space's shape.
struct LaneLoop {
  LaneKernel body;
  Dims space;
  uint32_t n_carry = 0;
  uint32_t n_series = 0;
  std::vector<uint8_t> is_row;  // by input, then by output

  size_t n_out() const { return body.outputs.size(); }
  bool in_is_row(size_t i) const { return is_row[i] != 0; }
  bool out_is_row(size_t k) const { return is_row[body.n_inputs + k] != 0; }
};

// One run of a loop.
struct LaneLoopCall {
  const LaneLoop& loop;
  std::span<const Value> inputs;
  int64_t length;
  bool reverse;
  std::span<Value> outputs;

  int64_t index(int64_t step) const { return reverse ? length - 1 - step : step; }
};

constexpr int64_t most_loop_lanes = 1024;  // a row_sum is one chunk

class LaneLoopProgram {
 public:
  explicit LaneLoopProgram(LaneLoop loop);
  ~LaneLoopProgram();
  LaneLoopProgram(const LaneLoopProgram&) = delete;
  LaneLoopProgram& operator=(const LaneLoopProgram&) = delete;

  const LaneLoop& loop() const;
  // What was compiled of it by now, an instruction a line.
  std::string machine_code() const;

  // Inputs: first carries, whole series with a leading axis of `length`, the rest. Outputs: last
  // carries, whole series. Step t reads and writes element t of the series, from the last to the
  // first where `reverse`.
  void run(std::span<const Value> inputs, int64_t length, bool reverse,
           std::span<Value> outputs) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace tapegrad
