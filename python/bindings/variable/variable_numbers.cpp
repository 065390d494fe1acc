#include <array>
#include <utility>
#include <vector>

#include "bindings/convert.h"
#include "bindings/variable/variable_type.h"
#include "bindings/variable/whole_numbers.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/scalar/program.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/tracer.h"

// Arithmetic. Two float64 scalars go straight from Python to a node; everything else through Refs.

namespace tapegrad {
namespace {

// What the partials of each function read (bit 0 and 1: inputs, bit 3: the output), per input.
struct ScalarReads {
  std::array<std::array<uint8_t, 2>, scalar_fn_count> by_input{};
  ScalarReads() {
    for (size_t f = 0; f < scalar_fn_count; ++f) {
      const ScalarFnInfo& info = scalar_fn_info(static_cast<ScalarFn>(f));
      for (int i = 0; i < info.arity && i < 2; ++i)
        by_input[f][static_cast<size_t>(i)] =
            info.returns_bool
                ? 0
                : static_cast<uint8_t>(partial_program(static_cast<ScalarFn>(f), i).reads);
    }
  }
};

const ScalarReads& scalar_reads() {
  static const ScalarReads reads;
  return reads;
}

// A float64 scalar of either kind; cell is null for a plain number.
struct ScalarOperand {
  Cell* cell = nullptr;
  double x = 0;
};

inline bool read_scalar(PyObject* o, ScalarOperand& s) {
  if (is_variable(o)) {
    Cell& c = variable_cell(o);
    const Value& v = c.value();
    if (!v.is_scalar() || v.dtype() != DType::float64) return false;
    s.cell = &c;
    s.x = v.as_double();
    return true;
  }
  if (PyFloat_Check(o)) {
    s.x = PyFloat_AS_DOUBLE(o);
    return true;
  }
  if (PyLong_CheckExact(o)) {
    s.x = PyLong_AsDouble(o);
    if (s.x == -1.0 && PyErr_Occurred()) throw pybind11::error_already_set();
    return true;
  }
  return false;
}

inline uint32_t operand_slot(Tape& tape, const ScalarOperand& s, bool read) {
  if (s.cell == nullptr) {
    if (!read) return 0;
    const uint32_t slot = tape.new_node(NodeKind::constant, 0);
    Node& n = tape.node(slot);
    n.n_in = 0;
    n.origin = ~uint32_t{0};
    n.value.set_scalar_double(s.x);
    return slot;  // its first count is the consumer's
  }
  uint32_t slot;
  if (s.cell->tape() == &tape) {
    slot = s.cell->slot();
  } else {
    slot = tape.enter(s.cell, s.cell->version(), s.cell->value());
  }
  tape.retain_node(slot);
  return slot;
}

inline void check_thread(const Tape& tape, const ScalarOperand& s) {
  if (s.cell != nullptr && s.cell->tape() != nullptr && s.cell->tape() != &tape)
    throw_wrong_thread(*s.cell->tape(), "arithmetic");
}

// Records fn(a, b) of scalars. Scalars live in the node, so nobody counts their readers.
PyObject* record_scalar(ScalarFn fn, int arity, const ScalarOperand& a, const ScalarOperand& b,
                        double result) {
  Tape& tape = Tape::current();
  if (!tape.recording()) return new_variable(Cell::unrecorded_scalar(result));
  check_thread(tape, a);
  check_thread(tape, b);
  const auto& reads = scalar_reads().by_input[index_of(fn)];
  const unsigned mask = (a.cell ? reads[0] : 0u) | (b.cell ? reads[1] : 0u);
  const uint32_t in0 = operand_slot(tape, a, mask & 1);
  const uint32_t in1 = arity == 2 ? operand_slot(tape, b, mask & 2) : 0;
  const uint32_t slot = tape.new_node(NodeKind::op, static_cast<uint16_t>(fn));
  Node& n = tape.node(slot);
  n.n_in = static_cast<uint8_t>(arity);
  n.in[0] = in0;
  n.in[1] = in1;
  uint32_t origin = ~uint32_t{0};
  if (a.cell) origin = tape.node(in0).origin;
  if (b.cell) origin = std::min(origin, tape.node(in1).origin);
  n.origin = origin;
  n.value.set_scalar_double(result);
  return new_variable(Cell::adopt(&tape, slot));
}

PyObject* apply_slow(ScalarFn fn, PyObject* a, PyObject* b, const char* name) {
  if (is_arithmetic_on_data(fn, a, b)) return apply_to_data(fn, a, b);
  if (is_comparison_of_wide_data(fn, a, b)) return compare_data(fn, a, b);
  Ref refs[2];
  size_t n = 1;
  if (b == nullptr) {
    refs[0] = to_operand(a, name).ref;
  } else {
    Operand operands[2] = {to_operand(a, name), to_operand(b, name)};
    settle_weak(operands);
    refs[0].swap(operands[0].ref);
    refs[1].swap(operands[1].ref);
    n = 2;
  }
  Ref result = apply_single(op_by_id(static_cast<uint16_t>(fn)), Attrs(), {refs, n});
  if (scalar_fn_info(fn).returns_bool && !result.tracked())
    return to_python(std::move(result).take_value(), true);
  return new_variable(std::move(result));
}

// Foreign operands (lists, other libraries' types) go to their own reflected method, as Python
// would.
bool is_operand(PyObject* o) {
  return is_variable(o) || PyFloat_Check(o) || PyLong_Check(o) ||
         pybind11::detail::npy_api::get().PyArray_Check_(o) ||
         PyObject_TypeCheck(o, pybind11::detail::npy_api::get().PyArray_Type_) ||
         pybind11::hasattr(o, "dtype") || PyList_Check(o) || PyTuple_Check(o) || PyUnicode_Check(o);
}

}  // namespace

PyObject* apply_elementwise(ScalarFn fn, PyObject* a, PyObject* b) {
  return guard([&]() -> PyObject* {
    ScalarOperand x, y;
    if (!Tape::current().tracing() && read_scalar(a, x) && (b == nullptr || read_scalar(b, y)) &&
        !scalar_fn_info(fn).returns_bool)
      return record_scalar(fn, b ? 2 : 1, x, y, eval_scalar(fn, x.x, y.x));
    return apply_slow(fn, a, b, scalar_fn_info(fn).name);
  });
}

PyObject* as_weak_as(PyObject* result, PyObject* a, PyObject* b) {
  Tracer* tracer = Tape::current().tracer();
  if (tracer == nullptr || result == nullptr || !is_variable(result)) return result;
  const auto is_weak_variable = [](PyObject* o) { return o && is_variable(o) && is_weak(o); };
  const auto is_number = [&](PyObject* o) {
    return o == nullptr || PyFloat_CheckExact(o) || PyLong_Check(o) || is_weak_variable(o);
  };
  return guard([&] {
    if ((is_weak_variable(a) || is_weak_variable(b)) && is_number(a) && is_number(b))
      tracer->mark_weak(variable_cell(result).ref());
    return result;
  });
}

namespace {

template <class F>
PyObject* binary(PyObject* a, PyObject* b) {
  constexpr ScalarFn fn = scalar_fn_of<F>();
  return guard([&]() -> PyObject* {
    ScalarOperand x, y;
    if (!Tape::current().tracing() && read_scalar(a, x) && read_scalar(b, y))
      return record_scalar(fn, 2, x, y, eval_scalar(fn, x.x, y.x));
    if (!is_operand(a) || !is_operand(b)) Py_RETURN_NOTIMPLEMENTED;
    return as_weak_as(apply_slow(fn, a, b, F::name), a, b);
  });
}

// [0] * n of a whole number says how often.
bool repeats_sequence(PyObject* items, PyObject* n) {
  return (PyList_Check(items) || PyTuple_Check(items) || PyUnicode_Check(items)) &&
         is_variable(n) && is_recorded_data(n) && variable_cell(n).value().ndim() == 0;
}

template <class F>
PyObject* unary(PyObject* a) {
  return apply_elementwise(scalar_fn_of<F>(), a, nullptr);
}

// A container of Variables is no Variable itself, but has a derivative too.
bool may_have_derivative(PyObject* o) {
  if (is_variable(o) || PyList_Check(o) || PyTuple_Check(o)) return true;
  const auto& api = pybind11::detail::npy_api::get();
  return api.PyArray_Check_(o) &&
         pybind11::reinterpret_borrow<pybind11::array>(o).dtype().kind() == 'O';
}

// Numbers are not written where they lose their kind, as NumPy says.
void check_in_place(DType to, DType from) {
  const auto kind = [](DType d) {
    if (is_floating(d)) return 3;
    if (is_bool(d)) return 0;
    return d >= DType::uint8 ? 1 : 2;
  };
  if (kind(from) > kind(to))
    throw_error<TypeError>("in-place operation: can't cast the result from ", dtype_name(from),
                           " to ", dtype_name(to), "; write y = y + v instead of y += v");
}

// y op= v writes into an array, as NumPy does; a scalar is a new object, as a float is.
PyObject* in_place(PyObject* a, PyObject* b, PyObject* (*f)(PyObject*, PyObject*)) {
  if (!is_variable(a)) return f(a, b);
  return guard([&]() -> PyObject* {
    Cell& cell = variable_cell(a);
    if (cell.type().shape.empty()) return f(a, b);
    PyObject* result = f(a, b);
    if (result == nullptr || result == Py_NotImplemented) return result;
    const pybind11::object owner = pybind11::reinterpret_steal<pybind11::object>(result);
    const TensorType want = cell.type();
    const Ref made = to_operand(result, "in-place operation").ref;
    check_in_place(want.dtype, made.dtype());
    if (made.shape() != want.shape)
      throw_error<ValueError>("in-place operation: non-broadcastable output operand with shape ",
                              want.shape, " doesn't match the broadcast shape ", made.shape(),
                              "; write y = y + v instead of y += v");
    if (cell.shows_leaf() && !may_have_derivative(b)) {
      cell.set_value(made.value().cast(want.dtype));  // a plain write: the leaf stays a leaf
    } else {
      cell.set(cast(made, want.dtype));
    }
    Py_INCREF(a);
    return a;
  });
}

}  // namespace

PyObject* number_add(PyObject* a, PyObject* b) { return binary<Add>(a, b); }
PyObject* number_subtract(PyObject* a, PyObject* b) { return binary<Subtract>(a, b); }
PyObject* number_multiply(PyObject* a, PyObject* b) {
  if (repeats_sequence(a, b) || repeats_sequence(b, a)) Py_RETURN_NOTIMPLEMENTED;
  return binary<Multiply>(a, b);
}
PyObject* number_true_divide(PyObject* a, PyObject* b) { return binary<Divide>(a, b); }
PyObject* number_floor_divide(PyObject* a, PyObject* b) { return binary<FloorDivide>(a, b); }
PyObject* number_remainder(PyObject* a, PyObject* b) { return binary<Remainder>(a, b); }

PyObject* number_power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) {
    PyErr_SetString(PyExc_TypeError,
                    "pow: a modulus is not supported for Variables; use a ** b % m");
    return nullptr;
  }
  // NumPy's own short cuts for plain exponents.
  if (is_variable(a) && (PyFloat_CheckExact(b) || PyLong_CheckExact(b))) {
    const double p = PyFloat_CheckExact(b) ? PyFloat_AS_DOUBLE(b) : PyLong_AsDouble(b);
    if (p == -1.0 && PyErr_Occurred()) return nullptr;
    if (p == 2.0) return as_weak_as(unary<Square>(a), a);
    if (p == 1.0) return as_weak_as(unary<Positive>(a), a);
    if (p == 0.5) return as_weak_as(unary<Sqrt>(a), a);
    if (p == -1.0) return as_weak_as(unary<Reciprocal>(a), a);
  }
  return binary<Power>(a, b);
}

