#include "bindings/numpy_functions/array_function.h"

#include <pybind11/stl.h>
#include <structmember.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/numpy_functions/calls/known_functions.h"
#include "bindings/numpy_functions/calls/plain_calls.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"

// NumPy's array functions, and the methods of Variable that do the same, in the forms in which
// nearly all calls are written. The package declares the forms beside its functions
// (python/tapegrad/numpy/table.py): which op a function is, which of its parameters are operands
// and which become attributes. A call that says more (dtype=, out=, where=, a list of lists) goes
// to the package's function, which knows all of it; so does every mistake that the op itself would
// not report.

namespace tapegrad {
namespace {

using namespace forms;

// Null where there is none.
Form* form_of(PyObject* function) {
  const KnownFunction* const known = find_known(function);
  return known == nullptr ? nullptr : known->form.get();
}

// np.add.reduce and the like, which are functions of their own.
struct Fold {
  PyObject *ufunc, *method, *function;
};
std::vector<Fold> folds;

bool holds_recorded(PyObject* x) {
  return Py_TYPE(x) == variable_type && !variable_cell(x).is_blank();
}

// Whether there is a Variable among the arguments or in a list of them, beside which blanks are
// what they are.
bool hold_recorded(PyObject* const* args, Py_ssize_t n) {
  return std::any_of(args, args + n, [](PyObject* x) {
    if (!PyList_CheckExact(x) && !PyTuple_CheckExact(x)) return holds_recorded(x);
    PyObject** const items = PySequence_Fast_ITEMS(x);
    return std::any_of(items, items + PySequence_Fast_GET_SIZE(x), holds_recorded);
  });
}

PyObject* try_function(Form& form, PyObject* args, PyObject* kwargs) {
  Call call;
  if (!set_positional(form, call, &PyTuple_GET_ITEM(args, 0),
                      static_cast<size_t>(PyTuple_GET_SIZE(args))))
    return nullptr;
  PyObject *name, *value;
  for (Py_ssize_t at = 0; PyDict_Next(kwargs, &at, &name, &value);)
    if (!set_keyword(form, call, name, value)) return nullptr;
  return apply_form(form, call);
}

// A method of Variable: the form, null where there is none, and the package's function for all
// other calls, whose name, documentation and signature it shows.
struct Method {
  PyObject_HEAD vectorcallfunc vectorcall;
  Form* form;
  PyObject* numpys;    // the function of NumPy's that is the same, or None
  PyObject* function;  // the package's
};

// The names of `names` and their values, which follow the n others.
PyObject* apply_named(Form& form, Call& call, PyObject* const* args, size_t n, PyObject* names) {
  const Py_ssize_t k = names ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < k; ++i)
    if (!set_keyword(form, call, PyTuple_GET_ITEM(names, i), args[n + static_cast<size_t>(i)]))
      return nullptr;
  return apply_form(form, call);
}

PyObject* try_method(Form& form, PyObject* const* args, size_t n, PyObject* names) {
  Call call;
  if (form.gathers() && n > 2) {
    call.given[0] = args[0];
    call.gathered = {args + 1, n - 1};
  } else if (!set_positional(form, call, args, n)) {
    return nullptr;
  }
  return apply_named(form, call, args, n, names);
}

bool any_complex(PyObject* const* objects, size_t n) {
  return std::any_of(objects, objects + n, holds_complex);
}

PyObject* call_method(PyObject* self, PyObject* const* args, size_t flags, PyObject* names) {
  auto* method = reinterpret_cast<Method*>(self);
  const auto n = static_cast<size_t>(PyVectorcall_NARGS(flags));
  if (method->form != nullptr && n > 0 && is_variable(args[0])) {
    PyObject* found = try_method(*method->form, args, n, names);
    if (found != nullptr || PyErr_Occurred()) return found;
  }
  if (method->form == nullptr && n > 0 && is_variable(args[0])) {
    const auto n_args = static_cast<Py_ssize_t>(n);
    const KnownFunction* const known = find_known(method->numpys);
    PyObject* found = known == nullptr ? nullptr : call_plain_method(*known, args, n_args, names);
    // A registration has the function's parameters; what else is a method has its own.
    if (found == nullptr && known != nullptr && !PyErr_Occurred() &&
        !PyFunction_Check(method->function))
      found = call_implementation(*known, args, n_args, names);
    if (found != nullptr || PyErr_Occurred()) return found;
  }
  if (any_complex(args, n + (names ? static_cast<size_t>(PyTuple_GET_SIZE(names)) : 0)))
    return guard([&] {
      py::tuple given(n);
      for (size_t i = 0; i < n; ++i) given[i] = py::handle(args[i]);
      py::dict named;
      for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); ++i)
        named[py::handle(PyTuple_GET_ITEM(names, i))] =
            py::handle(args[n + static_cast<size_t>(i)]);
      return call_complex("method", {method->function, given.ptr(), named.ptr()});
    });
  return PyObject_Vectorcall(method->function, args, flags, names);
}

