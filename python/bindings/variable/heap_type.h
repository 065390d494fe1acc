// Types written against the C API: where a call must cost tens of nanoseconds. Classes of the
// package derive from them and add what needs no speed.
#pragma once

#include <pybind11/pybind11.h>

namespace tapegrad {

template <class T>
PyObject* plain_new(PyTypeObject* type, PyObject*, PyObject*) {
  return type->tp_alloc(type, 0);
}

// An object that references others: T has held(), a span of its PyObject* members.
template <class T>
int traverse_held(PyObject* self, visitproc visit, void* arg) {
  for (PyObject** p : reinterpret_cast<T*>(self)->held()) Py_VISIT(*p);
  Py_VISIT(Py_TYPE(self));
  return 0;
}
template <class T>
int clear_held(PyObject* self) {
  for (PyObject** p : reinterpret_cast<T*>(self)->held()) Py_CLEAR(*p);
  return 0;
}
template <class T>
void deallocate_held(PyObject* self) {
  PyObject_GC_UnTrack(self);
  clear_held<T>(self);
  PyTypeObject* type = Py_TYPE(self);
  reinterpret_cast<T*>(self)->finish();
  type->tp_free(self);
  Py_DECREF(type);
}

// The type, as module.NAME. `slots` ends with {0, nullptr} and says what else there is.
template <class T>
PyTypeObject* add_heap_type(pybind11::module_& module, const char* full_name,
                            std::initializer_list<PyType_Slot> more) {
  std::vector<PyType_Slot> slots(more);
  slots.push_back({Py_tp_new, reinterpret_cast<void*>(plain_new<T>)});
  slots.push_back({Py_tp_dealloc, reinterpret_cast<void*>(deallocate_held<T>)});
  slots.push_back({Py_tp_traverse, reinterpret_cast<void*>(traverse_held<T>)});
  slots.push_back({Py_tp_clear, reinterpret_cast<void*>(clear_held<T>)});
  slots.push_back({0, nullptr});
  PyType_Spec spec = {full_name, sizeof(T), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots.data()};
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw pybind11::error_already_set();
  const std::string_view name = full_name;
  module.attr(std::string(name.substr(name.rfind('.') + 1)).c_str()) =
      pybind11::reinterpret_borrow<pybind11::object>(type);
  return reinterpret_cast<PyTypeObject*>(type);
}

}  // namespace tapegrad
