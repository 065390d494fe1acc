#include "bindings/variable/whole_numbers.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "bindings/convert.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {
namespace {

bool is_numpy_scalar(PyObject* o) {
  static const py::object generic = py::module_::import("numpy").attr("generic");
  return PyObject_TypeCheck(o, reinterpret_cast<PyTypeObject*>(generic.ptr()));
}

// NumPy's letter for the kind of an array or number; 0 for what is neither.
char kind_of(PyObject* o) {
  if (!py::detail::npy_api::get().PyArray_Check_(o) && !is_numpy_scalar(o)) return 0;
  return py::reinterpret_borrow<py::object>(o).attr("dtype").attr("kind").cast<char>();
}

bool is_data(PyObject* o) {
  if (is_variable(o)) return is_recorded_data(o);
  const char kind = PyLong_Check(o) ? 'i' : kind_of(o);
  return kind == 'b' || kind == 'i' || kind == 'u';
}

struct WholeOperand {
  PyObject* object;
  bool weak;    // a Python int, which takes the dtype of what it meets
  int64_t at;   // its value
  DType dtype;  // of all others
};

std::optional<WholeOperand> read_operand(PyObject* o) {
  if (is_variable(o)) return WholeOperand{o, false, 0, variable_cell(o).type().dtype};
  if (PyLong_Check(o) && !PyBool_Check(o)) {
    int overflow = 0;
    const int64_t x = PyLong_AsLongLongAndOverflow(o, &overflow);
    return overflow != 0 ? std::nullopt : std::optional(WholeOperand{o, true, x, DType::bool_});
  }
  return WholeOperand{o, false, 0, to_operand(o, "arithmetic").ref.type().dtype};
}

bool holds(DType d, int64_t x) {
  return visit_dtype(d, [x](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_same_v<T, uint64_t>) return x >= 0;
    return static_cast<int64_t>(static_cast<T>(x)) == x;
  });
}

// The dtype that NumPy computes in, where that is one of whole numbers and holds every operand.
std::optional<DType> common_dtype(std::span<const WholeOperand> operands) {
  DType d = DType::bool_;
  bool any_weak = false;
  for (const WholeOperand& o : operands) {
    any_weak |= o.weak;
    if (!o.weak) d = promote(d, o.dtype);
  }
  if (any_weak && is_bool(d)) d = DType::int64;
  if (!is_integer(d)) return std::nullopt;
  for (const WholeOperand& o : operands)
    if (o.weak && !holds(d, o.at)) return std::nullopt;
  return d;
}

// Functions that NumPy computes in float64 of whole numbers, but for those of few bits and flags.
bool gives_float64(ScalarFn fn) {
  static const auto flags = [] {
    std::array<bool, scalar_fn_count> found{};
    for (const char* name :
         {"sqrt",    "cbrt",    "exp",       "exp2",       "expm1",   "log",     "log2",
          "log10",   "log1p",   "sin",       "cos",        "tan",     "arcsin",  "arccos",
          "arctan",  "arctan2", "sinh",      "cosh",       "tanh",    "arcsinh", "arccosh",
          "arctanh", "hypot",   "logaddexp", "logaddexp2", "degrees", "radians"})
      found[index_of(find_scalar_fn(name).value())] = true;
    return found;
  }();
  return flags[index_of(fn)];
}

bool is_short(PyObject* o) {
  if (PyLong_Check(o) && !PyBool_Check(o)) return false;
  return item_size(is_variable(o) ? variable_cell(o).type().dtype
                                  : to_operand(o, "arithmetic").ref.dtype()) < 4;
}

// The operation on whole numbers that does what the function does; null where there is none.
const Op* whole_op(ScalarFn fn) {
  static const auto ops = [] {
    std::array<const Op*, scalar_fn_count> found{};
    for (size_t f = 0; f < scalar_fn_count; ++f)
      found[f] = find_op("int_" + std::string(scalar_fn_info(static_cast<ScalarFn>(f)).name));
    found[index_of(scalar_fn_of<Square>())] = find_op("int_multiply");
    return found;
  }();
  return ops[index_of(fn)];
}

struct WholeOperands {
  DType dtype;  // that both are computed in
  std::vector<Ref> refs;
};

// Nothing where NumPy has to do it.
std::optional<WholeOperands> read_operands(PyObject* a, PyObject* b) {
  std::vector<WholeOperand> operands;
  for (PyObject* o : {a, b}) {
    if (o == nullptr) continue;
    const std::optional<WholeOperand> read = read_operand(o);
    if (!read) return std::nullopt;
    operands.push_back(*read);
  }
  const std::optional<DType> d = common_dtype(operands);
  if (!d) return std::nullopt;
  WholeOperands found{*d, {}};
  for (const WholeOperand& o : operands)
    found.refs.push_back(o.weak ? Ref(Value::integer_scalar(o.at, *d))
                                : to_operand(o.object, "arithmetic").ref);
  return found;
}

