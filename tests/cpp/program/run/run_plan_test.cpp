#include "tapegrad/program/run/run_plan.h"

#include "program/programs.h"
#include "tapegrad/parallel/parallel.h"

using namespace programs;
using namespace tapegrad;

namespace {

// Every value that a step makes and that is no output is taken or dropped once, after its last use.
void check_lives(const Program& p, const RunPlan& plan) {
  std::vector<int> ends(p.values.size(), 0), done(p.steps.size(), 0);
  for (const RunPlan::Turn& turn : plan.turns) {
    const auto steps = std::span(plan.steps).subspan(turn.first_step, turn.n_steps);
    for (uint32_t k : steps)
      for (ValueId v : p.in(p.steps[k])) {
        CHECK(ends[v] == 0);
        const Program::ValueInfo& info = p.values[v];
        CHECK(info.source != Source::step || done[info.index] == 1);
      }
    for (uint32_t k : steps) ++done[k];
    for (uint32_t k : steps) {
      const Program::Step& s = p.steps[k];
      for (uint32_t o = s.first_in; o < s.first_in + s.n_in; ++o) {
        if (!plan.takes[o]) continue;
        ++ends[p.operands[o]];
        for (uint32_t other : steps)  // nobody else of the turn reads what one of it takes
          for (ValueId v : p.in(p.steps[other])) CHECK(other == k || v != p.operands[o]);
      }
    }
    for (uint32_t d = turn.first_drop; d < turn.first_drop + turn.n_drops; ++d)
      ++ends[plan.drops[d]];
  }
  for (int n : done) CHECK(n == 1);
  for (ValueId v = 0; v < p.values.size(); ++v) {
    bool stays = p.values[v].source != Source::step;
    for (ValueId o : p.outputs) stays |= o == v;
    CHECK(ends[v] == !stays);
  }
}

// n branches of two products each over (side, side), all of which read one input.
Program branches(int n, int64_t side) {
  Draft d;
  const ValueId x = d.input({side, side});
  ValueId total = d.constant(0.0);
  for (int b = 0; b < n; ++b) {
    const ValueId y = d.op("matmul", {d.op("matmul", {x, d.input({side, side})}), x});
    total = d.op("add", {total, d.op("sum", {d.op("multiply", {y, y})}, {Attr{}, false})});
  }
  return d.returning({total});
}

}  // namespace

TEST(in_order) {
  const Program p = branches(3, 8);
  const RunPlan plan = plan_in_order(p);
  CHECK(plan.turns.size() == p.steps.size());
  for (uint32_t k = 0; k < p.steps.size(); ++k) CHECK(plan.steps[k] == k);
  check_lives(p, plan);
}

TEST(branches_share_turns_where_they_carry_enough) {
  CHECK(!plan_together(branches(8, 8)));    // too little work
  CHECK(!plan_together(branches(1, 64)));   // nothing beside it
  CHECK(!plan_together(branches(8, 600)));  // each uses the threads inside
  const Program p = branches(8, 64);
  const std::optional<RunPlan> plan = plan_together(p);
  CHECK(plan.has_value());
  check_lives(p, *plan);
  CHECK(plan->turns[0].together && plan->turns[0].n_steps == 8);
  CHECK(plan->turns[1].together && plan->turns[1].n_steps == 8);
}

TEST(lives_end_once_in_every_order) {
  const double before = work_threshold_ns();
  set_work_threshold_ns(0);
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    Draft d;
    std::vector<ValueId> made{d.input({4}), d.input({4}), d.constant(2.0)};
    const auto any = [&] { return made[random() % made.size()]; };
    for (int k = 0; k < 30; ++k) {
      made.push_back(random() % 3 == 0   ? d.op("exp", {any()})
                     : random() % 2 == 0 ? d.op("multiply", {any(), any()})
                                         : d.op("add", {made.back(), any()}));
    }
    const Program p = d.returning({any(), made.back()});
    check_lives(p, plan_in_order(p));
    const std::optional<RunPlan> plan = plan_together(p);
    if (plan) check_lives(p, *plan);
  }
  set_work_threshold_ns(before);
}

TEST(peak_bytes_follow_the_lives) {
  constexpr size_t array = 1000 * sizeof(double);
  const auto peak = [](const Program& p) { return peak_bytes(p, plan_in_order(p)); };
  Draft chain;
  ValueId y = chain.input({1000});
  for (int k = 0; k < 10; ++k) y = chain.op("exp", {y});
  CHECK(peak(chain.returning({y})) == 2 * array);

  Draft kept;
  const ValueId x = kept.input({1000}), a = kept.op("exp", {x}), b = kept.op("exp", {a}),
                c = kept.op("exp", {b});
  CHECK(peak(kept.returning({kept.op("add", {a, c})})) == 3 * array);

  Draft views;
  const ValueId v = views.op("exp", {views.input({1000})});
  const ValueId w = views.op("reshape", {v}, {Ints{10, 100}});
  CHECK(peak(views.returning({views.op("transpose", {w}, {Attr{}})})) == array);

  Draft updated;
  const ValueId base = updated.op("exp", {updated.input({1000})});
  const Attrs code{Ints{1, 0, 1, 1}};
  const ValueId one = updated.op("slice_set", {base, updated.constant(1.0)}, code);
  CHECK(peak(updated.returning({updated.op("slice_add", {one, updated.constant(2.0)}, code)})) ==
        array);

  Draft scalars;
  CHECK(peak(scalars.returning({scalars.op("exp", {scalars.input(f64())})})) == 0);
}
