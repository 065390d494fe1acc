#include "bindings/program/replay.h"
#include "bindings/interpreter.h"

#include <pybind11/numpy.h>
#include <structmember.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "bindings/convert.h"
#include "bindings/program/program.h"
#include "bindings/program/snapshot.h"
#include "bindings/program/tree_maker.h"
#include "bindings/variable/heap_type.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/tape/anomaly/anomaly.h"
#include "tapegrad/tape/tape.h"

// The quick way of a call of a compiled function. A Replayer is called; it knows a few patterns of
// plain arguments, each with its signature. The signature leads to the program cache that holds at
// present, the cache to its programs. All of that belongs to Python (python/tapegrad/compile),
// which may change it at any time: nothing is remembered here but the patterns. Whatever is not the
// common case goes to `_call`.

namespace tapegrad {
namespace {

using py::detail::array_proxy;
using py::detail::npy_api;

struct PySignature {
  PyObject_HEAD PyObject* current;  // a cache, or None
  long long replays;
  std::array<PyObject**, 1> held() { return {&current}; }
  void finish() {}
};

struct PyProgramCache {
  PyObject_HEAD PyObject* snapshot;  // SnapshotChecks
  PyObject* contents;                // of arrays, or None
  PyObject* programs;                // a list
  std::array<PyObject**, 3> held() { return {&snapshot, &contents, &programs}; }
  void finish() {}
};

struct PyTrustedProgram {
  PyObject_HEAD PyObject* program;
  PyObject* captures;  // a list, or None
  PyObject* written;   // a list
  PyObject* make;      // of the list of outputs, the result; None: the one output is the result
  PyObject* numbers;   // bytes: which outputs are numbers of Python's
  std::array<PyObject**, 5> held() { return {&program, &captures, &written, &make, &numbers}; }
  void finish() {}
};

PyTypeObject *signature_type = nullptr, *cache_type = nullptr, *program_type = nullptr;

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

// The arguments of a call, positional ones first, then those with a name in the order of the call.
class Given {
 public:
  Given(PyObject* args, PyObject* kwargs)
      : n_positional_(static_cast<size_t>(PyTuple_GET_SIZE(args))),
        n_(n_positional_ + (kwargs == nullptr ? 0 : static_cast<size_t>(PyDict_GET_SIZE(kwargs)))) {
    if (n_ == n_positional_) {
      at_ = PySequence_Fast_ITEMS(args);
      return;
    }
    if (n_ > most) return;
    std::copy_n(PySequence_Fast_ITEMS(args), n_positional_, objects_.begin());
    PyObject *name = nullptr, *x = nullptr;
    Py_ssize_t at = 0;
    for (size_t i = n_positional_; PyDict_Next(kwargs, &at, &name, &x); ++i) {
      objects_[i] = x;
      names_[i - n_positional_] = name;
    }
  }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

  bool fit() const { return n_ == n_positional_ || n_ <= most; }
  std::span<PyObject* const> objects() const { return {at_, n_}; }
  std::span<PyObject* const> names() const { return {names_.data(), n_ - n_positional_}; }

 private:
  static constexpr size_t most = 16;
  size_t n_positional_, n_;
  std::array<PyObject*, most> objects_, names_;
  PyObject* const* at_ = objects_.data();
};

bool same_name(const py::object& known, PyObject* name) {
  return known.ptr() == name || PyUnicode_Compare(known.ptr(), name) == 0;
}

struct Pattern {
  std::vector<Argument> arguments;
  std::vector<py::object> names;  // of the last ones
  PyObject* signature;            // held by the replayer's list

