#include "bindings/variable/variable_type.h"

#include <pybind11/stl.h>

#include <structmember.h>

#include <array>
#include <string_view>

#include "bindings/convert.h"
#include "bindings/numpy_functions/array_function.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/foreign_operands.h"
#include "bindings/variable/index.h"
#include "tapegrad/autodiff/scalar_operation.h"
#include "tapegrad/base/value_order.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {

namespace py = pybind11;

PyTypeObject* variable_type = nullptr;
Hooks hooks;

namespace {

// Objects of the exact type are kept for the next one, linked through the field for weak
// references; the interpreter's lock guards the list (a list of each thread would be lost with it).
#ifdef Py_GIL_DISABLED
constexpr int most_free = 0;
#else
constexpr int most_free = 4096;
#endif
PyVariable* free_objects = nullptr;
int free_count = 0;

PyObject* allocate(PyTypeObject* type) {
  if (type == variable_type && free_objects != nullptr) {
    PyVariable* v = free_objects;
    free_objects = reinterpret_cast<PyVariable*>(v->weak_references);
    --free_count;
    v->weak_references = nullptr;
    return PyObject_Init(reinterpret_cast<PyObject*>(v), type);
  }
  return type->tp_alloc(type, 0);
}

void deallocate(PyObject* self) {
  auto* v = reinterpret_cast<PyVariable*>(self);
  if (v->weak_references) PyObject_ClearWeakRefs(self);
  if (v->cell) {
    v->cell->drop();
    v->cell = nullptr;
  }
  PyTypeObject* type = Py_TYPE(self);
  if (type == variable_type && free_count < most_free) {
    v->weak_references = reinterpret_cast<PyObject*>(free_objects);
    free_objects = v;
    ++free_count;
  } else {
    type->tp_free(self);
  }
  Py_DECREF(type);
}

PyObject* construct(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guard([&]() -> PyObject* {
    static const char* names[] = {"value", "name", "dtype", nullptr};
    PyObject *value = nullptr, *name = Py_None, *dtype = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO:Variable", const_cast<char**>(names),
                                     &value, &name, &dtype))
      return nullptr;
    if (type == variable_type && (holds_complex(value) || holds_complex(dtype)))
      return call_complex("leaf", {value, name, dtype});
    const bool is_plain = is_variable(value) && variable_cell(value).holds_plain();
    if (is_variable(value) && !is_plain)
      throw_error<TypeError>(
          "Variable: got a Variable, whose derivative a new leaf would drop; use v itself, or "
          "tg.Variable(tg.value(v)) for a leaf of its value");
    const Operand operand =
        is_plain ? Operand{Ref(learn_value(variable_cell(value)))} : to_operand(value, "Variable");
    if (operand.ref.tracked())
      throw_error<TypeError>(
          "Variable: got a list of Variables, whose derivatives a new leaf would drop; use "
          "np.stack(the list)");
    Value content = operand.ref.value();
    if (dtype != Py_None) content = content.cast(to_dtype(dtype));
    content = content.copy();  // a Variable owns its data
    std::string text;
    if (name != Py_None) text = to_name(name);
    Cell* cell = Cell::leaf(std::move(content), std::move(text));
    if (is_array(value)) cell->count_as_array();
    PyObject* self = allocate(type);
    if (self == nullptr) {
      cell->drop();
      return nullptr;
    }
    reinterpret_cast<PyVariable*>(self)->cell = cell;
    return self;
  });
}

// What the caller wrote Python code can tell best: it names that, or finds that a text is made of
// the number, as '%.3f' % v does, and gives None.
void check_loses_derivative(PyObject* self) {
  const std::string what = join_text("this Variable of shape ", variable_cell(self).type().shape,
                                     " (value ", variable_cell(self).value(), ")");
  const py::object told =
      py::module_::import("tapegrad.numpy.refusals").attr("number_refusal")(what);
  if (!told.is_none()) throw TypeError(py::cast<std::string>(told));
  if (variable_cell(self).value().size() != 1)
    throw_error<TypeError>(
        "'%f' % v of a Variable of shape ", variable_cell(self).type().shape,
        ": only one number has this format; format each element, or write f'{v}'");
}

}  // namespace

