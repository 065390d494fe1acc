#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// _core.Replayer and the parts that it looks at: the way of a call of a compiled function to its
// program without Python.
void bind_replay(pybind11::module_& m);

}  // namespace tapegrad
