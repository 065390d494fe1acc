// A kernel compiled for one pattern of uniform inputs: a tape for what is the same for all lanes,
// steps over rows for the rest.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tapegrad/lanes/lane_kernel.h"
#include "tapegrad/lanes/lane_tape.h"
#include "tapegrad/rows/lane_steps.h"

namespace tapegrad {

// What a plan is made for: one bit for each input, set where it is uniform, and one more, set where
// the space is short: then what counts is not the cache but how well the next step can be guessed.
class InputBits {
 public:
  explicit InputBits(size_t n_inputs = 0) { reset(n_inputs); }
  void reset(size_t n_inputs) { words_.assign(n_inputs / 64 + 1, 0); }
  bool operator[](size_t i) const { return words_[i / 64] >> (i % 64) & 1; }
  void set(size_t i) { words_[i / 64] |= uint64_t{1} << (i % 64); }
  friend bool operator==(const InputBits&, const InputBits&) = default;

 private:
  std::vector<uint64_t> words_;
};

// Places are numbered: lane inputs, uniform operands, direct outputs, slots.
template <class T>
struct LanePlan {
  struct UniformOutput {
    uint32_t output, reg;
  };
  struct UniformInput {
    uint32_t input, reg;
  };

  // The registers of the tape begin with the constants.
  std::vector<T> constants;
  std::vector<UniformInput> uniform_inputs;
  std::vector<TapeStep> tape;
  uint32_t registers = 0;
  std::vector<UniformOutput> uniform_outputs;

  std::vector<LaneStep<T>> steps;
  std::vector<uint32_t> lists;          // operands of n-ary steps
  std::vector<uint32_t> lane_inputs;    // place k is input lane_inputs[k]
  std::vector<uint32_t> lane_uniforms;  // then registers
  std::vector<uint32_t> direct;         // then outputs that are written where they belong
  std::vector<uint32_t> sinks;          // outputs that are summed
  std::vector<uint32_t> once;           // in a batch: registers added to them, or no_place
  uint32_t slots = 0;                   // then rows of the block
  double ns = 0;                        // per lane

  size_t places() const {
    return lane_inputs.size() + lane_uniforms.size() + direct.size() + slots;
  }
};

template <class T>
std::unique_ptr<LanePlan<T>> make_lane_plan(const LaneKernel& kernel, const InputBits& uniform);

}  // namespace tapegrad