PyObject* number_negative(PyObject* a) { return as_weak_as(unary<Negative>(a), a); }
PyObject* number_positive(PyObject* a) { return as_weak_as(unary<Positive>(a), a); }
PyObject* number_absolute(PyObject* a) { return as_weak_as(unary<Absolute>(a), a); }

// Masks are Variables only while a whole function is recorded; &, | and ^ are for them.
namespace {

template <class F>
PyObject* combine_masks(PyObject* a, PyObject* b, const char* of_whole_numbers) {
  if (!is_mask(a) || !is_mask(b)) return apply_plain(of_whole_numbers, a, b);
  return as_weak_as(apply_elementwise(scalar_fn_of<F>(), a, b), a, b);
}

}  // namespace

PyObject* number_invert(PyObject* a) {
  if (is_mask(a)) return apply_elementwise(scalar_fn_of<LogicalNot>(), a, nullptr);
  PyObject* found = apply_plain("invert", a);
  if (found != Py_NotImplemented) return found;
  Py_DECREF(found);
  PyErr_SetString(PyExc_TypeError, "~v: only masks can be inverted; compare first, e.g. ~(v > 0)");
  return nullptr;
}
PyObject* number_and(PyObject* a, PyObject* b) {
  return combine_masks<LogicalAnd>(a, b, "bitwise_and");
}
PyObject* number_or(PyObject* a, PyObject* b) {
  return combine_masks<LogicalOr>(a, b, "bitwise_or");
}
PyObject* number_xor(PyObject* a, PyObject* b) {
  return combine_masks<LogicalXor>(a, b, "bitwise_xor");
}

