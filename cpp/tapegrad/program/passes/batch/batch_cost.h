// What a step costs a lane, as arrays and as scalars: rough, but they need only tell one from the
// other. Elementwise work is the same both ways, and not counted.
#pragma once

#include <vector>

#include "tapegrad/program/passes/batch/batch_axes.h"

namespace tapegrad {

struct BatchCost {
  double arrays = 0, scalars = 0;  // ns
  double instructions = 0;         // for scalars, before products are gathered into sums
  BatchCost& operator+=(const BatchCost& o) {
    arrays += o.arrays;
    scalars += o.scalars;
    instructions += o.instructions;
    return *this;
  }
};

class BatchCosts {
 public:
  BatchCosts(const Program& p, const BatchAxes& axes) : p_(p), axes_(axes) {}

  BatchCost of(const Program::Step& s) const;
  // Rows of lanes read from an array, or written to it.
  double rows(ValueId v) const;
  // Products of larger matrices, which stay what they are.
  bool is_large(const Program::Step& s) const;

  static bool is_product(uint16_t op);
  static bool reduces(uint16_t op);

 private:
  bool is_last(ValueId v) const { return axes_.axis(v) == p_.type_of(v).shape.ndim() - 1; }
  int64_t length(ValueId v, int from_end) const;
  std::vector<int64_t> matrix(const Program::Step& s) const;
  BatchCost product(const Program::Step& s) const;
  BatchCost system(const Program::Step& s) const;
  BatchCost per_lane(const Program::Step& s) const;

  const Program& p_;
  const BatchAxes& axes_;
};

}  // namespace tapegrad
