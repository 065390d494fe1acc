// A kernel does gathers itself, as it reads their elements, where it alone reads the result and
// there is one index array along one axis.
#pragma once

#include "tapegrad/program/passes/fuse/fuse_plan.h"

namespace tapegrad {

class FusedGathers {
 public:
  FusedGathers(const Program& p, const FusePlan& plan);

  // The gather that makes v where its kernel does it, or none.
  uint32_t of(ValueId v) const {
    const Program::ValueInfo& info = p_.values[v];
    return info.source == Source::step && axis_[info.index] >= 0 ? info.index : FusePlan::none;
  }
  int axis(uint32_t step) const { return axis_[step]; }

 private:
  const Program& p_;
  std::vector<int> axis_;  // by step; -1 where it is none of these
};

}  // namespace tapegrad
