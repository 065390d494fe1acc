#include "bindings/program/snapshot.h"
#include "bindings/interpreter.h"

#include <pybind11/numpy.h>

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "bindings/variable/heap_type.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

namespace py = pybind11;

PyTypeObject* checks_type = nullptr;

struct Pair {
  PyObject *one, *other;
};

// A namespace: a dict, a class's view of one, or whatever has a `get`.
struct Space {
  PyObject* dict;  // or null
  PyObject* get;
  std::vector<Pair> names;  // the name, and what it led to: null for nothing
};

// What a call get(name, missing) gives: an attribute of `owner` where that is all the call does.
struct Slot {
  enum class Kind : uint8_t { call, attribute, type, defaults, named_defaults } kind = Kind::call;
  PyObject *get = nullptr, *owner = nullptr, *name = nullptr, *expected = nullptr;
};

// The pointers are borrowed from the tuples that set_checks() was given, which are kept. Only dicts
// and the like may change meanwhile, and those are not held by way of their contents.
struct Lists {
  PyObject* missing = nullptr;
  std::vector<Space> spaces;
  std::vector<Pair> cells, arrays, functions, lists, sizes, sets, variables;
  std::vector<std::array<PyObject*, 3>> dicts;  // (dict, keys, values)
  std::vector<Slot> slots;
  PyObject* rest = nullptr;   // a function, or null
  PyObject* stamp = nullptr;  // what tells an array's content
};

struct PyChecks {
  PyObject_HEAD PyObject* given;  // the arguments of set_checks()
  Lists* lists;
  std::array<PyObject**, 1> held() { return {&given}; }
  void finish() { delete lists; }
};

PyObject* item(PyObject* tuple, Py_ssize_t i) { return PyTuple_GET_ITEM(tuple, i); }

template <class F>
void for_items(PyObject* tuple, F&& f) {
  if (!PyTuple_Check(tuple)) throw_error<TypeError>("set_checks: expected a tuple");
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) f(item(tuple, i));
}

std::vector<Pair> pairs_of(PyObject* tuple) {
  std::vector<Pair> pairs;
  for_items(tuple, [&](PyObject* p) { pairs.push_back({item(p, 0), item(p, 1)}); });
  return pairs;
}

std::vector<std::array<PyObject*, 3>> triples_of(PyObject* tuple) {
  std::vector<std::array<PyObject*, 3>> triples;
  for_items(tuple, [&](PyObject* p) { triples.push_back({item(p, 0), item(p, 1), item(p, 2)}); });
  return triples;
}

int keep_first(PyObject* held, void* found) {
  auto** first = static_cast<PyObject**>(found);
  if (*first == nullptr) *first = held;
  return 0;
}

// The dict that names are looked up in, or null. The view of a class's dict holds nothing else.
PyObject* dict_of(PyObject* mapping) {
  if (PyDict_CheckExact(mapping)) return mapping;
  if (Py_TYPE(mapping) != &PyDictProxy_Type) return nullptr;
  PyObject* held = nullptr;
  Py_TYPE(mapping)->tp_traverse(mapping, keep_first, &held);
  return held != nullptr && PyDict_CheckExact(held) ? held : nullptr;
}

// `owner` where `get` is partial(getattr, owner), or null.
PyObject* owner_of(py::handle get) {
  static const auto* const partial =
      new py::object(py::module_::import("functools").attr("partial"));
  static const auto* const getattr =
      new py::object(py::module_::import("builtins").attr("getattr"));
  if (!py::type::handle_of(get).is(*partial)) return nullptr;
  const py::object function = get.attr("func");
  const py::tuple given = get.attr("args");
  const py::dict named = get.attr("keywords");
  return function.is(*getattr) && given.size() == 1 && named.empty() ? item(given.ptr(), 0)
                                                                     : nullptr;
}

// Whether x.__class__ is the type of x whatever the class says.
bool tells_its_class(PyTypeObject* type, PyObject* name) {
  return _PyType_Lookup(type, name) == _PyType_Lookup(&PyBaseObject_Type, name);
}

Slot slot_of(PyObject* get, PyObject* name, PyObject* expected) {
  Slot s{Slot::Kind::call, get, owner_of(get), name, expected};
  if (s.owner == nullptr) return s;
  s.kind = Slot::Kind::attribute;
  const auto is_named = [name](const char* text) {
    return PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, text) == 0;
  };
  if (PyFunction_Check(s.owner)) {
    if (is_named("__defaults__")) s.kind = Slot::Kind::defaults;
    if (is_named("__kwdefaults__")) s.kind = Slot::Kind::named_defaults;
  } else if (is_named("__class__") && tells_its_class(Py_TYPE(s.owner), name)) {
    s.kind = Slot::Kind::type;
  }
  return s;
}

constexpr Py_ssize_t n_arguments = 13;

