#include "bindings/numpy_functions/array_function.h"

#include <structmember.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "bindings/convert.h"
#include "bindings/variable/apply.h"
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

enum class Kind : uint8_t {
  operand,        // a Variable, a number or an array
  array,          // a Variable with axes
  packed,         // a Variable with axes whose array NumPy would have packed in C order
  operands,       // a list or tuple of them
  mask,           // an array of bools, or one bool
  axis,           // None, an int or a tuple of ints; the attribute is the same
  axes,           // the same, but the attribute is None or a list
  ints,           // an int or a tuple of ints: a list
  gathered,       // the same; to the method the ints may be given one by one
  gathered_axes,  // axes, given to the method in the same way
  index,          // an int
  integer,        // an int, or the default
  positive,       // the same, from 1 on
  number,         // None or an int
  flag,           // False where it is not given
  unset,          // not given, or None
  never           // not given
};

constexpr std::array kind_names{
    "operand",       "array", "packed",  "operands", "mask",   "axis", "axes",  "ints", "gathered",
    "gathered_axes", "index", "integer", "positive", "number", "flag", "unset", "never"};

// Of which nothing becomes an input or an attribute.
constexpr bool is_left_out(Kind kind) { return kind == Kind::unset || kind == Kind::never; }

struct Parameter {
  PyObject* name;  // interned
  Kind kind;
  int64_t otherwise;  // of an integer that is not given
};

constexpr size_t most_parameters = 10;
constexpr size_t most_operands = 16;
constexpr size_t longest_key = 20;

// Attributes as numbers: each a tag and what it holds. The attributes of the last call are kept,
// since calls in a loop mostly repeat them.
struct AttrKey {
  enum Tag : int64_t { none, flag, integer, list };
  std::array<int64_t, longest_key> items;
  size_t size = 0;

  bool add(Tag tag, std::initializer_list<int64_t> content) {
    if (size + 1 + content.size() > longest_key) return false;
    items[size++] = tag;
    for (int64_t x : content) items[size++] = x;
    return true;
  }
  friend bool operator==(const AttrKey& a, const AttrKey& b) {
    return a.size == b.size &&
           std::equal(a.items.begin(), a.items.begin() + a.size, b.items.begin());
  }
  Attrs attrs() const {
    std::vector<Attr> found;
    for (size_t i = 0; i < size;) {
      switch (items[i++]) {
        case none:
          found.emplace_back();
          break;
        case flag:
          found.emplace_back(items[i++] != 0);
          break;
        case integer:
          found.emplace_back(items[i++]);
          break;
        default: {
          const auto n = static_cast<size_t>(items[i++]);
          found.emplace_back(std::vector<int64_t>(&items[i], &items[i] + n));
          i += n;
        }
      }
    }
    return Attrs(std::move(found));
  }
};

struct Form {
  const Op* op;
  std::vector<Parameter> parameters;  // in NumPy's order
  std::vector<size_t> order;          // of them, in which the op has its inputs and attributes
  bool gives_array = false;           // of no axes too, where most functions give a number
  AttrKey last_key{};
  Attrs last_attrs{};

  bool gathers() const {
    return parameters.size() > 1 &&
           (parameters[1].kind == Kind::gathered || parameters[1].kind == Kind::gathered_axes);
  }
};

struct Call {
  std::array<PyObject*, most_parameters> given{};
  std::array<PyObject*, most_operands> operands;
  size_t n_operands = 0;
  AttrKey key;
};

bool is_int(PyObject* o, int64_t& x) {
  if (!PyLong_CheckExact(o)) return false;
  int overflow = 0;
  x = PyLong_AsLongLongAndOverflow(o, &overflow);
  return overflow == 0;
}

bool add_operand(Call& call, PyObject* o) {
  constexpr int type_num_object = 17;  // may hold Variables
  const bool simple =
      o != nullptr &&
      (is_variable(o) || PyFloat_CheckExact(o) || PyLong_CheckExact(o) ||
       (Py_TYPE(o) == py::detail::npy_api::get().PyArray_Type_ && !is_complex(o) &&
        py::reinterpret_borrow<py::dtype>(py::detail::array_proxy(o)->descr).num() !=
            type_num_object));
  if (!simple || call.n_operands == most_operands) return false;
  call.operands[call.n_operands++] = o;
  return true;
}

