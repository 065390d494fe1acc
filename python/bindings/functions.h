#pragma once

#include <pybind11/pybind11.h>

#include "tapegrad/tape/ref.h"

namespace tapegrad {

// What leaves for plain code: numbers and arrays, packed as NumPy's new ones are.
pybind11::object from_ref(Ref r, uint32_t scope = 0);

void bind_forwarding(pybind11::module_& m);
void bind_functions(pybind11::module_& m);
void bind_scope(pybind11::module_& m);
void bind_sgd(pybind11::module_& m);

// After all others: their refusals of wrong arguments name what is expected and what was given.
void say_what_is_expected(pybind11::module_& m);

}  // namespace tapegrad
