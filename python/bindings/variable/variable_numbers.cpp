#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "bindings/convert.h"
#include "bindings/variable/apply.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/foreign_operands.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/learn.h"
#include "tapegrad/autodiff/scalar_operation.h"
#include "tapegrad/ops/integers.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/tracer.h"

// Arithmetic. Two float64 scalars go straight from Python to a node; everything else as operands.

namespace tapegrad {
namespace {

constexpr int type_num_float = 11, type_num_double = 12;  // NPY_FLOAT, NPY_DOUBLE

inline bool read_scalar(PyObject* o, ScalarOperand& s) {
  if (is_variable(o)) return read_scalar(variable_cell(o), s);
  if (PyFloat_Check(o)) {
    s.x = PyFloat_AS_DOUBLE(o);
    return true;
  }
  if (PyLong_CheckExact(o)) {
    s.x = PyLong_AsDouble(o);
    if (s.x == -1.0 && PyErr_Occurred()) throw py::error_already_set();
    return true;
  }
  return false;
}

// NumPy's function of what masks and integers hold, which it learns.
PyObject* apply_numpy(const char* name, PyObject* a, PyObject* b) {
  const auto plain = [](PyObject* o) {
    return is_variable(o) ? to_object(learn_value(variable_cell(o)))
                          : py::reinterpret_borrow<py::object>(o);
  };
  const py::object function = py::module_::import("numpy").attr(name);
  return (b == nullptr ? function(plain(a)) : function(plain(a), plain(b))).release().ptr();
}

// What is plain, of a and b by element, lies in memory as NumPy's would: its strides. None where
// that is C order, as nearly always.
std::optional<Dims> plain_strides(const Value& result, PyObject* a, PyObject* b) {
  const auto is_strided = [](PyObject* o) {
    if (o == nullptr) return false;
    if (is_variable(o))
      return variable_cell(o).value().ndim() > 1 && !variable_cell(o).lies_in_c_order();
    const auto& api = py::detail::npy_api::get();
    if (!api.PyArray_Check_(o)) return false;
    const auto* array = py::detail::array_proxy(o);
    return array->nd > 1 && (array->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_) == 0;
  };
  if (result.ndim() < 2 || !(is_strided(a) || is_strided(b))) return {};
  std::vector<Lying> inputs{lying_of(a, to_operand(a, "arithmetic").ref)};
  if (b != nullptr) inputs.push_back(lying_of(b, to_operand(b, "arithmetic").ref));
  return numpy_strides(inputs, result.shape());
}

// Masks outside of a recorded function are plain, and so is what is computed of blanks.
PyObject* from_result(Ref&& result, PyObject* a, PyObject* b) {
  const bool of_blanks = !result.tracked() && are_blanks(a, b);
  if (!of_blanks && (result.tracked() || is_floating(result.dtype())))
    return new_variable(std::move(result));
  Value found = std::move(result).take_value();
  const std::optional<Dims> strides = plain_strides(found, a, b);
  if (of_blanks && is_floating(found.dtype()))
    return strides ? new_blank_lying_by(std::move(found), *strides) : new_blank(std::move(found));
  if (strides) return to_python_lying_by(found, *strides);
  return of_blanks ? new_blank(std::move(found)) : to_python(std::move(found), true);
}

// A product of matrices, which is packed.
PyObject* from_product(Ref&& result, PyObject* a, PyObject* b) {
  if (result.tracked() || !are_blanks(a, b)) return new_variable(std::move(result));
  return new_blank(std::move(result).take_value());
}

// Of Variables alone, which have no precision to settle: null where a whole function is recorded,
// and where an operand may have to be an integer.
PyObject* apply_to_variables(ScalarFn fn, PyObject* a, PyObject* b) {
  if (Tape::current().tracing() || scalar_fn_info(fn).data_inputs != 0 || !is_variable(a) ||
      (b != nullptr && !is_variable(b)))
    return nullptr;
  const Op& op = op_by_id(static_cast<uint16_t>(fn));
  Ref inputs[2] = {variable_cell(a).ref(op.name), Ref()};
  if (b != nullptr) inputs[1] = variable_cell(b).ref(op.name);
  return from_result(apply_single(op, Attrs(), {inputs, b == nullptr ? 1u : 2u}), a, b);
}

// Arithmetic of ints of Python, of which one is recorded at least; null for all other operands, and
// where only plain code can say what comes out.
PyObject* apply_to_python_integers(ScalarFn fn, PyObject* a, PyObject* b) {
  Tracer* tracer = Tape::current().tracer();
  if (tracer == nullptr) return nullptr;
  Ref refs[2];
  bool any = false;
  size_t n = 0;
  for (PyObject* o : {a, b}) {
    if (o == nullptr) continue;
    if (is_variable(o) && is_python_integer(variable_cell(o))) {
      refs[n++] = variable_cell(o).ref("index");
      any = true;
      continue;
    }
    int overflow = 0;
    if (!PyLong_CheckExact(o)) return nullptr;
    const int64_t i = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow != 0) return nullptr;
    refs[n++] = Ref(Value::integer_scalar(i));
  }
  if (!any) return nullptr;
  std::optional<Ref> found = python_integer_arithmetic(fn, {refs, n});
  if (!found) return nullptr;
  tracer->mark_weak(*found);
  return new_variable(*std::move(found));
}

// Variables, numbers of Python's and arrays of floats: operands that no other library and no
// complex number has a say in.
bool is_usual(PyObject* o) {
  static PyTypeObject* const arrays = py::detail::npy_api::get().PyArray_Type_;
  PyTypeObject* const type = Py_TYPE(o);
  if (type == variable_type || type == &PyFloat_Type || type == &PyLong_Type) return true;
  if (type != arrays) return false;
  const int num = py::detail::array_descriptor_proxy(py::detail::array_proxy(o)->descr)->type_num;
  return num == type_num_float || num == type_num_double;
}

// Of real operands.
PyObject* apply_to_reals(ScalarFn fn, PyObject* a, PyObject* b, CalledAs how) {
  if (how == CalledAs::operator_)
    if (PyObject* found = apply_to_python_integers(fn, a, b)) return found;
  const char* name = scalar_fn_info(fn).name;
  const auto apply_to = [&](std::span<Operand> operands) {
    std::optional<Ref> result = apply_to_operands(fn, operands, how);
    return result ? from_result(std::move(*result), a, b) : apply_numpy(name, a, b);
  };
  if (b == nullptr) {
    Operand operand[] = {to_operand(a, name)};
    return apply_to(operand);
  }
  Operand operands[] = {to_operand(a, name), to_operand(b, name)};
  return apply_to(operands);
}

PyObject* apply_any(ScalarFn fn, PyObject* a, PyObject* b, CalledAs how) {
  if (PyObject* found = apply_to_variables(fn, a, b)) return found;
  const char* name = scalar_fn_info(fn).name;
  if (b != nullptr && how == CalledAs::operator_ && (is_complex(a) || is_complex(b)))
    return call_complex("operator", {py::str(name).ptr(), a, b});
  if (is_complex(a) || (b != nullptr && is_complex(b)))
    return b == nullptr ? apply_to_complex(name, {a}) : apply_to_complex(name, {a, b});
  return apply_to_reals(fn, a, b, how);
}

}  // namespace

