#include <pybind11/pybind11.h>
#include <structmember.h>

#include <array>

#include "bindings/functions.h"
#include "bindings/variable/heap_type.h"

// The base of what transforms return: an object that is called as its `target` is, at the cost of
// a C call. A class with a `__call__` in Python costs twice as much.

namespace tapegrad {
namespace {

struct PyForwarding {
  PyObject_HEAD PyObject* target;
  std::array<PyObject**, 1> held() { return {&target}; }
  void finish() {}
};

PyObject* call(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject* const target = reinterpret_cast<PyForwarding*>(self)->target;
  if (target == nullptr) {
    PyErr_SetString(PyExc_TypeError, "this object was made without a target to call");
    return nullptr;
  }
  Py_INCREF(target);
  PyObject* const result = PyObject_Call(target, args, kwargs);
  Py_DECREF(target);
  return result;
}

PyMemberDef members[] = {{"target", T_OBJECT_EX, offsetof(PyForwarding, target), 0, nullptr}, {}};

}  // namespace

void bind_forwarding(pybind11::module_& m) {
  add_heap_type<PyForwarding>(
      m, "tapegrad._core.Forwarding",
      {{Py_tp_members, members}, {Py_tp_call, reinterpret_cast<void*>(call)}});
}

}  // namespace tapegrad
