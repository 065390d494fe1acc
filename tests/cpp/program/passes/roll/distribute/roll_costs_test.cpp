// What decides whether a step is made turn by turn: costs that are ordered as they are measured.
#include "tapegrad/program/passes/roll/distribute/roll_costs.h"

#include "program/programs.h"

using namespace programs;
using tapegrad::RolledLoop, tapegrad::TurnCosts;

TEST(rows_are_cheaper_for_all_turns_at_once_and_sums_cheaper_than_steps) {
  Draft d;
  const ValueId x = d.input({4}), y = d.input({4});
  const ValueId e = d.op("exp", {x});
  const Program p = d.returning({d.op("add", {e, y})});
  RolledLoop loop;
  loop.period = 2;
  loop.count = 100;
  loop.roles.assign(2, RolledLoop::Role::computed);
  const TurnCosts costs(p, loop, false);
  for (uint32_t k : {0u, 1u}) {
    CHECK(costs.at_once(k) < costs.straight(k, false));
    CHECK(costs.straight(k, false) < costs.straight(k, true));
  }
  CHECK(costs.sum(1) < costs.straight(1, false));
  CHECK(costs.fixed(0) == 0);
}