void learn_for_text(Cell& cell) {
  if (!Tape::current().tracing()) return;
  const py::object shown = py::module_::import("tapegrad.numpy.texts").attr("is_only_shown")();
  if (!shown.cast<bool>()) learn_value(cell);
}

namespace {

PyObject* to_float(PyObject* self) {
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(self);
    if (!is_recorded_data(cell) && !is_float_of_data(cell) && !cell.holds_plain()) {
      check_loses_derivative(self);
      learn_for_text(cell);
      return PyFloat_FromDouble(cell.value().at(0));
    }
    return PyNumber_Float(to_object(learn_value(cell)).ptr());
  });
}

PyObject* to_int(PyObject* self) {
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(self);
    if (is_recorded_data(cell) || cell.holds_plain())
      return PyNumber_Long(to_object(learn_value(cell)).ptr());
    return PyLong_FromDouble(learn_integer_part(cell, "int(v)"));
  });
}

PyObject* to_index(PyObject* self) {
  return guard([&]() -> PyObject* {
    if (is_integer(variable_cell(self).value().dtype())) return to_int(self);
    const Value& v = variable_cell(self).value();
    throw_error<TypeError>("a Variable can't be used as an index (shape ", v.shape(),
                           v.size() == 1 ? "); use int(v), which is constant almost everywhere"
                                         : "); use int(v[i]) for each of its elements, which is "
                                           "constant almost everywhere");
  });
}

int to_bool(PyObject* self) {
  return guard_int([&] { return learn_truth(variable_cell(self)) ? 1 : 0; });
}

// With a list, None or a text: NumPy compares arrays with these by element too.
PyObject* compare_with_items(PyObject* a, PyObject* b, int op) {
  learn_lengths(variable_cell(a));
  py::object items = py::reinterpret_borrow<py::object>(b);
  if (b != Py_None) items = py::module_::import("tapegrad.numpy.operands").attr("lift")(items);
  const auto is_numeric = [](char kind) { return std::string_view("biuf").find(kind) < 4; };
  if (is_variable(items.ptr()) || (b != Py_None && is_numeric(py::array(items).dtype().kind())))
    return PyObject_RichCompare(a, items.ptr(), op);
  return PyObject_RichCompare(to_object(variable_cell(a).value(), false).ptr(), items.ptr(), op);
}

PyObject* compare(PyObject* a, PyObject* b, int op) {
  return guard([&]() -> PyObject* {
    const auto plain = [](PyObject* o) {
      if (!is_variable(o)) return py::reinterpret_borrow<py::object>(o);
      const Value& v = variable_cell(o).value();
      // What NumPy makes of it lies in memory as it does.
      if (v.ndim() > 1 && !variable_cell(o).lies_in_c_order())
        return to_object(copy_lying_by(v, variable_cell(o).numpy_strides()), false);
      if (!v.is_scalar()) return to_object(v, false);
      return py::reinterpret_steal<py::object>(to_plain_result(Value(v), NumberKind::numpy));
    };
    if (is_variable(a) && (is_variable(b) || PyFloat_CheckExact(b) || PyLong_Check(b) ||
                           PyComplex_Check(b) || py::detail::npy_api::get().PyArray_Check_(b) ||
                           PyFloat_Check(b) || py::hasattr(b, "dtype"))) {
      if (Tape::current().tracing() || are_tested_as_floats(std::array{a, b})) {
        constexpr ScalarFn functions[] = {scalar_fn_of<Less>(),    scalar_fn_of<LessEqual>(),
                                          scalar_fn_of<Equal>(),   scalar_fn_of<NotEqual>(),
                                          scalar_fn_of<Greater>(), scalar_fn_of<GreaterEqual>()};
        return apply_elementwise(functions[op], a, b, CalledAs::operator_);
      }
      return PyObject_RichCompare(plain(a).ptr(), plain(b).ptr(), op);
    }
    if (is_variable(a) && variable_cell(a).value().ndim() > 0 &&
        (PyList_Check(b) || PyTuple_Check(b) || PyRange_Check(b) || b == Py_None ||
         PyUnicode_Check(b) || PyBytes_Check(b)))
      return compare_with_items(a, b, op);
    if (is_variable(a) && gives_array(b))
      return PyObject_RichCompare(a, numpy_asarray()(py::handle(b)).ptr(), op);
    if (is_variable(a) && is_foreign_number(b))  // a fraction, a decimal: exactly, by its own rules
      return PyObject_RichCompare(to_object(learn_value(variable_cell(a)), false).ptr(), b, op);
    Py_RETURN_NOTIMPLEMENTED;
  });
}

