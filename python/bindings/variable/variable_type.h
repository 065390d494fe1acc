#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "tapegrad/autodiff/variable.h"
#include "tapegrad/scalar/scalar_fn.h"

// Variable is the one hot class: a heap type written against the C API, so that an operation on two
// scalars costs tens of nanoseconds. Every entry point catches C++ exceptions (guard) and turns
// them into Python's.

namespace tapegrad {

struct PyVariable {
  PyObject_HEAD Cell* cell;
  PyObject* weak_references;
};

extern PyTypeObject* variable_type;

inline bool is_variable(PyObject* o) {
  return Py_TYPE(o) == variable_type || PyType_IsSubtype(Py_TYPE(o), variable_type);
}
inline Cell& variable_cell(PyObject* o) { return *reinterpret_cast<PyVariable*>(o)->cell; }

// A new Variable object that takes over one count of the cell.
PyObject* new_variable(Cell* cell);
inline PyObject* new_variable(Ref ref) { return new_variable(Cell::from(std::move(ref))); }

// Sets the Python error for the exception in flight.
void set_python_error();

template <class F>
PyObject* guard(F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}
template <class F>
int guard_int(F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_python_error();
    return -1;
  }
}

// The plain content, for code that may act on it: a whole function that is being recorded takes the
// same path again only while this stays what it is.
Value learned_value(PyObject* variable);

// Plain code learns lengths, or gets an error that may come of them.
void note_lengths_read();
// The same, of this Variable's axes: a recording then holds for these lengths alone.
void note_lengths_read(PyObject* variable);

// Whether it is a Python float of a function that is being recorded (Tracer::is_weak).
bool is_weak(PyObject* variable);
// `result` of operands, weak where they are: arithmetic of Python's own numbers gives one.
PyObject* as_weak_as(PyObject* result, PyObject* a, PyObject* b = nullptr);
// It is seen as a float64, which a Python float is not.
void note_weakness_lost(PyObject* variable);

// Whether it holds flags or whole numbers, as only a function that is being recorded has in
// Variables.
bool is_recorded_data(PyObject* variable);

// Parts of the type, each in a file.
extern PyMethodDef variable_methods[];
extern PyGetSetDef variable_attributes[];
PyObject* variable_array_ufunc(PyObject* self, PyObject* const* args, Py_ssize_t n,
                               PyObject* names);
void fill_ufunc_table();
std::vector<PyMethodDef> unary_methods();
PyObject* number_add(PyObject*, PyObject*);
PyObject* number_subtract(PyObject*, PyObject*);
PyObject* number_multiply(PyObject*, PyObject*);
PyObject* number_true_divide(PyObject*, PyObject*);
PyObject* number_floor_divide(PyObject*, PyObject*);
PyObject* number_remainder(PyObject*, PyObject*);
PyObject* number_power(PyObject*, PyObject*, PyObject*);
PyObject* number_matmul(PyObject*, PyObject*);
PyObject* number_lshift(PyObject*, PyObject*);
PyObject* number_rshift(PyObject*, PyObject*);
PyObject* number_divmod(PyObject*, PyObject*);
PyObject* number_negative(PyObject*);
PyObject* number_positive(PyObject*);
PyObject* number_absolute(PyObject*);
PyObject* number_invert(PyObject*);
PyObject* number_and(PyObject*, PyObject*);
PyObject* number_or(PyObject*, PyObject*);
PyObject* number_xor(PyObject*, PyObject*);
PyObject* apply_elementwise(ScalarFn fn, PyObject* a, PyObject* b);
PyObject* number_inplace_add(PyObject*, PyObject*);
PyObject* number_inplace_subtract(PyObject*, PyObject*);
PyObject* number_inplace_multiply(PyObject*, PyObject*);
PyObject* number_inplace_divide(PyObject*, PyObject*);
PyObject* number_inplace_floor_divide(PyObject*, PyObject*);
PyObject* number_inplace_remainder(PyObject*, PyObject*);
PyObject* number_inplace_power(PyObject*, PyObject*, PyObject*);
PyObject* number_inplace_matmul(PyObject*, PyObject*);

void create_variable_type(pybind11::module_& module);

// The functions of the package that take what is not handled here.
struct Hooks {
  PyObject* array_function = nullptr;
  PyObject* array_ufunc = nullptr;
};
extern Hooks hooks;

}  // namespace tapegrad
