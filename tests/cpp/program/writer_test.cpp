#include "tapegrad/program/writer.h"

#include "program/programs.h"

using namespace programs;
using tapegrad::ProgramWriter;
using tapegrad::Rewriter;

TEST(types_attributes_and_constants_are_shared) {
  Draft d;
  const ValueId x = d.input({2, 3}), y = d.input({2, 3});
  CHECK(d.constant(2.0) == d.constant(2.0));
  CHECK(d.constant(0.0) != d.constant(-0.0));
  CHECK(d.constant(1.0) != d.constant(Value::scalar(1.0, DType::float32)));
  CHECK(d.constant(1.0) != d.constant(Value::integer_scalar(1)));
  CHECK(d.constant(NAN) == d.constant(NAN));
  const Value small = Value::full(DType::float64, Dims{4}, 3.0);
  CHECK(d.constant(small) == d.constant(small.copy()));
  CHECK(d.constant(small) != d.constant(Value::full(DType::float64, Dims{2, 2}, 3.0)));
  const Value zeros = Value::zeros(DType::float64, Dims{1000});
  CHECK(d.constant(zeros) == d.constant(zeros.copy()));
  CHECK(d.constant(zeros) != d.constant(Value::full(DType::float64, Dims{1000}, -0.0)));
  Value large = zeros.copy();
  large.set_at(999, 1.0);
  CHECK(d.constant(large) == d.constant(large));
  CHECK(d.constant(large) != d.constant(large.copy()));
  const ValueId a = d.op("sum", {x}, {Ints{0}, false}), b = d.op("sum", {y}, {Ints{0}, false});
  const Program p = d.returning({a, b});
  CHECK(p.attrs.size() == 2);
  CHECK(p.values[a].type == p.values[b].type);
  CHECK(p.values[x].type == p.values[y].type);
  check_program(p);
}

TEST(outputs_are_numbered_one_after_the_other) {
  Draft d;
  const ValueId x = d.input({3, 3});
  const ValueId sign = d.op("slogdet", {x});
  const Program p = d.returning({sign + 1, sign});
  check_text(p,
             "program(in0: float64(3, 3))\n"
             "  %1: float64(), %2: float64() = slogdet(in0)\n"
             "  return %2, %1");
  check_program(p);
}

TEST(one_guard_for_a_value) {
  Draft d;
  const ValueId x = d.input(Dims{});
  const ValueId m = d.op("less", {x, d.constant(1.0)});
  d.guard(m, Value::integer_scalar(1, DType::bool_));
  d.guard(m, Value::integer_scalar(1, DType::bool_));
  CHECK(d.returning({x}).guards.size() == 1);
}

TEST(a_rewriter_copies_everything) {
  Draft d;
  const ValueId x = d.input({3}), c = d.capture(f64({3}));
  const ValueId y = d.op("multiply", {d.op("exp", {x}), c}, {}, true);
  const ValueId s = d.op("sum", {y}, {Attr{}, false});
  d.guard(d.op("less", {s, d.constant(5.0)}), Value::integer_scalar(1, DType::bool_));
  LaneKernel k;
  k.n_inputs = 1;
  k.code = {{tapegrad::scalar_fn_of<tapegrad::Exp>(), {0, 0, 0}}};
  k.outputs = {{1}};
  const TensorType t = f64({3});
  const ValueId z =
      d.writer().kernel(std::make_shared<const FusedKernel>(k, Dims{3}), {&y, 1}, {&t, 1});
  const Program p = d.returning({z, x, d.constant(2.0), c});
  Rewriter rewriter(p);
  rewriter.begin();
  for (const Program::Step& step : p.steps) rewriter.copy(step);
  rewriter.end();
  const Program q = std::move(rewriter).finish();
  check_program(q);
  CHECK(to_string(q) == to_string(p));
  CHECK(q.steps[1].held);
  CHECK(q.kernels == p.kernels);
}

TEST(a_rewriter_puts_other_values_in_place) {
  Draft d;
  const ValueId x = d.input({3});
  const ValueId y = d.op("negative", {d.op("negative", {x})});
  const Program p = d.returning({d.op("exp", {y})});
  Rewriter rewriter(p);
  rewriter.begin();
  for (const Program::Step& step : p.steps) {
    if (step.op == op_named("negative").id) {
      rewriter.set(step.first_out, rewriter.at(p.in(step)[0]));
    } else {
      CHECK(!rewriter.has(step.first_out));
      rewriter.copy(step);
    }
  }
  rewriter.end();
  check_text(std::move(rewriter).finish(),
             "program(in0: float64(3,))\n"
             "  %1: float64(3,) = exp(in0)\n"
             "  return %1");
}

TEST(lines_go_where_steps_go) {
  ProgramWriter writer;
  const TensorType number = f64();
  const ValueId x = writer.input(number);
  writer.at_line("a.py:1");
  const ValueId ins[] = {x};
  const ValueId y = writer.step(op_named("sin"), Attrs(), ins, {&number, 1});
  writer.at_line("");
  const ValueId next[] = {y};
  writer.output(writer.step(op_named("cos"), Attrs(), next, {&number, 1}));
  const Program p = std::move(writer).finish();
  Rewriter again(p);
  again.begin();
  for (const Program::Step& s : p.steps) again.copy(s);
  again.end();
  const Program q = std::move(again).finish();
  for (const Program* each : {&p, &q}) {
    CHECK(each->line_of(each->steps[0]) == "a.py:1");
    CHECK(each->line_of(each->steps[1]).empty());
  }
  CHECK(same_program(p, q));
}
