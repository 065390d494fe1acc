#include <optional>

#include "program/programs.h"
#include "tapegrad/base/error.h"
#include "tapegrad/program/run/executor.h"

using namespace programs;
using tapegrad::Executor;
using tapegrad::expand;
using tapegrad::LinAlgError;
using tapegrad::PassOptions;

namespace {

const Attrs all{Attr{}, false};

// A few products of small matrices, for which a kernel is always faster.
ValueId with_products(Draft& d, ValueId matrix) {
  ValueId v = matrix;
  for (int k = 0; k < 40; ++k) v = d.op("matmul", {v, matrix});
  return v;
}

// The op on inputs of these types, beside products.
Program program_of(const char* op, std::initializer_list<TensorType> types, const Attrs& attrs) {
  Draft d;
  std::vector<ValueId> in;
  for (const TensorType& t : types) in.push_back(d.input(t));
  const ValueId m = d.input(TensorType{types.begin()->dtype, {2, 2}});
  const ValueId found = in.size() == 1 ? d.op(op, {in[0]}, attrs) : d.op(op, {in[0], in[1]}, attrs);
  if (op == std::string("slogdet")) d.writer().output(found + 1);
  return d.returning({found, with_products(d, m)});
}

std::optional<std::vector<Value>> values_of(const Program& p, const std::vector<Value>& in) {
  try {
    return run(p, in, {}, true);
  } catch (const LinAlgError&) {
    return std::nullopt;
  }
}

// Matrices far from singular, and positive definite where their lower triangles are all that
// counts.
Value regular_value(const TensorType& t, std::mt19937_64& random) {
  Value v = random_value(t, random);
  const int64_t n = t.shape.back();
  for (int64_t i = 0; t.shape.size() > 1 && i < v.size(); ++i)
    if (i % n == i / n % n) v.set_at(i, 5.0 + std::abs(v.at(i)));
  return v;
}

// Numbers that tie, cancel and leave their range.
Value odd_value(const TensorType& t, std::mt19937_64& random) {
  constexpr double odd[] = {0.0, -0.0, 1.0, -1.0, 2.0, 0.5, NAN, INFINITY, -INFINITY};
  const size_t kinds = random() % 2 == 0 ? 6 : 9;
  return filled(t.dtype, t.shape, [&](int64_t) { return odd[random() % kinds]; });
}

// One kernel with the bits of the array's op, and a guard that fails wherever the op raises an
// error; it may fail elsewhere only for a determinant.
void check_system(const Program& p, bool is_det = false) {
  const Program q = expand(p, true);
  CHECK(q.steps.size() == 1 && count_kernels(q) == 1);
  CHECK(q.guards.size() <= 1);
  for (const Program::Guard& g : q.guards) CHECK(g.of_pass);
  Program watched = q;
  for (const Program::Guard& g : q.guards) watched.outputs.push_back(g.value);
  std::mt19937_64 random(5);
  int raised = 0, computed = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<Value> in;
    for (ValueId v : p.inputs)
      in.push_back(round < 30 ? regular_value(p.type_of(v), random)
                              : odd_value(p.type_of(v), random));
    const std::optional<std::vector<Value>> expected = values_of(p, in);
    const std::vector<Value> got = run(watched, in, {}, true);
    const bool holds = q.guards.empty() || same_bits(got.back(), q.guards[0].expected);
    CHECK(expected || !holds);
    CHECK(!expected || holds || is_det);
    if (expected && holds)
      for (size_t k = 0; k < expected->size(); ++k) CHECK(same_numbers((*expected)[k], got[k]));
    raised += !expected;
    computed += expected && holds;
  }
  CHECK(computed > 20);
  CHECK(raised > 0 || is_det || q.guards.empty());
}

}  // namespace

