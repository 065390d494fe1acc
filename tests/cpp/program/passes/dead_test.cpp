#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

TEST(only_what_outputs_and_guards_need_stays) {
  Draft d;
  const ValueId x = d.input({3});
  d.input({5});
  d.capture(f64({2}));
  const ValueId shared = d.op("exp", {x});
  d.op("sin", {shared});
  const ValueId mask = d.op("less", {d.op("sum", {shared}, {Attr{}, false}), d.constant(100.0)});
  d.guard(mask, Value::integer_scalar(1, DType::bool_));
  d.op("multiply", {x, d.constant(5.0)});
  const Program p = d.returning({d.op("negative", {x})});
  check_text(p,
             "program(in0: float64(3,), in1: float64(5,); captured0: float64(2,))\n"
             "  %3: float64(3,) = exp(in0)\n"
             "  %4: float64(3,) = sin(%3)\n"
             "  %5: float64() = sum(%3) {axis=none, keepdims=false}\n"
             "  %7: bool() = less(%5, 100)\n"
             "  %9: float64(3,) = multiply(in0, 5)\n"
             "  %10: float64(3,) = negative(in0)\n"
             "  guard %7 == 1  at here\n"
             "  return %10");
  const Program q = drop_dead(p);
  check_program(q);
  check_text(q,
             "program(in0: float64(3,), in1: float64(5,); captured0: float64(2,))\n"
             "  %3: float64(3,) = exp(in0)\n"
             "  %4: float64() = sum(%3) {axis=none, keepdims=false}\n"
             "  %6: bool() = less(%4, 100)\n"
             "  %7: float64(3,) = negative(in0)\n"
             "  guard %6 == 1  at here\n"
             "  return %7");
  CHECK(q.constants.size() == 1);
  CHECK(q.attrs.size() == 2);
}

TEST(inputs_constants_and_captures_may_be_outputs) {
  Draft d;
  const ValueId x = d.input(Dims{}), c = d.capture(f64());
  const Program q = drop_dead(d.returning({c, d.constant(2.0), x, x}));
  check_program(q);
  check_text(q, "program(in0: float64(); captured0: float64())\n  return captured0, 2, in0, in0");
}

TEST(an_array_taken_apart_of_which_few_parts_are_used_is_read_in_these) {
  for (const bool few : {true, false}) {
    Draft d;
    const ValueId x = d.input({3, 16});
    const ValueId first = d.op("unstack", {x}, {int64_t{-1}});
    ValueId y = d.op("exp", {first + 15});
    if (!few)
      for (ValueId k = 0; k < 8; ++k) y = d.op("add", {y, first + k});
    const Program p = d.returning({y, first + 15});
    const Program q = drop_dead(p);
    check_program(q);
    check_same(p, q);
    if (few)
      check_text(q,
                 "program(in0: float64(3, 16))\n"
                 "  %1: float64(3,) = slice(in0) {code=(1, 0, 1, 3, 0, 15, 0, 0)}\n"
                 "  %2: float64(3,) = exp(%1)\n"
                 "  return %2, %1");
    CHECK(q.steps.size() == (few ? 2 : p.steps.size()));
  }
}