// x in v. No method of the name stands in the class, which would make every number a collection.
int contains(PyObject* self, PyObject* x) {
  return guard_int([&] {
    if (variable_cell(self).value().ndim() == 0)
      throw_error<TypeError>("x in v: a Variable of shape () holds no elements; write x == v");
    const auto equal = py::reinterpret_steal<py::object>(PyObject_RichCompare(self, x, Py_EQ));
    if (!equal) throw py::error_already_set();
    return PyObject_IsTrue(py::module_::import("numpy").attr("any")(equal).ptr());
  });
}

// A recorded integer is the key that its value is; all other Variables are themselves.
Py_hash_t hash(PyObject* self) {
  if (!is_recorded_number(variable_cell(self))) return PyBaseObject_Type.tp_hash(self);
  Py_hash_t found = -1;
  guard_int([&] {
    found = PyObject_Hash(to_object(learn_value(variable_cell(self))).ptr());
    return 0;
  });
  return found;
}

PyObject* represent(PyObject* self) {
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(self);
    if (is_recorded_data(cell) || cell.is_blank())
      return PyObject_Repr(to_object(learn_value(cell)).ptr());
    learn_lengths(cell);
    learn_for_text(cell);
    const Value v = cell.value();
    std::string text = "Variable(";
    if (v.is_scalar()) {
      text += py::repr(py::float_(v.as_double())).cast<std::string>();
    } else {
      text += py::module_::import("numpy")
                  .attr("array2string")(to_object(v, false), py::arg("separator") = ", ",
                                        py::arg("prefix") = "Variable(")
                  .cast<std::string>();
    }
    if (v.dtype() == DType::float32) text += ", dtype=float32";
    if (!cell.name().empty())
      text += ", name=" + py::repr(py::str(cell.name())).cast<std::string>();
    return py::str(text + ")").release().ptr();
  });
}

// What is recorded data says in a text what it says in the plain function.
PyObject* to_text(PyObject* self) {
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(self);
    return is_recorded_data(cell) ? PyObject_Str(to_object(learn_value(cell)).ptr())
                                  : PyObject_Repr(self);
  });
}

Py_ssize_t length(PyObject* self) {
  const Value& v = variable_cell(self).value();
  if (v.is_scalar()) {
    PyErr_SetString(PyExc_TypeError, "len() of a Variable of shape (): it is a scalar");
    return -1;
  }
  learn_lengths(variable_cell(self));
  return static_cast<Py_ssize_t>(v.dim(0));
}

PyObject* blank_of(Cell* part) {
  const CellPtr owned(part);
  return new_blank(Value(part->value()));
}

// What index arrays choose of a blank.
PyObject* blank_of(Cell* part, Cell& whole, const IndexSpec& spec) {
  const CellPtr owned(part);
  const Lying source{whole.type().shape, whole.numpy_strides()};
  const Value found = part->value();
  const Dims strides = numpy_strides(gather_op(), spec.attrs(), {&source, 1}, found.shape());
  return new_blank_lying_by(Value(found), strides);
}

