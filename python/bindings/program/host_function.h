// A function written in Python as one operation: `tg.primitive`.
#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

void bind_host_functions(pybind11::module_& m);

}  // namespace tapegrad
