#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

void bind_bodies(pybind11::module_& m);

}  // namespace tapegrad
