#include "tapegrad/program/passes/roll/roll_cycles.h"

#include "program/programs.h"

using namespace programs;
using tapegrad::cycles_of;
using tapegrad::LoopCycles;
using tapegrad::RolledLoop;

namespace {

constexpr int64_t turns = 40;

Attrs at(int64_t i) { return {Ints{0, i, 0, 0}}; }

// The one loop of a program, and for each op's name whether a step of its body recurs.
std::vector<std::pair<std::string, bool>> recurring(const Program& p) {
  const auto loops = tapegrad::find_loops(p, 8);
  CHECK(loops.size() == 1);
  std::vector<std::pair<std::string, bool>> found;
  const LoopCycles cycles = cycles_of(p, loops[0]);
  for (uint32_t k = 0; k < loops[0].period; ++k)
    found.emplace_back(tapegrad::op_by_id(p.steps[loops[0].first + k].op).name,
                       cycles.recurs_at(k));
  return found;
}

bool recurs(const std::vector<std::pair<std::string, bool>>& found, const std::string& name) {
  for (const auto& [op, is_in_cycle] : found)
    if (op == name) return is_in_cycle;
  CHECK(false);
  return false;
}

}  // namespace

TEST(what_waits_for_the_turn_before_is_told_apart) {
  Draft d;
  const ValueId x = d.input({turns}), a = d.input(Dims{});
  ValueId h = d.input(Dims{}), total = d.constant(0.0);
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId news = d.op("exp", {d.op("slice", {x}, at(t))});
    h = d.op("tanh", {d.op("subtract", {d.op("multiply", {a, h}), news})});
    total = d.op("add", {total, d.op("square", {h})});
  }
  const auto found = recurring(d.returning({h, total}));
  for (const char* op : {"multiply", "subtract", "tanh", "add"}) CHECK(recurs(found, op));
  for (const char* op : {"slice", "exp", "square"}) CHECK(!recurs(found, op));
}

TEST(a_cycle_may_go_through_several_turns) {
  Draft d;
  const ValueId x = d.input({turns});
  std::vector<ValueId> h{d.input(Dims{}), d.input(Dims{})};
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId far = d.op("sin", {h[h.size() - 2]});
    h.push_back(d.op("maximum", {far, d.op("cos", {d.op("slice", {x}, at(t))})}));
  }
  const auto found = recurring(d.returning({h.back()}));
  CHECK(recurs(found, "sin") && recurs(found, "maximum"));
  CHECK(!recurs(found, "cos"));
}

TEST(components_come_behind_what_they_read) {
  Draft d;
  const ValueId x = d.input({turns});
  ValueId fast = d.input(Dims{}), slow = d.input(Dims{}), total = d.constant(0.0);
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId item = d.op("slice", {x}, at(t));
    total = d.op("add", {total, d.op("tanh", {d.op("subtract", {fast, slow})})});
    fast = d.op("multiply", {fast, item});
    slow = d.op("maximum", {slow, item});
  }
  const Program p = d.returning({total, fast, slow});
  const auto loops = tapegrad::find_loops(p, 8);
  CHECK(loops.size() == 1);
  const RolledLoop& loop = loops[0];
  const LoopCycles cycles = cycles_of(p, loop);
  for (uint32_t k = 0; k < loop.period; ++k)
    for (uint32_t a = 0; a < p.steps[loop.first + k].n_in; ++a) {
      const uint32_t from = tapegrad::source_in_body(p, loop, k, a);
      if (from != tapegrad::made_outside) CHECK(cycles.of[from] <= cycles.of[k]);
    }
}
