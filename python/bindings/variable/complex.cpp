#include "bindings/variable/complex.h"

#include <pybind11/numpy.h>

#include <algorithm>

#include "bindings/variable/variable_type.h"

namespace tapegrad {

namespace py = pybind11;

namespace {

PyTypeObject* complex_type = nullptr;  // of pairs

bool is_complex_type_num(int n) { return n >= 14 && n <= 16; }  // NPY_CFLOAT to NPY_CLONGDOUBLE

bool is_number_type(PyObject* type) {
  static PyObject* const scalar = [] {
    return py::object(py::module_::import("numpy").attr("complexfloating")).release().ptr();
  }();
  return PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type),
                          reinterpret_cast<PyTypeObject*>(scalar)) ||
         PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type), &PyComplex_Type);
}

// A type or a dtype, as dtype=complex.
bool asks_for_complex(PyObject* object) {
  if (PyType_Check(object)) return is_number_type(object);
  const auto& api = py::detail::npy_api::get();
  return PyObject_TypeCheck(object, api.PyArrayDescr_Type_) &&
         is_complex_type_num(py::reinterpret_borrow<py::dtype>(object).num());
}

bool is_array_of_objects(PyObject* o) {
  constexpr int objects = 17;  // NPY_OBJECT
  return py::detail::npy_api::get().PyArray_Check_(o) &&
         py::reinterpret_borrow<py::dtype>(py::detail::array_proxy(o)->descr).num() == objects;
}

}  // namespace

void set_complex_type(PyObject* type) {
  complex_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type));
}

bool is_complex_variable(PyObject* o) {
  return complex_type != nullptr && Py_TYPE(o) == complex_type;
}

PyObject* real_part(PyObject* pair) {
  PyObject* const found = PyObject_GetAttrString(pair, "_re");
  if (found == nullptr) throw py::error_already_set();
  return found;
}

bool is_complex(PyObject* o) {
  if (is_variable(o) || PyFloat_CheckExact(o) || PyLong_CheckExact(o)) return false;
  const auto& api = py::detail::npy_api::get();
  if (Py_TYPE(o) == api.PyArray_Type_ || api.PyArray_Check_(o))
    return is_complex_type_num(
        py::reinterpret_borrow<py::dtype>(py::detail::array_proxy(o)->descr).num());
  if (PyComplex_Check(o) || is_complex_variable(o)) return true;
  return !PyFloat_Check(o) && is_number_type(reinterpret_cast<PyObject*>(Py_TYPE(o)));
}

namespace {

// Of a list that holds itself there is no end.
constexpr int deepest = 64, most_containers = 1 << 16;

struct Search {
  int depth = 0, containers = 0;

  bool found(PyObject* o) {
    const bool is_row = PyTuple_Check(o) || PyList_Check(o);
    if (!is_row && !PyDict_Check(o))
      return is_complex(o) || asks_for_complex(o) || (is_array_of_objects(o) && found_in_array(o));
    if (depth == deepest || ++containers > most_containers) return false;
    ++depth;
    const bool any = is_row ? found_in_row(o) : found_in_dict(o);
    --depth;
    return any;
  }

 private:
  bool found_in_row(PyObject* o) {
    PyObject** const items = PySequence_Fast_ITEMS(o);
    return std::any_of(items, items + PySequence_Fast_GET_SIZE(o),
                       [this](PyObject* item) { return found(item); });
  }
  bool found_in_array(PyObject* o) {
    const py::object items = py::handle(o).attr("ravel")().attr("tolist")();
    return PyList_Check(items.ptr()) && found_in_row(items.ptr());
  }
  bool found_in_dict(PyObject* o) {
    PyObject *name, *value;
    for (Py_ssize_t at = 0; PyDict_Next(o, &at, &name, &value);)
      if (found(value)) return true;
    return false;
  }
};

}  // namespace

bool holds_complex(PyObject* o) { return Search{}.found(o); }

PyObject* call_complex(const char* function, std::initializer_list<PyObject*> arguments) {
  const py::object found = py::module_::import("tapegrad.complex.dispatch").attr(function);
  return PyObject_Vectorcall(found.ptr(), std::data(arguments), arguments.size(), nullptr);
}

PyObject* apply_to_complex(const char* ufunc, std::initializer_list<PyObject*> operands) {
  const py::object f = py::module_::import("numpy").attr(ufunc);
  py::tuple inputs(operands.size());
  size_t i = 0;
  for (PyObject* o : operands) inputs[i++] = py::handle(o);
  const py::dict none;
  return call_complex("array_ufunc",
                      {f.ptr(), py::str("__call__").ptr(), inputs.ptr(), none.ptr()});
}

}  // namespace tapegrad
