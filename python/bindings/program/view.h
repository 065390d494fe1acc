#pragma once

#include <pybind11/pybind11.h>

#include "tapegrad/program/program.h"

namespace tapegrad {

// A program as plain data, for people and for what is written in Python: see _core.pyi.
pybind11::dict view_of(const Program& p);

// _core.replay_values and _core.step_times.
void bind_views(pybind11::module_& m);

}  // namespace tapegrad
