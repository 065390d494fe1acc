#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// _core.Tracer, _core.Recording and _core.Program: what tg.compile is made of.
void bind_programs(pybind11::module_& m);

}  // namespace tapegrad
