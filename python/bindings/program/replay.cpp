#include "bindings/program/replay.h"

#include <pybind11/numpy.h>
#include <structmember.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "bindings/convert.h"
#include "bindings/program/program.h"
#include "bindings/program/watch.h"
#include "bindings/variable/heap_type.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/tape/tape.h"

// A Replayer is called; it knows a few signatures of plain arguments, each with its entry. The
// entry leads to the world that holds at present, the world to its paths, a path to its program.
// All of that belongs to Python (_compile.py, _paths.py), which may change it at any time: nothing
// is remembered here but the signatures. Whatever is not the common case goes to `_call`.

namespace tapegrad {
namespace {

using py::detail::array_proxy;
using py::detail::npy_api;

struct PyEntry {
  PyObject_HEAD PyObject* current;  // a world, or None
  long long replays;
  std::array<PyObject**, 1> held() { return {&current}; }
  void finish() {}
};

struct PyWorld {
  PyObject_HEAD PyObject* watch;  // Checks
  PyObject* contents;             // of arrays, or None
  PyObject* paths;                // a list
  std::array<PyObject**, 3> held() { return {&watch, &contents, &paths}; }
  void finish() {}
};

struct PyPath {
  PyObject_HEAD PyObject* program;
  PyObject* captures;  // a list, or None
  PyObject* written;   // a list
  PyObject* make;      // of the list of outputs, the result; None: the one output is the result
  std::array<PyObject**, 4> held() { return {&program, &captures, &written, &make}; }
  void finish() {}
};

PyTypeObject *entry_type = nullptr, *world_type = nullptr, *path_type = nullptr;

template <class T>
T* as(PyObject* o, PyTypeObject* type) {
  return o != nullptr && PyObject_TypeCheck(o, type) ? reinterpret_cast<T*>(o) : nullptr;
}

py::object keep(PyObject* o) { return py::reinterpret_borrow<py::object>(o); }

// One plain argument: a float, or an array of a dtype and a shape.
struct Argument {
  py::object dtype;  // null for a float
  std::vector<py::ssize_t> shape;

  static std::optional<Argument> of(PyObject* x) {
    if (PyFloat_CheckExact(x)) return Argument{};
    if (reinterpret_cast<PyObject*>(Py_TYPE(x)) !=
        reinterpret_cast<PyObject*>(npy_api::get().PyArray_Type_))
      return std::nullopt;
    const auto* a = array_proxy(x);
    return Argument{keep(a->descr), {a->dimensions, a->dimensions + a->nd}};
  }
  bool fits(PyObject* x) const {
    if (!dtype) return PyFloat_CheckExact(x);
    if (reinterpret_cast<PyObject*>(Py_TYPE(x)) !=
        reinterpret_cast<PyObject*>(npy_api::get().PyArray_Type_))
      return false;
    const auto* a = array_proxy(x);
    return a->descr == dtype.ptr() && static_cast<size_t>(a->nd) == shape.size() &&
           std::equal(shape.begin(), shape.end(), a->dimensions);
  }
};

struct Signature {
  std::vector<Argument> arguments;
  PyObject* entry;  // held by the replayer's list
};

struct PyReplayer {
  PyObject_HEAD PyObject* entries;  // a list: those of the signatures
  std::vector<Signature>* known;
  std::array<PyObject**, 1> held() { return {&entries}; }
  void finish() { delete known; }
};

constexpr size_t most_known = 8;

PyObject* entry_for(const PyReplayer& r, PyObject* args) {
  if (r.known == nullptr || r.entries == nullptr) return nullptr;
  const auto n = static_cast<size_t>(PyTuple_GET_SIZE(args));
  for (const Signature& s : *r.known) {
    if (s.arguments.size() != n) continue;
    bool fits = true;
    for (size_t i = 0; i < n && fits; ++i)
      fits = s.arguments[i].fits(PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(i)));
    if (fits) return s.entry;
  }
  return nullptr;
}

// Vectors that keep their memory from call to call; a call inside a call has its own.
struct Scratch {
  std::vector<Value> in, captured, out;
};
class ScratchLease {
 public:
  ScratchLease() : now_(std::exchange(spare_, {})) {}
  ~ScratchLease() {
    now_.in.clear();
    now_.captured.clear();
    now_.out.clear();
    spare_ = std::move(now_);
  }
  ScratchLease(const ScratchLease&) = delete;
  ScratchLease& operator=(const ScratchLease&) = delete;
  Scratch* operator->() { return &now_; }

