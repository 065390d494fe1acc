#pragma once

#include <span>
#include <vector>

#include "tapegrad/program/program.h"

namespace tapegrad {

// Where the time of a program goes: nanoseconds of each step, the least of `runs` runs. Steps run
// one after the other, each with operands that others hold too, so that a step which could
// overwrite one in a real run copies it here.
std::vector<double> step_times(const Program& p, std::span<const Value> inputs,
                               std::span<const Value> captures, int runs);

}  // namespace tapegrad
