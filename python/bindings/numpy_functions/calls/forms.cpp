#include "bindings/numpy_functions/calls/forms.h"

#include <pybind11/numpy.h>

#include "bindings/convert.h"
#include "bindings/variable/apply.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/learn.h"

namespace tapegrad::forms {
namespace {

constexpr std::array kind_names{"operand",       "variable", "array",   "packed", "operands",
                                "mask",          "axis",     "axes",    "ints",   "gathered",
                                "gathered_axes", "index",    "integer", "count",  "number",
                                "flag",          "unset",    "never"};

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

bool add_list(Call& call, std::span<PyObject* const> ints) {
  AttrNumbers& key = call.key;
  if (!key.add(AttrNumbers::list, {static_cast<int64_t>(ints.size())}) ||
      key.size + ints.size() > longest_key)
    return false;
  for (PyObject* o : ints) {
    int64_t x;
    if (!is_int(o, x)) return false;
    key.items[key.size++] = x;
  }
  return true;
}

// One int: as it is for an axis, else a list of one.
bool add_ints(Call& call, PyObject* o, bool keep_single) {
  int64_t x;
  if (is_int(o, x))
    return keep_single ? call.key.add(AttrNumbers::integer, {x})
                       : call.key.add(AttrNumbers::list, {1, x});
  if (!PyTuple_CheckExact(o)) return false;
  return add_list(call, {PySequence_Fast_ITEMS(o), static_cast<size_t>(PyTuple_GET_SIZE(o))});
}

// Enters one argument, null where it is not given; false where the package's function must look.
bool add(Call& call, const Parameter& parameter, PyObject* o) {
  const Kind kind = parameter.kind;
  AttrNumbers& key = call.key;
  int64_t x;
  switch (kind) {
    case Kind::variable:
      if (o == nullptr || !is_variable(o) || is_weak(variable_cell(o)) || is_recorded_data(o))
        return false;
      return add_operand(call, o);
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
      if (kind == Kind::gathered_axes && !call.gathered.empty())
        return add_list(call, call.gathered);
      if (o == nullptr || o == Py_None) return key.add(AttrNumbers::none, {});
      return add_ints(call, o, kind == Kind::axis);
    case Kind::ints:
    case Kind::gathered:
      if (kind == Kind::gathered && !call.gathered.empty()) return add_list(call, call.gathered);
      return o != nullptr && add_ints(call, o, false);
    case Kind::integer:
    case Kind::count:
      if (o == nullptr) return key.add(AttrNumbers::integer, {parameter.otherwise});
      [[fallthrough]];
    case Kind::index:
      return o != nullptr && is_int(o, x) && (kind != Kind::count || x > 0) &&
             key.add(AttrNumbers::integer, {x});
    case Kind::number:
      if (o == nullptr || o == Py_None) return key.add(AttrNumbers::none, {});
      return is_int(o, x) && key.add(AttrNumbers::integer, {x});
    case Kind::flag:
      if (o != nullptr && !PyBool_Check(o)) return false;
      return key.add(AttrNumbers::flag, {o == Py_True});
    case Kind::unset:
      return o == nullptr || o == Py_None;
    case Kind::never:
      return o == nullptr;
  }
  return false;
}

}  // namespace

Kind kind_of(const std::string& name) {
  const auto* const at = std::find(kind_names.begin(), kind_names.end(), name);
  if (at == kind_names.end()) throw_error<ValueError>("set_form: no kind of parameter ", name);
  return static_cast<Kind>(at - kind_names.begin());
}

bool set_keyword(const Form& form, Call& call, PyObject* name, PyObject* value) {
  const std::vector<Parameter>& p = form.parameters;
  size_t i = 0;
  while (i < p.size() && p[i].name != name) ++i;
  if (i == p.size())  // the same text in another object
    for (i = 0; i < p.size() && PyUnicode_Compare(p[i].name, name) != 0;) ++i;
  const bool is_gathered = i == 1 && !call.gathered.empty();
  if (i == p.size() || call.given[i] != nullptr || is_gathered) return false;
  call.given[i] = value;
  return true;
}

bool set_positional(const Form& form, Call& call, PyObject* const* args, size_t n) {
  if (n > form.parameters.size()) return false;
  std::copy(args, args + n, call.given.begin());
  return true;
}

// Whether it is a call of blanks that is composed of several operations: NumPy's own result lies in
// memory as only its code says.
bool is_numpys(const Op& op, const Call& call) {
  return op.compose != nullptr && op.shares == MemorySharing::none && call.n_operands == 1 &&
         is_blank(call.operands[0]) && variable_cell(call.operands[0]).value().ndim() > 1;
}

// The attributes of a call: the form's own, of which nobody counts a copy. A call that begins
// before that one is over, in an operand's code or another thread, makes its own.
class AttrsOfCall {
 public:
  AttrsOfCall(Form& form, const AttrNumbers& key) : form_(form), borrows_(!form.lends) {
    if (!borrows_) {
      own_ = key.attrs();
    } else if (!(key == form.last_key)) {
      form.last_attrs = key.attrs();
      form.last_key = key;
    }
    form.lends = true;
  }
  AttrsOfCall(const AttrsOfCall&) = delete;
  AttrsOfCall& operator=(const AttrsOfCall&) = delete;
  ~AttrsOfCall() {
    if (borrows_) form_.lends = false;
  }
  const Attrs& get() const { return borrows_ ? form_.last_attrs : own_; }

 private:
  Form& form_;
  const bool borrows_;
  Attrs own_{};
};

PyObject* apply_form(Form& form, Call& call) {
  for (const size_t i : form.order) {
    const Parameter& parameter = form.parameters[i];
    if (call.given[i] == nullptr && is_left_out(parameter.kind)) continue;
    if (!add(call, parameter, call.given[i])) return nullptr;
  }
  if (is_numpys(*form.op, call)) return nullptr;
  return guard([&] {
    const AttrsOfCall attrs(form, call.key);
    PyObject* made =
        apply_to_objects(*form.op, {call.operands.data(), call.n_operands}, attrs.get());
    if (form.gives_array && is_variable(made)) variable_cell(made).count_as_array();
    return made;
  });
}

}  // namespace tapegrad::forms
