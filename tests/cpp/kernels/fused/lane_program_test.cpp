#include "tapegrad/kernels/fused/lane_program.h"

#include <atomic>
#include <limits>
#include <thread>

#include "check.h"
#include "kernels/fused/lane_maker.h"
#include "kernels/random_values.h"
#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/kernels/reduce/reduce_sum.h"

using namespace tapegrad;

namespace {

using Output = LaneKernel::Output;

// `v` as a packed array of the space's shape.
Value spread(const Value& v, const Dims& space, DType d) {
  if (space.empty()) {
    if (v.is_scalar() && v.dtype() == d) return v;
    return is_bool(d) ? Value::integer_scalar(v.at(0) != 0, d) : Value::scalar(v.at(0), d);
  }
  Value to = Value::empty(d, space);
  copy_into(to, v);
  return to;
}

// The kernel, one function after the other over whole arrays.
std::vector<Value> composed(const LaneKernel& k, const std::vector<Value>& inputs,
                            const Dims& space) {
  std::vector<Value> values = inputs;
  for (double c : k.constants) values.push_back(Value::scalar(c, k.dtype));
  for (const auto& step : k.code) {
    std::vector<Value> args;
    for (int i = 0; i < scalar_fn_info(step.fn).arity; ++i)
      args.push_back(values[step.args[static_cast<size_t>(i)]]);
    Value out = Value::scalar(0, k.dtype);
    eval_elementwise(step.fn, args, out);
    values.push_back(out);
  }
  std::vector<Value> outputs;
  for (const Output& o : k.outputs) {
    const Value v = spread(values[o.operand], space, o.dtype);
    outputs.push_back(o.summed ? sum_to_shape(v, o.shape) : v);
  }
  return outputs;
}

std::vector<Value> run(const LaneProgram& p, const std::vector<Value>& inputs, const Dims& space) {
  std::vector<Value> outputs(p.kernel().outputs.size());
  p.run(inputs, space, outputs);
  return outputs;
}

bool same(const std::vector<Value>& a, const std::vector<Value>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (!same_numbers(a[i], b[i])) return false;
  return a.size() == b.size();
}

void check_kernel(const LaneKernel& k, const std::vector<Value>& inputs, const Dims& space) {
  const LaneProgram program(k);
  const std::vector<Value> expected = composed(k, inputs, space);
  CHECK(same(run(program, inputs, space), expected));
  for (int threads : {1, 2, 3}) {
    const UseThreads use(threads);
    CHECK(same(run(program, inputs, space), expected));
  }
}

// sum(sin x * exp(-x^2) + log1p(x^2) * tanh x), its terms and its gradient.
LaneKernel chain_kernel(DType d = DType::float64) {
  Maker m(1, d);
  const uint32_t one = m.constant(1), two = m.constant(2);
  const uint32_t s = m.call<Sin>(0), q = m.call<Square>(0), e = m.call<Exp>(m.call<Negative>(q));
  const uint32_t l = m.call<Log1p>(q), t = m.call<Tanh>(0);
  const uint32_t y = m.call<Add>(m.call<Multiply>(s, e), m.call<Multiply>(l, t));
  const uint32_t de = m.call<Zmul>(one, s), ds = m.call<Zmul>(one, e);
  const uint32_t dl = m.call<Zmul>(one, t), dt = m.call<Zmul>(one, l);
  uint32_t dx = m.call<Zmul>(dt, m.call<Subtract>(one, m.call<Multiply>(t, t)));
  uint32_t dq = m.call<Zmul>(dl, m.call<Divide>(one, m.call<Add>(one, q)));
  dq = m.call<Add>(dq, m.call<Negative>(m.call<Zmul>(de, e)));
  dx = m.call<Add>(dx, m.call<Zmul>(dq, m.call<Multiply>(two, 0)));
  dx = m.call<Add>(dx, m.call<Zmul>(ds, m.call<Cos>(0)));
  m.sum(y);
  m.store(dx);
  return m.k;
}

const Dims spaces[] = {{},          {1},         {2},         {7},      {8},       {14},
                       {63},        {64},        {129},       {1000},   {1024},    {1025},
                       {5000},      {1, 1},      {3, 5},      {1, 17},  {17, 1},   {100, 3},
                       {3, 100},    {64, 40},    {65, 40},    {7, 900}, {3, 2049}, {2, 3, 4},
                       {5, 1, 130}, {130, 7, 9}, {12, 70, 5}, {0},      {3, 0},    {0, 4, 2}};

// Inputs of all kinds that broadcast to the space.
Value some_input(Random& random, const Dims& space, bool wild) {
  Dims shape = space;
  if (random.bits() % 4 == 0)
    for (size_t i = 0; i < shape.size(); ++i)
      if (random.bits() % 2) shape[i] = 1;
  if (random.bits() % 6 == 0 && !shape.empty()) shape = Dims(shape.data() + 1, shape.size() - 1);
  if (random.bits() % 8 == 0) shape = Dims();
  constexpr DType kinds[] = {DType::float64, DType::float64, DType::float64, DType::float64,
                             DType::float32, DType::int32,   DType::bool_,   DType::uint8};
  const DType d = kinds[random.bits() % 8];
  Dims packed = shape;
  const bool gaps = random.bits() % 4 == 0 && !shape.empty();
  if (gaps) packed[packed.size() - 1] *= 2;
  Value v = Value::empty(d, packed);
  for (int64_t i = 0; i < v.size(); ++i) {
    const double x = wild && random.bits() % 3 == 0 ? random.wild() : random.uniform(-2, 2);
    if (v.is_scalar()) {
      v.set_scalar(is_floating(d) ? x : std::floor(random.uniform(0, 3)));
    } else {
      v.set_at(i, is_floating(d) ? x : std::floor(random.uniform(0, 3)));
    }
  }
  if (gaps) {
    Dims strides = v.strides();
    strides[strides.size() - 1] = 2;
    return v.view(shape, strides, 0);
  }
  if (!shape.empty() && shape[0] > 1 && v.size() && random.bits() % 4 == 0) {
    Dims strides = v.strides();
    const int64_t offset = (shape[0] - 1) * strides[0];
    strides[0] = -strides[0];
    return v.view(shape, strides, offset);
  }
  return v;
}

LaneKernel some_kernel(Random& random, const Dims& space, uint32_t n_inputs, int length, DType d) {
  Maker m(n_inputs, d);
  for (double c : {0.0, 1.0, -2.5}) m.constant(c);
  uint32_t count = m.k.first_result();
  for (int i = 0; i < length; ++i) {
    const bool cheap = random.bits() % 8 != 0;
    constexpr ScalarFn few[] = {scalar_fn_of<Add>(),      scalar_fn_of<Multiply>(),
                                scalar_fn_of<Subtract>(), scalar_fn_of<Zmul>(),
                                scalar_fn_of<Negative>(), scalar_fn_of<Square>(),
                                scalar_fn_of<Add>(),      scalar_fn_of<Multiply>()};
    ScalarFn fn =
        cheap ? few[random.bits() % 8] : static_cast<ScalarFn>(random.bits() % scalar_fn_count);
    // What reads the sign of a NaN, which nothing fixes, would not agree.
    if (fn == scalar_fn_of<Signbit>() || fn == scalar_fn_of<Copysign>()) fn = scalar_fn_of<Fabs>();
    std::array<uint32_t, 3> args{};
    for (auto& a : args) {
      const bool recent = random.bits() % 3 != 0;
      a = static_cast<uint32_t>(recent ? count - 1 - random.bits() % std::min<uint64_t>(count, 4)
                                       : random.bits() % count);
    }
    count = m.call(fn, args[0], args[1], args[2]) + 1;
  }
  for (int i = 0; i < 5; ++i) {
    const auto operand = i == 0 ? count - 1 : static_cast<uint32_t>(random.bits() % count);
    if (random.bits() % 2) {
      m.store(operand);
      continue;
    }
    Dims shape = space;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (random.bits() % 2) shape[axis] = 1;
    while (!shape.empty() && shape[0] == 1 && random.bits() % 2)
      shape = Dims(shape.data() + 1, shape.size() - 1);
    m.sum(operand, random.bits() % 4 ? shape : Dims());
  }
  const auto last = m.k.code.back();
  if (scalar_fn_info(last.fn).returns_bool) m.test(count - 1);
  return m.k;
}

}  // namespace

