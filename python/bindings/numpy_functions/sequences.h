#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

bool is_array_of_objects(PyObject* x);
// Whether there is a Variable inside of a list, a tuple or an array of objects.
bool hides_variable(PyObject* x);
// What the package makes of a call with such an argument; NotImplemented where it leaves the call
// to NumPy.
PyObject* call_with_hidden(PyObject* function, PyObject* const* args, Py_ssize_t n,
                           PyObject* names);

// _core.set_sequence_hook, through which the package is asked.
void bind_sequences(pybind11::module_& m);

// Noted where a number becomes an element of an array of objects.
void see_element();

// Whether the code of NumPy's mean, variance or deviation asks a number for its dtype: it converts
// the result to that, which loses the derivative, and leaves a number without a dtype as it is.
bool is_asked_by_numpys_mean();

}  // namespace tapegrad