 private:
  static thread_local Scratch spare_;
  Scratch now_;
};
thread_local Scratch ScratchLease::spare_;

// The result of a path's program; null without an exception where its guards do not hold.
PyObject* run_path(const PyPath& path, PyObject* args) {
  ScratchLease scratch;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i) {
    PyObject* x = PyTuple_GET_ITEM(args, i);
    scratch->in.push_back(PyFloat_CheckExact(x) ? Value(PyFloat_AS_DOUBLE(x))
                                                : to_value(x, "compiled function"));
  }
  if (!run_program(path.program, scratch->in, path.captures, scratch->captured, scratch->out))
    return nullptr;
  if (path.make == Py_None) return to_python(std::move(scratch->out[0]), true);
  py::list values(scratch->out.size());
  for (size_t k = 0; k < scratch->out.size(); ++k)
    values[k] = to_object(std::move(scratch->out[k]));
  return PyObject_CallOneArg(path.make, values.ptr());
}

// The path that served moves to the front.
void promote(PyWorld& world, PyObject* paths, Py_ssize_t i) {
  py::list now;
  now.append(py::handle(PyList_GET_ITEM(paths, i)));
  for (Py_ssize_t k = 0; k < PyList_GET_SIZE(paths); ++k)
    if (k != i) now.append(py::handle(PyList_GET_ITEM(paths, k)));
  PyObject* old = std::exchange(world.paths, now.release().ptr());
  Py_DECREF(old);
}

// The result by way of a known signature; null, without an exception, where there is none.
PyObject* quick_call(const PyReplayer& self, PyObject* args) {
  const py::object entry_object = keep(entry_for(self, args));
  auto* entry = as<PyEntry>(entry_object.ptr(), entry_type);
  if (entry == nullptr) return nullptr;
  const py::object world_object = keep(entry->current);
  auto* world = as<PyWorld>(world_object.ptr(), world_type);
  if (world == nullptr || world->contents == nullptr || !is_checks(world->watch)) return nullptr;
  int same = checks_same(world->watch);
  if (same == 1) same = checks_contents_same(world->watch, world->contents);
  if (same < 0) throw py::error_already_set();
  if (!same) return nullptr;
  const py::object paths = keep(world->paths);
  if (!paths || !PyList_CheckExact(paths.ptr())) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(paths.ptr()); ++i) {
    const py::object path_object = keep(PyList_GET_ITEM(paths.ptr(), i));
    auto* path = as<PyPath>(path_object.ptr(), path_type);
    if (path == nullptr || path->program == nullptr || path->written == nullptr ||
        path->make == nullptr || PyObject_IsTrue(path->written) != 0)
      return nullptr;
    PyObject* result = nullptr;
    try {
      result = run_path(*path, args);
    } catch (const Error&) {
      return nullptr;  // `_call` sees to it
    } catch (py::error_already_set& error) {
      if (error.matches(PyExc_Exception)) return nullptr;
      throw;
    }
    if (result != nullptr) {
      ++entry->replays;
      if (i > 0 && paths.ptr() == world->paths) promote(*world, paths.ptr(), i);
      return result;
    }
    if (PyErr_Occurred()) return nullptr;
  }
  return nullptr;
}

