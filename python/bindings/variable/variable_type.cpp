#include "bindings/variable/variable_type.h"

#include <structmember.h>

#include <cmath>

#include "bindings/convert.h"
#include "bindings/variable/array_function.h"
#include "bindings/variable/index.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/tracer.h"

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
    if (is_variable(value))
      throw_error<TypeError>(
          "Variable: got a Variable, whose derivative a new leaf would drop; use tg.value(v) for "
          "the "
          "number, or v itself");
    const Operand operand = to_operand(value, "Variable");
    if (operand.ref.tracked())
      throw_error<TypeError>(
          "Variable: got a list of Variables, whose derivatives a new leaf would drop; use "
          "np.stack");
    Value content = operand.ref.value();
    if (dtype != Py_None) {
      const DType d = to_dtype(dtype);
      content = content.cast(d);
    }
    content = content.copy();  // a Variable owns its data
    std::string text;
    if (name != Py_None) text = py::cast<std::string>(py::handle(name));
    Cell* cell = Cell::leaf(std::move(content), std::move(text));
    PyObject* self = allocate(type);
    if (self == nullptr) {
      cell->drop();
      return nullptr;
    }
    reinterpret_cast<PyVariable*>(self)->cell = cell;
    return self;
  });
}

[[noreturn]] void throw_loses_derivative(const char* call, PyObject* self) {
  throw_error<TypeError>(call,
                         ": a plain number would lose the derivative of this Variable of shape ",
                         variable_cell(self).type().shape, " (value ", variable_cell(self).value(),
                         "); keep the Variable (NumPy functions work on it), or call tg.value(v) "
                         "where the derivative is "
                         "not needed");
}

// Computed from flags and whole numbers alone, in a few steps.
bool is_of_data(const Tape& tape, uint32_t slot, int steps = 8) {
  const Node& n = tape.node(slot);
  if (n.kind == NodeKind::constant || !is_floating(n.value.dtype())) return true;
  return n.kind == NodeKind::op && steps > 0 && std::ranges::all_of(n.inputs(), [&](uint32_t in) {
           return in == 0 || is_of_data(tape, in, steps - 1);
         });
}

// Such a float has no derivative to lose: np.arange(n) asks for n / 1, float(np.mean(x > 0)) for a
// share.
bool is_float_of_data(PyObject* self) {
  if (!Tape::current().tracing()) return false;
  const Ref v = variable_cell(self).ref();
  return v.tracked() && is_of_data(*v.tape(), v.slot());
}

PyObject* to_float(PyObject* self) {
  return guard([&]() -> PyObject* {
    if (is_recorded_data(self) || is_float_of_data(self))
      return PyNumber_Float(to_object(learned_value(self)).ptr());
    throw_loses_derivative("float(v)", self);
  });
}

// What plain code learns is written down while a whole function is recorded: `fn` of the value,
// which is all that it learns.
void note_learned(PyObject* self, ScalarFn fn) {
  Tape& tape = Tape::current();
  if (!tape.tracing()) return;
  const RecordingGuard off(false);
  const Ref v = variable_cell(self).ref();
  const bool compares = scalar_fn_info(fn).arity == 2;
  tape.tracer()->guard(compares ? elementwise(fn, {v, Ref(0.0)}) : elementwise(fn, {v}));
}

double number_of(PyObject* self, const char* what) {
  const Value& v = variable_cell(self).value();
  if (v.size() != 1)
    throw_error<TypeError>(what,
                           ": only Variables of one element can be converted, this one has shape ",
                           v.shape(), v.size() > 1 ? "; use .any() or .all(), or index it" : "");
  return v.at(0);
}

PyObject* to_int(PyObject* self) {
  return guard([&]() -> PyObject* {
    if (is_recorded_data(self)) return PyNumber_Long(to_object(learned_value(self)).ptr());
    const double x = number_of(self, "int(v)");
    note_learned(self, scalar_fn_of<Trunc>());
    return PyLong_FromDouble(x);
  });
}

