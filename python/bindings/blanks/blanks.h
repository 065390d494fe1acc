#pragma once

#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace tapegrad {

// The blocks in which NumPy's creation functions make arrays that take Variables
// (tapegrad/transforms/blanks.py), such arrays, and those of no axes.
void bind_blanks(py::module_& m);

// f(*args, **kwargs) in a block of the package's, where it may create arrays.
py::object call_with_blanks(const py::object& f, const py::tuple& args, const py::dict& kwargs);

}  // namespace tapegrad