// The arguments are those of set_checks in _core.pyi.
PyObject* set_lists(PyObject* self, PyObject* args) {
  return guard([&]() -> PyObject* {
    if (PyTuple_GET_SIZE(args) != n_arguments)
      throw_error<TypeError>("set_checks: expected 13 arguments");
    auto* c = reinterpret_cast<PyChecks*>(self);
    auto found = std::make_unique<Lists>();
    found->missing = item(args, 0);
    for_items(item(args, 1), [&](PyObject* space) {
      PyObject* mapping = item(space, 0);
      Space s{dict_of(mapping), item(space, 1), {}};
      s.names = pairs_of(item(space, 2));
      for (Pair& name : s.names)
        if (name.other == found->missing && s.dict) name.other = nullptr;
      found->spaces.push_back(std::move(s));
    });
    found->cells = pairs_of(item(args, 2));
    for (Pair& cell : found->cells)
      if (cell.other == found->missing) cell.other = nullptr;
    found->arrays = pairs_of(item(args, 3));
    found->functions = pairs_of(item(args, 4));
    found->lists = pairs_of(item(args, 5));
    found->dicts = triples_of(item(args, 6));
    found->sizes = pairs_of(item(args, 7));
    found->sets = pairs_of(item(args, 8));
    for_items(item(args, 9), [&](PyObject* slot) {
      found->slots.push_back(slot_of(item(slot, 0), item(slot, 1), item(slot, 2)));
    });
    for_items(item(args, 10), [&](PyObject* v) { found->variables.push_back({v, nullptr}); });
    found->rest = item(args, 11) == Py_None ? nullptr : item(args, 11);
    found->stamp = item(args, 12);
    Py_INCREF(args);
    PyObject* old = c->given;
    c->given = args;
    delete std::exchange(c->lists, found.release());
    Py_XDECREF(old);
    Py_RETURN_NONE;
  });
}

// Each of these gives 1 for the same, 0 for another, -1 with an exception set.

// get(name, missing) is `expected`.
int gives(PyObject* get, PyObject* name, PyObject* missing, PyObject* expected) {
  PyObject* arguments[] = {name, missing};
  PyObject* found = in_python([&] { return PyObject_Vectorcall(get, arguments, 2, nullptr); });
  if (found == nullptr) return -1;
  Py_DECREF(found);
  return found == expected;
}

int slot_same(const Slot& s, PyObject* missing) {
  switch (s.kind) {
    case Slot::Kind::type:
      return reinterpret_cast<PyObject*>(Py_TYPE(s.owner)) == s.expected;
    case Slot::Kind::defaults:
      return PyFunction_GetDefaults(s.owner) == s.expected;
    case Slot::Kind::named_defaults:
      return PyFunction_GetKwDefaults(s.owner) == s.expected;
    case Slot::Kind::attribute: {
      PyObject* found = in_python([&] { return PyObject_GetAttr(s.owner, s.name); });
      if (found == nullptr) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
        PyErr_Clear();
        return s.expected == missing;
      }
      Py_DECREF(found);
      return found == s.expected;
    }
    case Slot::Kind::call:
      break;
  }
  return gives(s.get, s.name, missing, s.expected);
}

int space_same(const Space& s, PyObject* missing) {
  for (const Pair& name : s.names) {
    if (s.dict) {
      PyObject* found = PyDict_GetItemWithError(s.dict, name.one);
      if (found == name.other) {
        if (found == nullptr && PyErr_Occurred()) return -1;
        continue;
      }
      return PyErr_Occurred() ? -1 : 0;
    }
    if (const int same = gives(s.get, name.one, missing, name.other); same != 1) return same;
  }
  return 1;
}

bool array_same(const Pair& array) {
  const auto* proxy = py::detail::array_proxy(array.one);
  if (proxy->nd != PyTuple_GET_SIZE(array.other)) return false;
  for (int i = 0; i < proxy->nd; ++i)
    if (proxy->dimensions[i] != PyLong_AsSsize_t(item(array.other, i))) return false;
  return true;
}

int list_same(const Pair& list) {
  const Py_ssize_t n = PyTuple_GET_SIZE(list.other);
  if (PyList_CheckExact(list.one)) {
    if (PyList_GET_SIZE(list.one) != n) return 0;
    for (Py_ssize_t i = 0; i < n; ++i)
      if (PyList_GET_ITEM(list.one, i) != item(list.other, i)) return 0;
    return 1;
  }
  const auto found = py::reinterpret_steal<py::object>(PySequence_Tuple(list.one));
  if (!found) return -1;
  if (PyTuple_GET_SIZE(found.ptr()) != n) return 0;
  for (Py_ssize_t i = 0; i < n; ++i)
    if (item(found.ptr(), i) != item(list.other, i)) return 0;
  return 1;
}

int items_same(PyObject* iterable, PyObject* tuple) { return list_same({iterable, tuple}); }

