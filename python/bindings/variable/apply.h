#pragma once

#include <span>

#include "bindings/variable/variable_type.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {

// Applies `op` to Variables, numbers and arrays. A Variable comes back where one of them is one (a
// view of the first, where NumPy gives a view), else a plain value; several results as a tuple.
PyObject* apply_to_objects(const Op& op, std::span<PyObject* const> inputs, const Attrs& attrs);

// One mask of a function that is recorded: a number in Python or NumPy, whose powers by a whole
// number have another dtype than those of an array of masks.
bool is_one_mask(PyObject* o);
PyObject* power_of_mask(PyObject* mask, PyObject* exponent);

// The exponent of a power, a number of Python's instead of one of NumPy's where the NumPy at hand
// takes one for the other: before 2.3 x ** np.float64(2) is np.square(x), of the precision of x.
pybind11::object as_power_takes_it(PyObject* exponent, PyObject* base);

}  // namespace tapegrad
