#include <pybind11/stl.h>

#include <array>
#include <string_view>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/numpy_functions/sequences.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/grad.h"

namespace tapegrad {
namespace {

namespace py = pybind11;

PyObject* get_value(PyObject* self, void*) {
  return guard([&] { return to_python(learn_value(variable_cell(self)), false); });
}

bool fits(const Dims& from, const Dims& to) {
  if (from.size() > to.size()) return false;
  for (size_t i = 1; i <= from.size(); ++i)
    if (from[from.size() - i] != 1 && from[from.size() - i] != to[to.size() - i]) return false;
  return true;
}

int set_value(PyObject* self, PyObject* value, void*) {
  return guard_int([&] {
    if (value == nullptr) throw_error<TypeError>("v.value can't be deleted");
    Cell& cell = variable_cell(self);
    const TensorType type = cell.type();
    const bool is_plain = is_variable(value) && variable_cell(value).holds_plain();
    if (is_variable(value) && !is_plain)
      throw_error<TypeError>(
          "v.value = x: got a Variable, whose derivative would be lost; use v[...] = x, or "
          "v.value = tg.value(x)");
    const Value plain =
        is_plain ? learn_value(variable_cell(value)) : to_value(value, "v.value = x");
    if (plain.shape() != type.shape)
      throw_error<ValueError>(
          "v.value = x: the Variable has shape ", type.shape, ", the value ", plain.shape(),
          fits(plain.shape(), type.shape) ? "; assign v[...] = x to broadcast"
                                          : "; make another one, v = tg.Variable(x)");
    cell.set_value(plain.cast(type.dtype).copy());
    return 0;
  });
}

PyObject* get_grad(PyObject* self, void*) {
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(self);
    if (!cell.has_grad()) Py_RETURN_NONE;
    return to_python(cell.grad(), false);
  });
}

int set_grad(PyObject* self, PyObject* value, void*) {
  return guard_int([&] {
    Cell& cell = variable_cell(self);
    if (value == nullptr || value == Py_None) {
      cell.clear_grad();
    } else {
      cell.set_grad(to_value(value, "v.grad = g").copy());
    }
    return 0;
  });
}

PyObject* get_shape(PyObject* self, void*) {
  return guard([&]() -> PyObject* {
    learn_lengths(variable_cell(self));
    const Dims shape = variable_cell(self).type().shape;
    PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(shape.size()));
    for (size_t i = 0; i < shape.size(); ++i)
      PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), PyLong_FromLongLong(shape[i]));
    return tuple;
  });
}

int refuse_shape(PyObject* self, PyObject*, void*) {
  return guard_int([&] {
    const Dims shape = variable_cell(self).type().shape;
    PyErr_SetString(PyExc_AttributeError,
                    join_text("v.shape = ...: the shape ", shape,
                              " of a Variable does not change; write v = v.reshape(shape)")
                        .c_str());
    return -1;
  });
}

int refuse_dtype(PyObject*, PyObject*, void*) {
  PyErr_SetString(PyExc_AttributeError,
                  "v.dtype = ...: the dtype of a Variable does not change; write "
                  "v = v.astype(np.float32), or np.float64");
  return -1;
}

PyObject* get_dtype(PyObject* self, void*) {
  return guard([&]() -> PyObject* {
    const Value& value = variable_cell(self).value();
    if (value.is_scalar() && is_asked_by_numpys_mean()) {
      PyErr_SetString(PyExc_AttributeError, "dtype");
      return nullptr;
    }
    return dtype_object(value.dtype()).release().ptr();
  });
}

// NumPy's type of numbers of this dtype, borrowed.
PyObject* scalar_class(DType d) {
  static std::array<PyObject*, static_cast<size_t>(DType::float64) + 1> known{};
  PyObject*& found = known[static_cast<size_t>(d)];
  if (found == nullptr) found = py::object(dtype_object(d).attr("type")).release().ptr();
  return found;
}

// SciPy's sparse matrices ask so what they can't compute with themselves; what is no array they
// leave to the other operand.
bool is_asked_by_sparse_code() {
  PyObject* const globals = PyEval_GetGlobals();
  return globals != nullptr && name_of_module(globals).starts_with("scipy.sparse.");
}

