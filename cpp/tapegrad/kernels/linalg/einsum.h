#pragma once

#include <algorithm>
#include <vector>

#include "tapegrad/base/value.h"

namespace tapegrad {

inline bool has_label(const std::vector<int>& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

// An EinsumTerm is an operand of a contraction: `value` has an axis for each label, and no label
// occurs twice.
struct EinsumTerm {
  Value value;
  std::vector<int> labels;
};

// The labels of two terms are sorted into those that both have and `kept` too (batch), those that
// both have alone (summed), and those that only one has. The terms change places where `order`
// wants the second's before the first's. Where nothing is summed, `batch` holds all labels.
struct EinsumPair {
  std::vector<int> batch, summed, a_only, b_only;
  bool swapped = false;
};
EinsumPair pair_labels(const std::vector<int>& a, const std::vector<int>& b,
                       const std::vector<int>& kept, const std::vector<int>& order);

// Sums a term over the axes of `summed`.
EinsumTerm sum_labels(const EinsumTerm& a, const std::vector<int>& summed);

// Returns the product of two terms, summed over the labels that both have and `kept` lacks. Labels
// that only one of them has must be kept. `order` is how the result's labels are wanted; it is
// followed where that costs nothing.
EinsumTerm contract(const EinsumTerm& a, const EinsumTerm& b, const std::vector<int>& kept,
                    const std::vector<int>& order);

}  // namespace tapegrad