PyObject* call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guard([&]() -> PyObject* {
    const bool plain = kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0;
    if (plain && !Tape::current().tracing()) {
      PyObject* result = quick_call(*reinterpret_cast<PyReplayer*>(self), args);
      if (result != nullptr || PyErr_Occurred()) return result;
    }
    static PyObject* const name = PyUnicode_InternFromString("_call");
    const py::dict keywords = plain ? py::dict() : py::reinterpret_borrow<py::dict>(kwargs);
    return PyObject_CallMethodObjArgs(self, name, args, keywords.ptr(), nullptr);
  });
}

void forget_all(PyReplayer& r) {
  delete std::exchange(r.known, nullptr);
  Py_CLEAR(r.entries);
}

// remember(args, entry): plain arguments like these belong to the entry.
PyObject* remember(PyObject* self, PyObject* given) {
  return guard([&]() -> PyObject* {
    PyObject *args = nullptr, *entry = nullptr;
    if (!PyArg_ParseTuple(given, "O!O!", &PyTuple_Type, &args, entry_type, &entry)) return nullptr;
    auto* r = reinterpret_cast<PyReplayer*>(self);
    if (entry_for(*r, args) == entry) Py_RETURN_NONE;
    Signature s{{}, entry};
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i) {
      std::optional<Argument> a = Argument::of(PyTuple_GET_ITEM(args, i));
      if (!a) Py_RETURN_NONE;
      s.arguments.push_back(std::move(*a));
    }
    if (r->known == nullptr || r->known->size() == most_known) forget_all(*r);
    if (r->entries == nullptr) r->entries = py::list().release().ptr();
    if (r->known == nullptr) r->known = new std::vector<Signature>;
    if (PyList_Append(r->entries, entry) < 0) throw py::error_already_set();
    r->known->push_back(std::move(s));
    Py_RETURN_NONE;
  });
}

PyObject* forget(PyObject* self, PyObject*) {
  forget_all(*reinterpret_cast<PyReplayer*>(self));
  Py_RETURN_NONE;
}

PyMethodDef replayer_methods[] = {
    {"_remember", remember, METH_VARARGS, "Plain arguments like these belong to the entry."},
    {"_forget", forget, METH_NOARGS, "Every signature goes to `_call` again."},
    {nullptr, nullptr, 0, nullptr}};

PyMemberDef entry_members[] = {{"current", T_OBJECT, offsetof(PyEntry, current), 0, nullptr},
                               {"replays", T_LONGLONG, offsetof(PyEntry, replays), 0, nullptr},
                               {}};
PyMemberDef world_members[] = {{"watch", T_OBJECT, offsetof(PyWorld, watch), 0, nullptr},
                               {"contents", T_OBJECT, offsetof(PyWorld, contents), 0, nullptr},
                               {"paths", T_OBJECT, offsetof(PyWorld, paths), 0, nullptr},
                               {}};
PyMemberDef path_members[] = {{"program", T_OBJECT, offsetof(PyPath, program), 0, nullptr},
                              {"captures", T_OBJECT, offsetof(PyPath, captures), 0, nullptr},
                              {"written", T_OBJECT, offsetof(PyPath, written), 0, nullptr},
                              {"make", T_OBJECT, offsetof(PyPath, make), 0, nullptr},
                              {}};

}  // namespace

void bind_replay(py::module_& m) {
  entry_type =
      add_heap_type<PyEntry>(m, "tapegrad._core.EntryBase", {{Py_tp_members, entry_members}});
  world_type =
      add_heap_type<PyWorld>(m, "tapegrad._core.WorldBase", {{Py_tp_members, world_members}});
  path_type = add_heap_type<PyPath>(m, "tapegrad._core.PathBase", {{Py_tp_members, path_members}});
  add_heap_type<PyReplayer>(
      m, "tapegrad._core.Replayer",
      {{Py_tp_methods, replayer_methods}, {Py_tp_call, reinterpret_cast<void*>(call)}});
}

}  // namespace tapegrad
