#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"

using namespace programs;
using tapegrad::align_turns;

namespace {

Ints at(int64_t i) { return {0, i, 0, 0}; }
Ints row(int64_t i, int64_t n) { return {0, i, 0, 0, 1, 0, 1, n}; }

Value counted(const Dims& shape, int seed) {
  return filled(DType::float64, shape, [seed](int64_t i) {
    return 0.1 * static_cast<double>((i * i + 3 * seed) % 37) - 1.0;
  });
}

Program aligned(const Program& p, const std::vector<Value>& inputs) {
  const Program q = align_turns(p);
  check_program(q);
  const std::vector<Value> expected = run(p, inputs), found = run(q, inputs);
  for (size_t k = 0; k < expected.size(); ++k) CHECK(same_numbers(found[k], expected[k]));
  return q;
}

uint32_t most_turns(const Program& p) {
  uint32_t most = 0;
  for (const tapegrad::RolledLoop& loop :
       tapegrad::find_loops(p, 32, tapegrad::LoopKind::distributed))
    most = std::max(most, loop.count);
  return most;
}

}  // namespace

TEST(what_the_first_turn_shares_is_made_before_it) {
  constexpr int64_t turns = 90, n = 4;
  Draft d;
  const ValueId x = d.input({turns, n}), w = d.input({n, n});
  ValueId total = d.constant(0.0), turned = 0;
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId own = d.op("sin", {d.op("slice", {x}, {row(t, n)})});
    // Made in the first turn, and two steps for it alone.
    if (t == 0) turned = d.op("exp", {d.op("transpose", {d.op("square", {w})}, {Attr{}})});
    const ValueId y = d.op("multiply", {turned, own});
    total = d.op("add", {total, d.op("sum", {y}, {Attr{}, false})});
  }
  const Program p = d.returning({total});
  CHECK(most_turns(p) == turns - 1);
  const Program q = aligned(p, {counted({turns, n}, 1), counted({n, n}, 2)});
  CHECK(most_turns(q) == turns);
  CHECK(q.steps.size() == p.steps.size());
}

TEST(a_sum_that_begins_with_a_term_begins_at_zero) {
  constexpr int64_t turns = 90, n = 4;
  for (const int side : {0, 1}) {
    Draft d;
    const ValueId x = d.input({turns, n});
    ValueId total = 0;
    for (int64_t t = turns; t-- > 0;) {
      const ValueId own = d.op("sin", {d.op("slice", {x}, {row(t, n)})});
      const ValueId term = d.op("negative", {own});
      if (t == turns - 1) {
        total = term;
      } else {
        total = side == 0 ? d.op("add", {total, term}) : d.op("add", {term, total});
      }
    }
    const Program p = d.returning({total});
    CHECK(most_turns(p) == turns - 1);
    // Zeros of either sign stay what they are.
    for (const double x0 : {0.0, -0.0, 0.5}) {
      const Program q =
          aligned(p, {filled(DType::float64, {turns, n}, [x0](int64_t) { return x0; })});
      CHECK(most_turns(q) == turns);
      CHECK(q.steps.size() == p.steps.size() + 1);
      const Value made =
          run(q, {filled(DType::float64, {turns, n}, [x0](int64_t) { return x0; })})[0];
      CHECK(std::signbit(made.data<double>()[0]) == !std::signbit(x0));
    }
  }
}

TEST(programs_without_such_turns_stay) {
  Draft d;
  const ValueId x = d.input({400});
  ValueId total = d.constant(0.0);
  for (int64_t t = 0; t < 400; ++t)
    total = d.op("add", {total, d.op("sin", {d.op("slice", {x}, {at(t)})})});
  Program p = d.returning({total});
  const auto* const steps = p.steps.data();
  CHECK(align_turns(std::move(p)).steps.data() == steps);
  // Many read the first of these; of the others, one after the other, none is made for it alone.
  Draft few;
  ValueId y = few.input({3}), z = few.op("sin", {y});
  for (int k = 0; k < 300; ++k) y = few.op("add", {few.op("cos", {y}), z});
  Program q = few.returning({y});
  const auto* const those = q.steps.data();
  CHECK(align_turns(std::move(q)).steps.data() == those);
}
