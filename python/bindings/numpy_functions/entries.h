#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// Whether NumPy asks it what a function does: its class answers for itself, as Variables do.
bool is_asked(PyObject* x);

// _core.take_entry.
void bind_entries(pybind11::module_& m);

}  // namespace tapegrad
