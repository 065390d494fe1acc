#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// _core.take_entry.
void bind_entries(pybind11::module_& m);

}  // namespace tapegrad