PyObject* apply_elementwise(ScalarFn fn, PyObject* a, PyObject* b, CalledAs how) {
  return guard([&]() -> PyObject* {
    ScalarOperand x, y;
    const ScalarFnInfo& info = scalar_fn_info(fn);
    if (!Tape::current().tracing() && !info.returns_bool && info.data_inputs == 0 &&
        read_scalar(a, x)) {
      if (b == nullptr) return new_variable(apply_scalar_operation(fn, x));
      if (read_scalar(b, y)) return new_variable(apply_scalar_operation(fn, x, y));
    }
    return apply_any(fn, a, b, how);
  });
}

bool are_tested_as_floats(std::span<PyObject* const> operands) {
  if (Tape::current().tracing()) return false;
  static PyTypeObject* const arrays = py::detail::npy_api::get().PyArray_Type_;
  return std::ranges::all_of(operands, [](PyObject* x) {
    if (is_variable(x)) return is_floating(variable_cell(x).value().dtype());
    if (PyFloat_CheckExact(x)) return true;
    if (PyLong_CheckExact(x)) {
      constexpr long exact = 1L << 24;  // in float32 too
      int overflow = 0;
      const long i = PyLong_AsLongAndOverflow(x, &overflow);
      return overflow == 0 && -exact <= i && i <= exact;
    }
    if (Py_TYPE(x) != arrays) return false;
    const int num = py::detail::array_descriptor_proxy(py::detail::array_proxy(x)->descr)->type_num;
    return num == type_num_float || num == type_num_double;
  });
}