PyObject* subscript(PyObject* self, PyObject* key) {
  return guard([&] {
    Cell& cell = variable_cell(self);
    if (Cell* const number = element_by_key(cell, key)) return new_variable(number);
    if (Cell* const part = part_by_key(cell, key)) return new_variable(part);
    IndexKey parsed = index_key(cell, key, KeyUse::read);
    if (!cell.is_blank()) return new_variable(cell.item(std::move(parsed)));
    Cell* const part = cell.item(parsed);
    const bool is_plain = part->is_leaf() && !part->is_view();  // not at recorded positions
    if (!is_plain) return new_variable(part);
    const bool is_strided = part->value().ndim() > 1 && !parsed.spec.is_basic();
    return is_strided ? blank_of(part, cell, parsed.spec) : blank_of(part);
  });
}

// Whether Python is at a statement v[key] = value, rather than in a function in C that assigns.
bool is_at_store() {
  const py::handle f(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
  if (!f) return false;
  const auto code = f.attr("f_code").attr("co_code").cast<std::string>();
  const auto at = f.attr("f_lasti").cast<size_t>();
  const auto name = py::module_::import("opcode").attr(
      "opname")[py::int_(static_cast<unsigned char>(code.at(at)))];
  return name.cast<std::string>() == "STORE_SUBSCR";
}

// NumPy's shuffle swaps rows by v[i], v[j] = v[j], v[i] where v is not an array of its own, and
// rows are views: the second one would be lost.
void refuse_swap_of_rows(Cell& cell, PyObject* key, PyObject* value) {
  if (!PyLong_Check(key) || !is_variable(value)) return;
  Cell& row = variable_cell(value);
  if (!row.is_view() || row.value().ndim() == 0 || !row.is_part_of(cell) || is_at_store()) return;
  throw_error<TypeError>(
      "item assignment: a function in C writes a row of this Variable of shape ", cell.type().shape,
      " into another one; rows are views, and swaps as those of rng.shuffle(y) would lose some: "
      "write y = y[rng.permutation(len(y))], or y[i] = y[j] in Python");
}

int assign_subscript(PyObject* self, PyObject* key, PyObject* value) {
  return guard_int([&] {
    if (value == nullptr)
      throw_error<ValueError>("del v[...]: can't delete elements of an array; use np.delete(v, i)");
    Cell& cell = variable_cell(self);
    if (set_element_by_key(cell, key, value)) return 0;
    const TensorType type = cell.type();
    if (type.shape.empty() && !PyTuple_Check(key) && key != Py_Ellipsis)
      throw_error<TypeError>(
          "item assignment: this Variable is a scalar; give it a new value with v.value = x");
    const IndexKey parsed = index_key(cell, key, KeyUse::write);
    if (is_variable(value) && variable_cell(value).shows(cell, parsed.spec, parsed.arrays))
      return 0;  // v[i] += x wrote already
    refuse_swap_of_rows(cell, key, value);
    cell.assign(parsed.spec, parsed.arrays, to_operand(value, "item assignment").ref);
    return 0;
  });
}

PyObject* iterate(PyObject* self) {
  return guard([&]() -> PyObject* {
    const Dims shape = variable_cell(self).type().shape;
    if (shape.empty())
      throw_error<TypeError>("iteration over a Variable of shape (): it is a scalar");
    learn_lengths(variable_cell(self));
    py::list items;
    for (int64_t i = 0; i < shape[0]; ++i) {
      Cell* entry = element_at(variable_cell(self), {&i, 1});
      if (entry == nullptr)
        entry = variable_cell(self).item({.spec = IndexSpec::entry(shape, 0, i)});
      items.append(py::reinterpret_steal<py::object>(
          variable_cell(self).is_blank() && !entry->is_view() ? blank_of(entry)
                                                              : new_variable(entry)));
    }
    return PyObject_GetIter(items.ptr());
  });
}

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyVariable, weak_references), READONLY, nullptr},
    {}};