int dict_same(const std::array<PyObject*, 3>& dict) {
  const auto& [mapping, keys, values] = dict;
  if (PyDict_CheckExact(mapping)) {
    if (PyDict_GET_SIZE(mapping) != PyTuple_GET_SIZE(keys)) return 0;
    Py_ssize_t at = 0, i = 0;
    PyObject *key = nullptr, *value = nullptr;
    for (; PyDict_Next(mapping, &at, &key, &value); ++i)
      if (key != item(keys, i) || value != item(values, i)) return 0;
    return 1;
  }
  if (const int same = items_same(mapping, keys); same != 1) return same;
  const auto found = py::reinterpret_steal<py::object>(PyMapping_Values(mapping));
  return found ? items_same(found.ptr(), values) : -1;
}

int size_same(const Pair& size) {
  const Py_ssize_t n = PyObject_Size(size.one);
  return n < 0 ? -1 : n == PyLong_AsSsize_t(size.other);
}

int lists_same(const Lists& c) {
  for (const Space& s : c.spaces)
    if (const int same = space_same(s, c.missing); same != 1) return same;
  for (const Pair& cell : c.cells)
    if (PyCell_GET(cell.one) != cell.other) return 0;
  for (const Pair& array : c.arrays)
    if (!array_same(array)) return 0;
  for (const Pair& function : c.functions)
    if (PyFunction_GetCode(function.one) != function.other) return 0;
  for (const Pair& list : c.lists)
    if (const int same = list_same(list); same != 1) return same;
  for (const auto& dict : c.dicts)
    if (const int same = dict_same(dict); same != 1) return same;
  for (const Pair& size : c.sizes)
    if (const int same = size_same(size); same != 1) return same;
  for (const Pair& set : c.sets)
    if (const int same = PyObject_RichCompareBool(set.one, set.other, Py_EQ); same != 1)
      return same;
  for (const Slot& slot : c.slots)
    if (const int same = slot_same(slot, c.missing); same != 1) return same;
  for (const Pair& v : c.variables)
    if (!variable_cell(v.one).is_leaf()) return 0;
  if (c.rest == nullptr) return 1;
  PyObject* answer = in_python([&] { return PyObject_CallNoArgs(c.rest); });
  if (answer == nullptr) return -1;
  Py_DECREF(answer);
  return answer == Py_True;
}

// A short array's stamp is its bytes.
int content_same(PyObject* array, PyObject* saved, PyObject* stamp) {
  const auto* proxy = py::detail::array_proxy(array);
  if (PyBytes_CheckExact(saved) && (proxy->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_))
    return std::memcmp(proxy->data, PyBytes_AS_STRING(saved),
                       static_cast<size_t>(PyBytes_GET_SIZE(saved))) == 0;
  PyObject* now = in_python([&] { return PyObject_CallOneArg(stamp, array); });
  if (now == nullptr) return -1;
  const int same = PyObject_RichCompareBool(now, saved, Py_EQ);
  Py_DECREF(now);
  return same;
}

PyObject* same(PyObject* self, PyObject* contents) {
  int answer = checks_same(self);
  if (answer == 1) answer = checks_contents_same(self, contents);
  if (answer < 0) return nullptr;
  return PyBool_FromLong(answer);
}

PyObject* names_same(PyObject* self, PyObject*) { return same(self, Py_None); }

PyMethodDef methods[] = {
    {"set_checks", set_lists, METH_VARARGS, "What same() compares."},
    {"same", names_same, METH_NOARGS,
     "Whether every name still leads to the very object that it led to."},
    {"same_with", same, METH_O, "And whether the arrays still have these stamps."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool is_checks(PyObject* o) { return o != nullptr && PyObject_TypeCheck(o, checks_type); }

int checks_same(PyObject* checks) {
  const Lists* lists = reinterpret_cast<PyChecks*>(checks)->lists;
  if (lists == nullptr) return 0;
  // A comparison may run Python, which may let go of the Snapshot.
  const auto kept = py::reinterpret_borrow<py::object>(checks);
  return lists_same(*lists);
}

int checks_contents_same(PyObject* checks, PyObject* contents) {
  if (contents == Py_None) return 1;
  const Lists* lists = reinterpret_cast<PyChecks*>(checks)->lists;
  if (lists == nullptr || !PyList_CheckExact(contents)) return 0;
  const auto n = static_cast<size_t>(PyList_GET_SIZE(contents));
  if (n != lists->arrays.size()) return 0;
  const auto kept = py::reinterpret_borrow<py::object>(checks);
  const auto kept_contents = py::reinterpret_borrow<py::object>(contents);
  for (size_t i = 0; i < n; ++i) {
    PyObject* saved = PyList_GET_ITEM(contents, static_cast<Py_ssize_t>(i));
    const int same = content_same(lists->arrays[i].one, saved, lists->stamp);
    if (same != 1) return same;
  }
  return 1;
}

void bind_snapshot(py::module_& m) {
  checks_type =
      add_heap_type<PyChecks>(m, "tapegrad._core.SnapshotChecks", {{Py_tp_methods, methods}});
}

}  // namespace tapegrad