TEST(small_systems_keep_their_bits_and_errors) {
  for (const DType t : {DType::float64, DType::float32})
    for (const int64_t n : {1, 2, 3, 4}) {
      check_system(program_of("solve", {{t, {n, n}}, {t, {n}}}, {}));
      check_system(program_of("solve", {{t, {n, n}}, {t, {n, 2}}}, {}));
      check_system(program_of("solve", {{t, {2, 1, n, n}}, {t, {2, n, 1}}}, {}));
      check_system(program_of("inv", {{t, {n, n}}}, {}));
      check_system(program_of("cholesky_lower", {{t, {2, n, n}}}, {}));
      for (int flags = 0; flags < 8; ++flags) {
        std::vector<Attr> attrs;
        for (int k = 0; k < 3; ++k) attrs.emplace_back((flags >> k & 1) != 0);
        check_system(
            program_of("solve_triangular", {{t, {n, n}}, {t, {n, 2}}}, Attrs(std::move(attrs))));
      }
    }
}

TEST(determinants_keep_their_bits) {
  for (const char* op : {"det", "det_regular"})
    for (const int64_t n : {1, 2, 3, 4}) check_system(program_of(op, {f64({2, n, n})}, {}), true);
}

TEST(logarithms_of_determinants_keep_their_bits) {
  for (const int64_t n : {1, 2, 3, 4}) check_system(program_of("slogdet", {f64({n, n})}, {}));
}

TEST(larger_systems_stay_arrays) {
  const Program large = program_of("solve", {f64({5, 5}), f64({5})}, {});
  CHECK(count_op(expand(large, true), "solve") == 1);
  const Program single = program_of("det", {f32({3, 3})}, {});
  CHECK(count_op(expand(single, true), "det") == 1);
}

TEST(systems_stay_arrays_where_nobody_sees_to_a_guard) {
  const Program p = program_of("solve", {f64({3, 3}), f64({3})}, {});
  const Program q = expand(p);
  CHECK(q.guards.empty() && count_op(q, "solve") == 1);
}

TEST(an_executor_raises_what_the_arrays_raise) {
  const Program p = program_of("solve", {f64({2, 2}), f64({2})}, {});
  const Executor executor(p, PassOptions());
  CHECK(executor.program().guards.size() == 1);
  const auto matrix = [](double corner) {
    return Value::from(std::vector<double>{1, 2, 2, corner}, Dims{2, 2});
  };
  const Value b = Value::from(std::vector<double>{1, 0}, Dims{2});
  for (int round = 0; round < 3; ++round) {
    std::vector<Value> out;
    size_t failed = 0;
    CHECK(executor.run(std::vector<Value>{matrix(5), b, matrix(1)}, {}, out, failed));
    CHECK(out[0].at(0) == 5 && out[0].at(1) == -2);
    CHECK_THROWS_SAYING(LinAlgError, "Singular matrix",
                        executor.run(std::vector<Value>{matrix(4), b, matrix(1)}, {}, out, failed));
  }
}

TEST(systems_of_many_points_are_one_kernel) {
  constexpr int64_t n = 700;
  Draft d;
  const ValueId a = d.input({n, 3, 3}), b = d.input({n, 3, 1});
  const ValueId x = d.op("solve", {a, b});
  const Program p = d.returning({d.op("sum", {d.op("square", {x})}, {Ints{1, 2}, false})});
  const Program q = tapegrad::batch(p, true);
  CHECK(q.steps.size() == 1 && count_kernels(q) == 1);
  CHECK(q.guards.size() == 1 && q.type_of(q.guards[0].value).shape == Dims{n});
  std::mt19937_64 random(2);
  std::vector<Value> in{random_value(f64({n, 3, 3}), random), random_value(f64({n, 3, 1}), random)};
  CHECK(distance(run(p, in)[0], run(q, in, {}, true)[0]) < 1e-12);
  Program watched = q;
  watched.outputs.push_back(q.guards[0].value);
  CHECK(same_bits(run(watched, in, {}, true)[1], q.guards[0].expected));
  for (int64_t k = 0; k < 9; ++k) in[0].set_at(9 * 431 + k, 0.1 * static_cast<double>(k % 3));
  const Value regular = run(watched, in, {}, true)[1];
  for (int64_t k = 0; k < n; ++k) CHECK((regular.at(k) != 0) == (k != 431));
}