const char* documentation =
    "Variable(value, name=None, dtype=None)\n--\n\n"
    "A number or an array that is differentiated: what is computed from it is recorded.\n\n"
    "value: float, int or array of any shape (copied); name: for people; dtype: float64 or "
    "float32.\n"
    "Of complex numbers it is a tg.ComplexVariable. TypeError for strings and integer arrays.\n\n"
    ">>> import tapegrad as tg\n"
    ">>> w = tg.Variable(2.0)\n"
    ">>> loss = w * w + 1\n"
    ">>> loss.backward()\n"
    ">>> w.grad\n"
    "4.0\n";

}  // namespace

PyObject* new_blank(Value&& value) {
  if (!value.is_scalar() && is_floating(value.dtype())) return new_variable(Cell::blank(value));
  if (!value.is_scalar()) return to_python(std::move(value), true);
  const py::object dtype = dtype_object(value.dtype());
  return dtype.attr("type")(to_object(std::move(value))).release().ptr();
}

PyObject* new_blank_lying_by(Value&& value, std::span<const int64_t> strides) {
  if (value.ndim() < 2 || !is_floating(value.dtype())) return new_blank(std::move(value));
  return new_variable(Cell::blank_lying_by(value, strides));
}

Lying lying_of(PyObject* object, const Ref& ref) {
  return {ref.shape(),
          is_variable(object) ? variable_cell(object).numpy_strides() : ref.value().strides()};
}

PyObject* new_variable(Cell* cell) {
  PyObject* o = allocate(variable_type);
  if (o == nullptr) {
    cell->drop();
    throw py::error_already_set();
  }
  auto* v = reinterpret_cast<PyVariable*>(o);
  v->cell = cell;
  v->weak_references = nullptr;
  return o;
}

void create_variable_type(py::module_& module) {
  static std::vector<PyMethodDef> methods = unary_methods();  // the type keeps pointing at them
  // Of two entries of one name the first counts.
  methods.push_back(
      {"__array_function__",
       reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(variable_array_function)),
       METH_FASTCALL, "NumPy's other functions, recorded."});
  for (const PyMethodDef* m = variable_methods; m->ml_name != nullptr; ++m) methods.push_back(*m);
  methods.push_back({});
  std::vector<PyType_Slot> slots = number_slots();
  const auto add = [&slots](int id, const void* p) { slots.push_back({id, const_cast<void*>(p)}); };
  const auto add_function = [&add](int id, auto* f) { add(id, reinterpret_cast<const void*>(f)); };
  add(Py_tp_doc, documentation);
  add(Py_tp_methods, methods.data());
  add(Py_tp_getset, variable_attributes);
  add(Py_tp_members, members);
  add_function(Py_tp_new, construct);
  add_function(Py_tp_dealloc, deallocate);
  add_function(Py_tp_repr, represent);
  add_function(Py_tp_str, to_text);
  add_function(Py_tp_richcompare, compare);
  add_function(Py_tp_hash, hash);
  add_function(Py_tp_iter, iterate);
  add_function(Py_mp_length, length);
  add_function(Py_mp_subscript, subscript);
  add_function(Py_mp_ass_subscript, assign_subscript);
  add_function(Py_nb_float, to_float);
  add_function(Py_nb_int, to_int);
  add_function(Py_nb_index, to_index);
  add_function(Py_nb_bool, to_bool);
  add_function(Py_bf_getbuffer, get_buffer);
  add_function(Py_bf_releasebuffer, release_buffer);
  slots.push_back({0, nullptr});
  PyType_Spec spec = {"tapegrad.Variable", sizeof(PyVariable), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots.data()};
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  variable_type = reinterpret_cast<PyTypeObject*>(type);
  variable_type->tp_as_sequence->sq_contains = contains;
  for (PyGetSetDef* a = variable_array_methods; a->name != nullptr; ++a) {
    const auto got = py::reinterpret_steal<py::object>(PyDescr_NewGetSet(variable_type, a));
    if (!got || PyDict_SetItemString(variable_type->tp_dict, a->name, got.ptr()) != 0)
      throw py::error_already_set();
  }
  PyType_Modified(variable_type);
  module.attr("Variable") = py::reinterpret_borrow<py::object>(type);
}

}  // namespace tapegrad