TEST(chain_is_what_its_functions_give) {
  for (DType d : {DType::float64, DType::float32})
    for (const Dims& space : spaces)
      check_kernel(chain_kernel(d), {random_array(space, 3, d)}, space);
}

TEST(random_kernels) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    const Dims& space = spaces[random.bits() % std::size(spaces)];
    const auto n = static_cast<uint32_t>(1 + random.bits() % 4);
    const DType d = random.bits() % 3 ? DType::float64 : DType::float32;
    const int length = 1 + static_cast<int>(random.bits() % 40);
    const LaneKernel k = some_kernel(random, space, n, length, d);
    std::vector<Value> inputs;
    for (uint32_t i = 0; i < n; ++i) inputs.push_back(some_input(random, space, seed % 2 == 0));
    const int before = check::failures;
    check_kernel(k, inputs, space);
    if (check::failures != before) {
      std::printf("seed %d, space %d axes, kernel:\n%s", static_cast<int>(seed), space.ndim(),
                  to_string(k).c_str());
      break;
    }
  }
}

TEST(long_random_kernels_of_short_spaces) {
  const Dims short_spaces[] = {{}, {1}, {2}, {5}, {14}, {16}, {33}, {64}, {2, 7}, {65}};
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed + 1000);
    const Dims& space = short_spaces[seed % std::size(short_spaces)];
    const DType d = random.bits() % 3 ? DType::float64 : DType::float32;
    const LaneKernel k = some_kernel(random, space, 3, 700, d);
    std::vector<Value> inputs;
    for (int i = 0; i < 3; ++i) inputs.push_back(some_input(random, space, seed % 2 == 0));
    const LaneProgram program(k);
    CHECK(same(run(program, inputs, space), composed(k, inputs, space)));
  }
}

