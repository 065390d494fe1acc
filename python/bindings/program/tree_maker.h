#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// A TreeMaker, which builds a container of a list of values.
bool is_tree_maker(PyObject* o);
// A new reference; null with an exception.
PyObject* make_tree(PyObject* maker, PyObject* values);

void bind_tree_maker(pybind11::module_& m);

}  // namespace tapegrad
