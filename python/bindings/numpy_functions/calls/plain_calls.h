#pragma once

#include <pybind11/pybind11.h>

#include "bindings/numpy_functions/calls/known_functions.h"

namespace tapegrad {

// A call of a function whose result is NumPy's own of the plain values, and of the method of the
// same name. A new reference; null without an error where there is no such function, or the package
// is to be asked.
PyObject* call_plain(const KnownFunction& known, PyObject* function, PyObject* const* args,
                     Py_ssize_t n, PyObject* names);
PyObject* call_plain_method(const KnownFunction& known, PyObject* const* args, Py_ssize_t n,
                            PyObject* names);

// _core.set_plain.
void bind_plain_calls(pybind11::module_& m);

}  // namespace tapegrad
