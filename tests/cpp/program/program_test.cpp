#include "tapegrad/program/program.h"

#include <functional>

#include "program/programs.h"

using namespace programs;

namespace {

Program sample() {
  Draft d;
  const ValueId x = d.input({2, 3}), c = d.capture(f64());
  const ValueId e = d.op("exp", {x});
  const ValueId s = d.op("sum", {d.op("multiply", {e, c})}, {Ints{0}, false});
  const ValueId t = d.op("add", {s, d.constant(Value::full(DType::float64, Dims{3}, 1.0))});
  const ValueId m = d.op("sum", {t}, {Attr{}, false});
  d.guard(d.op("less", {m, d.constant(0.5)}), Value::integer_scalar(0, DType::bool_));
  return d.returning({t, x, d.constant(7.0)});
}

void check_broken(const char* what, const std::function<void(Program&)>& breaks) {
  Program p = sample();
  breaks(p);
  CHECK_THROWS_SAYING(tapegrad::RuntimeError, what, check_program(p));
}

}  // namespace

TEST(text) {
  check_text(sample(),
             "program(in0: float64(2, 3); captured0: float64())\n"
             "  %2: float64(2, 3) = exp(in0)\n"
             "  %3: float64(2, 3) = multiply(%2, captured0)\n"
             "  %4: float64(3,) = sum(%3) {axis=(0,), keepdims=false}\n"
             "  %6: float64(3,) = add(%4, constant0)\n"
             "  %7: float64() = sum(%6) {axis=none, keepdims=false}\n"
             "  %9: bool() = less(%7, 0.5)\n"
             "  guard %9 == 0  at here\n"
             "  return %6, in0, 7");
}

TEST(what_is_whole_passes) {
  check_program(sample());
  check_program(Program());
}

TEST(every_broken_invariant_is_found) {
  check_broken("input", [](Program& p) { p.inputs[0] = p.captures[0]; });
  check_broken("capture", [](Program& p) { p.values[p.captures[0]].index = 1; });
  check_broken("type", [](Program& p) { p.values[2].type = 99; });
  check_broken("constant", [](Program& p) { p.constants[0] = Value(1.0); });
  check_broken("constant", [](Program& p) { p.constants.clear(); });
  check_broken("value", [](Program& p) { p.values[2].index = 77; });
  check_broken("value", [](Program& p) { p.values[2].index = 1; });
  check_broken("order", [](Program& p) { p.in(p.steps[0])[0] = p.steps[1].first_out; });
  check_broken("order", [](Program& p) { p.in(p.steps[0])[0] = 500; });
  check_broken("output", [](Program& p) { p.outputs[0] = 500; });
  check_broken("guard", [](Program& p) { p.guards[0].value = 500; });
}

TEST(uses_are_counted_of_steps_guards_and_outputs) {
  Draft d;
  const ValueId x = d.input({2}), unread = d.input({2});
  const ValueId y = d.op("multiply", {x, x});
  const ValueId m = d.op("sum", {y}, {Attr{}, false});
  d.guard(m, Value(2.0));
  const auto counts = use_counts(d.returning({y, m}));
  CHECK(counts[x] == 2 && counts[unread] == 0 && counts[y] == 2 && counts[m] == 2);
}
