#pragma once

#include "bindings/variable/variable_type.h"

// Flags and whole numbers are Variables only while a whole function is recorded. Their arithmetic
// is NumPy's: it stays among whole numbers.

namespace tapegrad {

// Whether fn(a, b), b null for functions of one number, is such arithmetic.
bool is_arithmetic_on_data(ScalarFn fn, PyObject* a, PyObject* b);

// Its result: recorded where an operation does the same, else NumPy's own of the plain values.
PyObject* apply_to_data(ScalarFn fn, PyObject* a, PyObject* b);

// The same for comparisons where an operand has whole numbers of 64 bits.
bool is_comparison_of_wide_data(ScalarFn fn, PyObject* a, PyObject* b);
PyObject* compare_data(ScalarFn fn, PyObject* a, PyObject* b);

bool is_mask(PyObject* o);

// NumPy's function of this name, where its operands are flags and whole numbers, plain; else
// NotImplemented.
PyObject* apply_plain(const char* name, PyObject* a, PyObject* b = nullptr);

}  // namespace tapegrad