bool add_operands(Call& call, PyObject* o) {
  if (o == nullptr || !(PyList_CheckExact(o) || PyTuple_CheckExact(o))) return false;
  bool any_data = false, any_number = false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    if (!add_operand(call, item)) return false;
    any_data |= is_variable(item) && is_recorded_data(item);
    any_number |= PyLong_CheckExact(item);
  }
  return call.n_operands > 0 && !(any_data && any_number);  // NumPy makes an array of the number
}

bool has_axes(PyObject* o) {
  return o != nullptr && is_variable(o) && variable_cell(o).value().ndim() > 0;
}

bool is_packed(PyObject* o) {
  if (!has_axes(o)) return false;
  Cell& cell = variable_cell(o);
  return cell.value().ndim() == 1 || cell.lies_in_c_order();
}

bool is_plain_mask(PyObject* o) {
  if (o == nullptr || PyBool_Check(o)) return o != nullptr;
  return Py_TYPE(o) == py::detail::npy_api::get().PyArray_Type_ &&
         py::reinterpret_borrow<py::dtype>(py::detail::array_proxy(o)->descr).num() ==
             py::detail::npy_api::NPY_BOOL_;
}

// One int: as it is for an axis, else a list of one.
bool add_ints(Call& call, PyObject* o, bool keep_single) {
  int64_t x;
  if (is_int(o, x))
    return keep_single ? call.key.add(AttrKey::integer, {x}) : call.key.add(AttrKey::list, {1, x});
  if (!PyTuple_CheckExact(o)) return false;
  const Py_ssize_t n = PyTuple_GET_SIZE(o);
  AttrKey& key = call.key;
  if (!key.add(AttrKey::list, {n}) || key.size + static_cast<size_t>(n) > longest_key) return false;
  for (Py_ssize_t i = 0; i < n; ++i) {
    if (!is_int(PyTuple_GET_ITEM(o, i), x)) return false;
    key.items[key.size++] = x;
  }
  return true;
}

// Enters one argument, null where it is not given; false where the package's function must look.
bool add(Call& call, const Parameter& parameter, PyObject* o) {
  const Kind kind = parameter.kind;
  AttrKey& key = call.key;
  int64_t x;
  switch (kind) {
    case Kind::packed:
      if (!is_packed(o)) return false;
      [[fallthrough]];
    case Kind::array:
      if (!has_axes(o)) return false;
      [[fallthrough]];
    case Kind::operand:
      if (o != nullptr && is_variable(o) && is_recorded_data(o)) return false;
      return add_operand(call, o);
    case Kind::operands:
      return add_operands(call, o);
    case Kind::mask:
      if (!is_plain_mask(o) || call.n_operands == most_operands) return false;
      call.operands[call.n_operands++] = o;
      return true;
    case Kind::axis:
    case Kind::axes:
    case Kind::gathered_axes:
      if (o == nullptr || o == Py_None) return key.add(AttrKey::none, {});
      return add_ints(call, o, kind == Kind::axis);
    case Kind::ints:
    case Kind::gathered:
      return o != nullptr && add_ints(call, o, false);
    case Kind::integer:
    case Kind::positive:
      if (o == nullptr) return key.add(AttrKey::integer, {parameter.otherwise});
      [[fallthrough]];
    case Kind::index:
      return o != nullptr && is_int(o, x) && (kind != Kind::positive || x > 0) &&
             key.add(AttrKey::integer, {x});
    case Kind::number:
      if (o == nullptr || o == Py_None) return key.add(AttrKey::none, {});
      return is_int(o, x) && key.add(AttrKey::integer, {x});
    case Kind::flag:
      if (o != nullptr && !PyBool_Check(o)) return false;
      return key.add(AttrKey::flag, {o == Py_True});
    case Kind::unset:
      return o == nullptr || o == Py_None;
    case Kind::never:
      return o == nullptr;
  }
  return false;
}

