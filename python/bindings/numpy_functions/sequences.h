#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// _core.see_sequences, through which the package is asked about Variables inside lists.
void bind_sequences(pybind11::module_& m);

// Noted where a number becomes an element of an array of objects.
void see_element();

// Whether the code of NumPy's mean, variance or deviation asks a number for its dtype: it converts
// the result to that, which loses the derivative, and leaves a number without a dtype as it is.
bool is_asked_by_numpys_mean();

}  // namespace tapegrad
