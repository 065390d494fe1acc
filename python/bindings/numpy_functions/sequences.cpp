#include "bindings/numpy_functions/sequences.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <vector>

#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"

// NumPy asks an argument whether it overrides a function, but not what is in a list or in an array
// of objects: np.mean([v, w]) makes an array of Variables and goes on with Python's arithmetic. So
// the entries of NumPy's functions (the vectorcall slot that each of these objects has) look first.
// A call without a Variable inside a sequence goes on to NumPy's own entry, and so does one with a
// Variable among its arguments, which NumPy asks by itself; of functions that join, it asks the
// items of a list too. Identity, attributes and type of the functions stay what they are.

namespace tapegrad {
namespace {

namespace py = pybind11;

constexpr int deepest = 32;  // nested lists

PyObject* asked = nullptr;  // the package's function
// NumPy's own, of universal functions and of the others: one for each of the two types.
struct Entry {
  PyTypeObject* type = nullptr;
  vectorcallfunc entry = nullptr;
};
Entry entries[2];

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

bool is_array(PyObject* x) {
  static PyTypeObject* const arrays = py::detail::npy_api::get().PyArray_Type_;
  return Py_TYPE(x) == arrays;
}

bool is_array_of_objects(PyObject* x) {
  return is_array(x) &&
         py::detail::array_descriptor_proxy(py::detail::array_proxy(x)->descr)->kind == 'O';
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

// What the package makes of the call; NotImplemented where it leaves the call to NumPy.
PyObject* ask(PyObject* function, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  return guard([&]() -> PyObject* {
    py::tuple given(static_cast<size_t>(n));
    for (Py_ssize_t i = 0; i < n; ++i)
      given[static_cast<size_t>(i)] = py::reinterpret_borrow<py::object>(args[i]);
    py::dict named;
    const Py_ssize_t n_names = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < n_names; ++i)
      if (PyDict_SetItem(named.ptr(), PyTuple_GET_ITEM(names, i), args[n + i]) != 0)
        throw py::error_already_set();
    return PyObject_CallFunctionObjArgs(asked, function, given.ptr(), named.ptr(), nullptr);
  });
}

bool has_variable_item(PyObject* x) {
  PyObject** const items = PySequence_Fast_ITEMS(x);
  return std::any_of(items, items + PySequence_Fast_GET_SIZE(x), is_any_variable);
}

// Whether the call is one to look into: there are sequences, and no Variable that NumPy sees.
template <bool asks_items>
bool may_hide_variables(PyObject* const* args, Py_ssize_t n) {
  bool has_sequence = false;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* const x = args[i];
    if (is_array(x)) {
      has_sequence = has_sequence || is_array_of_objects(x);
    } else if (PyList_CheckExact(x) || PyTuple_CheckExact(x)) {
      if (asks_items && has_variable_item(x)) return false;
      has_sequence = true;
    } else if (!PyFloat_CheckExact(x) && !PyLong_CheckExact(x) && x != Py_None &&
               is_any_variable(x)) {
      return false;
    }
  }
  return has_sequence;
}

vectorcallfunc entry_of(PyObject* function) {
  return Py_TYPE(function) == entries[0].type ? entries[0].entry : entries[1].entry;
}

template <bool asks_items>
PyObject* enter(PyObject* function, PyObject* const* args, size_t n_and_flags, PyObject* names) {
  const Py_ssize_t n = PyVectorcall_NARGS(n_and_flags);
  const Py_ssize_t n_all = n + (names == nullptr ? 0 : PyTuple_GET_SIZE(names));
  if (may_hide_variables<asks_items>(args, n_all))
    for (Py_ssize_t i = 0; i < n_all; ++i) {
      if (!holds_variable(args[i], 0)) continue;
      PyObject* const found = ask(function, args, n, names);
      if (found != Py_NotImplemented) return found;
      Py_DECREF(found);
      break;
    }
  return entry_of(function)(function, args, n_and_flags, names);
}

vectorcallfunc* slot_of(PyObject* function) {
  PyTypeObject* const type = Py_TYPE(function);
  if ((type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL) == 0 || type->tp_vectorcall_offset <= 0)
    return nullptr;
  return reinterpret_cast<vectorcallfunc*>(reinterpret_cast<char*>(function) +
                                           type->tp_vectorcall_offset);
}

// Whether the function is one whose lists are looked at from now on.
bool see_sequences(py::handle function, bool asks_items) {
  vectorcallfunc* const slot = slot_of(function.ptr());
  if (slot == nullptr || *slot == nullptr) return false;
  if (*slot == enter<false> || *slot == enter<true>) return true;
  Entry* const known = std::find_if(std::begin(entries), std::end(entries), [&](const Entry& e) {
    return e.type == nullptr || e.type == Py_TYPE(function.ptr());
  });
  if (known == std::end(entries)) return false;
  if (known->type == nullptr) *known = {Py_TYPE(function.ptr()), *slot};
  if (known->entry != *slot) return false;  // one of its own
  *slot = asks_items ? enter<true> : enter<false>;
  return true;
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
  m.def("see_sequences", &see_sequences, py::arg("function"), py::arg("asks_items"),
        "Lets the package see calls of a NumPy function whose lists hold Variables; of one that "
        "asks the items of a list, where only lists inside hold them.");
  m.def(
      "set_sequence_hook", [](const py::function& f) { asked = py::object(f).release().ptr(); },
      py::arg("function"), "The function of the package that is asked about such calls.");
  m.def(
      "elements_seen", [] { return elements_seen.load(); },
      "How often a Variable became an element of an array of objects.");
}

}  // namespace tapegrad
