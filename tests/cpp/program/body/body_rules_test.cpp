#include "tapegrad/program/body/body_rules.h"

#include "program/same_function.h"

using namespace programs;
using namespace tapegrad;

namespace {

// a, b, n, m -> a * b, cast(n), where(m, a, 1), floats of a held step, a + cast(n)
Program draft() {
  Draft d;
  const ValueId a = d.input(Dims{}), b = d.input(Dims{}), n = d.input({DType::int64, {}}),
                m = d.input({DType::bool_, {}});
  const ValueId product = d.op("multiply", {a, b});
  const ValueId number = d.op("cast", {n}, {static_cast<int64_t>(DType::float64)});
  const ValueId chosen = d.op("where", {m, a, d.constant(1.0)});
  const ValueId held = d.op("exp", {a}, {}, true);
  return d.returning({product, number, chosen, held, d.op("add", {a, number})});
}

// x, y -> x * y, x + 1
BodyPtr product_body() {
  register_all_ops();
  return record_body(std::vector<Value>{Value(1.0), Value(2.0)}, [](std::span<const Ref> in) {
    return Refs{multiply(in[0], in[1]), add(in[0], Ref(1.0))};
  });
}

std::vector<Value> run_body(const BodyPtr& body, const std::vector<Value>& in) {
  return programs::run(body->program(), in);
}

}  // namespace

TEST(derivatives_reach_what_is_floating_and_not_held) {
  const Program p = draft();
  CHECK(reached_outputs(p, {1, 0, 0, 0}) == (Flags{1, 0, 1, 0, 1}));
  CHECK(reached_outputs(p, {0, 1, 0, 0}) == (Flags{1, 0, 0, 0, 0}));
  CHECK(reached_outputs(p, {0, 0, 1, 1}) == (Flags{0, 0, 0, 0, 0}));
  CHECK(reached_inputs(p, {1, 0, 0, 0, 0}) == (Flags{1, 1, 0, 0}));
  CHECK(reached_inputs(p, {0, 1, 0, 1, 0}) == (Flags{0, 0, 0, 0}));
  CHECK(reached_inputs(p, {0, 0, 1, 0, 0}) == (Flags{1, 0, 0, 0}));
}

TEST(lanes_reach_whatever_is_computed_from_them) {
  const Program p = draft();
  CHECK(outputs_with_lanes(p, {1, 0, 0, 0}) == (Flags{1, 0, 1, 1, 1}));
  CHECK(outputs_with_lanes(p, {0, 0, 1, 0}) == (Flags{0, 1, 0, 0, 1}));
  CHECK(outputs_with_lanes(p, {0, 0, 0, 1}) == (Flags{0, 0, 1, 0, 0}));
}

TEST(adjoints_and_tangents_come_in_the_order_of_the_flags) {
  const BodyPtr body = product_body();
  const Ref in[] = {Ref(3.0), Ref(5.0)}, both[] = {Ref(10.0), Ref(100.0)};
  const Refs pulled = pull_back(body->program(), in, {1, 1}, {1, 1}, both);
  CHECK(pulled.size() == 2);
  CHECK(pulled[0].value().as_double() == 150 && pulled[1].value().as_double() == 30);
  const Refs second = pull_back(body->program(), in, {1, 0}, {0, 1}, {both, 1});
  CHECK(second.size() == 1 && second[0].value().as_double() == 10);
  // The outputs come first, then the tangents of those that are wanted.
  const Refs pushed = push_forward(body->program(), in, {0, 1}, {both, 1}, {1, 0});
  CHECK(pushed.size() == 3);
  CHECK(pushed[0].value().as_double() == 15 && pushed[1].value().as_double() == 4);
  CHECK(pushed[2].value().as_double() == 30);
}

TEST(derived_bodies_are_made_once_for_each_pattern) {
  const BodyPtr body = product_body();
  const std::vector<Value> at{Value(1.0), Value(1.0), Value(1.0)};
  const BodyPtr vjp = vjp_body(body, {1, 0}, {1, 0}, at);
  CHECK(vjp_body(body, {1, 0}, {1, 0}, at) == vjp);
  CHECK(vjp_body(body, {0, 1}, {1, 0}, at) != vjp);
  CHECK(vjp->n_in() == 3 && vjp->n_out() == 1);
  CHECK(run_body(vjp, {Value(3.0), Value(5.0), Value(10.0)})[0].as_double() == 50);
  const BodyPtr jvp = jvp_body(body, {1, 0}, {1, 1}, at);
  CHECK(jvp_body(body, {1, 0}, {1, 1}, at) == jvp && jvp->n_out() == 2);
  const std::vector<Value> tangents = run_body(jvp, {Value(3.0), Value(5.0), Value(10.0)});
  CHECK(tangents[0].as_double() == 50 && tangents[1].as_double() == 10);
}

TEST(wanted_outputs_get_lanes_though_nothing_gives_them_any) {
  const BodyPtr body = product_body();
  const std::vector<double> lanes{1, 2, 3};
  const Value y = Value::from(lanes, Dims{3});
  const std::vector<Value> at{Value(2.0), y};
  const BodyPtr needed = lanes_body(body, {0, 1}, {1, 0}, 3, at);
  CHECK(needed->out_type(0).shape == Dims{3} && needed->out_type(1).shape == Dims{});
  const BodyPtr all = lanes_body(body, {0, 1}, {1, 1}, 3, at);
  CHECK(all != needed && lanes_body(body, {0, 1}, {1, 1}, 3, at) == all);
  const std::vector<Value> out = run_body(all, at);
  for (int64_t i = 0; i < 3; ++i) {
    CHECK(out[0].at(i) == 2 * y.at(i));
    CHECK(out[1].at(i) == 3);
  }
  const std::vector<Value> one{Value(2.0), Value::full(DType::float64, Dims{1}, 7)};
  CHECK(run_body(lanes_body(body, {0, 1}, {1, 0}, 1, one), one)[0].at(0) == 14);
}
