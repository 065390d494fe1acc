#include "bindings/program/tree_maker.h"
#include "bindings/interpreter.h"

#include <array>

#include "bindings/variable/heap_type.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/base/error.h"

// What builds the result of a compiled function's call. A maker knows a container of Python's own
// and what each of its parts is: a value by its place in the list, another container, or what a
// function gives of the list. Nested makers are one call.

namespace tapegrad {

namespace py = pybind11;

namespace {

PyTypeObject* maker_type = nullptr;

struct PyTreeMaker {
  PyObject_HEAD PyObject* kind;  // tuple, list or dict
  PyObject* keys;                // a tuple, of a dict
  PyObject* parts;               // a tuple
  std::array<PyObject**, 3> held() { return {&kind, &keys, &parts}; }
  void finish() {}
};

PyObject* value_at(PyObject* values, PyObject* place) {
  const Py_ssize_t i = PyLong_AsSsize_t(place);
  if (i == -1 && PyErr_Occurred()) return nullptr;
  if (PyList_CheckExact(values) && i >= 0 && i < PyList_GET_SIZE(values))
    return Py_NewRef(PyList_GET_ITEM(values, i));
  return PySequence_GetItem(values, i);
}

PyObject* make_part(PyObject* part, PyObject* values) {
  if (PyLong_CheckExact(part)) return value_at(values, part);
  if (is_tree_maker(part)) return make_tree(part, values);
  return in_python([&] { return PyObject_CallOneArg(part, values); });
}

PyObject* make_dict(const PyTreeMaker& m, PyObject* values) {
  PyObject* made = PyDict_New();
  for (Py_ssize_t i = 0; made != nullptr && i < PyTuple_GET_SIZE(m.parts); ++i) {
    PyObject* x = make_part(PyTuple_GET_ITEM(m.parts, i), values);
    if (x == nullptr || PyDict_SetItem(made, PyTuple_GET_ITEM(m.keys, i), x) < 0) Py_CLEAR(made);
    Py_XDECREF(x);
  }
  return made;
}

template <PyObject* (*make)(Py_ssize_t), int (*set)(PyObject*, Py_ssize_t, PyObject*)>
PyObject* make_row(const PyTreeMaker& m, PyObject* values) {
  const Py_ssize_t n = PyTuple_GET_SIZE(m.parts);
  PyObject* made = make(n);
  for (Py_ssize_t i = 0; made != nullptr && i < n; ++i) {
    PyObject* x = make_part(PyTuple_GET_ITEM(m.parts, i), values);
    if (x == nullptr || set(made, i, x) < 0) Py_CLEAR(made);
  }
  return made;
}

PyObject* call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guard([&]() -> PyObject* {
    if (PyTuple_GET_SIZE(args) != 1 || (kwargs != nullptr && PyDict_GET_SIZE(kwargs) > 0))
      throw_error<TypeError>("TreeMaker: a call takes the list of values and nothing else");
    return make_tree(self, PyTuple_GET_ITEM(args, 0));
  });
}

// TreeMaker(kind, parts, keys): `keys` of a dict, else ().
int set_up(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject *kind = nullptr, *parts = nullptr, *keys = nullptr;
  if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) > 0) {
    PyErr_SetString(PyExc_TypeError, "TreeMaker: its arguments have no names");
    return -1;
  }
  if (!PyArg_ParseTuple(args, "O!O!O!", &PyType_Type, &kind, &PyTuple_Type, &parts, &PyTuple_Type,
                        &keys))
    return -1;
  const bool is_dict = kind == reinterpret_cast<PyObject*>(&PyDict_Type);
  const bool is_known = is_dict || kind == reinterpret_cast<PyObject*>(&PyTuple_Type) ||
                        kind == reinterpret_cast<PyObject*>(&PyList_Type);
  if (!is_known || PyTuple_GET_SIZE(keys) != (is_dict ? PyTuple_GET_SIZE(parts) : 0)) {
    PyErr_SetString(PyExc_TypeError,
                    "TreeMaker: expected tuple, list or dict, their parts, and as many keys as "
                    "parts of a dict, () of the others");
    return -1;
  }
  auto* m = reinterpret_cast<PyTreeMaker*>(self);
  Py_XSETREF(m->kind, Py_NewRef(kind));
  Py_XSETREF(m->keys, Py_NewRef(keys));
  Py_XSETREF(m->parts, Py_NewRef(parts));
  return 0;
}

}  // namespace

bool is_tree_maker(PyObject* o) { return Py_TYPE(o) == maker_type; }

PyObject* make_tree(PyObject* maker, PyObject* values) {
  const auto& m = *reinterpret_cast<PyTreeMaker*>(maker);
  if (m.kind == nullptr) throw_error<TypeError>("TreeMaker: it has no kind");
  // The calls of a maker's own functions may let go of it.
  const auto kept = py::reinterpret_borrow<py::object>(maker);
  if (m.kind == reinterpret_cast<PyObject*>(&PyTuple_Type))
    return make_row<PyTuple_New, PyTuple_SetItem>(m, values);
  if (m.kind == reinterpret_cast<PyObject*>(&PyList_Type))
    return make_row<PyList_New, PyList_SetItem>(m, values);
  return make_dict(m, values);
}

void bind_tree_maker(py::module_& m) {
  maker_type = add_heap_type<PyTreeMaker>(
      m, "tapegrad._core.TreeMaker",
      {{Py_tp_call, reinterpret_cast<void*>(call)}, {Py_tp_init, reinterpret_cast<void*>(set_up)}});
}

}  // namespace tapegrad
