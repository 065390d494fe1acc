#include "tapegrad/program/record.h"

#include "program/recorded.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using namespace tapegrad;

namespace {

std::vector<Value> values_of(const Refs& refs) {
  std::vector<Value> values;
  for (const Ref& r : refs) values.push_back(r.value());
  return values;
}

Value numbers(const Dims& shape, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  return random_value(f64(shape), random);
}

// What was recorded at one point, replayed at another, is what the function gives there; the passes
// keep it.
Recording check_replay(const Function& f, const std::vector<Value>& at,
                       const std::vector<Value>& elsewhere) {
  std::vector<Value> first, second;
  const Recording r = record(f, at, &first);
  record(f, elsewhere, &second);
  check_program(r.program);
  CHECK(r.refusal.empty());
  Refs captures;
  std::vector<Value> plain_captures;
  for (const Capture& c : r.captures) {
    captures.push_back(Ref(c.content()));
    plain_captures.push_back(c.content());
  }
  const auto check_at = [&](const std::vector<Value>& in, const std::vector<Value>& expected) {
    const std::vector<Value> got =
        values_of(replay(r.program, Refs(in.begin(), in.end()), captures));
    CHECK(got.size() == expected.size());
    for (size_t k = 0; k < got.size(); ++k) CHECK(same_numbers(got[k], expected[k]));
    const Program q = optimise(r.program, PassOptions());
    check_program(q);
    const std::vector<Value> passed = run(q, in, plain_captures);
    for (size_t k = 0; k < got.size(); ++k) CHECK(same_numbers(passed[k], expected[k]));
  };
  check_at(at, first);
  check_at(elsewhere, second);
  return r;
}

}  // namespace

TEST(a_function_and_its_gradient) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    Scope scope;
    const Variable w = scope.argument(in[0]);
    const Ref e = subtract(matmul(in[1], w.ref()), in[2]);
    const Ref loss = mean(square(elementwise(scalar_fn_of<Tanh>(), {e})));
    const Ref outs[] = {loss}, wrt[] = {w.ref()};
    const Refs g = scope.grad(outs, wrt, {});
    return {scope.result(loss), scope.result(g[0])};
  };
  const Recording r = check_replay(f, {numbers({3}), numbers({8, 3}, 2), numbers({8}, 3)},
                                   {numbers({3}, 4), numbers({8, 3}, 5), numbers({8}, 6)});
  CHECK(r.captures.empty());
  const Program q = optimise(r.program, PassOptions());
  CHECK(count_kernels(q) >= 1);
  CHECK(q.steps.size() < r.program.steps.size());
}

TEST(masks_are_recorded) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    const Ref mask = less(in[0], in[1]);
    return {where(mask, square(in[0]), in[1]), mask};
  };
  const Recording r =
      check_replay(f, {numbers({9}), numbers({9}, 2)}, {numbers({9}, 3), numbers({9}, 4)});
  CHECK(count_op(r.program, "less") == 1);
  CHECK(r.program.type_of(r.program.outputs[1]).dtype == DType::bool_);
}

TEST(ops_with_several_outputs) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    const Refs halves = split(in[0], 0, {2});
    return {multiply(halves[0], halves[0]), exp(halves[1])};
  };
  check_replay(f, {numbers({5})}, {numbers({5}, 2)});
}

TEST(updates_in_place) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    Ref y = multiply(in[0], Ref(2.0));
    IndexSpec spec;
    spec.range(1, 1, 2);
    y = slice_add(std::move(y), spec, in[1]);
    const Ref middle = y;
    y = slice_set(std::move(y), spec, exp(in[1]));
    return {middle, y, in[0]};
  };
  check_replay(f, {numbers({4}), numbers({2}, 2)}, {numbers({4}, 3), numbers({2}, 4)});
}

