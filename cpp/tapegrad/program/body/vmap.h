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

// The same of a recording, with what it captured. `of_sweep`: the recording is a derivative's
// sweep, whose plain inputs no user wrote. While a tracer is at work small arrays are taken apart
// first: their scalars become lanes of one kernel.
LanesResult replay_lanes(const Recording& r, std::vector<Ref> inputs,
                         std::span<const uint8_t> has_lanes, int64_t n, bool of_sweep);

}  // namespace tapegrad