PyObject* number_lshift(PyObject* a, PyObject* b) { return apply_plain("left_shift", a, b); }
PyObject* number_rshift(PyObject* a, PyObject* b) { return apply_plain("right_shift", a, b); }

PyObject* number_divmod(PyObject* a, PyObject* b) {
  PyObject* q = number_floor_divide(a, b);
  if (q == nullptr || q == Py_NotImplemented) return q;
  PyObject* r = number_remainder(a, b);
  PyObject* pair = r ? PyTuple_Pack(2, q, r) : nullptr;
  Py_DECREF(q);
  Py_XDECREF(r);
  return pair;
}

PyObject* number_matmul(PyObject* a, PyObject* b) {
  return guard([&]() -> PyObject* {
    if (!is_operand(a) || !is_operand(b)) Py_RETURN_NOTIMPLEMENTED;
    std::array<Operand, 2> o{to_operand(a, "matmul"), to_operand(b, "matmul")};
    return new_variable(matmul(o[0].ref, o[1].ref));
  });
}

PyObject* number_inplace_add(PyObject* a, PyObject* b) { return in_place(a, b, number_add); }
PyObject* number_inplace_subtract(PyObject* a, PyObject* b) {
  return in_place(a, b, number_subtract);
}
PyObject* number_inplace_multiply(PyObject* a, PyObject* b) {
  return in_place(a, b, number_multiply);
}
PyObject* number_inplace_divide(PyObject* a, PyObject* b) {
  return in_place(a, b, number_true_divide);
}
PyObject* number_inplace_floor_divide(PyObject* a, PyObject* b) {
  return in_place(a, b, number_floor_divide);
}
PyObject* number_inplace_remainder(PyObject* a, PyObject* b) {
  return in_place(a, b, number_remainder);
}
PyObject* number_inplace_matmul(PyObject* a, PyObject* b) { return in_place(a, b, number_matmul); }
PyObject* number_inplace_power(PyObject* a, PyObject* b, PyObject*) {
  return in_place(a, b, [](PyObject* x, PyObject* y) { return number_power(x, y, Py_None); });
}