namespace {

template <class F>
PyObject* binary(PyObject* a, PyObject* b) {
  constexpr ScalarFn fn = scalar_fn_of<F>();
  return guard([&]() -> PyObject* {
    ScalarOperand x, y;
    if (!Tape::current().tracing() && read_scalar(a, x) && read_scalar(b, y))
      return new_variable(apply_scalar_operation(fn, x, y));
    if (PyObject* found = apply_to_variables(fn, a, b)) return found;
    if (is_usual(a) && is_usual(b)) return apply_to_reals(fn, a, b, CalledAs::operator_);
    if (!is_operand(a) || !is_operand(b)) {
      const py::object x = float_of_rational(a), y = float_of_rational(b);
      if (!x && !y) Py_RETURN_NOTIMPLEMENTED;
      return binary<F>(x ? x.ptr() : a, y ? y.ptr() : b);
    }
    if (is_sparse(a) || is_sparse(b)) return apply_to_sparse(scalar_fn_info(fn).name, a, b);
    return apply_any(fn, a, b, CalledAs::operator_);
  });
}

template <class F>
PyObject* unary(PyObject* a) {
  return apply_elementwise(scalar_fn_of<F>(), a, nullptr, CalledAs::operator_);
}

// [0] * n of an integer says how often.
bool repeats_sequence(PyObject* items, PyObject* n) {
  return (PyList_Check(items) || PyTuple_Check(items) || PyUnicode_Check(items)) &&
         is_variable(n) && is_recorded_number(variable_cell(n));
}

PyObject* multiply(PyObject* a, PyObject* b) {
  if (repeats_sequence(a, b) || repeats_sequence(b, a)) Py_RETURN_NOTIMPLEMENTED;
  return binary<Multiply>(a, b);
}

PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
  return guard([&]() -> PyObject* {
    if (modulus != Py_None)
      throw_error<TypeError>("pow: a modulus is not supported for Variables; use a ** b % m");
    if (is_one_mask(a) && PyLong_CheckExact(b)) return power_of_mask(a, b);
    const py::object exponent = as_power_takes_it(b, a);
    b = exponent.ptr();
    if (is_variable(a) && (PyFloat_CheckExact(b) || PyLong_CheckExact(b)))
      if (const auto fn = short_cut_of_power(variable_cell(a).type(), to_operand(b, "power")))
        return apply_elementwise(*fn, a, nullptr, CalledAs::operator_);
    return binary<Power>(a, b);
  });
}

PyObject* divide_with_remainder(PyObject* a, PyObject* b) {
  PyObject* q = binary<FloorDivide>(a, b);
  if (q == nullptr || q == Py_NotImplemented) return q;
  PyObject* r = binary<Remainder>(a, b);
  PyObject* pair = r ? PyTuple_Pack(2, q, r) : nullptr;
  Py_DECREF(q);
  Py_XDECREF(r);
  return pair;
}

PyObject* matrix_multiply(PyObject* a, PyObject* b) {
  return guard([&]() -> PyObject* {
    if (is_variable(a) && is_variable(b) && !Tape::current().tracing())
      return from_product(matmul(variable_cell(a).ref("matmul"), variable_cell(b).ref("matmul")), a,
                          b);
    if (!is_usual(a) || !is_usual(b)) {
      if (!is_operand(a) || !is_operand(b)) Py_RETURN_NOTIMPLEMENTED;
      if (is_sparse(a) || is_sparse(b)) return apply_to_sparse("matmul", a, b);
      if (is_complex(a) || is_complex(b)) return apply_to_complex("matmul", {a, b});
    }
    const Operand x = to_operand(a, "matmul"), y = to_operand(b, "matmul");
    return from_product(matmul(x.ref, y.ref), a, b);
  });
}

// Operators of masks and integers, which are Variables only while a whole function is recorded.
// `of_masks` is the function of masks that does the same, if there is one.
PyObject* combine_data(const char* numpy_name, std::optional<ScalarFn> of_masks, PyObject* a,
                       PyObject* b) {
  return guard([&]() -> PyObject* {
    if (!is_operand(a) || (b != nullptr && !is_operand(b))) Py_RETURN_NOTIMPLEMENTED;
    std::vector<Operand> operands{to_operand(a, numpy_name)};
    if (b != nullptr) operands.push_back(to_operand(b, numpy_name));
    if (!std::ranges::all_of(operands, [](const Operand& o) { return o.is_data(); }))
      Py_RETURN_NOTIMPLEMENTED;
    if (of_masks)
      if (std::optional<Ref> result = combine_masks(*of_masks, operands))
        return from_result(std::move(*result), a, b);
    return apply_numpy(numpy_name, a, b);
  });
}