bool set_keyword(const Form& form, Call& call, PyObject* name, PyObject* value) {
  const std::vector<Parameter>& p = form.parameters;
  size_t i = 0;
  while (i < p.size() && p[i].name != name) ++i;
  if (i == p.size())  // the same text in another object
    for (i = 0; i < p.size() && PyUnicode_Compare(p[i].name, name) != 0;) ++i;
  if (i == p.size() || call.given[i] != nullptr) return false;
  call.given[i] = value;
  return true;
}

bool set_positional(const Form& form, Call& call, PyObject* const* args, size_t n) {
  if (n > form.parameters.size()) return false;
  std::copy(args, args + n, call.given.begin());
  return true;
}

// A new reference; null without an error where the form does not cover the call.
PyObject* apply_form(Form& form, Call& call) {
  for (const size_t i : form.order) {
    const Parameter& parameter = form.parameters[i];
    if (call.given[i] == nullptr && is_left_out(parameter.kind)) continue;
    if (!add(call, parameter, call.given[i])) return nullptr;
  }
  if (!(call.key == form.last_key)) {
    form.last_attrs = call.key.attrs();
    form.last_key = call.key;
  }
  const Attrs attrs = form.last_attrs;
  return guard([&] {
    PyObject* made = apply_to_objects(*form.op, {call.operands.data(), call.n_operands}, attrs);
    if (form.gives_array && is_variable(made)) variable_cell(made).count_as_array();
    return made;
  });
}

std::unordered_map<PyObject*, std::unique_ptr<Form>> forms_by_function;

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
  PyObject* function;
};

PyObject* try_method(Form& form, PyObject* const* args, size_t n, PyObject* names) {
  Call call;
  py::object gathered;
  if (form.gathers() && n > 2) {
    gathered = py::reinterpret_steal<py::object>(PyTuple_New(static_cast<Py_ssize_t>(n - 1)));
    if (!gathered) return nullptr;
    for (size_t i = 1; i < n; ++i)
      PyTuple_SET_ITEM(gathered.ptr(), static_cast<Py_ssize_t>(i - 1), Py_NewRef(args[i]));
    call.given[0] = args[0];
    call.given[1] = gathered.ptr();
  } else if (!set_positional(form, call, args, n)) {
    return nullptr;
  }
  const Py_ssize_t k = names ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < k; ++i)
    if (!set_keyword(form, call, PyTuple_GET_ITEM(names, i), args[n + static_cast<size_t>(i)]))
      return nullptr;
  return apply_form(form, call);
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
  const auto form = forms_by_function.find(numpy_function.ptr());
  auto* method = PyObject_New(Method, type);
  if (method == nullptr) throw py::error_already_set();
  method->vectorcall = call_method;
  method->form = form == forms_by_function.end() ? nullptr : form->second.get();
  method->function = py::object(function).release().ptr();
  return py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(method));
}

Kind kind_of(const std::string& name) {
  const auto* const at = std::find(kind_names.begin(), kind_names.end(), name);
  if (at == kind_names.end()) throw_error<ValueError>("set_form: no kind of parameter ", name);
  return static_cast<Kind>(at - kind_names.begin());
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
    const bool has_default = kind == Kind::integer || kind == Kind::positive;
    form->parameters.push_back({name, kind, has_default ? defaults[i].cast<int64_t>() : 0});
    form->order.push_back(order[i].cast<size_t>());
    if (form->order[i] >= n) throw_error<ValueError>("set_form: ", op_name, " has an order of it");
  }
  forms_by_function.insert_or_assign(py::object(numpy_function).release().ptr(), std::move(form));
}

}  // namespace

PyObject* variable_array_function(PyObject*, PyObject* const* args, Py_ssize_t n) {
  if (n == 4 && PyTuple_CheckExact(args[2]) && PyDict_CheckExact(args[3])) {
    const auto form = forms_by_function.find(args[0]);
    if (form != forms_by_function.end()) {
      PyObject* found = try_function(*form->second, args[2], args[3]);
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
  m.def("method", &make_method, py::arg("numpy_function"), py::arg("function"),
        "The function as a method of Variable; calls in the NumPy function's form do not reach "
        "it.");
}

}  // namespace tapegrad
