#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// An operand of a contraction: an axis of `value` for each label, no label twice.
struct EinsumTerm {
  Value value;
  std::vector<int> labels;
};

// Sums over the axes of `summed`.
EinsumTerm sum_labels(const EinsumTerm& a, const std::vector<int>& summed);

// The product of two terms summed over the labels that both have and `kept` lacks. Labels that only
// one of them has must be kept. `order` is how the result's labels are wanted; it is followed where
// that costs nothing.
EinsumTerm contract(const EinsumTerm& a, const EinsumTerm& b, const std::vector<int>& kept,
                    const std::vector<int>& order);

}  // namespace tapegrad