PyObject* to_index(PyObject* self) {
  return guard([&]() -> PyObject* {
    if (is_integer(variable_cell(self).type().dtype)) return to_int(self);
    throw_error<TypeError>("a Variable can't be used as an index (shape ",
                           variable_cell(self).type().shape,
                           "); use int(v), which is constant almost everywhere");
  });
}

int to_bool(PyObject* self) {
  return guard_int([&] {
    const Value& v = variable_cell(self).value();
    if (v.size() != 1)
      throw_error<ValueError>("bool(v): the truth value of a Variable of shape ", v.shape(),
                              " is ambiguous; use v.any() or v.all()");
    note_learned(self, scalar_fn_of<NotEqual>());
    return v.at(0) != 0 ? 1 : 0;
  });
}

PyObject* compare(PyObject* a, PyObject* b, int op) {
  return guard([&]() -> PyObject* {
    const auto plain = [](PyObject* o) {
      return is_variable(o) ? to_object(variable_cell(o).value(), false)
                            : py::reinterpret_borrow<py::object>(o);
    };
    if (is_variable(a) && (is_variable(b) || PyFloat_CheckExact(b) || PyLong_CheckExact(b) ||
                           py::detail::npy_api::get().PyArray_Check_(b) || PyFloat_Check(b) ||
                           py::hasattr(b, "dtype"))) {
      if (Tape::current().tracing()) {
        constexpr ScalarFn functions[] = {scalar_fn_of<Less>(),    scalar_fn_of<LessEqual>(),
                                          scalar_fn_of<Equal>(),   scalar_fn_of<NotEqual>(),
                                          scalar_fn_of<Greater>(), scalar_fn_of<GreaterEqual>()};
        return as_weak_as(apply_elementwise(functions[op], a, b), a, b);
      }
      return PyObject_RichCompare(plain(a).ptr(), plain(b).ptr(), op);
    }
    Py_RETURN_NOTIMPLEMENTED;
  });
}

// A recorded whole number is the key that its value is; all other Variables are themselves.
Py_hash_t hash(PyObject* self) {
  if (!is_recorded_data(self) || variable_cell(self).value().ndim() > 0)
    return PyBaseObject_Type.tp_hash(self);
  Py_hash_t found = -1;
  guard_int([&] {
    found = PyObject_Hash(to_object(learned_value(self)).ptr());
    return 0;
  });
  return found;
}

