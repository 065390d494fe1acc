#include "tapegrad/ops/integers.h"

#include <functional>
#include <limits>

#include "check.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/tracer.h"

using namespace tapegrad;

namespace {

Operand data(DType d, std::initializer_list<int64_t> items) {
  register_all_ops();
  const std::vector<int64_t> v(items);
  return {Ref(Value::from_int64(v, Dims{static_cast<int64_t>(v.size())}).cast(d))};
}
Operand python_int(int64_t i) { return {Ref(static_cast<double>(i)), PythonNumber::integer, i}; }

template <class F>
std::optional<Ref> arithmetic(std::vector<Operand> operands) {
  CHECK(is_integer_arithmetic(scalar_fn_of<F>(), operands));
  return integer_arithmetic(scalar_fn_of<F>(), operands);
}

bool holds(const std::optional<Ref>& r, DType d, std::initializer_list<int64_t> items) {
  if (!r || r->dtype() != d) return false;
  const Value wide = r->value().cast(DType::int64);
  return wide.size() == static_cast<int64_t>(items.size()) &&
         std::equal(items.begin(), items.end(), wide.data<int64_t>());
}

template <class F>
bool is_arithmetic(std::vector<Operand> operands) {
  return is_integer_arithmetic(scalar_fn_of<F>(), operands);
}

}  // namespace

TEST(results_stay_integers_of_numpys_dtype) {
  CHECK(holds(arithmetic<Add>({data(DType::int8, {100}), data(DType::int16, {100})}), DType::int16,
              {200}));
  CHECK(holds(arithmetic<Multiply>({data(DType::uint8, {20}), python_int(13)}), DType::uint8, {4}));
  CHECK(holds(arithmetic<Subtract>({python_int(3), data(DType::bool_, {0, 1})}), DType::int64,
              {3, 2}));
  CHECK(holds(arithmetic<FloorDivide>({data(DType::int32, {-7}), python_int(2)}), DType::int32,
              {-4}));
  CHECK(holds(arithmetic<Square>({data(DType::int8, {16})}), DType::int8, {0}));
  CHECK(holds(arithmetic<Negative>({data(DType::int64, {5})}), DType::int64, {-5}));
}

TEST(nothing_where_numpy_has_to_compute) {
  CHECK(!arithmetic<Add>({data(DType::bool_, {1}), data(DType::bool_, {1})}));   // logical or
  CHECK(!arithmetic<Add>({data(DType::uint8, {1}), python_int(256)}));           // raises
  CHECK(!arithmetic<Add>({data(DType::uint64, {1}), data(DType::int64, {1})}));  // float64
  CHECK(!arithmetic<Add>({data(DType::int64, {1}), {Ref(1e30), PythonNumber::large_int}}));
  CHECK(!arithmetic<Power>({data(DType::int64, {2}), data(DType::int64, {3})}));
}

TEST(quotients_and_functions_give_floats) {
  const Operand wide = data(DType::int64, {4}), narrow = data(DType::int16, {4});
  CHECK(!is_arithmetic<Divide>({wide, wide}));
  CHECK(!is_arithmetic<Sqrt>({wide}));
  CHECK(is_arithmetic<Sqrt>({narrow}));  // float32 in NumPy, which computes it then
  CHECK(!is_arithmetic<Hypot>({wide, python_int(3)}));
  CHECK(!is_arithmetic<Less>({wide, wide}));
  CHECK(!is_arithmetic<Add>({wide, {Ref(1.0), PythonNumber::floating}}));
}

TEST(comparisons_of_64_bits_are_exact) {
  constexpr int64_t large = int64_t{1} << 60;
  const std::vector<int64_t> samples{0, 1, -1, large, large + 1, -large, -large - 1};
  for (const int64_t a : samples)
    for (const int64_t b : samples) {
      const std::vector<Operand> operands{data(DType::int64, {a}), python_int(b)};
      const auto check = [&](ScalarFn fn, bool expected) {
        CHECK(is_integer_comparison(fn, operands));
        const std::optional<Ref> r = compare_integers(fn, operands);
        CHECK(r && is_bool(r->dtype()) && (r->value().at(0) != 0) == expected);
      };
      check(scalar_fn_of<Less>(), a < b);
      check(scalar_fn_of<LessEqual>(), a <= b);
      check(scalar_fn_of<Greater>(), a > b);
      check(scalar_fn_of<GreaterEqual>(), a >= b);
      check(scalar_fn_of<Equal>(), a == b);
      check(scalar_fn_of<NotEqual>(), a != b);
    }
  const std::vector<Operand> narrow{data(DType::int32, {1}), python_int(2)};
  CHECK(!is_integer_comparison(scalar_fn_of<Less>(), narrow));
}

TEST(what_is_recorded_stays_recorded) {
  register_all_ops();
  Tracer tracer;
  const Operand i{tracer.argument(Value::integer_scalar(5))};
  Operand operands[] = {i, python_int(2)};
  const std::optional<Ref> r = apply_to_operands(scalar_fn_of<Remainder>(), operands);
  CHECK(r && r->tracked() && r->dtype() == DType::int64 && r->value().as_int64() == 1);
  CHECK(tracer.guards().empty());
}

TEST(ints_of_python_are_computed_while_64_bits_hold_them) {
  register_all_ops();
  Tracer tracer;
  const Ref k = tracer.number_argument(Value::integer_scalar(-7), true);
  const auto of = [](auto fn, std::vector<Ref> operands) {
    return python_integer_arithmetic(fn, operands);
  };
  const auto number = [](int64_t i) { return Ref(Value::integer_scalar(i)); };
  CHECK(of(scalar_fn_of<FloorDivide>(), {k, number(2)})->value().as_int64() == -4);
  CHECK(of(scalar_fn_of<Remainder>(), {k, number(3)})->value().as_int64() == 2);
  CHECK(of(scalar_fn_of<Negative>(), {k})->value().as_int64() == 7);
  CHECK(!of(scalar_fn_of<Remainder>(), {k, number(0)}));    // raises in Python
  CHECK(!of(scalar_fn_of<FloorDivide>(), {number(3), k}));  // so may this for another k
  CHECK(!of(scalar_fn_of<Power>(), {k, number(2)}));
  Ref product = k;
  for (int i = 0; i < 2; ++i) product = *of(scalar_fn_of<Multiply>(), {product, number(1 << 15)});
  CHECK(!of(scalar_fn_of<Multiply>(), {product, number(1 << 15)}));
  CHECK(of(scalar_fn_of<Add>(), {product, k})->tracked());
}
