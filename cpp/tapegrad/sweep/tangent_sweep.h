#pragma once

#include <vector>

#include "tapegrad/sweep/schedule.h"
#include "tapegrad/tape/ref.h"

namespace tapegrad {

// In the tangent sweep tangents flow from targets to outputs, in ascending sequence.
class TangentSweep {
 public:
  TangentSweep() = default;
  TangentSweep(const TangentSweep&) = delete;
  TangentSweep& operator=(const TangentSweep&) = delete;

  void start(const Schedule& schedule, bool recorded);
  void seed(int32_t pos, Ref tangent);
  void run();
  void finish();  // lets go of every tangent
  bool has_tangent(int32_t pos) const { return pos >= 0 && present_[static_cast<size_t>(pos)]; }
  Ref tangent(int32_t pos) const { return tangents_[static_cast<size_t>(pos)]; }

 private:
  friend class TangentRule;
  void process(size_t pos);
  void process_scalar(size_t pos, const Node& n);
  void process_elementwise(size_t pos, const Node& n);
  void process_rule(size_t pos, const Node& n);
  void set(size_t pos, Ref tangent);

  const Schedule* schedule_ = nullptr;
  Tape* tape_ = nullptr;
  bool recorded_ = false;
  std::vector<uint8_t> present_;
  std::vector<Ref> tangents_;
  std::vector<uint32_t> pending_uses_;
  std::vector<std::vector<Ref>> outputs_;  // tangents of ops with several outputs, by position
  std::vector<std::vector<uint8_t>> has_output_;
};

}  // namespace tapegrad