PyObject* represent(PyObject* self) {
  return guard([&]() -> PyObject* {
    if (is_recorded_data(self)) return PyObject_Repr(to_object(learned_value(self)).ptr());
    note_lengths_read(self);
    Cell& cell = variable_cell(self);
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

Py_ssize_t length(PyObject* self) {
  const Value& v = variable_cell(self).value();
  if (v.is_scalar()) {
    PyErr_SetString(PyExc_TypeError, "len() of a Variable of shape (): it is a scalar");
    return -1;
  }
  note_lengths_read(self);
  return static_cast<Py_ssize_t>(v.dim(0));
}

PyObject* item_at(PyObject* self, const python::IndexKey& key) {
  static const Op& slice_op = *find_op("slice");
  Cell& cell = variable_cell(self);
  const Ref base = cell.ref();
  if (!key.spec.is_basic()) return new_variable(get_index(base, key.spec, key.arrays));
  Ref part = slice(base, key.spec);
  if (part.ndim() == 0) return new_variable(std::move(part));
  cell.retain();
  return new_variable(Cell::view_of(CellPtr(&cell), slice_op, key.spec.attrs(), std::move(part)));
}

bool is_recorded_position(PyObject* item) {
  return is_variable(item) && is_integer(variable_cell(item).type().dtype);
}

// Whether a key with a recorded number in it takes one element: a part of an array that a number
// alone chooses is a view, which nothing but a plain number can be the key of.
bool takes_element(const py::tuple& items, size_t ndim) {
  if (items.size() != ndim) return false;
  for (py::handle item : items)
    if (!PyLong_Check(item.ptr()) &&
        !(is_recorded_position(item.ptr()) && variable_cell(item.ptr()).value().ndim() == 0))
      return false;
  return true;
}

// Positions are Variables while a whole function is recorded, and stay recorded in a key: another
// run may have others. Masks are plain, and what they held is noted: their count makes the shape.
py::object recordable_key(PyObject* key, size_t ndim, bool writes) {
  const py::tuple items =
      PyTuple_Check(key) ? py::reinterpret_borrow<py::tuple>(key) : py::make_tuple(py::handle(key));
  const bool keeps_numbers = writes || takes_element(items, ndim);
  py::list found;
  for (py::handle item : items) {
    PyObject* o = item.ptr();
    const bool stays =
        !is_variable(o) || is_floating(variable_cell(o).type().dtype) ||
        (is_recorded_position(o) && (keeps_numbers || variable_cell(o).value().ndim() > 0));
    found.append(stays ? py::reinterpret_borrow<py::object>(item)
                       : to_object(learned_value(o), false));
  }
  return py::tuple(found);
}

python::IndexKey index_key(PyObject* self, PyObject* key, bool writes) {
  const Dims shape = variable_cell(self).type().shape;
  if (!Tape::current().tracing()) return python::parse_index(key, shape);
  const py::object recordable = recordable_key(key, shape.size(), writes);
  python::IndexKey parsed = python::parse_index(recordable.ptr(), shape);
  if (parsed.clipped) note_lengths_read(self);
  return parsed;
}

PyObject* subscript(PyObject* self, PyObject* key) {
  return guard([&]() -> PyObject* { return item_at(self, index_key(self, key, false)); });
}

int assign_subscript(PyObject* self, PyObject* key, PyObject* value) {
  return guard_int([&] {
    if (value == nullptr)
      throw_error<ValueError>("del v[...]: can't delete elements of an array; use np.delete");
    Cell& cell = variable_cell(self);
    const TensorType type = cell.type();
    if (type.shape.empty() && !PyTuple_Check(key) && key != Py_Ellipsis)
      throw_error<TypeError>(
          "item assignment: this Variable is a scalar; give it a new value with v.value = x");
    const python::IndexKey parsed = index_key(self, key, true);
    if (is_variable(value) && variable_cell(value).shows(cell, parsed.spec))
      return 0;  // v[i] += x wrote already
    cell.assign(parsed.spec, parsed.arrays, to_operand(value, "item assignment").ref);
    return 0;
  });
}

PyObject* iterate(PyObject* self) {
  return guard([&]() -> PyObject* {
    const Dims shape = variable_cell(self).type().shape;
    if (shape.empty())
      throw_error<TypeError>("iteration over a Variable of shape (): it is a scalar");
    note_lengths_read(self);
    py::list items;
    for (int64_t i = 0; i < shape[0]; ++i) {
      python::IndexKey key{IndexSpec::entry(shape, 0, i), {}};
      items.append(py::reinterpret_steal<py::object>(item_at(self, key)));
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
    "TypeError for strings, and for integer or complex arrays.\n\n"
    ">>> import tapegrad as tg\n"
    ">>> w = tg.Variable(2.0)\n"
    ">>> loss = w * w + 1\n"
    ">>> loss.backward()\n"
    ">>> w.grad\n"
    "4.0\n";

}  // namespace

void note_lengths_read() {
  if (const Tape* tape = Tape::current_if_any(); tape && tape->tracing())
    tape->tracer()->read_length();
}

void note_lengths_read(PyObject* variable) {
  if (!Tape::current().tracing()) return;
  Cell& cell = variable_cell(variable);
  if (!cell.is_leaf() && cell.value().ndim() > 0) note_lengths_read();
}

bool is_weak(PyObject* variable) {
  const Tracer* tracer = Tape::current().tracer();
  return tracer && tracer->is_weak(variable_cell(variable).ref());
}

void note_weakness_lost(PyObject* variable) {
  if (is_weak(variable)) Tape::current().tracer()->lose_weakness();
}

bool is_recorded_data(PyObject* variable) {
  return Tape::current().tracing() && !is_floating(variable_cell(variable).type().dtype);
}

Value learned_value(PyObject* variable) {
  Cell& cell = variable_cell(variable);
  if (Tape& tape = Tape::current(); tape.tracing()) tape.tracer()->guard(cell.ref());
  return cell.value();
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
  PyType_Slot slots[] = {
      {Py_tp_doc, const_cast<char*>(documentation)},
      {Py_tp_new, reinterpret_cast<void*>(construct)},
      {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
      {Py_tp_repr, reinterpret_cast<void*>(represent)},
      {Py_tp_richcompare, reinterpret_cast<void*>(compare)},
      {Py_tp_hash, reinterpret_cast<void*>(hash)},
      {Py_tp_iter, reinterpret_cast<void*>(iterate)},
      {Py_tp_methods, methods.data()},
      {Py_tp_getset, variable_attributes},
      {Py_tp_members, members},
      {Py_mp_length, reinterpret_cast<void*>(length)},
      {Py_mp_subscript, reinterpret_cast<void*>(subscript)},
      {Py_mp_ass_subscript, reinterpret_cast<void*>(assign_subscript)},
      {Py_nb_add, reinterpret_cast<void*>(number_add)},
      {Py_nb_subtract, reinterpret_cast<void*>(number_subtract)},
      {Py_nb_multiply, reinterpret_cast<void*>(number_multiply)},
      {Py_nb_true_divide, reinterpret_cast<void*>(number_true_divide)},
      {Py_nb_floor_divide, reinterpret_cast<void*>(number_floor_divide)},
      {Py_nb_remainder, reinterpret_cast<void*>(number_remainder)},
      {Py_nb_power, reinterpret_cast<void*>(number_power)},
      {Py_nb_matrix_multiply, reinterpret_cast<void*>(number_matmul)},
      {Py_nb_divmod, reinterpret_cast<void*>(number_divmod)},
      {Py_nb_negative, reinterpret_cast<void*>(number_negative)},
      {Py_nb_positive, reinterpret_cast<void*>(number_positive)},
      {Py_nb_absolute, reinterpret_cast<void*>(number_absolute)},
      {Py_nb_invert, reinterpret_cast<void*>(number_invert)},
      {Py_nb_lshift, reinterpret_cast<void*>(number_lshift)},
      {Py_nb_rshift, reinterpret_cast<void*>(number_rshift)},
      {Py_nb_and, reinterpret_cast<void*>(number_and)},
      {Py_nb_or, reinterpret_cast<void*>(number_or)},
      {Py_nb_xor, reinterpret_cast<void*>(number_xor)},
      {Py_nb_inplace_add, reinterpret_cast<void*>(number_inplace_add)},
      {Py_nb_inplace_subtract, reinterpret_cast<void*>(number_inplace_subtract)},
      {Py_nb_inplace_multiply, reinterpret_cast<void*>(number_inplace_multiply)},
      {Py_nb_inplace_true_divide, reinterpret_cast<void*>(number_inplace_divide)},
      {Py_nb_inplace_floor_divide, reinterpret_cast<void*>(number_inplace_floor_divide)},
      {Py_nb_inplace_remainder, reinterpret_cast<void*>(number_inplace_remainder)},
      {Py_nb_inplace_power, reinterpret_cast<void*>(number_inplace_power)},
      {Py_nb_inplace_matrix_multiply, reinterpret_cast<void*>(number_inplace_matmul)},
      {Py_nb_float, reinterpret_cast<void*>(to_float)},
      {Py_nb_int, reinterpret_cast<void*>(to_int)},
      {Py_nb_index, reinterpret_cast<void*>(to_index)},
      {Py_nb_bool, reinterpret_cast<void*>(to_bool)},
      {0, nullptr}};
  PyType_Spec spec = {"tapegrad._core.Variable", sizeof(PyVariable), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  variable_type = reinterpret_cast<PyTypeObject*>(type);
  python::type_refused_as_index = variable_type;
  python::content_as_index = [](PyObject* v) -> PyObject* {
    return is_recorded_data(v) ? to_python(learned_value(v), false) : nullptr;
  };
  python::positions_as_index = [](PyObject* v) {
    if (!Tape::current().tracing() || !is_recorded_position(v)) return Ref();
    return cast(variable_cell(v).ref("index"), DType::int64);
  };
  module.attr("Variable") = py::reinterpret_borrow<py::object>(type);
}

}  // namespace tapegrad
