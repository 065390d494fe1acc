#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

void bind_forwarding(pybind11::module_& m);
void bind_functions(pybind11::module_& m);
void bind_scope(pybind11::module_& m);
void bind_sgd(pybind11::module_& m);

}  // namespace tapegrad