TEST(sums_of_products_keep_their_order) {
  for (DType d : {DType::float64, DType::float32})
    for (const Dims& space : {Dims{5}, Dims{300}, Dims{1000}, Dims{4, 250}}) {
      Maker m(24, d);
      m.constant(3);
      uint32_t from_term = 0, from_product = m.call<Multiply>(1, 2), biased = 24;
      for (uint32_t i = 1; i < 12; ++i) {
        from_term = m.call<Add>(from_term, m.call<Multiply>(i, 24 - i));
        from_product = m.call<Add>(m.call<Multiply>(24 - i, i), from_product);
        biased = m.call<Add>(biased, m.call<Multiply>(i, 12 + i));
      }
      const uint32_t two = m.call<Add>(m.call<Multiply>(1, 2), m.call<Multiply>(3, 4));
      const uint32_t less = m.call<Subtract>(m.call<Multiply>(1, 2), m.call<Multiply>(3, 4));
      for (uint32_t operand : {from_term, from_product, biased, two, less}) m.store(operand);
      m.sum(biased);
      std::vector<Value> inputs;  // every third is uniform
      for (uint64_t i = 0; i < 24; ++i)
        inputs.push_back(i % 3 == 2 ? Value(0.1 * static_cast<double>(i))
                                    : random_array(space, i, d));
      check_kernel(m.k, inputs, space);
    }
}

TEST(hundreds_of_inputs) {
  constexpr uint32_t n = 300;
  Maker m(n);
  uint32_t y = 0;
  for (uint32_t i = 1; i < n; ++i) y = m.call<Maximum>(m.call<Zmul>(y, i), i / 2);
  m.store(y);
  m.sum(y, {1, 9});
  m.sum(n - 1);
  const Dims space{40, 9};
  std::vector<Value> inputs;
  for (uint64_t i = 0; i < n; ++i)
    inputs.push_back(random_array(i % 5 == 0   ? Dims{}
                                  : i % 5 == 1 ? Dims{9}
                                  : i % 5 == 2 ? Dims{40, 1}
                                               : space,
                                  i));
  for (Value& v : inputs)
    if (v.is_scalar()) v.set_scalar(0.7);
  check_kernel(m.k, inputs, space);
}

// Rows of a few elements are read many at a time: blocks begin and end within them.
TEST(inputs_with_short_last_axes) {
  for (DType d : {DType::float64, DType::float32})
    for (int64_t n = 1; n < 12; ++n) {
      const Dims space{3, 701, n};
      const Value row = random_array(Dims{701, 1}, 1, d),
                  corner = random_array(Dims{3, 1, n}, 2, d);
      const Value swapped = random_array(Dims{n, 701}, 3, d).view(Dims{701, n}, Dims{1, 701}, 0);
      const Value wide = random_array(Dims{3, 701, 2 * n}, 4, d);
      const Value every_other = wide.view(space, Dims{701 * 2 * n, 2 * n, 2}, 0);
      Maker m(4, d);
      m.store(m.call<Add>(m.call<Multiply>(0, 1), m.call<Subtract>(2, 3)));
      const std::vector<Value> inputs{row, corner, swapped, every_other};
      CHECK(same(run(LaneProgram(m.k), inputs, space), composed(m.k, inputs, space)));
    }
}

TEST(large_space) {
  const Dims space{3'000'017};
  check_kernel(chain_kernel(), {random_array(space, 9)}, space);
}