// v.sin() and the like: a method for every function of one operand, without NumPy's dispatch.
namespace {

template <size_t Fn>
PyObject* unary_method(PyObject* self, PyObject*) {
  return apply_elementwise(static_cast<ScalarFn>(Fn), self, nullptr);
}

template <size_t... Fn>
void add_unary_methods(std::vector<PyMethodDef>& methods, std::index_sequence<Fn...>) {
  const pybind11::module_ numpy = pybind11::module_::import("numpy");
  const auto add = [&](size_t f, PyCFunction call) {
    const ScalarFnInfo& info = scalar_fn_info(static_cast<ScalarFn>(f));
    if (info.arity == 1 && !info.returns_bool && pybind11::hasattr(numpy, info.name))
      methods.push_back(
          {info.name, call, METH_NOARGS, "NumPy's function of this name, of this Variable."});
  };
  (add(Fn, unary_method<Fn>), ...);
}

}  // namespace

std::vector<PyMethodDef> unary_methods() {
  std::vector<PyMethodDef> methods;
  add_unary_methods(methods, std::make_index_sequence<scalar_fn_count>());
  return methods;
}

// np.sin(v) and the like: the ufunc's address leads to its function.
namespace {

struct UfuncTable {
  static constexpr size_t size = 512;
  struct Entry {
    PyObject* ufunc = nullptr;
    int fn = -1;
  } entries[size];
  PyObject* call = nullptr;  // the interned "__call__"