TEST(a_leaf_is_captured_once_and_read_at_each_run) {
  const Variable w(numbers({3}));
  const Function f = [&](Tracer&, const Refs& in) -> Refs {
    return {add(multiply(in[0], w.ref()), w.ref())};
  };
  const Recording r = check_replay(f, {numbers({3}, 2)}, {numbers({3}, 3)});
  CHECK(r.captures.size() == 1);
  CHECK(r.captures[0].variable.get() == &w.cell());
  w.cell().set_value(Value::full(DType::float64, Dims{3}, 2.0));
  const Ref x(Value::full(DType::float64, Dims{3}, 5.0)), now(r.captures[0].content());
  CHECK(replay(r.program, {&x, 1}, {&now, 1})[0].value().at(0) == 12.0);
}

TEST(captures_may_be_fixed) {
  const Variable w(numbers({3})), v(numbers({3}, 4));
  const Recording r = record(
      [&](Tracer&, const Refs& in) -> Refs {
        return {add(multiply(in[0], w.ref()), v.ref()), w.ref()};
      },
      {numbers({3}, 2)});
  CHECK(r.captures.size() == 2);
  const size_t which = r.captures[0].variable.get() == &w.cell() ? 0 : 1;
  const double before = w.value().at(1);
  const Program p = with_fixed_captures(r, {&which, 1});
  check_program(p);
  w.cell().set_value(Value::full(DType::float64, Dims{3}, 2.0));
  const Ref x(Value::full(DType::float64, Dims{3}, 5.0));
  const Ref now[] = {Ref(r.captures[0].content()), Ref(r.captures[1].content())};
  const std::vector<Ref> out = replay(p, {&x, 1}, now);
  CHECK(out[0].value().at(1) == 5.0 * before + v.value().at(1));
  CHECK(out[1].value().at(1) == before);
}

TEST(a_leaf_of_the_function_itself_is_a_constant) {
  const Recording r = record(
      [](Tracer& tracer, const Refs& in) -> Refs {
        const Variable c(3.0);
        tracer.own(&c.cell());
        return {multiply(in[0], c.ref())};
      },
      {Value(2.0)});
  CHECK(r.captures.empty());
  CHECK(r.constants.size() == 1);
  CHECK(r.program.constants.size() == 1);
}

TEST(numbers_of_plain_code_are_constants) {
  const auto with = [](double c) {
    return record([c](Tracer&, const Refs& in) -> Refs { return {multiply(in[0], Ref(c))}; },
                  {Value(2.0)});
  };
  const Recording a = with(3.0), b = with(3.0), c = with(4.0);
  CHECK(a.constants.size() == 1);
  CHECK(a.constants[0].content.as_double() == 3.0);
  CHECK(same_recording(a, b));
  CHECK(!same_recording(a, c));
}

TEST(guards_hold_where_they_were_recorded) {
  const auto f = [](Tracer& tracer, const Refs& in) -> Refs {
    const Ref positive = less(Ref(0.0), in[0]);
    tracer.guard(positive);
    return {positive.value().as_double() != 0 ? exp(in[0]) : negative(in[0])};
  };
  const Recording up = record(f, {Value(1.0)}), down = record(f, {Value(-1.0)});
  CHECK(up.program.guards.size() == 1);
  CHECK(up.program.guards[0].expected.as_double() == 1);
  CHECK(down.program.guards[0].expected.as_double() == 0);
  CHECK(!same_recording(up, down));
  const Program q = optimise(up.program, PassOptions());
  CHECK(q.guards.size() == 1);
  check_program(q);
}

TEST(paths_attributes_and_shapes_tell_recordings_apart) {
  const auto sum_over = [](int64_t axis) {
    return record([axis](Tracer&, const Refs& in) -> Refs { return {sum(in[0], {axis})}; },
                  {numbers({3, 3})});
  };
  CHECK(same_recording(sum_over(0), sum_over(0)));
  CHECK(!same_recording(sum_over(0), sum_over(1)));
  const auto length = [](int64_t n) {
    return record([](Tracer&, const Refs& in) -> Refs { return {exp(in[0])}; }, {numbers({n})});
  };
  CHECK(!same_recording(length(3), length(4)));
}