PyObject* bind_method(PyObject* self, PyObject* object, PyObject*) {
  if (object == nullptr || object == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, object);
}

PyObject* attribute_of_method(PyObject* self, PyObject* name) {
  return PyObject_GetAttr(reinterpret_cast<Method*>(self)->function, name);
}

PyObject* represent_method(PyObject* self) {
  return PyObject_Repr(reinterpret_cast<Method*>(self)->function);
}

void deallocate_method(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_DECREF(reinterpret_cast<Method*>(self)->function);
  Py_DECREF(reinterpret_cast<Method*>(self)->numpys);
  type->tp_free(self);
  Py_DECREF(type);
}

PyTypeObject* create_method_type() {
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(Method, vectorcall), READONLY, nullptr}, {}};
  PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                         {Py_tp_descr_get, reinterpret_cast<void*>(bind_method)},
                         {Py_tp_getattro, reinterpret_cast<void*>(attribute_of_method)},
                         {Py_tp_repr, reinterpret_cast<void*>(represent_method)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(deallocate_method)},
                         {Py_tp_members, members},
                         {0, nullptr}};
  PyType_Spec spec = {"tapegrad._core.method", sizeof(Method), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                          Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                      slots};
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  return reinterpret_cast<PyTypeObject*>(type);
}

py::object make_method(const py::object& numpy_function, const py::object& function) {
  static PyTypeObject* const type = create_method_type();
  auto* method = PyObject_New(Method, type);
  if (method == nullptr) throw py::error_already_set();
  method->vectorcall = call_method;
  method->form = form_of(numpy_function.ptr());
  method->numpys = py::object(numpy_function).release().ptr();
  method->function = py::object(function).release().ptr();
  return py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(method));
}

void set_form(const py::object& numpy_function, const std::string& op_name, const py::tuple& names,
              const py::tuple& kinds, const py::tuple& defaults, const py::tuple& order,
              bool gives_array) {
  auto form = std::make_unique<Form>(Form{find_op(op_name), {}, {}, gives_array});
  if (form->op == nullptr) throw_error<ValueError>("set_form: no operation ", op_name);
  const size_t n = names.size();
  if (n != kinds.size() || n != defaults.size() || n != order.size() || n > most_parameters)
    throw_error<ValueError>("set_form: ", op_name, " has too many parameters, or kinds");
  for (size_t i = 0; i < n; ++i) {
    PyObject* name = py::object(names[i]).release().ptr();
    PyUnicode_InternInPlace(&name);
    const Kind kind = kind_of(kinds[i].cast<std::string>());
    const bool has_default = kind == Kind::integer || kind == Kind::count;
    form->parameters.push_back({name, kind, has_default ? defaults[i].cast<int64_t>() : 0});
    form->order.push_back(order[i].cast<size_t>());
    if (form->order[i] >= n) throw_error<ValueError>("set_form: ", op_name, " has an order of it");
  }
  make_known(numpy_function).form = std::move(form);
}

}  // namespace

PyObject* call_form(const KnownFunction& known, PyObject* const* args, Py_ssize_t n,
                    PyObject* names) {
  if (known.form == nullptr) return nullptr;
  Call call;
  if (!set_positional(*known.form, call, args, static_cast<size_t>(n))) return nullptr;
  return apply_named(*known.form, call, args, static_cast<size_t>(n), names);
}

