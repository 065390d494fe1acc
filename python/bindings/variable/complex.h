#pragma once

#include <Python.h>

#include <initializer_list>

// The core computes with real numbers. What meets a complex one goes to the package
// `tapegrad.complex`, where a complex array is a pair of real Variables.

namespace tapegrad {

// Whether it is a complex number or array, plain or of Variables.
bool is_complex(PyObject* object);

// Whether it is a pair of Variables.
bool is_complex_variable(PyObject* object);
// Its real part, a new reference.
PyObject* real_part(PyObject* pair);

// Whether there is one in a nesting of tuples, lists and dicts, or a complex dtype asks for one.
bool holds_complex(PyObject* arguments);

// NumPy's universal function of this name.
PyObject* apply_to_complex(const char* ufunc, std::initializer_list<PyObject*> operands);

// `tapegrad.complex.dispatch.<function>(arguments...)`, a new reference.
PyObject* call_complex(const char* function, std::initializer_list<PyObject*> arguments);

// The class of pairs, once the package was imported.
void set_complex_type(PyObject* type);

}  // namespace tapegrad
