#include "tapegrad/kernels/array/elementwise.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "kernels/random_values.h"
#include "tapegrad/kernels/array/fingerprint.h"
#include "tapegrad/rows/elementwise_operands.h"

using namespace tapegrad;

namespace {

template <class T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

// Every function at every length and choice of uniform operands: what the loop gives is what the
// scalar gives.
template <class T>
void check_loops() {
  Random random(7);
  constexpr int64_t most = 700;
  std::vector<T> x[3];
  for (auto& operand : x)
    for (int64_t i = 0; i < most; ++i) operand.push_back(static_cast<T>(random.wild()));
  for (size_t k = 0; k < scalar_fn_count; ++k) {
    const auto f = static_cast<ScalarFn>(k);
    const ScalarFnInfo& info = scalar_fn_info(f);
    const ElementwiseKernel<T>& kernel = elementwise_kernel<T>(f);
    for (unsigned mask = 0; mask < 1u << info.arity; ++mask)
      for (int64_t n : {1, 3, 8, 31, 256, 257, 700}) {
        std::vector<T> out(static_cast<size_t>(n) + 1, T(42));
        const auto start = [&](int i) { return x[i].data() + (mask + k) % 5; };
        const int64_t length = n == most ? n - 5 : n;
        kernel.loop(out.data(), start(0), start(1), start(2), length, mask);
        bool ok = out[static_cast<size_t>(length)] == T(42);
        for (int64_t i = 0; i < length; ++i) {
          const auto at = [&](int operand) { return start(operand)[mask >> operand & 1 ? 0 : i]; };
          ok &= same(out[static_cast<size_t>(i)], kernel.scalar(at(0), at(1), at(2)));
          ok &= same(kernel.scalar(at(0), at(1), at(2)), eval_scalar_as<T>(f, at(0), at(1), at(2)));
        }
        if (info.returns_bool) {
          bool truth[most];
          kernel.test(truth, start(0), start(1), length, mask);
          for (int64_t i = 0; i < length; ++i) ok &= truth[i] == (out[static_cast<size_t>(i)] != 0);
        }
        check::expect(ok, __FILE__, __LINE__,
                      std::string(info.name) + ": loop and scalar differ, mask " +
                          std::to_string(mask) + ", n " + std::to_string(n) + ", item " +
                          std::to_string(sizeof(T)));
      }
  }
}

// Element by element through Value::at, from broadcast copies.
Value slow(ScalarFn f, std::span<const Value> in, DType out_type) {
  Dims shape = in[0].shape();
  for (const Value& v : in) shape = broadcast_shapes(shape, v.shape(), "slow");
  std::vector<Value> spread;
  for (const Value& v : in) {
    spread.push_back(Value::empty(v.dtype(), shape));
    if (!shape.empty()) copy_into(spread.back(), v);
    if (shape.empty()) spread.back() = v;
  }
  bool single = out_type == DType::float32;
  if (is_bool(out_type)) {
    DType common = in[0].dtype();
    for (const Value& v : in) common = promote(common, v.dtype());
    single = common == DType::float32;
  }
  Value out = Value::empty(out_type, shape);
  for (int64_t i = 0; i < out.size(); ++i) {
    double x[3] = {};
    for (size_t k = 0; k < in.size(); ++k) x[k] = spread[k].at(i);
    out.set_at(i, single ? eval_scalar_f32(f, static_cast<float>(x[0]), static_cast<float>(x[1]),
                                           static_cast<float>(x[2]))
                         : eval_scalar(f, x[0], x[1], x[2]));
  }
  return out;
}

template <class F>
void check_case(const std::vector<Value>& in, DType out_type, int line) {
  Value out = Value::scalar(0, DType::float64).cast(out_type);
  std::vector<uint64_t> fingerprints(in.size(), 1);
  eval_elementwise(scalar_fn_of<F>(), in, out);
  const Value expected = slow(scalar_fn_of<F>(), in, out_type);
  check::expect(same_numbers(out, expected), __FILE__, line,
                std::string(scalar_fn_info(scalar_fn_of<F>()).name) + " on " + describe(in[0]));
  Value again = Value::scalar(0, DType::float64).cast(out_type);
  eval_elementwise(scalar_fn_of<F>(), in, again, fingerprints.data());
  check::expect(same_numbers(again, expected), __FILE__, line,
                std::string(scalar_fn_info(scalar_fn_of<F>()).name) + " with fingerprints");
  for (size_t k = 0; k < in.size(); ++k)
    check::expect(fingerprints[k] == fingerprint(in[k]), __FILE__, line, "fused fingerprint");
}

Value transposed(const Value& v) {
  Dims shape, strides;
  for (int axis = v.ndim() - 1; axis >= 0; --axis) {
    shape.push_back(v.dim(axis));
    strides.push_back(v.layout()->strides()[axis]);
  }
  return v.view(shape, strides, 0);
}

}  // namespace

TEST(loops_agree_with_scalars) {
  check_loops<double>();
  check_loops<float>();
}

