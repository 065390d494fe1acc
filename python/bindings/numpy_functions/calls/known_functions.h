#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>

#include "bindings/numpy_functions/calls/forms.h"

namespace tapegrad {

// A function whose results are plain (plain_calls.cpp).
struct PlainFunction {
  Py_ssize_t out;    // at which place the result may be asked to go somewhere; -1: none
  PyObject* method;  // the name of an array's method of the same parameters; may be null
};

// What the package declares of a NumPy function: how the core answers its calls.
struct KnownFunction {
  std::unique_ptr<forms::Form> form;
  std::optional<PlainFunction> plain;
  // For calls that have no form; as call_form (array_function.h).
  PyObject* (*call)(PyObject* const* args, Py_ssize_t n, PyObject* names) = nullptr;
  PyObject* implementation = nullptr;  // the package's, for calls where no function is recorded
};

// Null where nothing is declared. What is found stays where it is.
KnownFunction* find_known(PyObject* function);
KnownFunction& make_known(const pybind11::object& function);

}  // namespace tapegrad
