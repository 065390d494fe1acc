#pragma once

#include "tapegrad/sweep/reverse_sweep.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {

// This is the VjpContext of one node in a reverse sweep.
class ReverseRule final : public VjpContext {
 public:
  ReverseRule(ReverseSweep& sweep, size_t pos, const Node& node, const Op& op);

  bool needs(int i) const override { return to_[static_cast<size_t>(i)] >= 0; }
  Ref in(int i) const override;
  Ref out(int j) const override;
  TensorType in_type(int i) const override;
  TensorType out_type(int j) const override;
  bool has_ct(int j) const override;
  Ref ct(int j) const override;
  Ref take_ct(int j) override;
  void add(int i, Ref contribution) override;
  void add_in_place(int i, const Op& op, const Attrs& attrs, std::vector<Ref> rest) override;

 private:
  ReverseSweep& sweep_;
  size_t pos_;
  const Node& node_;
  const Op& op_;
  std::span<const int32_t> to_;
  Ref ct_;                // of an op with one output
  std::vector<Ref> cts_;  // of another
};

// The rules of either sweep read a node through these.
Ref read_input(Tape& tape, const Node& node, const Op& op, int i, bool recorded);
Ref read_output(Tape& tape, uint32_t slot, const Op& op, int j, bool recorded);
const Attrs& attrs_of(const Node& node);

}  // namespace tapegrad