TEST(a_result_may_be_an_argument_or_a_constant) {
  const Function f = [](Tracer&, const Refs& in) -> Refs { return {in[1], Ref(4.0), in[0]}; };
  const Recording r = check_replay(f, {Value(1.0), Value(2.0)}, {Value(3.0), Value(5.0)});
  CHECK(r.program.steps.empty());
}

TEST(a_refusal_is_handed_on) {
  const Recording r = record(
      [](Tracer& tracer, const Refs& in) -> Refs {
        tracer.refuse("first");
        tracer.refuse("second");
        return {in[0]};
      },
      {Value(1.0)});
  CHECK(r.refusal == "first");
}

TEST(a_replay_is_recorded_again_and_has_derivatives) {
  const Recording r =
      record([](Tracer&, const Refs& in) -> Refs { return {multiply(square(in[0]), in[1])}; },
             {Value(3.0), Value(2.0)});
  Scope scope;
  const Variable x = scope.argument(Ref(5.0));
  const Ref in[] = {x.ref(), Ref(2.0)};
  const Refs out = replay(r.program, in, {});
  const Ref wrt[] = {x.ref()};
  CHECK_CLOSE(scope.grad(out, wrt, {})[0].value().as_double(), 20.0, 1e-15);
}

TEST(a_linked_argument_is_an_argument_and_leads_on) {
  register_all_ops();
  Scope scope;
  const Ref x = scope.argument(Ref(3.0)).ref();
  Ref kept;
  Recording r;
  {
    Tracer tracer;
    const Ref a = linked_argument(tracer, x);
    kept = multiply(a, a);
    const Ref out = exp(a);
    r = freeze(tracer, {&out, 1});
  }
  CHECK(r.captures.empty());
  CHECK(r.program.inputs.size() == 1);
  CHECK(r.program.steps.size() == 1);
  const Ref wrt[] = {x};
  CHECK_CLOSE(scope.grad({&kept, 1}, wrt, {})[0].value().as_double(), 6.0, 1e-15);
}

TEST(no_tangent_flows_into_a_mask) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    Scope scope;
    const Ref x = scope.argument(in[0]).ref();
    const Ref y = where(less(Ref(0.0), x), square(x), negative(x));
    const Ref outs[] = {y}, wrt[] = {x}, tangents[] = {in[1]};
    return {scope.result(scope.jvp(outs, wrt, tangents)[0])};
  };
  check_replay(f, {numbers({6}), numbers({6}, 2)}, {numbers({6}, 3), numbers({6}, 4)});
}

TEST(what_nothing_needs_is_kept_apart) {
  const Recording r = record(
      [](Tracer&, const Refs& in) -> Refs {
        const Ref square_of = square(in[0]);
        subtract(exp(square_of), in[1]);
        return {negative(square_of)};
      },
      {numbers({3}), numbers({3}, 2)});
  CHECK(r.program.steps.size() == 2);
  CHECK(r.unused != nullptr);
  const Program& unused = r.unused->recording.program;
  check_program(unused);
  CHECK(unused.steps.size() == 2);
  CHECK(r.unused->reads ==
        (std::vector<ValueId>{r.program.inputs[1], r.program.steps[0].first_out}));
  CHECK(!may_fail_at_other_lengths(*r.unused));
}

TEST(a_recording_that_needs_everything_keeps_nothing_apart) {
  const Recording r =
      record([](Tracer&, const Refs& in) -> Refs { return {exp(in[0])}; }, {numbers({3})});
  CHECK(r.unused == nullptr);
}

TEST(what_another_tracer_recorded_belongs_to_the_function) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    Ref kept;
    {
      Tracer inner;
      const Ref a = linked_argument(inner, in[0]);
      kept = exp(multiply(a, a));
    }
    const Ref before = sqrt(exp(in[0]));
    return {multiply(add(kept, before), sqrt(kept))};
  };
  const Recording r = check_replay(f, {numbers({3})}, {numbers({3}, 2)});
  CHECK(r.program.steps.size() == 7);
  CHECK(r.captures.empty());
}

