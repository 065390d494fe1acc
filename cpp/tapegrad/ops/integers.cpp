#include "tapegrad/ops/integers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tapegrad/base/promotion.h"
#include "tapegrad/kernels/array/integers.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/rule.h"

// The ops have the attribute (dtype), the number of the integer dtype in which they compute, and no
// derivative.

namespace tapegrad {
namespace {

constexpr AttrKey dtype_key{0, "dtype"};

// The ops of this file by their names, "int_" and that of the scalar function.
std::map<std::string, const Op*, std::less<>>& integer_ops() {
  static std::map<std::string, const Op*, std::less<>> all;
  return all;
}

const Op* integer_op_named(std::string_view name) {
  const auto at = integer_ops().find(name);
  return at == integer_ops().end() ? nullptr : at->second;
}

std::vector<TensorType> infer_integers(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims shape = broadcast_shapes(in[0].shape, in.back().shape, "arithmetic on integers");
  return {{static_cast<DType>(attrs.integer(dtype_key)), shape}};
}

template <IntegerFn f>
void eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = eval_integers(f, static_cast<DType>(attrs.integer(dtype_key)), in[0], in.back());
}

template <IntegerFn f>
void add(const char* name, int n_in, const char* summary) {
  integer_ops()[name] = &register_op({.name = name,
                                      .n_in = n_in,
                                      .attrs = {{dtype_key, attr_kind::integer}},
                                      .infer = infer_integers,
                                      .eval = eval<f>,
                                      .vjp = [](VjpContext&) {},
                                      .jvp = [](JvpContext&) {},
                                      .by_element = true,
                                      .summary = summary});
}

}  // namespace

void register_integer_ops() {
  add<IntegerFn::add>("int_add", 2, "a + b of integers");
  add<IntegerFn::subtract>("int_subtract", 2, "a - b of integers");
  add<IntegerFn::multiply>("int_multiply", 2, "a * b of integers");
  add<IntegerFn::floor_divide>("int_floor_divide", 2, "a // b of integers");
  add<IntegerFn::remainder>("int_remainder", 2, "a % b of integers");
  add<IntegerFn::minimum>("int_minimum", 2, "the lesser of two integers");
  add<IntegerFn::maximum>("int_maximum", 2, "the greater of two integers");
  add<IntegerFn::positive>("int_positive", 1, "integers as those of another dtype");
  add<IntegerFn::positive>("to_integers", 1, "numbers cut towards zero");
  add<IntegerFn::negative>("int_negative", 1, "-a of integers");
  add<IntegerFn::absolute>("int_absolute", 1, "abs(a) of integers");
}

