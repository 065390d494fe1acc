#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/run/static/static_plan.h"

using namespace programs;
using tapegrad::StaticPlan;
using tapegrad::StaticRun;

namespace {

constexpr int64_t n = 11;

Value row(double first) {
  return filled(DType::float64, Dims{n},
                [&](int64_t i) { return first + 0.1 * static_cast<double>(i); });
}

}  // namespace

TEST(carries_trade_places_and_series_are_read_where_they_lie) {
  Draft d;  // carries x and y, which change places; series u; the rest w
  const ValueId x = d.input({n}), y = d.input({n}), u = d.input({n}), w = d.input({n});
  const ValueId rolled = d.op("roll", {x}, {Ints{2}, Attr{}});
  const ValueId next = d.op("add", {d.op("multiply", {rolled, w}), u});
  const Program body = optimise(d.returning({y, next, rolled, x}), tapegrad::PassOptions());
  const auto plan = StaticPlan::of(body, 2, 1);
  CHECK(plan != nullptr);
  Value us = Value::empty(DType::float64, Dims{5, n});
  for (int64_t i = 0; i < us.size(); ++i) us.set_at(i, 0.01 * static_cast<double>(i));
  StaticRun got(*plan);
  for (int round = 0; round < 2; ++round) {  // registers serve again
    std::vector<Value> now{row(round), row(2), us, row(0.5)};
    got.begin(now);
    for (int64_t t = 0; t < 5; ++t) {
      now[2] = us.view(Dims{n}, Dims{1}, t * n);
      const std::vector<Value> want = run(body, now);
      CHECK(got.step(t));
      CHECK(same_numbers(got.y_value(0), want[2]));
      CHECK(same_numbers(got.y_value(1), want[3]));
      now[0] = want[0];
      now[1] = want[1];
      CHECK(same_numbers(got.carry(0), now[0]));
      CHECK(same_numbers(got.carry(1), now[1]));
    }
    got.end();
  }
}

TEST(an_array_that_is_added_to_stays_where_it_is) {
  Draft d;
  const ValueId acc = d.input({3, n}), x = d.input({n});
  const Attrs second{Ints{0, 1, 0, 0, 1, 0, 1, n}};
  const ValueId sum = d.op("slice_add", {acc, d.op("sin", {x})}, second);
  const Program body = d.returning({sum, d.op("cos", {x})});
  const auto plan = StaticPlan::of(optimise(body, tapegrad::PassOptions()), 2, 0);
  CHECK(plan != nullptr);
  std::vector<Value> now{
      filled(DType::float64, Dims{3, n}, [](int64_t i) { return 1.0 * static_cast<double>(i); }),
      row(0)};
  StaticRun got(*plan);
  got.begin(now);
  for (int64_t t = 0; t < 4; ++t) {
    CHECK(got.step(t));
    now = run(body, now);
    CHECK(same_numbers(got.carry(0), now[0]));
    CHECK(same_numbers(got.carry(1), now[1]));
  }
}

TEST(views_reach_ops_as_views) {
  Draft d;
  const ValueId x = d.input({6, 6}), w = d.input({6, 6});
  const ValueId turned = d.op("transpose", {d.op("sin", {x})}, {Attr{}});
  const Program body =
      optimise(d.returning({d.op("matmul", {turned, w})}), tapegrad::PassOptions());
  const auto plan = StaticPlan::of(body, 1, 0);
  CHECK(plan != nullptr);
  std::vector<Value> now{
      filled(DType::float64, Dims{6, 6}, [](int64_t i) { return 0.1 * static_cast<double>(i); }),
      filled(DType::float64, Dims{6, 6}, [](int64_t i) { return 0.3 * static_cast<double>(i); })};
  StaticRun got(*plan);
  got.begin(now);
  for (int64_t t = 0; t < 3; ++t) {
    CHECK(got.step(t));
    now[0] = run(body, now)[0];
    CHECK(same_numbers(got.carry(0), now[0]));
  }
}

// A carry that is a part of another one comes as a view with strides.
TEST(a_part_of_a_carry_is_a_carry) {
  const Attrs inner{Ints{1, 1, 1, 9, 1, 1, 1, 9}};
  for (const bool multiplies : {false, true}) {
    Draft d;
    const ValueId part = d.input({9, 9}), whole = d.input({11, 11});
    const ValueId now = d.op("slice", {whole}, inner);
    const ValueId sum = d.op("subtract", {d.op("sin", {now}), part});
    const ValueId read = multiplies ? d.op("add", {sum, d.op("matmul", {part, part})}) : sum;
    const Program body = optimise(d.returning({now, d.op("slice_set", {whole, read}, inner)}),
                                  tapegrad::PassOptions());
    const auto plan = StaticPlan::of(body, 2, 0);
    CHECK((plan == nullptr) == multiplies);  // a product rounds by strides
    if (!plan) continue;
    std::vector<Value> at{
        filled(DType::float64, Dims{9, 9}, [](int64_t i) { return 0.2 * static_cast<double>(i); }),
        filled(DType::float64, Dims{11, 11},
               [](int64_t i) { return 0.1 * static_cast<double>(i); })};
    StaticRun got(*plan);
    got.begin(at);
    for (int64_t t = 0; t < 4; ++t) {
      CHECK(got.step(t));
      at = run(body, at);
      CHECK(same_numbers(got.carry(0), at[0]));
      CHECK(same_numbers(got.carry(1), at[1]));
    }
  }
}

// Masks of the space, of its rows and beside it, that are the same at each step.
TEST(masks_that_stay_are_numbers) {
  Draft d;
  const ValueId x = d.input({4, n}), whole = d.input(TensorType{DType::bool_, {4, n}}),
                rows = d.input(TensorType{DType::bool_, {4, 1}});
  const ValueId chosen = d.op("where", {whole, d.op("sin", {x}), d.op("cos", {x})});
  const ValueId both = d.op("where", {rows, chosen, d.op("multiply", {chosen, x})});
  const Program body = optimise(d.returning({both}), tapegrad::PassOptions());
  const auto plan = StaticPlan::of(body, 1, 0);
  CHECK(plan != nullptr);
  StaticRun got(*plan);
  for (int round = 0; round < 2; ++round) {  // other masks in the second
    std::vector<Value> now{
        filled(DType::float64, Dims{4, n}, [](int64_t i) { return 0.1 * static_cast<double>(i); }),
        filled(DType::bool_, Dims{4, n},
               [&](int64_t i) { return (i + round) % 3 == 0 ? 1.0 : 0.0; }),
        filled(DType::bool_, Dims{4, 1},
               [&](int64_t i) { return (i + round) % 2 == 0 ? 1.0 : 0.0; })};
    got.begin(now);
    for (int64_t t = 0; t < 3; ++t) {
      CHECK(got.step(t));
      now[0] = run(body, now)[0];
      CHECK(same_numbers(got.carry(0), now[0]));
    }
    got.end();
  }
}
