// Random scalar tapes, run in every way there is: on one element, as a training step, as a kernel
// over lanes, as the body of a loop, each interpreted and compiled; and every partial, at a point
// and over arrays. All give the bits that the functions give one by one.
#include "tapegrad/lanes/interpreter.h"

#include <array>
#include <cmath>
#include <cstring>

#include "check.h"
#include "kernels/random_values.h"
#include "lanes/emit_when.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/kernels/fused/lane_program.h"
#include "tapegrad/kernels/fused/loop/lane_loop.h"
#include "tapegrad/kernels/partials/partial_product.h"
#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/program/train/train_scalar.h"
#include "tapegrad/scalar/partial.h"

using namespace tapegrad;

namespace {

template <class T>
bool same(T a, T b) {
  return (a != a && b != b) || std::memcmp(&a, &b, sizeof(T)) == 0;
}

ScalarTape some_tape(Random& random, uint32_t n_inputs, int length) {
  ScalarTape tape;
  tape.n_inputs = n_inputs;
  tape.constants = {0.0, 1.0, -2.5};
  uint32_t count = tape.first_result();
  for (int i = 0; i < length; ++i) {
    constexpr ScalarFn few[] = {
        scalar_fn_of<Add>(),    scalar_fn_of<Multiply>(),   scalar_fn_of<Subtract>(),
        scalar_fn_of<Divide>(), scalar_fn_of<Negative>(),   scalar_fn_of<Square>(),
        scalar_fn_of<Zmul>(),   scalar_fn_of<Reciprocal>(), scalar_fn_of<Sqrt>(),
        scalar_fn_of<Select>(), scalar_fn_of<Positive>(),   scalar_fn_of<Multiply>()};
    ScalarFn fn = random.bits() % 5 ? few[random.bits() % 12]
                                    : static_cast<ScalarFn>(random.bits() % scalar_fn_count);
    // What reads the sign of a NaN, which nothing fixes, would not agree.
    if (fn == scalar_fn_of<Signbit>() || fn == scalar_fn_of<Copysign>()) fn = scalar_fn_of<Fabs>();
    std::array<uint32_t, 3> args{};
    for (size_t k = 0; k < static_cast<size_t>(scalar_fn_info(fn).arity); ++k) {
      const bool recent = random.bits() % 3 != 0;
      args[k] = static_cast<uint32_t>(recent ? count - 1 - random.bits() % std::min(count, 3U)
                                             : random.bits() % count);
    }
    count = tape.add(fn, args) + 1;
  }
  return tape;
}

template <class T>
std::vector<T> one_by_one(const ScalarTape& tape, std::span<const T> inputs) {
  std::vector<T> x(inputs.begin(), inputs.end());
  for (double c : tape.constants) x.push_back(static_cast<T>(c));
  for (const ScalarTape::Instruction& i : tape.code)
    x.push_back(elementwise_kernel<T>(i.fn).scalar(x[i.args[0]], x[i.args[1]], x[i.args[2]]));
  return x;
}

template <class T>
std::vector<T> on_registers(const RegisterCode<T>& code, std::span<const T> inputs) {
  std::vector<T> registers(code.registers);
  std::copy(code.constants.begin(), code.constants.end(), registers.begin());
  for (const auto& in : code.inputs) registers[in.reg] = inputs[in.number];
  run_registers(code, registers.data());
  std::vector<T> out;
  for (const auto& port : code.outputs) out.push_back(registers[port.reg]);
  return out;
}

template <class T>
T element(const Value& v, int64_t i) {
  return static_cast<T>(v.at(v.is_scalar() ? 0 : i));
}

constexpr uint32_t n_inputs = 4;

template <class T>
struct Case {
  explicit Case(uint64_t seed) : random(seed) {
    tape = some_tape(random, n_inputs, 4 + static_cast<int>(random.bits() % 60));
    const auto count = tape.first_result() + static_cast<uint32_t>(tape.code.size());
    outputs = {count - 1};
    for (int k = 0; k < 4; ++k) outputs.push_back(static_cast<uint32_t>(random.bits() % count));
    for (int64_t i = 0; i < lanes; ++i) {
      for (size_t k = 0; k < n_inputs; ++k) x.push_back(static_cast<T>(random.wild()));
      if (i > 0) x[x.size() - 1] = x[n_inputs - 1];  // the last input is the same for all lanes
      const std::vector<T> all = one_by_one<T>(tape, at(i));
      for (uint32_t o : outputs) expected.push_back(all[o]);
    }
  }
  std::span<const T> at(int64_t i) const { return {x.data() + n_inputs * i, n_inputs}; }
  T wanted(int64_t i, size_t output) const {
    return expected[static_cast<size_t>(i) * outputs.size() + output];
  }
  Value input(size_t k, const Dims& shape) const {
    Value v = Value::empty(dtype_of<T>(), shape);
    for (int64_t i = 0; i < lanes; ++i) v.data<T>()[i] = x[static_cast<size_t>(i) * n_inputs + k];
    return v;
  }
  LaneKernel kernel() const {
    LaneKernel k{tape};
    k.dtype = dtype_of<T>();
    for (uint32_t o : outputs) k.outputs.push_back({o, false, {}, k.dtype});
    return k;
  }

