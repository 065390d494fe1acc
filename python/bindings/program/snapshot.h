#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

// _core.SnapshotChecks: what a Snapshot compares at each call, object by object.
void bind_snapshot(pybind11::module_& m);

bool is_checks(PyObject* o);
// Whether everything is the very object that it was; -1 with an exception set where a comparison
// raised one.
int checks_same(PyObject* checks);
// Whether, all else being the same, the arrays have these stamps (a list, or None).
int checks_contents_same(PyObject* checks, PyObject* contents);

}  // namespace tapegrad
