#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// Variable.__array_function__(func, types, args, kwargs), METH_FASTCALL.
PyObject* variable_array_function(PyObject* self, PyObject* const* args, Py_ssize_t n);

// _core.set_form and _core.method, through which the package declares its functions.
void bind_array_functions(pybind11::module_& m);

}  // namespace tapegrad