  static constexpr int64_t lanes = 83;
  Random random;
  ScalarTape tape;
  std::vector<uint32_t> outputs;
  std::vector<T> x, expected;  // by lane
};

template <class T>
void check_registers(const Case<T>& c) {
  for (bool keep_order : {false, true}) {
    const auto code = make_register_code<T>(c.tape, c.outputs, keep_order);
    CHECK(code.outputs.size() == c.outputs.size());
    for (int64_t i = 0; i < c.lanes; ++i) {
      const std::vector<T> out = on_registers<T>(code, c.at(i));
      for (size_t k = 0; k < out.size(); ++k) CHECK(same(out[k], c.wanted(i, k)));
    }
  }
}

template <class T>
void check_kernel(const Case<T>& c) {
  const LaneProgram program(c.kernel());
  const Dims space{c.lanes};
  std::vector<Value> in, out(c.outputs.size());
  for (size_t k = 0; k + 1 < n_inputs; ++k) in.push_back(c.input(k, space));
  in.push_back(Value::scalar(static_cast<double>(c.x[n_inputs - 1]), dtype_of<T>()));
  program.run(in, space, out);
  for (int64_t i = 0; i < c.lanes; ++i)
    for (size_t k = 0; k < out.size(); ++k) CHECK(same(element<T>(out[k], i), c.wanted(i, k)));
}

// Each turn of the loop takes a lane (of a single one), or all of them.
template <class T>
void check_loops(const Case<T>& c) {
  for (const bool rows : {false, true}) {
    LaneLoop loop;
    loop.body = c.kernel();
    loop.space = Dims{rows ? c.lanes : 1};
    loop.n_series = n_inputs;
    loop.is_row.assign(n_inputs + c.outputs.size(), rows);
    const LaneLoopProgram program(loop);
    std::vector<Value> in, out(c.outputs.size());
    for (size_t k = 0; k < n_inputs; ++k)
      in.push_back(c.input(k, rows ? Dims{1, c.lanes} : Dims{c.lanes}));
    program.run(in, rows ? 1 : c.lanes, false, out);
    for (int64_t i = 0; i < c.lanes; ++i)
      for (size_t k = 0; k < out.size(); ++k) CHECK(same(element<T>(out[k], i), c.wanted(i, k)));
  }
}

// Carries two numbers, the second output and the third; the data are the other two inputs.
template <class T>
void check_training(const Case<T>& c) {
  const ScalarStep<T> step(
      make_register_code<T>(c.tape, std::vector<uint32_t>(c.outputs.begin(), c.outputs.begin() + 3),
                            true),
      {});
  const Value a = c.input(2, Dims{c.lanes}), b = c.input(3, Dims{c.lanes});
  const ScalarColumn columns[] = {{a.raw()}, {b.raw()}};
  std::array<T, 2> carried{c.x[0], c.x[1]}, wanted = carried;
  double total = 0, losses = 0;
  bool finite = true;
  const int64_t made = step.run(carried, columns, nullptr, 0, c.lanes, total, finite);
  int64_t i = 0;
  for (; i < c.lanes; ++i) {
    const T in[] = {wanted[0], wanted[1], a.data<T>()[i], b.data<T>()[i]};
    const std::vector<T> all = one_by_one<T>(c.tape, in);
    if (!std::isfinite(all[c.outputs[0]])) break;
    losses += static_cast<double>(all[c.outputs[0]]);
    wanted = {all[c.outputs[1]], all[c.outputs[2]]};
  }
  CHECK(made == i && finite == (i == c.lanes) && same(total, losses));
  CHECK(same(carried[0], wanted[0]) && same(carried[1], wanted[1]));
}

template <class T>
void check_partial(ScalarFn f, int by, Random& random) {
  const PartialTape& p = partial_tape(f, by);
  if (p.is_zero) return;
  constexpr int64_t n = 37;
  const uint32_t arity = p.arity();
  std::vector<Value> in(p.n_inputs, Value::empty(dtype_of<T>(), Dims{n}));
  for (Value& v : in) v = Value::empty(dtype_of<T>(), Dims{n});
  const Value ct = Value::empty(dtype_of<T>(), Dims{n}),
              before = Value::empty(dtype_of<T>(), Dims{n});
  Value fresh, sum = Value::empty(dtype_of<T>(), Dims{n});
  std::vector<T> product;
  for (int64_t i = 0; i < n; ++i) {
    T x[4] = {};
    for (uint32_t k = 0; k < arity; ++k) x[k] = static_cast<T>(random.wild());
    x[arity] = elementwise_kernel<T>(f).scalar(x[0], x[1], x[2]);
    for (uint32_t k = 0; k < p.n_inputs; ++k) in[k].data<T>()[i] = x[k];
    ct.data<T>()[i] = static_cast<T>(i % 5 ? random.wild() : 0.0);
    before.data<T>()[i] = sum.data<T>()[i] = static_cast<T>(random.uniform(-1, 1));
    const T expected = one_by_one<T>(p, {x, p.n_inputs})[p.result];
    CHECK(same(eval_partial(p, x), expected));
    const T c = ct.data<T>()[i];
    const bool none = c == 0 || (p.strong && expected == 0);
    product.push_back(p.is_mask ? (expected != 0 ? c : T(0)) : none ? T(0) : c * expected);
  }
  accumulate_product(p, in, ct, fresh, false);
  accumulate_product(p, in, ct, sum, true);
  for (int64_t i = 0; i < n; ++i) {
    const T q = product[static_cast<size_t>(i)];
    // Where the partial is 1 the cotangent itself is handed on.
    CHECK(same(element<T>(fresh, i), p.constant == 1.0 ? ct.data<T>()[i] : q));
    CHECK(
        same(element<T>(sum, i), before.data<T>()[i] + (p.constant == 1.0 ? ct.data<T>()[i] : q)));
  }
}

template <class T>
void check_tapes() {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    const Case<T> c(seed);
    check_registers(c);
    check_kernel(c);
    check_loops(c);
    check_training(c);
  }
}

