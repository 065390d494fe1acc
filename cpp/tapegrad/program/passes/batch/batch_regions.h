// Steps that hand positions of an axis to one another, or read the same, are a region; where a path
// leaves it and comes back, a later *stage* begins, so that regions can't wait for one another in a
// circle: for the passes that work along an axis (batch.cpp, tiles.cpp).
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "tapegrad/program/passes/batch/batch_axes.h"

namespace tapegrad {

class BatchRegions {
 public:
  explicit BatchRegions(const Program& p)
      : p_(p), stage_(p.steps.size(), 0), parent_(p.steps.size()), reader_(p.values.size(), none) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  // The step that stands for the region of step i.
  uint32_t root(uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  const std::vector<uint32_t>& stages() const { return stage_; }

  // `continues(v)`: whether step i goes on with what made v, position by position.
  template <class Continues>
  uint32_t stage_of(const BatchAxes& axes, uint32_t i, Continues continues) const {
    uint32_t stage = 0;
    for (ValueId v : p_.in(p_.steps[i])) {
      if (p_.values[v].source != Source::step) continue;
      const uint32_t from = p_.values[v].index;
      stage = std::max(stage, stage_[from] + (axes.is_taken(from) && !continues(v) ? 1 : 0));
    }
    return stage;
  }

  // Steps come in order, each after it was taken or left.
  template <class Continues>
  void add(const BatchAxes& axes, uint32_t i, Continues continues) {
    stage_[i] = stage_of(axes, i, continues);
    if (!axes.is_taken(i)) return;
    for (ValueId v : p_.in(p_.steps[i])) {
      if (continues(v)) {
        parent_[root(i)] = root(p_.values[v].index);
      } else if (axes.has_lanes(v) && !p_.is_constant(v)) {
        if (reader_[v] == none) reader_[v] = i;
        parent_[root(i)] = root(reader_[v]);
      }
    }
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};

  const Program& p_;
  std::vector<uint32_t> stage_, parent_;  // by step
  std::vector<uint32_t> reader_;          // by value: the first that reads positions of an array
};

}  // namespace tapegrad
