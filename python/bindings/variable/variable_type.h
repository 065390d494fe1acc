#pragma once

#include <pybind11/pybind11.h>

#include <span>
#include <vector>

#include "bindings/recording.h"
#include "tapegrad/autodiff/learn.h"
#include "tapegrad/ops/operand.h"
#include "tapegrad/ops/shape/memory_order.h"
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

// A class that derives from it is made while the program runs, which the types of numbers, arrays
// and containers are not: of those the flag tells without a search.
inline bool is_variable(PyObject* o) {
  PyTypeObject* const type = Py_TYPE(o);
  return type == variable_type ||
         (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && PyType_IsSubtype(type, variable_type));
}
inline Cell& variable_cell(PyObject* o) { return *reinterpret_cast<PyVariable*>(o)->cell; }

// A new Variable object that takes over one count of the cell.
PyObject* new_variable(Cell* cell);
// What was computed of blanks alone: a blank, or a number that is NumPy's.
PyObject* new_blank(Value&& value);
// The same, of axes that lie in memory in the order of these strides.
PyObject* new_blank_lying_by(Value&& value, std::span<const int64_t> strides);
// How NumPy's array lies in memory that stands where this one does. `ref` is what was read of it.
Lying lying_of(PyObject* object, const Ref& ref);
inline bool is_blank(PyObject* o) { return is_variable(o) && variable_cell(o).is_blank(); }
// Whether these hold a Variable, and none but blanks. (Other objects are left to the caller.)
template <class... Objects>
bool are_blanks(Objects*... o) {
  return (... && (o == nullptr || !is_variable(o) || variable_cell(o).is_blank())) &&
         (... || (o != nullptr && is_variable(o)));
}
inline PyObject* new_variable(Ref ref) { return new_variable(Cell::from(std::move(ref))); }
// An array where `like` is one, though it have no axes.
inline PyObject* new_like(Cell& like, Ref ref) {
  Cell* const made = Cell::from(std::move(ref));
  if (!like.is_number()) made->count_as_array();
  return new_variable(made);
}
// A text of the value goes to plain code, which a function that is recorded may act on; where it is
// only shown nothing is learned (tapegrad/numpy/texts.py).
void learn_for_text(Cell& cell);
// Whether plain code has an array there and no number: what has no axes may be either.
bool is_array(PyObject* o);

// Sets the Python error for the exception in flight.
void set_python_error();

template <class F>
PyObject* guard(F&& f) noexcept {
  try {
    see_context();
    return f();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}
template <class F>
int guard_int(F&& f) noexcept {
  try {
    see_context();
    return f();
  } catch (...) {
    set_python_error();
    return -1;
  }
}

// Parts of the type, each in a file.
int get_buffer(PyObject* self, Py_buffer* view, int flags);
void release_buffer(PyObject* self, Py_buffer* view);
extern PyMethodDef variable_methods[];
extern PyGetSetDef variable_attributes[];
extern PyGetSetDef variable_array_methods[];  // instead of those that the slots would give
PyObject* variable_array_ufunc(PyObject* self, PyObject* const* args, Py_ssize_t n,
                               PyObject* names);
// The call of a universal function with nothing but operands. A new reference; null without an
// error where NumPy is to be asked.
PyObject* call_known_ufunc(PyObject* ufunc, PyObject* const* operands, Py_ssize_t n);
void fill_ufunc_table();
std::vector<PyMethodDef> unary_methods();
std::vector<PyType_Slot> number_slots();
PyObject* apply_elementwise(ScalarFn fn, PyObject* a, PyObject* b, CalledAs how);
// Whether a test (isnan, <) of these is one of floats, which an op does as NumPy does it, and plain
// code wants its result: Variables among Python's numbers and arrays of floats.
bool are_tested_as_floats(std::span<PyObject* const> operands);

// Whether it holds a mask or integers, as only a function that is being recorded has in Variables.
inline bool is_recorded_data(PyObject* variable) {
  return is_recorded_data(variable_cell(variable));
}

// The text of a name; TypeError for what is no string.
std::string to_name(PyObject* name);

void create_variable_type(pybind11::module_& module);

// The functions of the package that take what is not handled here.
struct Hooks {
  PyObject* array_function = nullptr;
  PyObject* array_ufunc = nullptr;
};
extern Hooks hooks;

}  // namespace tapegrad
