#include "bindings/numpy_functions/calls/plain_calls.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <string>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"

// Functions that tell positions, counts, types and texts, which have no derivative. Outside of a
// recorded function their results are NumPy's own of the plain values (Registration in
// python/tapegrad/numpy/table.py), and most calls need no more than those values: arrays beside
// what holds no Variable. All others are the package's.

namespace tapegrad {
namespace {

namespace py = pybind11;

constexpr size_t most_arguments = 8;

bool holds_numbers(PyObject* x) {
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(x); ++i)
    if (!PyLong_CheckExact(PySequence_Fast_GET_ITEM(x, i)) &&
        !PyFloat_CheckExact(PySequence_Fast_GET_ITEM(x, i)))
      return false;
  return true;
}

// Whether NumPy may see it as it is.
bool is_plain(PyObject* x) {
  if (PyFloat_CheckExact(x) || PyLong_CheckExact(x) || PyBool_Check(x) || x == Py_None ||
      PyUnicode_CheckExact(x))
    return true;
  if (PyTuple_CheckExact(x) || PyList_CheckExact(x)) return holds_numbers(x);
  if (Py_TYPE(x) != py::detail::npy_api::get().PyArray_Type_) return false;
  return py::detail::array_descriptor_proxy(py::detail::array_proxy(x)->descr)->kind != 'O';
}

struct PlainCall {
  std::array<PyObject*, most_arguments + 1> args{};  // before them there is a free place
  std::array<PyObject*, most_arguments> made{};
  size_t n_made = 0;

  PlainCall() = default;
  PlainCall(const PlainCall&) = delete;
  PlainCall& operator=(const PlainCall&) = delete;
  ~PlainCall() {
    for (size_t i = 0; i < n_made; ++i) Py_DECREF(made[i]);
  }

  // False where an argument is to be looked at by the package.
  bool read(PyObject* const* given, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      PyObject* x = given[i];
      if (is_variable(x)) {
        Cell& cell = variable_cell(x);
        if (cell.is_blank() || cell.value().is_scalar()) return false;
        x = made[n_made++] = to_python(cell.value(), true);  // NumPy copies what is read-only
      } else if (!is_plain(x)) {
        return false;
      }
      args[i + 1] = x;
    }
    return true;
  }
};

template <class F>
PyObject* call(const std::optional<PlainFunction>& known, PyObject* const* args, Py_ssize_t n,
               PyObject* names, F&& f) {
  const Py_ssize_t k = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  const auto n_all = static_cast<size_t>(n + k);
  if (!known || n_all > most_arguments) return nullptr;
  if (known->out >= 0 && n > known->out) return nullptr;
  for (Py_ssize_t i = 0; i < k; ++i)
    if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "out") == 0) return nullptr;
  return guard([&]() -> PyObject* {
    PlainCall plain;
    if (Tape::current().tracing() || !plain.read(args, n_all)) return nullptr;
    return f(&plain.args[1], static_cast<size_t>(n) | PY_VECTORCALL_ARGUMENTS_OFFSET);
  });
}

}  // namespace

PyObject* call_plain(const KnownFunction& known, PyObject* function, PyObject* const* args,
                     Py_ssize_t n, PyObject* names) {
  return call(known.plain, args, n, names, [&](PyObject* const* given, size_t count) {
    return in_python([&] { return PyObject_Vectorcall(function, given, count, names); });
  });
}

PyObject* call_plain_method(const KnownFunction& known, PyObject* const* args, Py_ssize_t n,
                            PyObject* names) {
  if (!known.plain || known.plain->method == nullptr) return nullptr;
  return call(known.plain, args, n, names, [&](PyObject* const* given, size_t count) {
    return in_python(
        [&] { return PyObject_VectorcallMethod(known.plain->method, given, count, names); });
  });
}

void bind_plain_calls(py::module_& m) {
  m.def(
      "set_plain",
      [](const py::object& function, Py_ssize_t out, const std::string& method) {
        PyObject* const name =
            method.empty() ? nullptr : PyUnicode_InternFromString(method.c_str());
        make_known(function).plain = {out, name};
      },
      py::arg("function"), py::arg("out"), py::arg("method"),
      "Declares a NumPy function whose results are NumPy's own of the plain values: at which place "
      "it has out= (-1: nowhere), and the array's method that does the same, or ''.");
}

}  // namespace tapegrad
