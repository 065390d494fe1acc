#include "tapegrad/program/body/vmap.h"

#include "program/recorded.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"

using namespace programs;
using namespace tapegrad;

namespace {

Ref lanes_of(std::initializer_list<double> items) {
  return Ref(Value::from({items.begin(), items.size()}, Dims{static_cast<int64_t>(items.size())}));
}

// A guard on a comparison of the input with 0.
Program positive() {
  Draft d;
  const ValueId x = d.input(Dims{});
  d.guard(d.op("less", {d.constant(0.0), x}), Value::integer_scalar(1, DType::bool_));
  return d.returning({d.op("exp", {x})});
}

int64_t evaluations = 0;

// The identity, counted.
const Op& counted_op() {
  register_all_ops();
  static const Op& op = register_op(
      {.name = "test_counted_identity",
       .infer = [](const Attrs&,
                   std::span<const TensorType> in) { return std::vector<TensorType>{in[0]}; },
       .eval =
           [](const Attrs&, std::span<Value> in, std::span<Value> out) {
             ++evaluations;
             out[0] = in[0];
           },
       .linear = true});
  return op;
}

}  // namespace

TEST(what_is_the_same_in_every_lane_is_computed_once) {
  counted_op();
  Draft d;
  const ValueId x = d.input(Dims{}), w = d.capture(f64());
  const ValueId same = d.op("test_counted_identity", {w});
  const Program p = d.returning({d.op("multiply", {x, same}), same, x, d.constant(4.0)});
  const Ref x_lanes = lanes_of({1, 2, 3}), weight(5.0);
  const uint8_t flags[] = {1};
  evaluations = 0;
  const LanesResult found = replay_lanes(p, {&x_lanes, 1}, flags, {&weight, 1}, 3);
  CHECK(evaluations == 1);
  CHECK(found.has_lanes == (std::vector<uint8_t>{1, 0, 1, 0}));
  for (int64_t i = 0; i < 3; ++i)
    CHECK(found.outputs[0].value().at(i) == 5.0 * static_cast<double>(i + 1));
  CHECK(found.outputs[1].value().as_double() == 5 && found.outputs[3].value().as_double() == 4);
  // An op without a rule for lanes is applied to each of them.
  Draft each;
  const Program q = each.returning({each.op("test_counted_identity", {each.input(Dims{})})});
  evaluations = 0;
  CHECK(replay_lanes(q, {&x_lanes, 1}, flags, {}, 3).outputs[0].value().at(2) == 3);
  CHECK(evaluations == 3);
}

TEST(guards_hold_in_every_lane_or_name_the_line) {
  const Program p = positive();
  const uint8_t lanes[] = {1}, none[] = {0};
  const Ref all = lanes_of({1, 2, 3}), some = lanes_of({1, 2, -3}), negative(-1.0);
  CHECK(replay_lanes(p, {&all, 1}, lanes, {}, 3).has_lanes[0] == 1);
  const char* says =
      "vmap: the lanes take different branches at here; write the branch with "
      "np.where(condition, a, b), which computes both";
  CHECK_THROWS_SAYING(ValueError, says, replay_lanes(p, {&some, 1}, lanes, {}, 3));
  CHECK_THROWS_SAYING(ValueError, says, replay_lanes(p, {&negative, 1}, none, {}, 3));
}

TEST(a_guard_on_an_array_is_compared_lane_by_lane) {
  Draft d;
  const ValueId x = d.input({DType::int64, {2}});
  const int64_t pair[] = {4, 7}, twice[] = {4, 7, 4, 7}, other[] = {4, 7, 7, 4};
  d.guard(x, Value::from_int64(pair, Dims{2}));
  const Program p = d.returning({x});
  const uint8_t lanes[] = {1};
  const Ref same(Value::from_int64(twice, Dims{2, 2})),
      differs(Value::from_int64(other, Dims{2, 2}));
  CHECK(replay_lanes(p, {&same, 1}, lanes, {}, 2).outputs[0].value().at(3) == 7);
  CHECK_THROWS_SAYING(ValueError, "different branches",
                      replay_lanes(p, {&differs, 1}, lanes, {}, 2));
}

TEST(a_tracer_of_the_whole_call_gets_the_guard) {
  const Program p = positive();
  Tracer tracer;
  const Ref x = tracer.argument(lanes_of({1, 2}).value());
  const uint8_t lanes[] = {1};
  const LanesResult found = replay_lanes(p, {&x, 1}, lanes, {}, 2);
  const Recording r = freeze(tracer, found.outputs);
  CHECK(r.program.guards.size() == 1);
  CHECK(r.program.guards[0].expected.shape() == Dims{2});
}

TEST(held_steps_let_no_derivative_through) {
  Draft d;
  const ValueId x = d.input(Dims{});
  const Program p = d.returning({d.op("add", {x, d.op("exp", {x}, {}, true)})});
  const Variable v(Value::from(std::vector<double>{0, 1}, Dims{2}));
  const Ref in = v.ref();
  const uint8_t lanes[] = {1};
  const Variable total = Variable::from(sum(replay_lanes(p, {&in, 1}, lanes, {}, 2).outputs[0]));
  const Value g = grad({&total, 1}, {&v, 1})[0].value();
  CHECK(g.at(0) == 1 && g.at(1) == 1);
}
