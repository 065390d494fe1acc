#include "bindings/numpy_functions/entries.h"

#include <pybind11/stl.h>

#include <pybind11/numpy.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "bindings/interpreter.h"
#include "bindings/numpy_functions/array_function.h"
#include "bindings/numpy_functions/calls/plain_calls.h"
#include "bindings/numpy_functions/sequences.h"
#include "bindings/variable/variable_type.h"

// The entries of NumPy's functions: the vectorcall slot that each of these objects has. NumPy asks
// a Variable among the arguments what to do, by ways that cost more than small operations
// (__array_ufunc__, __array_function__), and does not look into lists at all. So the entries look
// first: a usual call with Variables becomes its operation at once, one with Variables inside of
// lists goes to the package, all else to NumPy's own entry, which asks as ever. Identity,
// attributes and type of the functions stay what they are.

namespace tapegrad {

namespace py = pybind11;

bool is_asked(PyObject* x) {
  static PyObject* const names[] = {PyUnicode_InternFromString("__array_function__"),
                                    PyUnicode_InternFromString("__array_ufunc__")};
  static PyTypeObject* const arrays = py::detail::npy_api::get().PyArray_Type_;
  return std::any_of(std::begin(names), std::end(names), [&](PyObject* name) {
    PyObject* const own = _PyType_Lookup(Py_TYPE(x), name);
    return own != nullptr && own != _PyType_Lookup(arrays, name);
  });
}

namespace {

// What an entry does about sequences.
enum class Sequences {
  hidden,  // NumPy does not look into them: the package does
  joined,  // NumPy asks their items, but not what is inside of those
  left     // nothing
};

// NumPy's own entry, of universal functions and of the others: one for each of the two types.
struct Entry {
  PyTypeObject* type = nullptr;
  vectorcallfunc entry = nullptr;
};
Entry entries[2];
PyTypeObject* ufunc_type = nullptr;

vectorcallfunc entry_of(PyObject* function) {
  return Py_TYPE(function) == entries[0].type ? entries[0].entry : entries[1].entry;
}

enum class Variables {
  none,
  some,  // and of no other class that NumPy would ask
  other  // of the user's classes, or beside objects of such, which NumPy asks
};

Variables variables_in(PyObject* sequence) {
  Variables found = Variables::none;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); ++i) {
    PyObject* const x = PySequence_Fast_GET_ITEM(sequence, i);
    if (Py_TYPE(x) == variable_type) {
      found = Variables::some;
    } else if (!PyFloat_CheckExact(x) && !PyLong_CheckExact(x) && is_asked(x)) {
      return Variables::other;
    }
  }
  return found;
}

struct Seen {
  Variables variables = Variables::none;
  bool has_sequence = false;  // which NumPy does not look into
  bool hides_other = false;

  template <Sequences sequences>
  void look(PyObject* x) {
    if (Py_TYPE(x) == variable_type) {
      if (variables == Variables::none) variables = Variables::some;
    } else if (PyList_CheckExact(x) || PyTuple_CheckExact(x)) {
      if constexpr (sequences != Sequences::left) {
        const Variables inside = variables_in(x);
        if (sequences == Sequences::joined) variables = std::max(variables, inside);
        hides_other = hides_other || inside == Variables::other;
      }
      has_sequence = true;
    } else if (PyFloat_CheckExact(x) || PyLong_CheckExact(x) || x == Py_None) {
      return;
    } else if (is_array_of_objects(x)) {
      has_sequence = true;
    } else if (is_asked(x)) {
      variables = Variables::other;
    }
  }
};

// A new reference; null without an error where NumPy is to be asked.
PyObject* call_at_once(PyObject* function, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  if (Py_TYPE(function) == ufunc_type)
    return names == nullptr ? call_known_ufunc(function, args, n) : nullptr;
  const KnownFunction* const known = find_known(function);
  if (known == nullptr) return nullptr;
  PyObject* found = call_form(*known, args, n, names);
  if (found != nullptr || PyErr_Occurred()) return found;
  found = call_plain(*known, function, args, n, names);
  if (found != nullptr || PyErr_Occurred()) return found;
  if (known->call != nullptr) {
    found = known->call(args, n, names);
    if (found != nullptr || PyErr_Occurred()) return found;
  }
  return call_implementation(*known, args, n, names);
}