namespace {

// Functions that NumPy computes in float64 of integers, and in a smaller dtype of masks and
// integers of few bits.
bool gives_float(ScalarFn fn) {
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

bool is_comparison(ScalarFn fn) {
  static constexpr std::array comparisons{scalar_fn_of<Equal>(),   scalar_fn_of<NotEqual>(),
                                          scalar_fn_of<Less>(),    scalar_fn_of<LessEqual>(),
                                          scalar_fn_of<Greater>(), scalar_fn_of<GreaterEqual>()};
  return std::ranges::find(comparisons, fn) != comparisons.end();
}

// Bytes of an operand that has a dtype; 0 for Python ints.
size_t width(const Operand& o) { return o.is_python_int() ? 0 : item_size(o.ref.dtype()); }

bool all_data(std::span<const Operand> operands) {
  return std::ranges::all_of(operands, [](const Operand& o) { return o.is_data(); });
}

// The op that does what the function does; null where there is none.
const Op* integer_op(ScalarFn fn) {
  static const auto ops = [] {
    std::array<const Op*, scalar_fn_count> found{};
    for (size_t f = 0; f < scalar_fn_count; ++f)
      found[f] =
          integer_op_named("int_" + std::string(scalar_fn_info(static_cast<ScalarFn>(f)).name));
    found[index_of(scalar_fn_of<Square>())] = integer_op_named("int_multiply");
    return found;
  }();
  return ops[index_of(fn)];
}

std::optional<DType> dtype_of_operands(std::span<const Operand> operands) {
  std::vector<DType> dtypes;
  std::vector<int64_t> python_ints;
  for (const Operand& o : operands) {
    if (o.number == PythonNumber::large_int) return std::nullopt;
    if (o.number == PythonNumber::integer) {
      python_ints.push_back(o.integer);
    } else {
      dtypes.push_back(o.ref.dtype());
    }
  }
  return common_integer_dtype(dtypes, python_ints);
}

Ref as_data(const Operand& o, DType d) {
  return o.number == PythonNumber::integer ? Ref(Value::integer_scalar(o.integer, d)) : o.ref;
}

}  // namespace

bool is_integer_arithmetic(ScalarFn fn, std::span<const Operand> operands) {
  if (scalar_fn_info(fn).returns_bool || fn == scalar_fn_of<Divide>() || !all_data(operands))
    return false;
  const auto is_short = [](const Operand& o) { return width(o) != 0 && width(o) < 4; };
  return !gives_float(fn) || std::ranges::any_of(operands, is_short);
}

std::optional<Ref> integer_arithmetic(ScalarFn fn, std::span<const Operand> operands) {
  const Op* op = integer_op(fn);
  const std::optional<DType> d = op ? dtype_of_operands(operands) : std::nullopt;
  if (!d) return std::nullopt;
  std::vector<Ref> refs;
  for (const Operand& o : operands) refs.push_back(as_data(o, *d));
  if (fn == scalar_fn_of<Square>()) refs.push_back(refs[0]);
  return apply_single(*op, {static_cast<int64_t>(*d)}, refs);
}

namespace {

// The numbers that a program is given, as arguments.
constexpr double most_given = 2147483648.0;

// No value that this one may have is farther from zero; nothing where that takes long to say.
std::optional<double> bound_of(const Ref& x, int steps = 8) {
  if (!x.tracked()) return std::abs(static_cast<double>(x.value().as_int64()));
  if (is_bool(x.dtype())) return 1.0;
  const Node& n = x.tape()->node(x.slot());
  if (n.kind == NodeKind::constant) return std::abs(static_cast<double>(n.value.as_int64()));
  if (n.kind != NodeKind::op) return most_given;
  if (steps == 0) return std::nullopt;
  std::vector<double> in;
  for (const uint32_t slot : n.inputs()) {
    const std::optional<double> bound = bound_of(Ref(x.tape(), slot), steps - 1);
    if (!bound) return std::nullopt;
    in.push_back(*bound);
  }
  const std::string_view name = op_by_id(n.op).name;
  if (name == "int_negative" || name == "int_positive") return in[0];
  if (in.size() != 2) return std::nullopt;
  if (name == "int_add" || name == "int_subtract") return in[0] + in[1];
  if (name == "int_multiply") return in[0] * in[1];
  if (name == "int_floor_divide") return in[0] + 1;
  if (name == "int_remainder") return in[1];
  return std::nullopt;
}

}  // namespace

std::optional<Ref> python_integer_arithmetic(ScalarFn fn, std::span<const Ref> operands) {
  static constexpr std::array functions{scalar_fn_of<Add>(),       scalar_fn_of<Subtract>(),
                                        scalar_fn_of<Multiply>(),  scalar_fn_of<FloorDivide>(),
                                        scalar_fn_of<Remainder>(), scalar_fn_of<Negative>(),
                                        scalar_fn_of<Positive>()};
  if (std::ranges::find(functions, fn) == functions.end()) return std::nullopt;
  const bool divides = fn == scalar_fn_of<FloorDivide>() || fn == scalar_fn_of<Remainder>();
  if (divides && (operands[1].tracked() || operands[1].value().as_int64() == 0))
    return std::nullopt;
  Ref found = apply_single(*integer_op(fn), {static_cast<int64_t>(DType::int64)}, operands);
  const std::optional<double> bound = bound_of(found);
  constexpr double most = 4611686018427387904.0;
  return bound && *bound < most ? std::optional(std::move(found)) : std::nullopt;
}

bool is_integer_comparison(ScalarFn fn, std::span<const Operand> operands) {
  return is_comparison(fn) && all_data(operands) &&
         std::ranges::any_of(operands, [](const Operand& o) { return width(o) == 8; });
}

// Kernels compare in float64, to which integers of 64 bits are rounded. Whether a difference is
// zero they see exactly: a < b where the greater of the two is not a.
std::optional<Ref> compare_integers(ScalarFn fn, std::span<const Operand> operands) {
  const std::optional<DType> d = dtype_of_operands(operands);
  if (!d) return std::nullopt;
  static const Op &subtract = *integer_op_named("int_subtract"),
                  &maximum = *integer_op_named("int_maximum");
  const Attrs attrs{static_cast<int64_t>(*d)};
  const Ref x = as_data(operands[0], *d), y = as_data(operands[1], *d);
  const bool is_same = fn == scalar_fn_of<Equal>(), differs = fn == scalar_fn_of<NotEqual>();
  const bool strict = fn == scalar_fn_of<Less>() || fn == scalar_fn_of<Greater>();
  const bool from_first = fn == scalar_fn_of<Less>() || fn == scalar_fn_of<GreaterEqual>();
  const Ref greater =
      is_same || differs ? x : apply_single(maximum, attrs, std::array<Ref, 2>{x, y});
  const Ref& other = is_same || differs || !from_first ? y : x;
  const Ref difference = apply_single(subtract, attrs, std::array<Ref, 2>{greater, other});
  const ScalarFn test = differs || strict ? scalar_fn_of<NotEqual>() : scalar_fn_of<Equal>();
  return apply_single(op_by_id(static_cast<uint16_t>(test)), Attrs(),
                      std::array<Ref, 2>{difference, Ref(Value::integer_scalar(0, *d))});
}

}  // namespace tapegrad