// What the program would see without a record: isinstance, functools.singledispatch and match ask
// here what type() does not say.
PyObject* get_class(PyObject* self, void*) {
  return guard([&]() -> PyObject* {
    if (Py_TYPE(self) != variable_type || is_asked_by_sparse_code())
      return Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(self)));  // a class of the user's
    Cell& cell = variable_cell(self);
    const Value& v = cell.value();
    if (!cell.is_number()) return Py_NewRef(py::detail::npy_api::get().PyArray_Type_);
    if (is_python_integer(cell)) return Py_NewRef(reinterpret_cast<PyObject*>(&PyLong_Type));
    if (is_weak(cell)) return Py_NewRef(reinterpret_cast<PyObject*>(&PyFloat_Type));
    return Py_NewRef(scalar_class(v.dtype()));
  });
}

// Code asks by these names whether something is a number or has entries. The interpreter itself
// does not look here: len(v) and iter(v) go by the type, and complain of a scalar.
PyObject* call_len(PyObject* self, PyObject*) {
  const Py_ssize_t n = variable_type->tp_as_mapping->mp_length(self);
  return n < 0 ? nullptr : PyLong_FromSsize_t(n);
}
PyObject* call_iter(PyObject* self, PyObject*) { return variable_type->tp_iter(self); }
PyObject* call_index(PyObject* self, PyObject*) {
  return variable_type->tp_as_number->nb_index(self);
}

PyMethodDef array_methods[] = {{"__len__", call_len, METH_NOARGS, "Length of the first axis."},
                               {"__iter__", call_iter, METH_NOARGS, "Entries along it."},
                               {"__index__", call_index, METH_NOARGS, "Of a recorded integer."}};

PyObject* get_array_method(PyObject* self, void* method) {
  return guard([&]() -> PyObject* {
    auto* def = static_cast<PyMethodDef*>(method);
    const TensorType type = variable_cell(self).type();
    const bool has_it = variable_cell(self).is_number() && Py_TYPE(self) == variable_type
                            ? def == &array_methods[2] && !is_floating(type.dtype)
                            : true;
    if (has_it) return PyCFunction_New(def, self);
    PyErr_Format(PyExc_AttributeError, "a Variable of shape () is a number and has no %s",
                 def->ml_name);
    return nullptr;
  });
}

PyObject* get_ndim(PyObject* self, void*) {
  return guard([&] { return PyLong_FromLong(variable_cell(self).value().ndim()); });
}

PyObject* get_size(PyObject* self, void*) {
  return guard([&] {
    learn_lengths(variable_cell(self));
    return PyLong_FromLongLong(variable_cell(self).value().size());
  });
}

PyObject* get_name(PyObject* self, void*) {
  return guard([&]() -> PyObject* {
    const std::string& name = variable_cell(self).name();
    if (name.empty()) Py_RETURN_NONE;
    return PyUnicode_FromString(name.c_str());
  });
}

}  // namespace

bool is_array(PyObject* o) {
  return is_variable(o) ? !variable_cell(o).is_number()
                        : bool(py::detail::npy_api::get().PyArray_Check_(o));
}

std::string to_name(PyObject* name) {
  if (!PyUnicode_Check(name))
    throw_error<TypeError>("Variable: the name must be a string or None, got ",
                           py::repr(name).cast<std::string>());
  const char* const text = PyUnicode_AsUTF8(name);
  if (text == nullptr) throw py::error_already_set();
  return text;
}

