#pragma once

#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace tapegrad {

// The blocks in which NumPy's creation functions make arrays that take Variables
// (tapegrad/transforms/blanks.py), such arrays, and those of no axes.
void bind_blanks(py::module_& m);

}  // namespace tapegrad
