#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bindings/blanks/taken_names.h"
#include "bindings/interpreter.h"

namespace tapegrad {

// Which functions may create arrays, or call another function that a block replaces, by what their
// code names. What a name stands for may change between two calls (another closure, a function
// defined anew), so it is looked up at each.
class Creators {
 public:
  Creators(py::function facts, std::vector<py::object> plain, std::vector<py::object> modules,
           std::set<std::string, std::less<>> libraries, std::vector<py::object> transformed)
      : facts_(std::move(facts)),
        plain_(std::move(plain)),
        modules_(std::move(modules)),
        libraries_(std::move(libraries)),
        transformed_(std::move(transformed)) {}

  // Names of these functions lead to new arrays too.
  void count_as_creators(const TakenNames* taken) { taken_ = taken; }

  // Whether a call may create arrays: by the function's code, and by what it gets.
  bool may_create(PyObject* f, PyObject* args, PyObject* kwargs) {
    left_ = kMostItems;
    return may_create(f, 0) || leads_to_it(args, 0) || (kwargs && leads_to_it(kwargs, 0));
  }

  bool is_transformed(PyObject* f) const {
    return std::ranges::any_of(transformed_, [f](const py::object& type) {
      return PyObject_TypeCheck(f, reinterpret_cast<PyTypeObject*>(type.ptr()));
    });
  }

  // Calls `visit` with the namespace of a function of the user's, and with those of modules and
  // functions that it names, closes over or has as defaults, but for those of libraries, whose code
  // gets plain arrays.
  template <class Visit>
  void for_each_space(PyObject* f, Visit&& visit) {
    PyObject* const space = PyFunction_GET_GLOBALS(f);
    visit(space);
    const auto look = [&](PyObject* value) {
      if (value == nullptr) return;
      PyObject* other = nullptr;
      if (PyFunction_Check(value)) other = PyFunction_GET_GLOBALS(value);
      if (PyModule_CheckExact(value)) other = PyModule_GetDict(value);
      if (other != nullptr && other != space && !is_of_library(other)) visit(other);
    };
    const std::shared_ptr<const Facts> code = facts_of(PyFunction_GET_CODE(f));
    for (const py::object& name : code->globals) look(PyDict_GetItem(space, name.ptr()));
    if (PyObject* const closure = PyFunction_GET_CLOSURE(f))
      for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(closure); ++k)
        look(PyCell_GET(PyTuple_GET_ITEM(closure, k)));
    if (PyObject* const defaults = PyFunction_GET_DEFAULTS(f))
      for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(defaults); ++k)
        look(PyTuple_GET_ITEM(defaults, k));
  }

  static bool is_of_package(PyObject* globals) {
    return name_of_module(globals).starts_with("tapegrad.");
  }

 private:
  static constexpr int kDeepest = 8;            // of functions that call functions
  static constexpr int kMostItems = 300;        // in containers
  static constexpr size_t kMostKnown = 10'000;  // functions made from text, again and again

  struct Facts {
    py::object code;  // kept alive: it is known by its address
    bool creates = true;
    std::vector<py::object> globals;
  };

  // Looking at another function may forget what is known of this one, which the caller holds.
  std::shared_ptr<const Facts> facts_of(PyObject* code) {
    if (const auto known = known_.find(code); known != known_.end()) return known->second;
    if (known_.size() >= kMostKnown) known_.clear();
    auto found = std::make_shared<Facts>();
    found->code = py::reinterpret_borrow<py::object>(code);
    std::tie(found->creates, found->globals) =
        facts_(found->code).cast<std::pair<bool, std::vector<py::object>>>();
    known_[code] = found;
    return found;
  }

  bool is_of_library(PyObject* space) const {
    const std::string_view name = name_of_module(space);
    return libraries_.contains(name.substr(0, name.find('.')));
  }

  bool may_create(PyObject* f, int level) {
    if (level == kDeepest) return true;
    if (!PyFunction_Check(f)) {
      if (!is_transformed(f)) return true;
      const auto inner = py::reinterpret_steal<py::object>(PyObject_GetAttrString(f, "_function"));
      if (!inner) throw py::error_already_set();
      return may_create(inner.ptr(), level + 1);
    }
    PyObject* space = PyFunction_GET_GLOBALS(f);
    if (!is_of_package(space)) {  // whose own arrays are plain
      const std::shared_ptr<const Facts> code = facts_of(PyFunction_GET_CODE(f));
      if (code->creates) return true;
      for (const py::object& name : code->globals) {
        PyObject* value = PyDict_GetItem(space, name.ptr());
        if (value && leads_to_it(value, level)) return true;  // those not found are built-in
      }
    }
    PyObject* closure = PyFunction_GET_CLOSURE(f);
    for (Py_ssize_t k = 0; closure && k < PyTuple_GET_SIZE(closure); ++k) {
      PyObject* value = PyCell_GET(PyTuple_GET_ITEM(closure, k));
      if (!value || leads_to_it(value, level)) return true;
    }
    for (PyObject* given : {PyFunction_GET_DEFAULTS(f), PyFunction_GET_KW_DEFAULTS(f)})
      if (given && leads_to_it(given, level)) return true;
    return false;
  }

  bool leads_to_it(PyObject* value, int level) {
    if (--left_ < 0 || (taken_ && taken_->is_original(value))) return true;
    const auto is = [](PyObject* x) {
      return [x](const py::object& known) { return known.ptr() == x; };
    };
    if (std::ranges::any_of(plain_, is(reinterpret_cast<PyObject*>(Py_TYPE(value))))) return false;
    if (PyModule_Check(value)) return std::ranges::none_of(modules_, is(value));
    if (level == kDeepest) return true;
    if (PyTuple_CheckExact(value) || PyList_CheckExact(value)) {
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(value); ++k)
        if (leads_to_it(PySequence_Fast_GET_ITEM(value, k), level + 1)) return true;
      return false;
    }
    if (PyDict_CheckExact(value)) {
      PyObject *key, *item;
      for (Py_ssize_t at = 0; PyDict_Next(value, &at, &key, &item);)
        if (leads_to_it(item, level + 1)) return true;
      return false;
    }
    return may_create(value, level + 1);
  }

  const TakenNames* taken_ = nullptr;
  py::function facts_;
  std::vector<py::object> plain_, modules_;
  std::set<std::string, std::less<>> libraries_;  // by the first part of a module's name
  std::vector<py::object> transformed_;
  std::unordered_map<PyObject*, std::shared_ptr<const Facts>> known_;
  int left_ = 0;  // items that may still be looked at
};

}  // namespace tapegrad