namespace {

int set_name(PyObject* self, PyObject* value, void*) {
  return guard_int([&] {
    variable_cell(self).set_name(value == nullptr || value == Py_None ? "" : to_name(value));
    return 0;
  });
}

// Whether an array of objects is wanted, as by np.vectorize.
bool asks_for_objects(PyObject* args, PyObject* names) {
  PyObject* dtype = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : nullptr;
  if (names != nullptr && dtype == nullptr) dtype = PyDict_GetItemString(names, "dtype");
  if (dtype == nullptr || dtype == Py_None) return false;
  const py::object wanted = py::module_::import("numpy").attr("dtype")(py::handle(dtype));
  return py::cast<std::string>(wanted.attr("kind")) == "O";
}

// NumPy asks for __array__: a scalar has none (it becomes an element of an object array, which is
// still differentiated), an array gives such objects where it is asked for them, else it refuses.
PyObject* refuse_array(PyObject* self, PyObject* args, PyObject* names) {
  return guard([&]() -> PyObject* {
    see_element();
    const std::string what = join_text("this Variable of shape ", variable_cell(self).type().shape);
    return py::object(py::module_::import("tapegrad.numpy.elements")
                          .attr("array_of")(py::handle(self), what, asks_for_objects(args, names)))
        .release()
        .ptr();
  });
}

PyMethodDef refuse_array_def = {
    "__array__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(refuse_array)),
    METH_VARARGS | METH_KEYWORDS, "Raises: a plain array would lose the derivative."};

// Indices and masks, which are Variables while a whole function is recorded, have no derivative.
py::object plain_array_of(PyObject* self) {
  const py::object dtype = dtype_object(variable_cell(self).type().dtype);
  return numpy_asarray()(to_object(learn_value(variable_cell(self)), false), dtype);
}

PyObject* plain_array(PyObject* self, PyObject*, PyObject*) {
  return guard([&] { return plain_array_of(self).release().ptr(); });
}

PyMethodDef plain_array_def = {
    "__array__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(plain_array)),
    METH_VARARGS | METH_KEYWORDS, "The plain array of a mask or of indices."};

// Distributions hide the element of a scalar in arrays of arrays, of which NumPy can't say what
// they are, and nobody looks into an np.matrix of objects: they are refused by name, as arrays are.
bool is_asked_by_what_hides_it() {
  PyObject* names = PyEval_GetGlobals();
  PyObject* name = names ? PyDict_GetItemString(names, "__name__") : nullptr;
  if (name == nullptr || !PyUnicode_Check(name)) return false;
  const char* text = PyUnicode_AsUTF8(name);
  if (text == nullptr) return false;
  const std::string_view module = text;
  return module.starts_with("scipy.stats.") || module.starts_with("numpy.matrixlib.");
}

PyObject* get_array(PyObject* self, void*) {
  return guard([&]() -> PyObject* {
    if (!is_floating(variable_cell(self).type().dtype) || variable_cell(self).holds_plain())
      return PyCFunction_New(&plain_array_def, self);
    if (variable_cell(self).value().is_scalar() && !is_asked_by_what_hides_it()) {
      lose_weakness(variable_cell(self));
      see_element();
      if (variable_cell(self).type().dtype == DType::float32)
        py::module_::import("tapegrad.numpy.elements").attr("check_element")();
      PyErr_SetString(PyExc_AttributeError, "__array__");
      return nullptr;
    }
    return PyCFunction_New(&refuse_array_def, self);
  });
}

PyObject* backward_method(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guard([&]() -> PyObject* {
    static const char* names[] = {"seed", "free", "retain_graph", "create_graph", nullptr};
    PyObject *seed = Py_None, *retain = Py_None;
    int free = 0, create = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Op$Op:backward", const_cast<char**>(names),
                                     &seed, &free, &retain, &create))
      return nullptr;
    if (create)
      throw_error<TypeError>(
          "backward: create_graph=True, but what .grad holds is plain; write tg.grad(v, w, "
          "record=True), whose result can be differentiated again");
    if (retain != Py_None) free = PyObject_IsTrue(retain) == 0;
    Cell& cell = variable_cell(self);
    Value seed_value;
    const bool given = seed != Py_None;
    if (given) seed_value = to_value(seed, "backward").cast(cell.type().dtype);
    backward(cell, given ? &seed_value : nullptr, free != 0);
    Py_RETURN_NONE;
  });
}

PyObject* item_method(PyObject* self, PyObject* where) {
  return guard([&]() -> PyObject* {
    const py::object item = py::module_::import("tapegrad.numpy.flat").attr("item");
    return py::object(item(py::handle(self), *py::reinterpret_borrow<py::tuple>(where)))
        .release()
        .ptr();
  });
}

PyObject* format_method(PyObject* self, PyObject* spec) {
  return guard([&]() -> PyObject* {
    if (!PyUnicode_Check(spec)) throw_error<TypeError>("format: the format must be a string");
    if (is_recorded_data(self) || variable_cell(self).holds_plain())
      return PyObject_Format(to_object(learn_value(variable_cell(self))).ptr(), spec);
    if (variable_cell(self).value().is_scalar() && PyUnicode_GetLength(spec) > 0) {
      learn_for_text(variable_cell(self));
      return PyObject_Format(to_object(variable_cell(self).value()).ptr(), spec);
    }
    if (PyUnicode_GetLength(spec) > 0)
      throw_error<TypeError>(
          "format: a Variable of shape ", variable_cell(self).type().shape,
          " takes no format; write f'{v}' without one, or format each of its elements, "
          "f'{v[i]:.3f}'");
    return PyObject_Str(self);
  });
}