// Of one with Variables inside of lists. What NumPy's own code calls is left to the package, which
// mostly leaves it to NumPy.
PyObject* call_at_once_with_hidden(PyObject* function, PyObject* const* args, Py_ssize_t n,
                                   PyObject* names) {
  PyObject* const globals = PyEval_GetGlobals();
  if (Py_TYPE(function) == ufunc_type || globals == nullptr) return nullptr;
  const std::string_view caller = name_of_module(globals);
  for (const std::string_view library : {"numpy", "scipy", "tapegrad"})
    if (caller.starts_with(library)) return nullptr;
  const KnownFunction* const known = find_known(function);
  return known == nullptr ? nullptr : call_implementation(*known, args, n, names);
}

template <Sequences sequences>
PyObject* enter(PyObject* function, PyObject* const* args, size_t n_and_flags, PyObject* names) {
  const Py_ssize_t n = PyVectorcall_NARGS(n_and_flags);
  const Py_ssize_t n_all = n + (names == nullptr ? 0 : PyTuple_GET_SIZE(names));
  Seen seen;
  for (Py_ssize_t i = 0; i < n_all; ++i) seen.look<sequences>(args[i]);
  if (seen.variables == Variables::some) {
    // Of code in C that passed over an error and calls its function again: SciPy's bisection, where
    // float(v) raises.
    if (PyErr_Occurred()) return nullptr;
    PyObject* found = call_at_once(function, args, n, names);
    if (found != nullptr || PyErr_Occurred()) return found;
    // Where the first is none NumPy may ask none of them: it asks few, of np.pad the array alone.
    if (sequences == Sequences::hidden && Py_TYPE(function) != ufunc_type &&
        (n == 0 || !is_variable(args[0]))) {
      found = call_with_hidden(function, args, n, names);
      if (found != Py_NotImplemented) return found;
      Py_DECREF(found);
    }
  } else if (sequences != Sequences::left && seen.variables == Variables::none &&
             seen.has_sequence && std::any_of(args, args + n_all, hides_variable)) {
    PyObject* found =
        seen.hides_other ? nullptr : call_at_once_with_hidden(function, args, n, names);
    if (found != nullptr || PyErr_Occurred()) return found;
    found = call_with_hidden(function, args, n, names);
    if (found != Py_NotImplemented) return found;
    Py_DECREF(found);
  }
  return entry_of(function)(function, args, n_and_flags, names);
}

vectorcallfunc entry_for(const std::string& sequences) {
  if (sequences == "hidden") return enter<Sequences::hidden>;
  if (sequences == "joined") return enter<Sequences::joined>;
  if (sequences == "left") return enter<Sequences::left>;
  throw_error<ValueError>("take_entry: there are no sequences '", sequences, "'");
}

vectorcallfunc* slot_of(PyObject* function) {
  PyTypeObject* const type = Py_TYPE(function);
  if ((type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL) == 0 || type->tp_vectorcall_offset <= 0)
    return nullptr;
  return reinterpret_cast<vectorcallfunc*>(reinterpret_cast<char*>(function) +
                                           type->tp_vectorcall_offset);
}

// Whether calls of the function are looked at from now on.
bool take_entry(py::handle function, const std::string& sequences) {
  const vectorcallfunc taken = entry_for(sequences);
  vectorcallfunc* const slot = slot_of(function.ptr());
  if (slot == nullptr || *slot == nullptr) return false;
  for (const char* kind : {"hidden", "joined", "left"})
    if (*slot == entry_for(kind)) return true;
  Entry* const known = std::find_if(std::begin(entries), std::end(entries), [&](const Entry& e) {
    return e.type == nullptr || e.type == Py_TYPE(function.ptr());
  });
  if (known == std::end(entries)) return false;
  if (known->type == nullptr) *known = {Py_TYPE(function.ptr()), *slot};
  if (known->entry != *slot) return false;  // one of its own
  *slot = taken;
  return true;
}

}  // namespace

void bind_entries(py::module_& m) {
  ufunc_type = reinterpret_cast<PyTypeObject*>(
      py::object(py::module_::import("numpy").attr("ufunc")).release().ptr());
  m.def("take_entry", &take_entry, py::arg("function"), py::arg("sequences"),
        "Lets calls of a NumPy function with Variables become operations without NumPy's asking. "
        "Sequences that hold Variables are 'hidden' from NumPy and shown to the package, 'joined' "
        "by a function that asks their items, or 'left' to it.");
}

}  // namespace tapegrad