TEST(a_sweep_for_a_program_alone_holds_no_values) {
  register_all_ops();
  Tracer tracer;
  const Ref x = tracer.argument(numbers({1000}));
  const auto slope = [](const Ref& at) {
    Scope scope;
    const Ref in = scope.argument(at).ref();
    const Ref y = sum(exp(negative(multiply(exp(in), in))));
    const Ref wrt[] = {in};
    return scope.result(scope.grad({&y, 1}, wrt, {})[0]);
  };
  const size_t before = pool_stats().bytes_in_use;
  const Ref first = slope(x);
  const size_t alone = pool_stats().bytes_in_use - before;
  // Where somebody differentiates once more, the same sweep is recorded to be swept.
  Scope outer;
  const Ref inside = outer.argument(x).ref();
  const Ref second = slope(inside);
  CHECK(pool_stats().bytes_in_use - before > 2 * alone);
  const Ref total = sum(second), wrt[] = {inside};
  const Ref product = outer.result(outer.grad({&total, 1}, wrt, {})[0]);
  const Ref outs[] = {first, second, product};
  const Recording r = freeze(tracer, outs);
  check_program(r.program);
  const std::vector<Value> got = run(r.program, {numbers({1000})}, {});
  for (size_t k = 0; k < 3; ++k) CHECK(same_numbers(got[k], outs[k].value()));
}

TEST(sweeps_that_take_long_to_record_may_be_left_out) {
  register_all_ops();
  const auto slope = [](Tracer& tracer, int turns) {
    const Ref x = tracer.argument(Value(0.5));
    Scope scope;
    const Ref in = scope.argument(x).ref();
    Ref y = in;
    for (int k = 0; k < turns; ++k) y = sqrt(y);
    const Ref wrt[] = {in};
    return scope.result(scope.grad({&y, 1}, wrt, {})[0]);
  };
  double expected;
  {
    Tracer tracer;
    const Ref d = slope(tracer, 3000);
    CHECK(!tracer.left_out());
    CHECK(freeze(tracer, {&d, 1}).program.steps.size() > 6000);
    expected = d.value().as_double();
  }
  for (int turns : {100, 3000}) {
    Tracer tracer;
    tracer.allow_leaving_out();
    const Ref d = slope(tracer, turns);
    CHECK(d.tracked());
    CHECK(tracer.left_out() == (turns == 3000));
    CHECK(freeze(tracer, {&d, 1}).program.steps.empty() == tracer.left_out());
    if (turns == 3000) CHECK(d.value().as_double() == expected);
  }
}

TEST(lines_are_kept_where_they_are_asked_for) {
  register_all_ops();
  static int line;
  std::string (*const before)() = current_location;
  current_location = [] { return "program.py:" + std::to_string(++line); };
  for (bool kept : {false, true}) {
    line = 0;
    Tracer tracer;
    const Ref x = tracer.argument(numbers({3}));
    if (kept) tracer.keep_lines();
    const Ref y = sum(multiply(exp(x), x));
    const Recording r = freeze(tracer, {&y, 1});
    for (size_t k = 0; k < r.program.steps.size(); ++k)
      CHECK(r.program.line_of(r.program.steps[k]) ==
            (kept ? "program.py:" + std::to_string(k + 1) : ""));
    check_program(optimise(r.program, PassOptions()));
  }
  current_location = before;
}

TEST(a_replay_gives_all_values) {
  const Recording r = record(
      [](Tracer&, const Refs& in) { return Refs{sum(multiply(in[0], in[0]))}; }, {numbers({4})});
  const Refs in{Ref(numbers({4}, 2))};
  const Refs all = replay_values(r.program, in, {});
  CHECK(all.size() == r.program.values.size());
  CHECK(same_numbers(all[r.program.outputs[0]].value(), replay(r.program, in, {})[0].value()));
  CHECK(same_numbers(all[r.program.inputs[0]].value(), in[0].value()));
}
