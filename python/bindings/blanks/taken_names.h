#pragma once

#include <pybind11/pybind11.h>

#include <unordered_map>
#include <vector>

namespace py = pybind11;

namespace tapegrad {

// The names that modules of the user's gave to functions (`from numpy import zeros`, `from math
// import sqrt`): while a block of blanks is open they stand for the replacements, in the modules
// whose functions were called in it. Nothing here runs Python code.
class TakenNames {
 public:
  void add(const py::dict& originals, const py::dict& replacements);

  bool is_original(PyObject* f) const { return replacement_of_.contains(f); }

  // Replaces those of a module's namespace. Which names these are is known until others come.
  void replace(PyObject* space);

  // Gives back all that still stands for what it was replaced by.
  void restore();

 private:
  struct Replaced {
    py::object space, name, original, replacement;
  };
  struct Names {
    Py_ssize_t size = -1;  // of the namespace when it was looked through
    std::vector<py::object> names;
  };

  const std::vector<py::object>& names_in(PyObject* space);

  std::unordered_map<PyObject*, py::object> replacement_of_;
  std::unordered_map<PyObject*, Names> known_;
  std::vector<Replaced> replaced_;
};

}  // namespace tapegrad