template <class T>
void check_partials() {
  Random random(7);
  for (size_t f = 0; f < scalar_fn_count; ++f) {
    const auto fn = static_cast<ScalarFn>(f);
    if (fn == scalar_fn_of<Signbit>() || fn == scalar_fn_of<Copysign>()) continue;
    for (int i = 0; i < scalar_fn_info(fn).arity; ++i) check_partial<T>(fn, i, random);
  }
}

}  // namespace

TEST(every_way_to_run_a_tape_gives_the_same_bits) {
  for (const emit::When when : {emit::When::never, emit::When::always}) {
    const EmitWhen set(when);
    check_tapes<double>();
    check_tapes<float>();
  }
}

TEST(every_way_to_run_a_partial_gives_the_same_bits) {
  for (const emit::When when : {emit::When::never, emit::When::always}) {
    const EmitWhen set(when);
    check_partials<double>();
    check_partials<float>();
  }
}

TEST(chained_results_are_taken_from_the_step_before) {
  ScalarTape tape;
  tape.n_inputs = 2;
  const uint32_t a = tape.add(scalar_fn_of<Add>(), {0, 1, 0});
  const uint32_t b = tape.add(scalar_fn_of<Subtract>(), {1, a, 0});
  const uint32_t c = tape.add(scalar_fn_of<Divide>(), {b, a, 0});
  const auto code = make_register_code<double>(tape, std::vector<uint32_t>{c}, true);
  CHECK(code.steps.size() == 4);
  CHECK(code.steps[1].code == code.steps[0].code + 5);  // subtract, its second operand chained
  const double x[] = {3, 5};
  CHECK(on_registers<double>(code, x)[0] == (5.0 - 8.0) / 8.0);
}

TEST(an_input_that_is_an_output_keeps_its_register) {
  ScalarTape tape;
  tape.n_inputs = 3;
  const uint32_t sum = tape.add(scalar_fn_of<Add>(), {0, 2, 0});
  const auto code = make_register_code<float>(tape, std::vector<uint32_t>{2, sum, 0}, true);
  CHECK(code.inputs.size() == 2);  // nobody reads the other one
  const float x[] = {1, 2, 4};
  CHECK(on_registers<float>(code, x) == (std::vector<float>{4, 5, 1}));
}
