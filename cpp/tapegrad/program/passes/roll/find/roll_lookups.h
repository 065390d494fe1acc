#pragma once

#include <optional>

#include "tapegrad/program/program.h"

namespace tapegrad {

// Where data say what is looked up (w[labels[t]]), equal lookups have become one step of some turn,
// and turns that read it are no longer like others. Tables of which this holds have their lookups
// right behind them here: no step of any turn, but a series that turns read. Nothing where there
// are none.
std::optional<Program> lookups_before_loops(const Program& p);

}  // namespace tapegrad