PyObject* copy_method(PyObject* self, PyObject*) {
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(self);
    if (cell.is_blank()) {
      Cell* c = Cell::blank_lying_by(cell.value().copy(), cell.numpy_strides());
      if (!cell.is_number()) c->count_as_array();
      return new_variable(c);
    }
    if (cell.is_leaf()) {
      Cell* c = Cell::leaf(cell.value().copy(), cell.name());
      if (cell.has_grad()) c->set_grad(cell.grad());
      if (!cell.is_number()) c->count_as_array();
      return new_variable(c);
    }
    return new_like(cell, cell.ref());
  });
}

PyObject* reduce_method(PyObject* self, PyObject*) {
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(self);
    if (cell.is_blank())
      return PyObject_CallMethod(plain_array_of(self).ptr(), "__reduce__", nullptr);
    if (!cell.is_leaf())
      throw_error<TypeError>("pickle: this Variable of shape ", cell.type().shape,
                             " is the result of recorded operations, which can't be pickled; "
                             "pickle tg.value(v), or the "
                             "leaves it was computed from");
    py::object name = py::none();
    if (!cell.name().empty()) name = py::str(cell.name());
    py::object grad = py::none();
    if (cell.has_grad()) grad = to_object(cell.grad());
    const py::object type =
        py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(Py_TYPE(self)));
    py::object content = to_object(cell.value());
    if (!cell.is_number()) content = numpy_asarray()(content);
    return py::make_tuple(type, py::make_tuple(content, name, dtype_object(cell.type().dtype)),
                          grad)
        .release()
        .ptr();
  });
}

PyObject* set_state_method(PyObject* self, PyObject* state) {
  if (set_grad(self, state, nullptr) != 0) return nullptr;
  Py_RETURN_NONE;
}

template <class F>
PyCFunction c_function(F* f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

}  // namespace

PyGetSetDef variable_array_methods[] = {
    {"__len__", get_array_method, nullptr, "Of arrays alone.", &array_methods[0]},
    {"__iter__", get_array_method, nullptr, "Of arrays alone.", &array_methods[1]},
    {"__index__", get_array_method, nullptr, "Of arrays and integers.", &array_methods[2]},
    {}};

PyMethodDef variable_methods[] = {
    {"backward", c_function(backward_method), METH_VARARGS | METH_KEYWORDS,
     "backward($self, seed=None, free=False, *, retain_graph=None, create_graph=False)\n--\n\n"
     "Adds the gradient of this Variable to the .grad of every leaf it was computed from.\n\n"
     "seed: cotangent of this Variable's shape; needed unless it is a scalar. free: give up the "
     "recording, which no\n"
     "later sweep may use; retain_graph=False is the same in words of others. ValueError for an "
     "array without a seed, RuntimeError where nothing was "
     "recorded.\n\n"
     ">>> import numpy as np, tapegrad as tg\n"
     ">>> w = tg.Variable([1.0, 2.0])\n"
     ">>> np.sum(w * w).backward()\n"
     ">>> w.grad\n"
     "array([2., 4.])\n"},
    {"__array_ufunc__", c_function(variable_array_ufunc), METH_FASTCALL | METH_KEYWORDS,
     "NumPy's universal functions, recorded."},
    {"item", c_function(item_method), METH_VARARGS,
     "The element, still differentiated: of one element, or at these places."},
    {"__format__", format_method, METH_O, "Formats the value."},
    {"__copy__", copy_method, METH_NOARGS, "A Variable of its own with the same content."},
    {"__deepcopy__", c_function(copy_method), METH_O,
     "A Variable of its own with the same content."},
    {"__reduce__", reduce_method, METH_NOARGS, "Pickles a leaf: value, name, dtype and gradient."},
    {"__setstate__", set_state_method, METH_O, "Restores the gradient."},
    {}};

PyGetSetDef variable_attributes[] = {
    {"__class__", get_class, nullptr,
     "What the program has without a record: numpy.ndarray, or the number's type.", nullptr},
    {"value", get_value, set_value, "The plain value: a float, or a read-only array. Settable.",
     nullptr},
    {"grad", get_grad, set_grad, "The gradient that backward() accumulated; None before. Settable.",
     nullptr},
    {"shape", get_shape, refuse_shape, "Lengths of the axes.", nullptr},
    {"dtype", get_dtype, refuse_dtype, "numpy.float64 or numpy.float32.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of axes.", nullptr},
    {"size", get_size, nullptr, "Number of elements.", nullptr},
    {"name", get_name, set_name, "A name for people, or None.", nullptr},
    {"__array__", get_array, nullptr,
     "Refuses conversion of arrays, which would lose the derivative.", nullptr},
    {}};

}  // namespace tapegrad
