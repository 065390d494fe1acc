#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

TEST(what_depends_on_constants_alone_is_computed) {
  Draft d;
  const ValueId x = d.input({3});
  const ValueId c = d.op("divide", {d.constant(1.0), d.constant(8.0)});
  const ValueId seed = d.op("broadcast_to", {c}, {Ints{3}});
  const ValueId factor = d.op("multiply", {seed, d.constant(2.0)});
  const Program p = d.returning({d.op("multiply", {x, factor}), c});
  check_text(p,
             "program(in0: float64(3,))\n"
             "  %3: float64() = divide(1, 8)\n"
             "  %4: float64(3,) = broadcast_to(%3) {shape=(3,)}\n"
             "  %6: float64(3,) = multiply(%4, 2)\n"
             "  %7: float64(3,) = multiply(in0, %6)\n"
             "  return %7, %3");
  const Program q = drop_dead(fold_constants(p));
  check_text(q,
             "program(in0: float64(3,))\n"
             "  %2: float64(3,) = multiply(in0, constant0)\n"
             "  return %2, 0.125");
  check_same(p, q);
}

TEST(several_outputs_fold_together) {
  Draft d;
  const ValueId x = d.input({2, 2});
  const Value a = Value::from(std::vector<double>{2, 1, 1, 3}, Dims{2, 2});
  const ValueId sign = d.op("slogdet", {d.constant(a)});
  const Program p = d.returning({d.op("multiply", {x, sign + 1}), sign, sign + 1});
  const Program q = fold_constants(p);
  CHECK(count_op(q, "slogdet") == 0);
  check_same(p, q);
}

TEST(large_results_stay_steps_and_large_views_do_not) {
  Draft d;
  const ValueId x = d.input({1000, 300});
  const ValueId wide = d.op("broadcast_to", {d.constant(3.0)}, {Ints{1000, 300}});
  const ValueId packed = d.op("exp", {wide});
  const ValueId copied = d.op("reshape", {wide}, {Ints{300, 1000}});
  const Program p = d.returning({d.op("add", {x, packed}), copied});
  const Program q = fold_constants(p);
  CHECK(count_op(q, "broadcast_to") == 0);
  CHECK(count_op(q, "exp") == 1);
  CHECK(count_op(q, "reshape") == 1);
  check_same(p, q, false);
}

TEST(what_raises_stays_where_it_is) {
  Draft d;
  const ValueId singular = d.op("inv", {d.constant(Value::zeros(DType::float64, Dims{2, 2}))});
  const Program q = fold_constants(d.returning({singular}));
  CHECK(count_op(q, "inv") == 1);
  CHECK_THROWS(tapegrad::Error, run(q, {}));
}

TEST(a_guard_on_a_constant_that_holds_is_dropped) {
  Draft d;
  d.input(Dims{});
  const ValueId yes = d.op("less", {d.constant(1.0), d.constant(2.0)});
  d.guard(yes, Value::integer_scalar(1, DType::bool_));
  const Program q = fold_constants(d.returning({yes}));
  CHECK(q.guards.empty());
}

TEST(what_is_made_of_no_elements_is_known) {
  Draft d;
  const ValueId x = d.input({4, 3}), y = d.input({3, 4});
  const ValueId none = d.op("slice", {x}, {Ints{1, 0, 1, 4, 1, 0, 1, 0}});     // (4, 0)
  const ValueId no_rows = d.op("slice", {y}, {Ints{1, 0, 1, 0, 1, 0, 1, 4}});  // (0, 4)
  const ValueId product = d.op("matmul", {none, no_rows});
  const ValueId total = d.op("sum", {d.op("exp", {none})}, {Attr{}, false});
  const Attrs key{Ints{1, 2, 1, 0, 1, 0, 1, 3}};
  const ValueId packed = d.op("sin", {x});
  const ValueId kept = d.op("slice_set", {packed, d.op("slice", {x}, key)}, key);
  const ValueId same = d.op("slice_add", {kept, d.op("slice", {x}, key)}, key);
  const Program p = d.returning({product, total, d.op("exp", {same}), none});
  const Program q = tapegrad::drop_dead(fold_constants(p));
  check_same(p, q);
  CHECK(q.steps.size() == 2);
  CHECK(q.is_constant(q.outputs[0]) && q.is_constant(q.outputs[1]) && q.is_constant(q.outputs[3]));
}

TEST(what_looks_at_its_elements_is_left_alone) {
  Draft d;
  const ValueId x = d.input({0, 0});
  CHECK(count_op(fold_constants(d.returning({d.op("inv", {x})})), "inv") == 1);
}