TEST(shapes_strides_and_dtypes) {
  const DType f64 = DType::float64, f32 = DType::float32;
  const Value a = random_array({37, 41}, 1), row = random_array({41}, 2),
              column = random_array({37, 1}, 3);
  const Value wide = random_array({3, 5000}, 4), wide_row = random_array({5000}, 5);
  const Value wide_column = random_array({3, 1}, 6), cube = random_array({4, 5, 300}, 7);
  check_case<Multiply>({a, a}, f64, __LINE__);
  check_case<Multiply>({a, row}, f64, __LINE__);
  check_case<Subtract>({column, a}, f64, __LINE__);
  check_case<Divide>({column, row}, f64, __LINE__);
  check_case<Add>({wide, wide_row}, f64, __LINE__);
  check_case<Subtract>({wide_column, wide}, f64, __LINE__);
  check_case<Power>({wide_column, wide_row}, f64, __LINE__);
  check_case<Add>({a, Value(2.5)}, f64, __LINE__);
  check_case<Arctan2>({Value(2.5), a}, f64, __LINE__);
  check_case<Sin>({transposed(a)}, f64, __LINE__);
  check_case<Add>({transposed(a), random_array({41, 37}, 8)}, f64, __LINE__);
  check_case<Add>({transposed(cube), random_array({5, 4}, 9)}, f64, __LINE__);
  check_case<Hypot>({cube, random_array({5, 1}, 10)}, f64, __LINE__);
  check_case<Select>({random_array({300}, 11, DType::bool_, 0, 2), cube, Value(0.0)}, f64,
                     __LINE__);
  check_case<Clip>({cube, Value(-1.0), random_array({4, 1, 1}, 12)}, f64, __LINE__);
  const Value reversed = wide.view(Dims{3, 2500}, Dims{5000, -2}, 4999);
  check_case<Exp>({reversed}, f64, __LINE__);
  check_case<Add>({reversed, random_array({2500}, 13)}, f64, __LINE__);
  const Value repeated = row.view(Dims{50, 41}, Dims{0, 1}, 0);
  check_case<Add>({repeated, column.view(Dims{1, 1}, Dims{1, 1}, 0)}, f64, __LINE__);
  const Value a32 = a.cast(f32), integers = random_array({37, 41}, 14, DType::int32, -9, 9);
  check_case<Multiply>({a32, a32}, f32, __LINE__);
  check_case<Tanh>({a32}, f32, __LINE__);
  check_case<Multiply>({a32, a}, f64, __LINE__);
  check_case<Multiply>({a32, Value::scalar(0.1, f32)}, f32, __LINE__);
  check_case<Add>({integers, a}, f64, __LINE__);
  check_case<Sqrt>({random_array({37}, 15, DType::uint8, 0, 200)}, f64, __LINE__);
  check_case<Less>({a, row}, DType::bool_, __LINE__);
  check_case<Less>({a, a}, DType::bool_, __LINE__);
  check_case<GreaterEqual>({a32, a32}, DType::bool_, __LINE__);
  check_case<Equal>({integers, Value::integer_scalar(3)}, DType::bool_, __LINE__);
  check_case<Isnan>({a}, DType::bool_, __LINE__);
  check_case<LessEqual>({column, row}, DType::bool_, __LINE__);
}

TEST(empty_and_scalar_operands) {
  const DType f64 = DType::float64;
  check_case<Add>({Value(2.0), Value(3.0)}, f64, __LINE__);
  check_case<Exp>({Value::scalar(1.5, DType::float32)}, DType::float32, __LINE__);
  check_case<Less>({Value(2.0), Value(3.0)}, DType::bool_, __LINE__);
  check_case<Add>({Value::empty(f64, Dims{0}), Value(1.0)}, f64, __LINE__);
  check_case<Add>({Value::empty(f64, Dims{3, 0}), random_array({3, 1}, 1)}, f64, __LINE__);
  check_case<Add>({Value::empty(f64, Dims{0, 4}), random_array({4}, 1)}, f64, __LINE__);
  check_case<Add>({random_array({1, 1}, 1), random_array({1}, 2)}, f64, __LINE__);
  check_case<Add>({random_array({1, 1, 1}, 1), Value(2.0)}, f64, __LINE__);
  Value out;
  eval_elementwise(scalar_fn_of<Add>(), std::vector<Value>{random_array({1}, 1), Value(1.0)}, out);
  CHECK(!out.is_scalar() && out.ndim() == 1);
  CHECK(scalar_as<double>(Value::integer_scalar(-1, DType::uint64)) == 0x1p64);
}

TEST(shapes_that_do_not_broadcast) {
  const std::vector<Value> in = {random_array({3, 4}, 1), random_array({3}, 2)};
  Value out;
  CHECK_THROWS_SAYING(ValueError,
                      "add: operands could not be broadcast together with shapes (3, 4) (3,)",
                      eval_elementwise(scalar_fn_of<Add>(), in, out));
}

TEST(same_bits_for_any_number_of_threads) {
  const Value a = random_array({53, 701}, 1), b = random_array({701}, 2);
  const std::vector<Value> cases[] = {{a, a}, {a, b}, {a, Value(1.5)}};
  for (const std::vector<Value>& in : cases)
    for (ScalarFn f : {scalar_fn_of<Multiply>(), scalar_fn_of<Logaddexp>()}) {
      Value expected;
      uint64_t prints[2] = {1, 1};
      eval_elementwise(f, in, expected, prints);
      for (int threads : {1, 2, 3, 8}) {
        const UseThreads use(threads);
        const int64_t before = parallel_regions_run();
        Value out;
        uint64_t again[2] = {1, 1};
        eval_elementwise(f, in, out, again);
        CHECK(same_bits(out, expected));
        CHECK(again[0] == prints[0] && again[1] == prints[1]);
        Value plain;
        eval_elementwise(f, in, plain);
        CHECK(same_bits(plain, expected));
        CHECK((parallel_regions_run() > before) == (threads > 1));
      }
    }
}

TEST(operands_are_not_written) {
  const Value a = random_array({100}, 1), copy = a.copy();
  Value out;
  eval_elementwise(scalar_fn_of<Negative>(), std::vector<Value>{a}, out);
  CHECK(same_bits(a, copy) && out.raw() != a.raw() && out.owns_buffer());
}
