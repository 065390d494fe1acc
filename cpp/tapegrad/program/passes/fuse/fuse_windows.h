// Parts of arrays in kernels. A step that adds to a box of an array or writes one (slice_add,
// slice_set, pad_constant, concatenate) can be an instruction of a kernel over the whole array: a
// window (lanes/lane_window.h). What goes into the box is read where it stands
// (fuse_reads.h), so that the derivative of a stencil is one kernel and no pass over memory for
// each of its points.
#pragma once

#include "tapegrad/program/passes/fuse/fuse_reads.h"

namespace tapegrad {

class FuseWindows {
 public:
  struct Part {
    uint32_t read;
    LaneWindow window;
    bool adds;
    bool fills;    // the window, and reads -0.0 beside it
    double share;  // of the array
  };
  struct Step {
    ValueId base = no_value;     // else
    std::optional<double> fill;  // a number, else the first part
    std::vector<Part> parts;
    std::vector<ValueId> plain, shifted;  // all that is read, in the ways of FuseReads
    uint32_t chain = 0;                   // steps of which each is the base of the next
    bool is_large = false;                // has a part that is a good part of the array
    bool is_free = false;                 // reads nothing more than the chain before it
    double gain = 0;                      // ns per element of the array
  };

  FuseWindows(const Program& p, const std::vector<ValueId>& source);

  const Step* at(uint32_t step) const {
    return steps_.empty() || number_[step] == FuseReads::none ? nullptr : &steps_[number_[step]];
  }
  const FuseReads& reads() const { return reads_; }

 private:
  struct Chain {
    std::vector<ValueId> reads;
    uint32_t last_large = 0;  // into steps_
    bool has_large = false, is_cut = false;
    double gain = 0;
  };

  void choose();
  void weigh(Step& step) const;
  std::optional<Step> found(const Program::Step& s);
  bool set_base(Step& step, ValueId base);
  bool add_part(Step& step, ValueId v, const Box& box, bool adds);
  bool computes_most(const Step& step) const;
  bool update(Step& step, const Program::Step& s);
  bool pad(Step& step, const Program::Step& s);
  bool join(Step& step, const Program::Step& s);
  const Step* window_step(ValueId v) const;
  void list_reads(Step& step) const;

  const Program& p_;
  const std::vector<ValueId>& source_;
  FuseReads reads_;
  UniformConstants uniform_;
  std::vector<uint32_t> number_;  // by step
  std::vector<Step> steps_;
  std::vector<Chain> chains_;
  FuseReads::Space space_{};  // of the step at hand
};

}  // namespace tapegrad
