#pragma once

#include "tapegrad/program/record.h"

namespace tapegrad {

// Applies the recorded function of one lane to many: inputs whose flag is set have a leading axis
// of n lanes. What is the same for all lanes is computed once. Throws ValueError where a guard does
// not hold in every lane.
struct LanesResult {
  std::vector<Ref> outputs;
  std::vector<uint8_t> has_lanes;  // of each output
};
LanesResult replay_lanes(const Program& p, std::span<const Ref> inputs,
                         std::span<const uint8_t> has_lanes, std::span<const Ref> captures,
                         int64_t n);

}  // namespace tapegrad