  bool fits(const Given& given) const {
    return std::ranges::equal(names, given.names(), same_name) &&
           std::ranges::equal(arguments, given.objects(), &Argument::fits);
  }
};

struct PyReplayer {
  PyObject_HEAD PyObject* signatures;  // a list: those of the signatures
  std::vector<Pattern>* known;
  std::array<PyObject**, 1> held() { return {&signatures}; }
  void finish() { delete known; }
};

constexpr size_t most_known = 8;

PyObject* signature_for(const PyReplayer& r, const Given& given) {
  if (r.known == nullptr || r.signatures == nullptr) return nullptr;
  for (const Pattern& p : *r.known)
    if (p.fits(given)) return p.signature;
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

// The result of a program; null without an exception where its guards do not hold.
PyObject* run_trusted(const PyTrustedProgram& trusted, std::span<PyObject* const> inputs) {
  ScratchLease scratch;
  for (PyObject* x : inputs) {
    scratch->in.push_back(PyFloat_CheckExact(x) ? Value(PyFloat_AS_DOUBLE(x))
                                                : to_value(x, "compiled function"));
  }
  const CapturedProgram& program = program_of(trusted.program);
  read_captures(program, trusted.captures, scratch->captured);
  if (!program.run(scratch->in, scratch->captured, scratch->out)) return nullptr;
  if (trusted.make == Py_None)
    return to_plain_result(std::move(scratch->out[0]), number_kind(trusted.numbers, 0));
  const py::list values = to_plain_results(scratch->out, trusted.numbers);
  if (is_tree_maker(trusted.make)) return make_tree(trusted.make, values.ptr());
  return in_python([&] { return PyObject_CallOneArg(trusted.make, values.ptr()); });
}

// The program that served moves to the front.
void promote(PyProgramCache& cache, PyObject* programs, Py_ssize_t i) {
  py::list now;
  now.append(py::handle(PyList_GET_ITEM(programs, i)));
  for (Py_ssize_t k = 0; k < PyList_GET_SIZE(programs); ++k)
    if (k != i) now.append(py::handle(PyList_GET_ITEM(programs, k)));
  PyObject* old = std::exchange(cache.programs, now.release().ptr());
  Py_DECREF(old);
}

// The result by way of a known signature; null, without an exception, where there is none. `failed`
// is then the program that raised, if one did.
PyObject* quick_call(const PyReplayer& self, const Given& given, py::object& failed) {
  const py::object signature_object = keep(signature_for(self, given));
  auto* signature = as<PySignature>(signature_object.ptr(), signature_type);
  if (signature == nullptr) return nullptr;
  const py::object cache_object = keep(signature->current);
  auto* cache = as<PyProgramCache>(cache_object.ptr(), cache_type);
  if (cache == nullptr || cache->contents == nullptr || !is_checks(cache->snapshot)) return nullptr;
  int same = checks_same(cache->snapshot);
  if (same == 1) same = checks_contents_same(cache->snapshot, cache->contents);
  if (same < 0) throw py::error_already_set();
  if (!same) return nullptr;
  const py::object programs = keep(cache->programs);
  if (!programs || !PyList_CheckExact(programs.ptr())) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(programs.ptr()); ++i) {
    const py::object program_object = keep(PyList_GET_ITEM(programs.ptr(), i));
    auto* trusted = as<PyTrustedProgram>(program_object.ptr(), program_type);
    if (trusted == nullptr || trusted->program == nullptr || trusted->written == nullptr ||
        trusted->make == nullptr || PyObject_IsTrue(trusted->written) != 0)
      return nullptr;
    PyObject* result = nullptr;
    try {
      result = run_trusted(*trusted, given.objects());
    } catch (const Error&) {
      failed = program_object;  // `_call` sees to it
      return nullptr;
    } catch (py::error_already_set& error) {
      if (!error.matches(PyExc_Exception)) throw;
      failed = program_object;
      return nullptr;
    }
    if (result != nullptr) {
      ++signature->replays;
      if (i > 0 && programs.ptr() == cache->programs) promote(*cache, programs.ptr(), i);
      return result;
    }
    if (PyErr_Occurred()) return nullptr;
  }
  return nullptr;
}

PyObject* call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guard([&]() -> PyObject* {
    const Given given(args, kwargs);
    py::object failed;
    if (given.fit() && !Tape::current().tracing() && !anomaly::is_watching()) {
      PyObject* result = quick_call(*reinterpret_cast<PyReplayer*>(self), given, failed);
      if (result != nullptr || PyErr_Occurred()) return result;
    }
    static PyObject* const name = PyUnicode_InternFromString("_call");
    const py::dict keywords =
        kwargs == nullptr ? py::dict() : py::reinterpret_borrow<py::dict>(kwargs);
    return in_python([&] {
      return PyObject_CallMethodObjArgs(self, name, args, keywords.ptr(), failed.ptr(), nullptr);
    });
  });
}

void forget_all(PyReplayer& r) {
  delete std::exchange(r.known, nullptr);
  Py_CLEAR(r.signatures);
}

// remember(args, kwargs, signature): plain arguments like these belong to the signature.
PyObject* remember(PyObject* self, PyObject* arguments) {
  return guard([&]() -> PyObject* {
    PyObject *args = nullptr, *kwargs = nullptr, *signature = nullptr;
    if (!PyArg_ParseTuple(arguments, "O!O!O!", &PyTuple_Type, &args, &PyDict_Type, &kwargs,
                          signature_type, &signature))
      return nullptr;
    auto* r = reinterpret_cast<PyReplayer*>(self);
    const Given given(args, kwargs);
    if (!given.fit() || signature_for(*r, given) == signature) Py_RETURN_NONE;
    Pattern pattern{{}, {}, signature};
    for (PyObject* x : given.objects()) {
      std::optional<Argument> a = Argument::of(x);
      if (!a) Py_RETURN_NONE;
      pattern.arguments.push_back(std::move(*a));
    }
    for (PyObject* name : given.names()) pattern.names.push_back(keep(name));
    if (r->known == nullptr || r->known->size() == most_known) forget_all(*r);
    if (r->signatures == nullptr) r->signatures = py::list().release().ptr();
    if (r->known == nullptr) r->known = new std::vector<Pattern>;
    if (PyList_Append(r->signatures, signature) < 0) throw py::error_already_set();
    r->known->push_back(std::move(pattern));
    Py_RETURN_NONE;
  });
}

PyObject* forget(PyObject* self, PyObject*) {
  forget_all(*reinterpret_cast<PyReplayer*>(self));
  Py_RETURN_NONE;
}

PyMethodDef replayer_methods[] = {
    {"_remember", remember, METH_VARARGS, "Plain arguments like these belong to the signature."},
    {"_forget", forget, METH_NOARGS, "Every signature goes to `_call` again."},
    {nullptr, nullptr, 0, nullptr}};

PyMemberDef signature_members[] = {
    {"current", T_OBJECT, offsetof(PySignature, current), 0, nullptr},
    {"replays", T_LONGLONG, offsetof(PySignature, replays), 0, nullptr},
    {}};
PyMemberDef cache_members[] = {
    {"snapshot", T_OBJECT, offsetof(PyProgramCache, snapshot), 0, nullptr},
    {"contents", T_OBJECT, offsetof(PyProgramCache, contents), 0, nullptr},
    {"programs", T_OBJECT, offsetof(PyProgramCache, programs), 0, nullptr},
    {}};
PyMemberDef program_members[] = {
    {"program", T_OBJECT, offsetof(PyTrustedProgram, program), 0, nullptr},
    {"captures", T_OBJECT, offsetof(PyTrustedProgram, captures), 0, nullptr},
    {"written", T_OBJECT, offsetof(PyTrustedProgram, written), 0, nullptr},
    {"make", T_OBJECT, offsetof(PyTrustedProgram, make), 0, nullptr},
    {"numbers", T_OBJECT, offsetof(PyTrustedProgram, numbers), 0, nullptr},
    {}};

}  // namespace

void bind_replay(py::module_& m) {
  signature_type = add_heap_type<PySignature>(m, "tapegrad._core.SignatureBase",
                                              {{Py_tp_members, signature_members}});
  cache_type = add_heap_type<PyProgramCache>(m, "tapegrad._core.ProgramCacheBase",
                                             {{Py_tp_members, cache_members}});
  program_type = add_heap_type<PyTrustedProgram>(m, "tapegrad._core.TrustedProgramBase",
                                                 {{Py_tp_members, program_members}});
  add_heap_type<PyReplayer>(
      m, "tapegrad._core.Replayer",
      {{Py_tp_methods, replayer_methods}, {Py_tp_call, reinterpret_cast<void*>(call)}});
}

}  // namespace tapegrad
