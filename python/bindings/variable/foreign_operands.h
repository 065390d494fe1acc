#pragma once

#include "bindings/convert.h"
#include "bindings/variable/variable_type.h"

// What stands beside Variables in arithmetic: which objects are operands, which are made operands,
// and which libraries compute themselves.

namespace tapegrad {

// Sparse matrices of SciPy, and those with Variables in them, say so by their conversion.
inline bool is_sparse(PyObject* o) {
  return !is_variable(o) && !PyFloat_Check(o) && !PyLong_Check(o) &&
         !py::detail::npy_api::get().PyArray_Check_(o) && py::hasattr(o, "tocsr");
}

inline PyObject* apply_to_sparse(const char* name, PyObject* a, PyObject* b) {
  static const py::object* apply = nullptr;
  if (apply == nullptr)
    apply =
        new py::object(py::module_::import("tapegrad.scipy.sparse.operators").attr("with_sparse"));
  return (*apply)(name, py::handle(a), py::handle(b)).release().ptr();
}

// An object that gives NumPy an array of its own, and doesn't ask for its reflected method to go
// first: NumPy's arrays take it for that array then.
inline bool gives_array(PyObject* o) {
  const py::handle type = py::type::handle_of(py::handle(o));
  if (!py::hasattr(type, "__array__") || py::hasattr(type, "__array_ufunc__")) return false;
  const py::object priority = py::getattr(py::handle(o), "__array_priority__", py::float_(0.0));
  const double number = PyFloat_AsDouble(priority.ptr());
  if (number == -1.0 && PyErr_Occurred()) PyErr_Clear();  // none, as NumPy has it
  return !(number > 0.0);
}

// A number of another library, or of Python's others: a fraction, a decimal.
inline bool is_foreign_number(PyObject* o) {
  const py::handle type = py::type::handle_of(py::handle(o));
  return py::hasattr(type, "__float__") && !py::hasattr(type, "__array_ufunc__");
}

// Other foreign operands (other libraries' types) go to their own reflected method, as Python
// would.
inline bool is_operand(PyObject* o) {
  return is_variable(o) || PyFloat_Check(o) || PyLong_Check(o) ||
         py::detail::npy_api::get().PyArray_Check_(o) ||
         PyObject_TypeCheck(o, py::detail::npy_api::get().PyArray_Type_) ||
         py::hasattr(o, "dtype") || PyList_Check(o) || PyTuple_Check(o) || PyRange_Check(o) ||
         PyUnicode_Check(o) || PyBytes_Check(o) || PyComplex_Check(o) || gives_array(o);
}

// A fraction as a float, as NumPy's numbers take it; null for all else.
inline py::object float_of_rational(PyObject* o) {
  if (is_operand(o) || !py::hasattr(o, "numerator") || !py::hasattr(o, "denominator")) return {};
  return py::float_(py::reinterpret_borrow<py::object>(o));
}

}  // namespace tapegrad