TEST(each_point_keeps_its_bits_and_its_error) {
  constexpr int64_t n = 600;
  for (const DType t : {DType::float64, DType::float32})
    for (const char* op : {"solve", "solve_triangular"}) {
      const Attrs lower{true, false, false};
      const Attrs attrs = op == std::string("solve") ? Attrs() : lower;
      const auto program = [&](int64_t count) {
        Draft d;
        const ValueId a = d.input(TensorType{t, {count, 3, 3}});
        const ValueId b = d.input(TensorType{t, {count, 3, 2}});
        return d.returning({d.op(op, {a, b}, attrs)});
      };
      const Program p = program(n), one = program(1);
      Program q = tapegrad::batch(p, true);
      CHECK(q.steps.size() == 1 && count_kernels(q) == 1 && q.guards.size() == 1);
      q.outputs.push_back(q.guards[0].value);
      std::mt19937_64 random(8);
      const std::vector<Value> in{odd_value(p.type_of(p.inputs[0]), random),
                                  odd_value(p.type_of(p.inputs[1]), random)};
      const std::vector<Value> got = run(q, in, {}, true);
      int regular = 0;
      for (int64_t k = 0; k < n; ++k) {
        const auto lane = [&](const Value& v, int64_t columns) {
          return v.view(Dims{1, 3, columns}, v.strides(), 3 * columns * k).copy();
        };
        const auto expected = values_of(one, {lane(in[0], 3), lane(in[1], 2)});
        CHECK((got[1].at(k) != 0) == expected.has_value());
        regular += expected.has_value();
        for (int64_t i = 0; expected && i < 6; ++i) {
          const double x = (*expected)[0].at(i), y = lane(got[0], 2).at(i);
          CHECK(x == y || (std::isnan(x) && std::isnan(y)));
        }
      }
      CHECK(regular > 10 && regular < n - 10);
    }
}

TEST(one_matrix_serves_many_points) {
  constexpr int64_t n = 600;
  Draft d;
  const ValueId a = d.input({4, 4}), b = d.input({n, 4, 1});
  const ValueId x = d.op("solve", {a, b});
  const Program p = d.returning({d.op("sum", {d.op("square", {x})}, {Ints{1, 2}, false})});
  Program q = tapegrad::batch(p, true);
  CHECK(count_kernels(q) == 1 && q.guards.size() == 1);
  CHECK(q.type_of(q.guards[0].value).shape.empty());
  q.outputs.push_back(q.guards[0].value);
  std::mt19937_64 random(2);
  const std::vector<Value> in{regular_value(f64({4, 4}), random),
                              random_value(f64({n, 4, 1}), random)};
  const std::vector<Value> got = run(q, in, {}, true);
  CHECK(distance(run(p, in)[0], got[0]) < 1e-12);
  CHECK(same_bits(got[1], q.guards[0].expected));
  const Value zeros = Value::zeros(DType::float64, Dims{4, 4});
  CHECK(!same_bits(run(q, {zeros, in[1]}, {}, true)[1], q.guards[0].expected));
}

TEST(a_guard_of_a_pass_holds_no_other_guard_back) {
  Draft d;
  const ValueId a = d.input({2, 2}), b = d.input({2});
  const ValueId x = d.op("solve", {a, b});
  d.guard(d.op("less", {d.op("sum", {b}, all), d.constant(10.0)}),
          Value::integer_scalar(1, DType::bool_));
  const Program p = d.returning({x, with_products(d, a)});
  const Executor executor(p, PassOptions());
  CHECK(executor.program().guards.size() == 2);
  CHECK(!executor.program().guards[0].of_pass && executor.program().guards[1].of_pass);
  const auto held = [&](double corner, double right) {
    std::vector<Value> out;
    size_t failed = 0;
    return executor.run(
        std::vector<Value>{Value::from(std::vector<double>{1, 1, 1, corner}, Dims{2, 2}),
                           Value::from(std::vector<double>{right, 1}, Dims{2})},
        {}, out, failed);
  };
  CHECK(held(2, 1));
  CHECK(!held(2, 20));
  CHECK_THROWS(LinAlgError, held(1, 1));
}
