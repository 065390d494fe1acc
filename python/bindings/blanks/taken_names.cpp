#include "bindings/blanks/taken_names.h"

namespace tapegrad {
namespace {

constexpr size_t kMostKnown = 10'000;  // namespaces that are made again and again

}  // namespace

void TakenNames::add(const py::dict& originals, const py::dict& replacements) {
  for (const auto& [name, original] : originals)
    replacement_of_[original.ptr()] = py::reinterpret_borrow<py::object>(replacements[name]);
}

void TakenNames::replace(PyObject* space) {
  for (const py::object& name : names_in(space)) {
    PyObject* value = PyDict_GetItem(space, name.ptr());
    const auto found = value ? replacement_of_.find(value) : replacement_of_.end();
    if (found == replacement_of_.end()) continue;  // it stands for something else by now
    replaced_.push_back({py::reinterpret_borrow<py::object>(space), name,
                         py::reinterpret_borrow<py::object>(value), found->second});
    if (PyDict_SetItem(space, name.ptr(), found->second.ptr()) != 0) throw py::error_already_set();
  }
}

void TakenNames::restore() {
  for (const Replaced& r : replaced_)
    if (PyDict_GetItem(r.space.ptr(), r.name.ptr()) == r.replacement.ptr() &&
        PyDict_SetItem(r.space.ptr(), r.name.ptr(), r.original.ptr()) != 0)
      throw py::error_already_set();
  replaced_.clear();
}

const std::vector<py::object>& TakenNames::names_in(PyObject* space) {
  if (known_.size() >= kMostKnown) known_.clear();
  Names& known = known_[space];  // another namespace at this address is checked name by name
  if (known.size == PyDict_GET_SIZE(space)) return known.names;
  known.size = PyDict_GET_SIZE(space);
  known.names.clear();
  PyObject *key, *value;
  for (Py_ssize_t at = 0; PyDict_Next(space, &at, &key, &value);)
    if (is_original(value)) known.names.push_back(py::reinterpret_borrow<py::object>(key));
  return known.names;
}

}  // namespace tapegrad