  static size_t slot(PyObject* u) {
    return (reinterpret_cast<uintptr_t>(u) >> 4) * 0x9E3779B97F4A7C15u >> 55;
  }
  void add(PyObject* u, int fn) {
    size_t i = slot(u);
    while (entries[i].ufunc != nullptr && entries[i].ufunc != u) i = (i + 1) % size;
    entries[i] = {u, fn};
  }
  int find(PyObject* u) const {
    for (size_t i = slot(u); entries[i].ufunc != nullptr; i = (i + 1) % size)
      if (entries[i].ufunc == u) return entries[i].fn;
    return -1;
  }
};
UfuncTable ufuncs;

}  // namespace

void fill_ufunc_table() {
  namespace py = pybind11;
  ufuncs.call = PyUnicode_InternFromString("__call__");
  const py::module_ np = py::module_::import("numpy");
  for (size_t f = 0; f < scalar_fn_count; ++f) {
    const ScalarFnInfo& info = scalar_fn_info(static_cast<ScalarFn>(f));
    if (info.returns_bool || !py::hasattr(np, info.name)) continue;
    const py::object u = np.attr(info.name);
    if (py::isinstance(u, np.attr("ufunc")) && u.attr("nin").cast<int>() == info.arity &&
        u.attr("nout").cast<int>() == 1)
      ufuncs.add(u.inc_ref().ptr(), static_cast<int>(f));
  }
  for (const char* alias : {"deg2rad", "rad2deg"})
    ufuncs.add(
        py::object(np.attr(alias)).inc_ref().ptr(),
        static_cast<int>(alias[0] == 'd' ? scalar_fn_of<Radians>() : scalar_fn_of<Degrees>()));
}

PyObject* variable_array_ufunc(PyObject* self, PyObject* const* args, Py_ssize_t n,
                               PyObject* names) {
  if (n >= 3 && (names == nullptr || PyTuple_GET_SIZE(names) == 0) &&
      (args[1] == ufuncs.call || PyUnicode_Compare(args[1], ufuncs.call) == 0)) {
    const int fn = ufuncs.find(args[0]);
    if (fn >= 0) {
      const auto f = static_cast<ScalarFn>(fn);
      const int arity = scalar_fn_info(f).arity;
      if (n - 2 == arity) {
        if (f == scalar_fn_of<Power>() && is_variable(args[2]) && PyFloat_Check(args[3]) &&
            PyFloat_AS_DOUBLE(args[3]) == 2.0 &&
            variable_cell(args[2]).type().dtype == DType::float64)
          return unary<Square>(args[2]);
        return apply_elementwise(f, args[2], arity == 2 ? args[3] : nullptr);
      }
    }
  }
  if (hooks.array_ufunc == nullptr) Py_RETURN_NOTIMPLEMENTED;
  return guard([&]() -> PyObject* {
    namespace py = pybind11;
    py::tuple inputs(static_cast<size_t>(n - 2));
    for (Py_ssize_t i = 2; i < n; ++i) inputs[static_cast<size_t>(i - 2)] = py::handle(args[i]);
    py::dict kwargs;
    const Py_ssize_t k = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < k; ++i)
      kwargs[py::handle(PyTuple_GET_ITEM(names, i))] = py::handle(args[n + i]);
    return PyObject_CallFunctionObjArgs(hooks.array_ufunc, self, args[0], args[1], inputs.ptr(),
                                        kwargs.ptr(), nullptr);
  });
}

}  // namespace tapegrad
