// How one long axis runs through a program: which steps can be applied to each of its positions (a
// lane) alone, and what they are for one lane or for a few. The program of one lane is the program
// with that axis of length 1: axes keep their numbers, and so do most attributes.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {

class BatchAxes {
 public:
  // A value has the axis at a place from 0 on; or it is one of these.
  static constexpr int uniform = -1;  // nowhere
  static constexpr int summed = -2;   // a step that was taken added over it: the sum may be open
  static constexpr int mixed = -3;    // twice

  BatchAxes(const Program& p, int64_t n);

  int64_t n() const { return n_; }
  DType dtype() const { return dtype_; }
  int axis(ValueId v) const { return axis_[v]; }
  bool has_lanes(ValueId v) const { return axis_[v] >= 0; }
  // How many numbers a lane has of v.
  int64_t elements(ValueId v) const {
    return element_count(p_.type_of(v).shape) / (has_lanes(v) ? n_ : 1);
  }

  // Whether step i works on each lane alone; its outputs then have the axis, or are summed. Else
  // what it makes are arrays like any other.
  bool take(uint32_t i);
  void leave(uint32_t i);
  bool is_taken(uint32_t i) const { return how_[i] != How::whole; }
  bool adds_over_lanes(uint32_t i) const { return how_[i] == How::sum; }
  // It reads open sums, and does nothing but move and add their elements.
  bool goes_on_with_sums(uint32_t i) const { return how_[i] == How::on_sums; }

  // The program of `count` lanes. Constants that have the axis count as captured.
  Program of_lanes(int64_t count) const;
  Program of_one_lane() const { return of_lanes(1); }

 private:
  enum class How : uint8_t { whole, lanes, sum, on_sums };
  int guess(ValueId v) const;
  TensorType lane_type(ValueId v, int axis, int64_t count) const;
  bool dtypes_fit(const Program::Step& s) const;
  bool keeps_lanes_apart(const Program::Step& s) const;
  bool are_stacked(const Program::Step& s) const;
  bool has_constant_indices(const Program::Step& s) const;
  bool einsum_agrees(const Program::Step& s) const;
  bool is_linear_in_sums(const Program::Step& s) const;
  // Op and attributes for `count` lanes.
  std::optional<std::pair<uint16_t, Attrs>> for_lanes(const Program::Step& s, int64_t count) const;
  // The types that it makes then; none where the lanes do not line up.
  std::optional<std::vector<TensorType>> made(const Program::Step& s, int64_t count) const;
  bool are_side_by_side(const Program::Step& s, int axis) const;
  bool works_on_several(const Program::Step& s, std::span<const int> axes) const;
  std::optional<Attrs> with_code(const Program::Step& s, int64_t count) const;
  std::optional<int> axis_after_reshape(const Program::Step& s) const;
  std::optional<int> axis_after(const Program::Step& s, uint32_t output,
                                const TensorType& lane) const;
  bool finish(uint32_t i, How how, std::span<const int> axes);

  const Program& p_;
  const int64_t n_;
  int64_t several_ = 2;  // a length that no axis has
  DType dtype_ = DType::float64;
  std::vector<int> axis_;  // by value
  std::vector<How> how_;   // by step
};

}  // namespace tapegrad
