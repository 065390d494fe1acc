#include "tapegrad/sweep/schedule.h"

#include <algorithm>
#include <vector>

#include "check.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"

using namespace tapegrad;

namespace {

struct PlainLeaf final : Leaf {
  void let_go() override {}
};

Ref read(PlainLeaf& leaf, Value value = Value(2.0), uint64_t version = 0) {
  register_all_ops();
  Tape& t = Tape::current();
  return Ref(&t, t.enter(&leaf, version, value));
}

Schedule schedule_of(const Ref& out, std::vector<uint32_t> nodes, std::vector<Leaf*> leaves = {},
                     bool every = false) {
  Schedule s;
  const uint32_t slot = out.slot();
  build_schedule(Tape::current(), {{&slot, 1}, nodes, leaves, every}, s);
  return s;
}

bool has(const Schedule& s, const Ref& r) {
  return std::find(s.slots.begin(), s.slots.end(), r.slot()) != s.slots.end();
}

// Consumers stand before inputs, and edges lead to the positions of inputs.
void check_order(const Schedule& s) {
  for (size_t pos = 0; pos < s.size(); ++pos) {
    const Node& n = s.tape->node(s.slots[pos]);
    if (pos > 0) CHECK(s.tape->node(s.slots[pos - 1]).seq > n.seq);
    CHECK(s.inputs_of(pos).size() == n.inputs().size());
    for (size_t i = 0; i < n.inputs().size(); ++i) {
      const int32_t to = s.inputs_of(pos)[i];
      if (to < 0) continue;
      CHECK(to > static_cast<int32_t>(pos) && s.slots[static_cast<size_t>(to)] == n.inputs()[i]);
    }
  }
}

}  // namespace

TEST(only_what_an_output_reaches_is_visited) {
  PlainLeaf leaf;
  const Ref x = read(leaf), y = multiply(x, Ref(3.0)), z = add(y, x);
  const Ref aside = exp(y), later = square(z);
  const Schedule s = schedule_of(z, {}, {&leaf});
  check_order(s);
  CHECK(s.size() == 3 && has(s, x) && has(s, y) && has(s, z) && !has(s, aside) && !has(s, later));
  CHECK(s.output_positions[0] == 0 && s.target[2] == 1 && s.target[0] == 0);
}

TEST(nothing_before_every_target_is_visited) {
  PlainLeaf leaf;
  Ref x = read(leaf);
  for (int i = 0; i < 1000; ++i) x = add(x, Ref(1.0));
  const Ref middle = x, out = multiply(square(middle), middle);
  const Schedule s = schedule_of(out, {middle.slot()});
  check_order(s);
  CHECK(s.size() == 3 && s.node_positions[0] == 2);
}

TEST(branches_without_a_target_have_no_edges) {
  PlainLeaf a, b;
  const Ref x = read(a), y = read(b), out = add(multiply(x, x), exp(sqrt(y)));
  const Schedule s = schedule_of(out, {}, {&a});
  check_order(s);
  int edges = 0;
  for (int32_t e : s.edges) edges += e >= 0;
  CHECK(edges == 3);  // out -> product, product -> x twice
}

TEST(outputs_and_targets_that_do_not_meet) {
  PlainLeaf a, b;
  const Ref x = read(a), y = read(b), out = square(x), other = square(y), after = square(out);
  CHECK(schedule_of(out, {}, {&b}).output_positions[0] == -1);
  CHECK(schedule_of(out, {other.slot()}).output_positions[0] == -1);
  CHECK(schedule_of(out, {after.slot()}).node_positions[0] == -1);
  CHECK(schedule_of(out, {}).output_positions[0] == -1);
}

TEST(an_output_may_be_the_target_and_come_twice) {
  PlainLeaf leaf;
  const Ref x = read(leaf), y = square(x);
  const Schedule s = schedule_of(y, {y.slot(), y.slot()});
  CHECK(s.output_positions[0] == 0 && s.node_positions == std::vector<int32_t>({0, 0}));
  Schedule twice;
  const uint32_t outs[] = {y.slot(), x.slot(), y.slot()};
  Leaf* const leaves[] = {&leaf};
  build_schedule(Tape::current(), {outs, {}, leaves, false}, twice);
  CHECK(twice.output_positions == std::vector<int32_t>({0, 1, 0}));
}

TEST(a_leaf_read_at_two_versions_is_two_targets) {
  PlainLeaf leaf;
  const Ref x0 = read(leaf, Value(2.0), 0), y = square(x0), x1 = read(leaf, Value(3.0), 1),
            out = multiply(y, x1);
  for (const Schedule& s : {schedule_of(out, {}, {&leaf}), schedule_of(out, {}, {}, true)}) {
    check_order(s);
    CHECK(std::count(s.target.begin(), s.target.end(), 1) == 2);
  }
}

TEST(long_schedules_are_sorted_too) {
  PlainLeaf leaf;
  const Ref x = read(leaf);
  std::vector<Ref> terms;
  for (int i = 0; i < 3000; ++i)
    terms.push_back(square(i % 3 ? x : terms.empty() ? x : terms[terms.size() / 2]));
  std::reverse(terms.begin(), terms.end());  // visited in the wrong order
  const Ref out = stack(terms, 0);
  const Schedule s = schedule_of(out, {}, {}, true);
  check_order(s);
  CHECK(s.size() == 3002);
}

TEST(a_freed_node_in_the_way_raises) {
  PlainLeaf a, b;
  const Ref x = read(a), y = read(b), middle = exp(x), out = multiply(middle, y);
  Tape::current().free_recording(middle.slot());
  CHECK_THROWS_SAYING(RuntimeError, "exp", schedule_of(out, {}, {&a}));
  CHECK_THROWS_SAYING(RuntimeError, "freed", schedule_of(out, {}, {}, true));
  CHECK(schedule_of(out, {}, {&b}).output_positions[0] == 0);  // not in the way
  CHECK(schedule_of(out, {middle.slot()}).output_positions[0] == 0);
}

TEST(constants_that_changed_raise) {
  PlainLeaf leaf;
  std::vector<double> data(hold_by_reference_bytes, 1.0);
  const auto n = static_cast<int64_t>(data.size());
  const auto borrowed = [&] {
    return Ref(Value::wrap(Buffer::borrow(data.data(), data.size() * 8, nullptr, [](void*) {}),
                           data.data(), DType::float64, Dims{n}, nullptr));
  };
  const Ref x = read(leaf), product = multiply(x, borrowed()), sum = add(x, borrowed());
  check_constants(schedule_of(product, {}, {&leaf}));
  data[data.size() / 2] = -1.0;
  CHECK_THROWS_SAYING(ValueError, "multiply: operand 1",
                      check_constants(schedule_of(product, {}, {&leaf})));
  CHECK_THROWS_SAYING(ValueError, "x.copy()", check_constants(schedule_of(product, {}, {&leaf})));
  check_constants(schedule_of(sum, {}, {&leaf}));  // no rule reads it
  data[data.size() / 2] = 1.0;
  check_constants(schedule_of(product, {}, {&leaf}));
}

TEST(a_large_schedule_gives_its_memory_back) {
  Schedule s;
  s.slots.resize(most_kept_positions + 1);
  s.shrink();
  CHECK(s.slots.capacity() == 0);
  s.slots.resize(10);
  s.shrink();
  CHECK(s.size() == 10);
}
