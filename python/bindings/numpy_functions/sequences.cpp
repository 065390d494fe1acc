#include "bindings/numpy_functions/sequences.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "bindings/interpreter.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"

// NumPy asks an argument whether it overrides a function, but not what is in a list or in an array
// of objects: np.mean([v, w]) makes an array of Variables and goes on with Python's arithmetic. So
// the entries of NumPy's functions (entries.cpp) look into those.

namespace tapegrad {
namespace {

namespace py = pybind11;

constexpr int deepest = 32;  // nested lists

PyObject* asked = nullptr;  // the package's function

bool is_number(PyObject* x) {
  static PyTypeObject* const generic = reinterpret_cast<PyTypeObject*>(
      py::object(py::module_::import("numpy").attr("generic")).release().ptr());
  return PyFloat_CheckExact(x) || PyLong_Check(x) || PyObject_TypeCheck(x, generic) ||
         PyFloat_Check(x) || PyComplex_Check(x);
}

bool is_any_variable(PyObject* x) { return is_variable(x) || is_complex_variable(x); }

bool is_scalar(PyObject* variable) {
  if (is_variable(variable)) return variable_cell(variable).value().is_scalar();
  const auto part = py::reinterpret_steal<py::object>(real_part(variable));
  return is_variable(part.ptr()) && variable_cell(part.ptr()).value().is_scalar();
}

// Whether there are Variables in an array of objects, all of which are scalars: an array may hold
// anything.
bool objects_hold_variable(PyObject* array) {
  const auto* const a = py::detail::array_proxy(array);
  const auto n_axes = static_cast<size_t>(a->nd);
  std::vector<py::ssize_t> at(n_axes, 0);
  for (size_t k = 0; k < n_axes; ++k)
    if (a->dimensions[k] == 0) return false;
  bool found = false;
  const char* p = a->data;
  while (true) {
    PyObject* const item = *reinterpret_cast<PyObject* const*>(p);
    if (item == nullptr) return false;
    if (is_any_variable(item)) {
      if (!is_scalar(item)) return false;
      found = true;
    } else if (!is_number(item)) {
      return false;
    }
    size_t k = n_axes;
    for (; k > 0; --k) {
      p += a->strides[k - 1];
      if (++at[k - 1] < a->dimensions[k - 1]) break;
      p -= a->strides[k - 1] * a->dimensions[k - 1];
      at[k - 1] = 0;
    }
    if (k == 0) return found;
  }
}

bool holds_variable(PyObject* x, int depth) {
  if (!PyList_CheckExact(x) && !PyTuple_CheckExact(x))
    return is_array_of_objects(x) && objects_hold_variable(x);
  if (depth == deepest) return false;
  PyObject** const items = PySequence_Fast_ITEMS(x);
  return std::any_of(items, items + PySequence_Fast_GET_SIZE(x), [&](PyObject* item) {
    if (PyFloat_CheckExact(item) || PyLong_CheckExact(item)) return false;
    return is_any_variable(item) || holds_variable(item, depth + 1);
  });
}

std::atomic<int64_t> elements_seen{0};

std::vector<PyObject*> codes_of_means() {
  std::vector<PyObject*> found;
  const py::module_ methods = py::module_::import("numpy._core._methods");
  for (const char* name : {"_mean", "_var", "_std"})
    if (py::hasattr(methods, name))
      found.push_back(py::object(methods.attr(name).attr("__code__")).release().ptr());
  return found;
}

}  // namespace

bool is_array_of_objects(PyObject* x) {
  static PyTypeObject* const arrays = py::detail::npy_api::get().PyArray_Type_;
  return Py_TYPE(x) == arrays &&
         py::detail::array_descriptor_proxy(py::detail::array_proxy(x)->descr)->kind == 'O';
}

bool hides_variable(PyObject* x) { return holds_variable(x, 0); }

PyObject* call_with_hidden(PyObject* function, PyObject* const* args, Py_ssize_t n,
                           PyObject* names) {
  return guard([&]() -> PyObject* {
    py::tuple given(static_cast<size_t>(n));
    for (Py_ssize_t i = 0; i < n; ++i)
      given[static_cast<size_t>(i)] = py::reinterpret_borrow<py::object>(args[i]);
    py::dict named;
    const Py_ssize_t n_names = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < n_names; ++i)
      if (PyDict_SetItem(named.ptr(), PyTuple_GET_ITEM(names, i), args[n + i]) != 0)
        throw py::error_already_set();
    return in_python([&] {
      return PyObject_CallFunctionObjArgs(asked, function, given.ptr(), named.ptr(), nullptr);
    });
  });
}

void see_element() { ++elements_seen; }

bool is_asked_by_numpys_mean() {
  if (elements_seen == 0) return false;
  static const std::vector<PyObject*> means = codes_of_means();
  PyFrameObject* const frame = PyEval_GetFrame();
  if (frame == nullptr) return false;
  const auto code =
      py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(PyFrame_GetCode(frame)));
  return std::find(means.begin(), means.end(), code.ptr()) != means.end();
}

void bind_sequences(py::module_& m) {
  m.def(
      "set_sequence_hook", [](const py::function& f) { asked = py::object(f).release().ptr(); },
      py::arg("function"), "The function of the package that is asked about such calls.");
  m.def(
      "elements_seen", [] { return elements_seen.load(); },
      "How often a Variable became an element of an array of objects.");
}

}  // namespace tapegrad
