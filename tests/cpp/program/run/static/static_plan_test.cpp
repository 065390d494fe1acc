#include "tapegrad/program/run/static/static_plan.h"

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::StaticPlan;

namespace {

bool has_plan(const Program& p, size_t n_carry, size_t n_series) {
  return StaticPlan::of(optimise(p, tapegrad::PassOptions()), n_carry, n_series) != nullptr;
}

}  // namespace

TEST(bodies_of_kernels_and_moves_have_a_plan) {
  Draft d;
  const ValueId u = d.input({500});
  const ValueId left = d.op("roll", {u}, {Ints{1}, Attr{}});
  CHECK(has_plan(d.returning({d.op("multiply", {u, d.op("subtract", {u, left})})}), 1, 0));
}

TEST(a_step_of_numbers_is_a_kernel_and_constant_positions_are_moves) {
  Draft d;
  CHECK(has_plan(d.returning({d.op("sin", {d.input({500})})}), 1, 0));
  Draft e;
  const ValueId u = e.input({5});
  const Value index =
      filled(DType::int64, Dims{5}, [](int64_t i) { return static_cast<double>((3 * i + 1) % 5); });
  const ValueId taken =
      e.op("gather", {u, e.constant(index)}, {Ints{3, 0, 0, 0}, Attr{int64_t{0}}});
  CHECK(has_plan(e.returning({e.op("subtract", {e.op("square", {taken}), u})}), 1, 0));
}

TEST(what_an_executor_runs_as_fast_has_none) {
  Draft d;  // long arrays
  CHECK(!has_plan(d.returning({d.op("sin", {d.input({5000})})}), 1, 0));
  Draft e;  // ops alone
  const ValueId w = e.input({40, 40});
  CHECK(!has_plan(e.returning({e.op("matmul", {w, w})}), 0, 0));
  for (const bool of_number : {false, true}) {
    Draft g;  // a guard
    const ValueId x = g.input({4});
    const ValueId y = g.op("sin", {x});
    const ValueId looked_at = of_number ? g.op("sum", {x}, {Attr{}, false}) : x;
    g.guard(g.op("greater", {looked_at, g.constant(0.0)}),
            of_number ? Value::integer_scalar(1, DType::bool_)
                      : Value::full(DType::bool_, Dims{4}, 1.0));
    CHECK(has_plan(tapegrad::fuse(g.returning({y})), 1, 0) == of_number);
  }
}
