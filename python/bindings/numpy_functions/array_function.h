#pragma once

#include <pybind11/pybind11.h>

#include "bindings/numpy_functions/calls/known_functions.h"

namespace tapegrad {

// Variable.__array_function__(func, types, args, kwargs), METH_FASTCALL.
PyObject* variable_array_function(PyObject* self, PyObject* const* args, Py_ssize_t n);

// The call of a function in the form in which nearly all are written. A new reference; null without
// an error where there is no such form.
PyObject* call_form(const KnownFunction& known, PyObject* const* args, Py_ssize_t n,
                    PyObject* names);

// The call of a function by the package's own, which NumPy would reach by asking the Variables. A
// new reference; null without an error where there is none, or NumPy is to ask.
PyObject* call_implementation(const KnownFunction& known, PyObject* const* args, Py_ssize_t n,
                              PyObject* names);

// np.add.reduce(v) and the like as the function that it is; null as above.
PyObject* call_fold(PyObject* ufunc, PyObject* method, PyObject* const* args, Py_ssize_t n,
                    PyObject* names);

// _core.set_form and _core.method, through which the package declares its functions.
void bind_array_functions(pybind11::module_& m);

}  // namespace tapegrad
