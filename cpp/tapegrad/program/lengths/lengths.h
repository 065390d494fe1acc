// A function recorded at two sets of lengths becomes a program for further ones. Nothing is guessed
// from one length to the next: types follow from `infer`, step by step, and what else differs
// between the two recordings (a shape among the attributes, a count among the constants) must be
// explained by lengths that are known at that step:
//
//   - it is a length or a number of elements in both recordings;
//   - or such a length plus the same number (the -1 of x[1:]);
//   - or a multiple of an input's length, or the sum of two inputs' lengths.
//
// Arrays are uniform, or 0, 1, 2 ... to a length where a rule made them.
//
// Where two explanations give different answers, where an axis shrinks to 1 or 0 (rules treat those
// by themselves) and where two lengths that were different become equal, there is no program, and
// the function has to be recorded.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/program/record.h"

namespace tapegrad {

class Lengths {
 public:
  // Returns nothing, and says why, where the two recordings differ in more than lengths.
  static std::optional<Lengths> between(Recording a, Recording b, std::string& why);

  // Returns what recording the function for inputs of these types would give; nothing, and why,
  // where that can't be known.
  std::optional<Recording> at(std::span<const TensorType> inputs, std::string& why) const;

  // Returns for each input the numbers of the free lengths of its axes, -1 where the length is
  // fixed.
  std::vector<std::vector<int>> free_axes() const;

 private:
  Lengths(Recording a, Recording b) : a_(std::move(a)), b_(std::move(b)) {}

  Recording a_, b_;
};

}  // namespace tapegrad
