#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

TEST(equal_steps_become_one) {
  Draft d;
  const ValueId x = d.input({4}), y = d.input({4});
  const ValueId a = d.op("exp", {x}), b = d.op("exp", {x});
  const ValueId u = d.op("multiply", {a, y}), v = d.op("multiply", {y, b});
  const ValueId s = d.op("subtract", {u, y}), t = d.op("subtract", {y, v});
  const Program p = d.returning({s, t});
  check_text(p,
             "program(in0: float64(4,), in1: float64(4,))\n"
             "  %2: float64(4,) = exp(in0)\n"
             "  %3: float64(4,) = exp(in0)\n"
             "  %4: float64(4,) = multiply(%2, in1)\n"
             "  %5: float64(4,) = multiply(in1, %3)\n"
             "  %6: float64(4,) = subtract(%4, in1)\n"
             "  %7: float64(4,) = subtract(in1, %5)\n"
             "  return %6, %7");
  const Program q = share_common(p);
  check_text(q,
             "program(in0: float64(4,), in1: float64(4,))\n"
             "  %2: float64(4,) = exp(in0)\n"
             "  %3: float64(4,) = multiply(%2, in1)\n"
             "  %4: float64(4,) = subtract(%3, in1)\n"
             "  %5: float64(4,) = subtract(in1, %3)\n"
             "  return %4, %5");
  check_same(p, q);
}

TEST(attributes_and_constants_tell_steps_apart) {
  Draft d;
  const ValueId x = d.input({3, 3});
  const ValueId rows = d.op("sum", {x}, {Ints{0}, false});
  const ValueId columns = d.op("sum", {x}, {Ints{1}, false});
  const ValueId a = d.op("multiply", {x, d.constant(2.0)}),
                b = d.op("multiply", {x, d.constant(3.0)});
  const ValueId zero = d.op("multiply", {x, d.constant(0.0)});
  const ValueId minus = d.op("multiply", {x, d.constant(-0.0)});
  const Program p = d.returning({rows, columns, a, b, zero, minus});
  const Program q = share_common(p);
  CHECK(q.steps.size() == 6);
  check_same(p, q);
}

TEST(a_held_step_is_not_one_that_lets_derivatives_through) {
  Draft d;
  const ValueId x = d.input({2});
  const ValueId a = d.op("square", {x}), b = d.op("square", {x}, {}, true);
  const Program q = share_common(d.returning({a, b}));
  CHECK(q.steps.size() == 2);
}

TEST(steps_with_several_outputs_are_shared) {
  Draft d;
  const ValueId x = d.input({3, 3});
  const ValueId a = d.op("slogdet", {x}), b = d.op("slogdet", {x});
  const Program p = d.returning({d.op("add", {a + 1, b + 1}), b});
  const Program q = share_common(p);
  CHECK(count_op(q, "slogdet") == 1);
  check_same(p, q, false);
}

TEST(equal_arrays_become_one_constant) {
  Draft d;
  const ValueId x = d.input({4});
  const auto row = [](double first) {
    return filled(DType::float64, Dims{4},
                  [&](int64_t i) { return first + static_cast<double>(i); });
  };
  const ValueId a = d.constant(row(1)), b = d.constant(row(1).copy()), c = d.constant(row(2));
  const ValueId minus = d.constant(filled(DType::float64, Dims{4}, [](int64_t) { return -0.0; }));
  const ValueId plus = d.constant(filled(DType::float64, Dims{4}, [](int64_t) { return 0.0; }));
  const Program p =
      d.returning({d.op("multiply", {x, a}), d.op("multiply", {x, b}), d.op("multiply", {x, c}),
                   d.op("multiply", {x, minus}), d.op("multiply", {x, plus})});
  const Program q = share_common(p);
  check_same(p, q);
  CHECK(q.steps.size() == 4);  // zeros of two signs are two
}
