#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// Universal functions of other libraries, which run by their own loops.
void bind_foreign(pybind11::module_& m);

// f of these operands.
PyObject* apply_foreign(PyObject* f, PyObject* const* operands, Py_ssize_t n);

// np.sin(v) and the like on Variables take a short way; so does what is added here: a universal
// function that is the op of this number, or what `foreign` applies.
void add_to_ufunc_table(PyObject* ufunc, int fn, PyObject* foreign);

}  // namespace tapegrad