TEST(uniform_operands_are_summed_over_the_space) {
  Maker m(2);
  m.constant(0.1);
  const uint32_t y = m.call<Multiply>(2, 0);
  for (const Dims& shape : {Dims{}, Dims{1, 1, 5}, Dims{12, 1, 1}, Dims{1, 700, 1}})
    m.sum(y, shape);
  m.store(y);
  m.store(1);
  const Dims space{12, 700, 5};
  check_kernel(m.k, {Value(0.3), random_array({700, 1}, 2)}, space);
}

TEST(zero_times_anything_is_zero) {
  const double inf = std::numeric_limits<double>::infinity();
  Maker m(2);
  const uint32_t z = m.call<Zmul>(0, 1);
  m.store(z);
  m.store(m.call<Zmul>(0, m.call<Zmul>(z, 1)));
  m.sum(z);
  const double zeros[] = {0.0, -0.0, 0.0, -0.0}, odd[] = {inf, -inf, NAN, 5.0};
  const Dims space{4};
  const std::vector<Value> inputs{Value::from(zeros, space), Value::from(odd, space)};
  check_kernel(m.k, inputs, space);
  for (int64_t i = 0; i < 4; ++i) CHECK(run(LaneProgram(m.k), inputs, space)[0].at(i) == 0);
}

TEST(one_program_runs_on_several_threads_at_once) {
  const Dims space{777};
  const LaneProgram program(chain_kernel());
  std::vector<std::vector<Value>> inputs, expected;
  for (uint64_t i = 0; i < 4; ++i) {
    inputs.push_back({i == 3 ? Value(0.5) : random_array(space, i)});
    expected.push_back(composed(program.kernel(), inputs.back(), space));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 50; ++k) wrong += !same(run(program, inputs[i], space), expected[i]);
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST(memory_of_outputs_is_used_again) {
  const Dims space{1000};
  const LaneProgram program(chain_kernel());
  const std::vector<Value> inputs{random_array(space, 1)};
  std::vector<Value> outputs(2);
  program.run(inputs, space, outputs);
  const void* const memory = outputs[1].raw();
  const PoolStats before = pool_stats();
  for (int i = 0; i < 20; ++i) program.run(inputs, space, outputs);
  const PoolStats after = pool_stats();
  CHECK(outputs[1].raw() == memory);
  CHECK(after.bytes_in_use == before.bytes_in_use && after.bytes_cached == before.bytes_cached);
  const Value kept = outputs[1];  // somebody else reads it now
  program.run(inputs, space, outputs);
  CHECK(outputs[1].raw() != memory);
  CHECK(same_numbers(kept, outputs[1]));
}

TEST(results_that_nobody_needs_share_slots) {
  Maker m(1);
  uint32_t y = 0;
  for (int i = 0; i < 100; ++i) y = m.call<Sin>(m.call<Sqrt>(y));
  m.sum(y);
  CHECK(LaneProgram(m.k).slot_count() <= 2);
}

TEST(what_does_not_fit_is_refused) {
  const LaneProgram program(chain_kernel());
  std::vector<Value> outputs(2), one(1);
  const std::vector<Value> inputs{random_array({3}, 1)};
  CHECK_THROWS_SAYING(ValueError, "does not broadcast", program.run(inputs, Dims{4}, outputs));
  CHECK_THROWS_SAYING(ValueError, "does not broadcast", program.run(inputs, Dims{}, outputs));
  CHECK_THROWS_SAYING(ValueError, "1 inputs and 2 outputs", program.run({}, Dims{3}, outputs));
  CHECK_THROWS_SAYING(ValueError, "got 1 and 1", program.run(inputs, Dims{3}, one));
  Maker sum(1);
  sum.sum(0, {2});
  CHECK_THROWS_SAYING(ValueError, "can't have the shape",
                      LaneProgram(sum.k).run(inputs, Dims{3}, one));
  Maker late(1);
  late.call<Sin>(1);
  CHECK_THROWS_SAYING(ValueError, "comes after it", LaneProgram(late.k));
  Maker integer(1, DType::int64);
  CHECK_THROWS_SAYING(ValueError, "not in int64", LaneProgram(integer.k));
  Maker absent(1);
  absent.store(7);
  CHECK_THROWS_SAYING(ValueError, "output %7", LaneProgram(absent.k));
}

TEST(kernels_print_one_step_a_line) {
  Maker m(1);
  m.constant(0.5);
  const uint32_t y = m.call<Multiply>(0, 1);
  m.test(m.call<Less>(y, 0));
  m.sum(y, {3, 1});
  CHECK(to_string(m.k) == "%2 = multiply(x0, 0.5)\n%3 = less(%2, x0)\ntest %3\nsum %2 to (3, 1)\n");
}