PyObject* invert(PyObject* a) {
  PyObject* found = combine_data("invert", scalar_fn_of<LogicalNot>(), a, nullptr);
  if (found != Py_NotImplemented) return found;
  Py_DECREF(found);
  PyErr_SetString(PyExc_TypeError, "~v: only masks can be inverted; compare first, e.g. ~(v > 0)");
  return nullptr;
}
PyObject* bitwise_and(PyObject* a, PyObject* b) {
  return combine_data("bitwise_and", scalar_fn_of<LogicalAnd>(), a, b);
}
PyObject* bitwise_or(PyObject* a, PyObject* b) {
  return combine_data("bitwise_or", scalar_fn_of<LogicalOr>(), a, b);
}
PyObject* bitwise_xor(PyObject* a, PyObject* b) {
  return combine_data("bitwise_xor", scalar_fn_of<LogicalXor>(), a, b);
}
PyObject* left_shift(PyObject* a, PyObject* b) {
  return combine_data("left_shift", std::nullopt, a, b);
}
PyObject* right_shift(PyObject* a, PyObject* b) {
  return combine_data("right_shift", std::nullopt, a, b);
}

// A container of Variables is no Variable itself, but has a derivative too.
bool may_have_derivative(PyObject* o) {
  if (is_variable(o) || PyList_Check(o) || PyTuple_Check(o)) return true;
  return py::detail::npy_api::get().PyArray_Check_(o) &&
         py::reinterpret_borrow<py::array>(o).dtype().kind() == 'O';
}

// y op= v writes into an array, as NumPy does; a scalar is a new object, as a float is.
template <PyObject* (*f)(PyObject*, PyObject*)>
PyObject* in_place(PyObject* a, PyObject* b) {
  if (!is_variable(a)) return f(a, b);
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(a);
    PyObject* made = f(a, b);
    if (cell.is_number() || made == nullptr || made == Py_NotImplemented) return made;
    const py::object owner = py::reinterpret_steal<py::object>(made);
    if (is_complex(made))
      throw_error<TypeError>("y op= z: the result is complex, and this Variable of shape ",
                             cell.type().shape, " is real; write y = y * z");
    cell.set_in_place(to_operand(made, "in-place operation").ref, !may_have_derivative(b));
    return Py_NewRef(a);
  });
}

PyObject* plain_power(PyObject* a, PyObject* b) { return power(a, b, Py_None); }
PyObject* in_place_power(PyObject* a, PyObject* b, PyObject*) {
  return in_place<plain_power>(a, b);
}

template <class F>
PyType_Slot slot(int id, F* f) {
  return {id, reinterpret_cast<void*>(f)};
}

}  // namespace

std::vector<PyType_Slot> number_slots() {
  return {
      slot(Py_nb_add, binary<Add>),
      slot(Py_nb_subtract, binary<Subtract>),
      slot(Py_nb_multiply, multiply),
      slot(Py_nb_true_divide, binary<Divide>),
      slot(Py_nb_floor_divide, binary<FloorDivide>),
      slot(Py_nb_remainder, binary<Remainder>),
      slot(Py_nb_power, power),
      slot(Py_nb_matrix_multiply, matrix_multiply),
      slot(Py_nb_divmod, divide_with_remainder),
      slot(Py_nb_negative, unary<Negative>),
      slot(Py_nb_positive, unary<Positive>),
      slot(Py_nb_absolute, unary<Absolute>),
      slot(Py_nb_invert, invert),
      slot(Py_nb_lshift, left_shift),
      slot(Py_nb_rshift, right_shift),
      slot(Py_nb_and, bitwise_and),
      slot(Py_nb_or, bitwise_or),
      slot(Py_nb_xor, bitwise_xor),
      slot(Py_nb_inplace_add, in_place<binary<Add>>),
      slot(Py_nb_inplace_subtract, in_place<binary<Subtract>>),
      slot(Py_nb_inplace_multiply, in_place<multiply>),
      slot(Py_nb_inplace_true_divide, in_place<binary<Divide>>),
      slot(Py_nb_inplace_floor_divide, in_place<binary<FloorDivide>>),
      slot(Py_nb_inplace_remainder, in_place<binary<Remainder>>),
      slot(Py_nb_inplace_power, in_place_power),
      slot(Py_nb_inplace_matrix_multiply, in_place<matrix_multiply>),
  };
}

}  // namespace tapegrad