PyObject* to_result(Ref result) {
  if (!result.tracked()) return to_python(std::move(result).take_value(), true);
  return new_variable(std::move(result));
}

// A new reference; null where NumPy has to do it.
PyObject* record(ScalarFn fn, PyObject* a, PyObject* b) {
  const Op* op = whole_op(fn);
  if (op == nullptr) return nullptr;
  const auto read = read_operands(a, fn == scalar_fn_of<Square>() ? a : b);
  if (!read) return nullptr;
  return to_result(apply_single(*op, {static_cast<int64_t>(read->dtype)}, read->refs));
}

// Kernels compare in float64, to which whole numbers of 64 bits are rounded. Whether a difference
// is zero they see exactly: a < b where the greater of the two is not a.
PyObject* record_comparison(ScalarFn fn, PyObject* a, PyObject* b) {
  const auto read = read_operands(a, b);
  if (!read) return nullptr;
  static const Op &subtract = *find_op("int_subtract"), &maximum = *find_op("int_maximum");
  const Attrs attrs{static_cast<int64_t>(read->dtype)};
  const Ref &x = read->refs[0], &y = read->refs[1];
  const bool is_same = fn == scalar_fn_of<Equal>(), differs = fn == scalar_fn_of<NotEqual>();
  const bool strict = fn == scalar_fn_of<Less>() || fn == scalar_fn_of<Greater>();
  const bool from_first = fn == scalar_fn_of<Less>() || fn == scalar_fn_of<GreaterEqual>();
  const Ref greater =
      is_same || differs ? x : apply_single(maximum, attrs, std::array<Ref, 2>{x, y});
  const Ref& other = is_same || differs || !from_first ? y : x;
  const Ref difference = apply_single(subtract, attrs, std::array<Ref, 2>{greater, other});
  const ScalarFn test = differs || strict ? scalar_fn_of<NotEqual>() : scalar_fn_of<Equal>();
  return to_result(
      apply_single(op_by_id(static_cast<uint16_t>(test)), Attrs(),
                   std::array<Ref, 2>{difference, Ref(Value::integer_scalar(0, read->dtype))}));
}

bool is_wide(PyObject* o) {
  if (PyLong_Check(o)) return false;
  return item_size(is_variable(o) ? variable_cell(o).type().dtype
                                  : to_operand(o, "comparison").ref.dtype()) == 8;
}

PyObject* on_plain_values(const char* name, PyObject* a, PyObject* b) {
  const auto plain = [](PyObject* o) {
    return is_variable(o) ? to_object(learned_value(o)) : py::reinterpret_borrow<py::object>(o);
  };
  const py::object function = py::module_::import("numpy").attr(name);
  return (b == nullptr ? function(plain(a)) : function(plain(a), plain(b))).release().ptr();
}

}  // namespace

bool is_mask(PyObject* o) {
  if (is_variable(o)) return is_bool(variable_cell(o).type().dtype);
  return PyBool_Check(o) || kind_of(o) == 'b';
}

bool is_arithmetic_on_data(ScalarFn fn, PyObject* a, PyObject* b) {
  if (!Tape::current().tracing() || scalar_fn_info(fn).returns_bool ||
      fn == scalar_fn_of<Divide>() || !is_data(a) || (b != nullptr && !is_data(b)))
    return false;
  return !gives_float64(fn) || is_short(a) || (b != nullptr && is_short(b));
}

PyObject* apply_to_data(ScalarFn fn, PyObject* a, PyObject* b) {
  PyObject* recorded = record(fn, a, b);
  return recorded != nullptr ? recorded : on_plain_values(scalar_fn_info(fn).name, a, b);
}

bool is_comparison_of_wide_data(ScalarFn fn, PyObject* a, PyObject* b) {
  static constexpr std::array comparisons{scalar_fn_of<Equal>(),   scalar_fn_of<NotEqual>(),
                                          scalar_fn_of<Less>(),    scalar_fn_of<LessEqual>(),
                                          scalar_fn_of<Greater>(), scalar_fn_of<GreaterEqual>()};
  return Tape::current().tracing() && b != nullptr &&
         std::find(comparisons.begin(), comparisons.end(), fn) != comparisons.end() && is_data(a) &&
         is_data(b) && (is_wide(a) || is_wide(b));
}

PyObject* compare_data(ScalarFn fn, PyObject* a, PyObject* b) {
  PyObject* recorded = record_comparison(fn, a, b);
  return recorded != nullptr ? recorded : on_plain_values(scalar_fn_info(fn).name, a, b);
}

PyObject* apply_plain(const char* name, PyObject* a, PyObject* b) {
  return guard([&]() -> PyObject* {
    if (!Tape::current().tracing() || !is_data(a) || (b != nullptr && !is_data(b)))
      Py_RETURN_NOTIMPLEMENTED;
    return on_plain_values(name, a, b);
  });
}

}  // namespace tapegrad
