// The one planner of scalar tapes: which instructions are needed, which are the same for all lanes
// (registers), which of the others are run together, and where each result is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/lanes/interpreter.h"
#include "tapegrad/lanes/lane_kernel.h"

namespace tapegrad {

// A plan is made for these: one bit for each input, set where it is uniform, and one more, set
// where the space is short. What counts then is not the cache but how well the next step can be
// guessed.
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

// A kernel planned for one pattern of uniform inputs. Places are numbered: lane inputs, uniform
// operands (block.numbers), direct outputs, slots.
template <class T>
struct LanePlan {
  RegisterCode<T> uniform;  // what is the same for all lanes
  BlockCode<T> block;       // the rest

  std::vector<uint32_t> lane_inputs;  // place k is input lane_inputs[k]
  std::vector<uint32_t> direct;       // then outputs that are written where they belong
  std::vector<uint32_t> sinks;        // outputs that are summed
  std::vector<uint32_t> once;         // in a batch: registers added to them, or no_place
  uint32_t slots = 0;                 // then rows of the block,
  uint32_t spare = 0;                 // and some that machine code may hand on more
  uint32_t live = 0;                  // so many rows at most are still needed after a step
  double ns = 0;                      // per lane

  uint32_t rows() const { return slots + spare; }
  size_t places() const {
    return lane_inputs.size() + block.numbers.size() + direct.size() + rows();
  }
};

// What was compiled of it by now, an instruction a line.
template <class T>
std::string machine_code_of(const LanePlan<T>& plan);

template <class T>
std::unique_ptr<LanePlan<T>> make_lane_plan(const LaneKernel& kernel, const InputBits& uniform);

// A tape planned for one element. Instructions of a kind are brought together where the tape is
// long (the processor then guesses the next step), unless the order is to be kept: in a loop of few
// instructions each waits for the one before, and what comes next is known anyway.
template <class T>
RegisterCode<T> make_register_code(const ScalarTape& tape, std::span<const uint32_t> outputs,
                                   bool keep_order);

}  // namespace tapegrad
