#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <string_view>

#include "bindings/functions.h"

// Functions that pybind11 binds refuse wrong arguments with a text for C++ programmers
// ("incompatible function arguments ... Invoked with"). Their dispatcher is called through one that
// says the same as Python would: what the function takes and what it got. Nothing changes for a
// call that succeeds.

namespace tapegrad {
namespace {

namespace py = pybind11;

using Dispatcher = PyObject* (*)(PyObject*, PyObject* const*, size_t, PyObject*);

Dispatcher pybind11s = nullptr;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// The first signature of pybind11's text, as people write it: SGD(params: object, lr: float =
// 0.01).
std::string signature_in(const std::string& text, bool& is_method) {
  const size_t from = text.find("\n    1. ");
  if (from == std::string::npos) return "";
  const size_t begin = from + 8, end = std::min(text.find('\n', begin), text.size());
  std::string signature = text.substr(begin, end - begin);
  if (const size_t arrow = signature.rfind(" -> "); arrow != std::string::npos)
    signature.erase(arrow);
  replace_all(signature, "typing.SupportsFloat | typing.SupportsIndex", "float");
  replace_all(signature, "typing.SupportsInt | typing.SupportsIndex", "int");
  replace_all(signature, "tapegrad._core.", "");
  replace_all(signature, "arg0: ", "");
  replace_all(signature, "arg1: ", "");
  is_method = signature.starts_with("(self: ");
  if (is_method) {
    const size_t comma = signature.find(", "), close = signature.find(')');
    signature.replace(1, comma == std::string::npos ? close - 1 : comma + 1, "");
  }
  return signature;
}

std::string shortly(PyObject* x) {
  constexpr size_t most = 60;
  const py::object text = py::reinterpret_steal<py::object>(PyObject_Repr(x));
  const char* const characters = text ? PyUnicode_AsUTF8(text.ptr()) : nullptr;
  if (characters == nullptr) {
    PyErr_Clear();
    return Py_TYPE(x)->tp_name;
  }
  const std::string found = characters;
  return found.size() <= most ? found : std::string(Py_TYPE(x)->tp_name) + " object";
}

std::string given(PyObject* const* args, size_t first, size_t n, PyObject* names) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (size_t i = first; i < n; ++i) add(shortly(args[i]));
  const Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < named; ++i)
    add(py::str(PyTuple_GET_ITEM(names, i)).cast<std::string>() + "=" +
        shortly(args[n + static_cast<size_t>(i)]));
  return text.empty() ? "nothing" : text;
}

void explain(PyObject* const* args, size_t n, PyObject* names) {
  if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return;
  py::error_already_set error;  // takes the error over
  const std::string text = py::str(error.value()).cast<std::string>();
  const bool constructor = text.find("incompatible constructor arguments") != std::string::npos;
  if (!constructor && text.find("incompatible function arguments") == std::string::npos)
    return error.restore();
  bool is_method = false;
  const std::string name = constructor ? "" : text.substr(0, text.find('('));
  const std::string signature = name + signature_in(text, is_method);
  const size_t first = constructor || (is_method && n > 0) ? 1 : 0;
  PyErr_SetString(PyExc_TypeError,
                  ("expects " + signature + ", got " + given(args, first, n, names)).c_str());
}

PyObject* call(PyObject* self, PyObject* const* args, size_t n, PyObject* names) {
  PyObject* const result = pybind11s(self, args, n, names);
  if (result == nullptr) {
    try {
      explain(args, static_cast<size_t>(PyVectorcall_NARGS(n)), names);
    } catch (py::error_already_set& error) {
      error.restore();
    }
  }
  return result;
}

PyCFunction as_c(Dispatcher f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

void wrap(PyObject* found) {
  if (PyObject_TypeCheck(found, &PyProperty_Type) != 0) {
    for (const char* part : {"fget", "fset"}) wrap(py::handle(found).attr(part).ptr());
    return;
  }
  if (Py_IS_TYPE(found, &PyStaticMethod_Type))
    return wrap(py::handle(found).attr("__func__").ptr());
  if (PyInstanceMethod_Check(found)) found = PyInstanceMethod_GET_FUNCTION(found);
  if (!PyCFunction_Check(found)) return;
  PyMethodDef* const definition = reinterpret_cast<PyCFunctionObject*>(found)->m_ml;
  if (definition->ml_meth == as_c(pybind11s)) definition->ml_meth = as_c(call);
}

}  // namespace

void say_what_is_expected(py::module_& m) {
  const py::cpp_function any([] {});
  pybind11s = reinterpret_cast<Dispatcher>(
      reinterpret_cast<void (*)()>(reinterpret_cast<PyCFunctionObject*>(any.ptr())->m_ml->ml_meth));
  for (const auto& [name, item] : py::reinterpret_borrow<py::dict>(m.attr("__dict__"))) {
    wrap(item.ptr());
    if (!PyType_Check(item.ptr())) continue;
    for (py::handle held : item.attr("__dict__").attr("values")()) wrap(held.ptr());
  }
}

}  // namespace tapegrad