PyObject* call_implementation(const KnownFunction& known, PyObject* const* args, Py_ssize_t n,
                              PyObject* names) {
  if (known.implementation == nullptr) return nullptr;
  return guard([&]() -> PyObject* {
    // NumPy asks the first argument, or what follows subscripts; of others not all.
    const Py_ssize_t n_all = n + (names == nullptr ? 0 : PyTuple_GET_SIZE(names));
    const Py_ssize_t n_asked =
        n > 0 && PyUnicode_CheckExact(args[0]) ? n : std::min(n, Py_ssize_t{1});
    if (Tape::current().tracing() || !hold_recorded(args, n_asked) ||
        any_complex(args, static_cast<size_t>(n_all)))
      return nullptr;
    PyObject* const found = in_python([&] {
      return PyObject_Vectorcall(known.implementation, args, static_cast<size_t>(n), names);
    });
    if (found != Py_NotImplemented) return found;
    Py_DECREF(found);
    return nullptr;
  });
}

PyObject* call_fold(PyObject* ufunc, PyObject* method, PyObject* const* args, Py_ssize_t n,
                    PyObject* names) {
  static PyObject* const axis = PyUnicode_InternFromString("axis");
  static PyObject* const first = PyLong_FromLong(0);
  const auto fold = std::find_if(folds.begin(), folds.end(), [&](const Fold& f) {
    return f.ufunc == ufunc && PyUnicode_Compare(f.method, method) == 0;
  });
  if (n != 1 || fold == folds.end()) return nullptr;
  Form* const found = form_of(fold->function);
  if (found == nullptr || !holds_recorded(args[0]) || variable_cell(args[0]).value().ndim() == 0)
    return nullptr;
  Form& form = *found;
  Call call;
  call.given[0] = args[0];
  for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); ++i)
    if (!set_keyword(form, call, PyTuple_GET_ITEM(names, i), args[n + i])) return nullptr;
  for (size_t i = 0; i < form.parameters.size(); ++i)
    if (form.parameters[i].name == axis && call.given[i] == nullptr) call.given[i] = first;
  return apply_form(form, call);
}

PyObject* variable_array_function(PyObject*, PyObject* const* args, Py_ssize_t n) {
  if (n == 4 && PyTuple_CheckExact(args[2]) && PyDict_CheckExact(args[3])) {
    if (Form* const form = form_of(args[0])) {
      PyObject* found = try_function(*form, args[2], args[3]);
      if (found != nullptr || PyErr_Occurred()) return found;
    }
  }
  if (n == 4 && (holds_complex(args[2]) || holds_complex(args[3])))
    return guard([&] { return call_complex("array_function", {args[0], args[2], args[3]}); });
  if (hooks.array_function == nullptr) Py_RETURN_NOTIMPLEMENTED;
  return PyObject_Vectorcall(hooks.array_function, args, static_cast<size_t>(n), nullptr);
}

void bind_array_functions(py::module_& m) {
  m.def("set_form", &set_form, py::arg("numpy_function"), py::arg("op"), py::arg("names"),
        py::arg("kinds"), py::arg("defaults"), py::arg("order"), py::arg("gives_array"),
        "Declares how the usual calls of a NumPy function become an operation: its parameters, "
        "of which kind each is, its default, in which order the operation has them, and whether a "
        "result of no axes is an array.");
  m.def(
      "set_implementation",
      [](const py::object& numpy_function, const py::object& implementation) {
        make_known(numpy_function).implementation = py::object(implementation).release().ptr();
      },
      py::arg("numpy_function"), py::arg("implementation"),
      "The package's function for calls with Variables, where no whole function is recorded.");
  m.def(
      "set_fold",
      [](const py::object& ufunc, const std::string& method, const py::object& function) {
        folds.push_back({py::object(ufunc).release().ptr(),
                         PyUnicode_InternFromString(method.c_str()),
                         py::object(function).release().ptr()});
      },
      py::arg("ufunc"), py::arg("method"), py::arg("function"),
      "The function that a method of a universal function is, along axis 0 where none is given.");
  m.def("method", &make_method, py::arg("numpy_function"), py::arg("function"),
        "The function as a method of Variable; calls in the NumPy function's form do not reach "
        "it.");
}

}  // namespace tapegrad
