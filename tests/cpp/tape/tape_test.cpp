#include "tapegrad/tape/tape.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "sanitized.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"

using namespace tapegrad;

namespace {

constexpr int many = check::sanitized ? 200'000 : 2'000'000;

struct PlainLeaf final : Leaf {
  explicit PlainLeaf(int* gone = nullptr) : gone_(gone) {}
  ~PlainLeaf() override {
    if (gone_) ++*gone_;
  }
  void let_go() override { ++let_go_count; }
  int let_go_count = 0;

 private:
  int* gone_;
};

Tape& tape() {
  register_all_ops();
  return Tape::current();
}

Ref enter(Leaf& leaf, uint64_t version, const Value& value) {
  return Ref(&tape(), tape().enter(&leaf, version, value));
}

Value ones(Dims shape) { return Value::full(DType::float64, shape, 1.0); }

}  // namespace

TEST(nodes_are_recycled) {
  Tape& t = tape();
  PlainLeaf leaf;
  const Ref x = enter(leaf, 0, Value(2.0));
  const int64_t before = t.live_nodes();
  const uint64_t sequence = t.sequence();
  uint32_t first = 0;
  for (int i = 0; i < many; ++i) {
    const Ref y = add(multiply(x, x), Ref(1.0));
    if (i == 0) first = y.slot();
    if (i == 1000) CHECK(y.slot() <= first + 8);
    if (t.live_nodes() != before + 2)
      CHECK(t.live_nodes() == before + 2);  // multiply's result goes with the sum's
  }
  CHECK(t.live_nodes() == before);
  CHECK(t.sequence() >= sequence + 2 * static_cast<uint64_t>(many));
}

TEST(long_chains_go_without_recursion) {
  Tape& t = tape();
  const int64_t before = t.live_nodes();
  {
    PlainLeaf leaf;
    Ref x = enter(leaf, 0, Value(0.0));
    for (int i = 0; i < many; ++i) x = add(x, Ref(1.0));
    CHECK(x.value().as_double() == many);
    CHECK(t.live_nodes() == before + 1 + many);
    x = Ref();
    CHECK(t.live_nodes() == before);
  }
  CHECK(t.live_nodes() == before);
}

TEST(a_node_lives_as_long_as_one_consumer) {
  Tape& t = tape();
  const int64_t before = t.live_nodes();
  PlainLeaf leaf;
  Ref x = enter(leaf, 0, Value(1.0));
  std::vector<Ref> fan;
  for (int i = 0; i < 1000; ++i) fan.push_back(square(x));
  x = Ref();
  CHECK(t.live_nodes() == before + 1001);
  fan.resize(1, Ref());
  CHECK(t.live_nodes() == before + 2);
  fan.clear();
  CHECK(t.live_nodes() == before);
}

TEST(values_go_with_their_last_reader) {
  tape();
  PlainLeaf leaf;
  const size_t before = pool_stats().bytes_in_use;
  {
    const Ref x = enter(leaf, 0, ones({1000}));
    const size_t one = pool_stats().bytes_in_use - before;
    Ref sum = add(add(add(x, x), x), x);  // no rule reads a value
    CHECK(pool_stats().bytes_in_use < before + 3 * one);
    Ref product = multiply(multiply(multiply(x, x), x), x);  // every one is read
    CHECK(pool_stats().bytes_in_use > before + 4 * one);
    product = Ref();
    CHECK(pool_stats().bytes_in_use < before + 3 * one);
    Ref e = exp(add(x, x));  // reads its result, not its operand
    CHECK(pool_stats().bytes_in_use < before + 4 * one);
    const Ref next = add(e, x);
    e = Ref();  // still needed by its own rule
    CHECK(pool_stats().bytes_in_use > before + 3 * one);
  }
  CHECK(pool_stats().bytes_in_use == before);
}

TEST(ops_of_many_inputs_keep_and_release_each) {
  Tape& t = tape();
  const int64_t before = t.live_nodes();
  {
    PlainLeaf leaf;
    const Ref x = enter(leaf, 0, ones({2}));
    std::vector<Ref> parts(300, x);
    parts[7] = Ref(ones({3}));
    for (int i = 100; i < 200; ++i) parts[static_cast<size_t>(i)] = square(x);
    const Ref all = concatenate(parts, 0);
    parts.clear();
    CHECK(all.size() == 601);
    CHECK(t.live_nodes() >= before + 1 + 100 + 1);
  }
  CHECK(t.live_nodes() == before);
}

TEST(a_leaf_read_again_is_the_same_node) {
  Tape& t = tape();
  int gone = 0;
  auto* leaf = new PlainLeaf(&gone);
  const Value value = ones({4});
  Ref first = enter(*leaf, 0, value);
  const Ref again = enter(*leaf, 0, value);
  CHECK(first.slot() == again.slot());
  const Ref next = enter(*leaf, 1, ones({4}));
  CHECK(next.slot() != first.slot());
  CHECK(enter(*leaf, 1, value).slot() == next.slot());
  CHECK(t.node(next.slot()).leaf == leaf);
  CHECK(t.node(next.slot()).origin == 0);
  leaf->drop();
  CHECK(gone == 0);  // two nodes name it
  {
    const Ref a = next, b = first;
  }
  CHECK(gone == 0);
}

TEST(a_dropped_value_of_a_leaf_comes_back) {
  tape();
  PlainLeaf leaf;
  const Value value = ones({100});
  Ref x = enter(leaf, 0, value);
  const Ref y = add(x, x);  // keeps the node, not its value
  const uint32_t slot = x.slot();
  x = Ref();
  CHECK(!tape().node(slot).value.has_data());
  x = enter(leaf, 0, value);
  CHECK(x.slot() == slot && x.value().has_data());
}

TEST(the_last_handle_of_a_leaf_lets_its_content_go) {
  int gone = 0;
  auto* leaf = new PlainLeaf(&gone);
  leaf->retain();
  CHECK(!leaf->has_one_handle());
  leaf->drop();
  CHECK(leaf->has_one_handle());
  leaf->retain_name();
  leaf->drop();
  CHECK(leaf->let_go_count == 1 && gone == 0);
  leaf->drop_name();
  CHECK(gone == 1);
  (new PlainLeaf(&gone))->drop();
  CHECK(gone == 2);
}

TEST(what_a_leaf_became_may_hold_the_leaf) {
  Tape& t = tape();
  const int64_t before = t.live_nodes();
  const size_t bytes = pool_stats().bytes_in_use;
  for (int i = 0; i < 100; ++i) {
    const Variable x(2.0), v(ones({1000}));
    const Ref update = square(x.ref());
    IndexSpec spec;
    spec.at(0);
    v.cell().assign(spec, {}, update);  // v's content is computed from what v was
    CHECK(!v.cell().is_leaf() && v.value().at(0) == 4);
  }
  CHECK(t.live_nodes() == before);
  CHECK(pool_stats().bytes_in_use == bytes);
}

TEST(scopes_mark_what_is_theirs) {
  Tape& t = tape();
  PlainLeaf leaf;
  const Ref outside = enter(leaf, 0, Value(1.0));
  const auto origin = [&](const Ref& r) { return t.node(r.slot()).origin; };
  const uint32_t outer = t.open_scope();
  const Ref x = Ref::adopt(&t, t.argument(0, Value(2.0)));
  const uint32_t inner = t.open_scope();
  CHECK(inner > outer && t.innermost_scope() == inner);
  const Ref y = Ref::adopt(&t, t.argument(0, Value(3.0)));
  const Ref of_x = Ref::adopt(&t, t.argument(x.slot(), x.value()));
  CHECK(origin(outside) == 0 && origin(x) == outer && origin(y) == inner);
  CHECK(origin(of_x) == outer);  // it depends on x
  CHECK(origin(multiply(y, Ref(2.0))) == inner);
  CHECK(origin(multiply(x, y)) == outer);
  CHECK(origin(add(multiply(x, y), outside)) == 0);
  t.close_scope(inner);
  CHECK(t.innermost_scope() == outer);
  const uint32_t later = t.open_scope();
  CHECK(later > inner);
  t.close_scope(outer);  // an outer one ends those inside
  CHECK(t.innermost_scope() == 0);
}

TEST(small_constants_are_copied_and_large_ones_watched) {
  Tape& t = tape();
  static int returned = 0;
  const auto borrow = [](std::vector<double>& data) {
    Buffer* b = Buffer::borrow(data.data(), data.size() * 8, &returned,
                               [](void* n) { ++*static_cast<int*>(n); });
    const int64_t n = static_cast<int64_t>(data.size());
    return Value::wrap(b, data.data(), DType::float64, Dims{n}, nullptr);
  };
  std::vector<double> small(10, 1.0), large(hold_by_reference_bytes / 8, 1.0);
  PlainLeaf leaf;
  {
    const Ref x = enter(leaf, 0, Value(1.0));
    const Ref a = multiply(x, Ref(borrow(small)));
    CHECK(returned == 1);
    const Ref b = multiply(x, Ref(borrow(large)));
    CHECK(returned == 1);
    const Node& held = t.node(t.node(b.slot()).in[1]);
    CHECK(held.kind == NodeKind::constant && (held.flags & Node::held_by_reference));
    CHECK(held.extra->rare->fingerprint == fingerprint_of(held.value));
    large[large.size() - 1] = 2.0;
    CHECK(held.extra->rare->fingerprint != fingerprint_of(held.value));
    const Ref c = add(x, Ref(borrow(large)));  // nothing reads it: not held
    CHECK(returned == 2);
  }
  CHECK(returned == 3);
}

TEST(a_freed_recording_holds_no_values) {
  Tape& t = tape();
  const size_t before = pool_stats().bytes_in_use;
  PlainLeaf leaf;
  Ref x = enter(leaf, 0, ones({1000}));
  const Ref y = exp(multiply(square(x), x));
  x = Ref();
  const size_t recorded = pool_stats().bytes_in_use;
  std::vector<uint32_t> slots{y.slot()};
  for (size_t k = 0; k < slots.size(); ++k)
    for (uint32_t in : t.node(slots[k]).inputs()) slots.push_back(in);
  for (uint32_t slot : slots) t.free_recording(slot);
  for (uint32_t slot : slots) t.free_recording(slot);  // twice is once
  CHECK(pool_stats().bytes_in_use + 2 * 8000 <= recorded);
  CHECK(pool_stats().bytes_in_use >= before + 8000);  // y's own value is the user's
  CHECK(y.value().has_data());
}

TEST(a_trimmed_tape_begins_anew) {
  Tape& t = tape();
  PlainLeaf leaf;
  {
    const Ref x = enter(leaf, 0, Value(1.0));
    Ref y = x;
    for (int k = 0; k < 20'000; ++k) y = sqrt(y);
    const double before = y.value().as_double();
    t.trim();  // nodes are live: nothing happens
    CHECK(y.value().as_double() == before);
    CHECK(t.node(y.slot()).kind == NodeKind::op);
  }
  CHECK(t.live_nodes() == 0);
  t.trim();
  t.trim();
  const Ref x = enter(leaf, 0, Value(1.0));  // not the node that it had
  CHECK(x.slot() == 1);
  CHECK(square(x).value().as_double() == 1.0);
}

TEST(recording_is_switched_by_blocks) {
  Tape& t = tape();
  PlainLeaf leaf;
  const Ref x = enter(leaf, 0, Value(1.0));
  {
    const RecordingGuard off(false);
    CHECK(!square(x).tracked());
    {
      const RecordingGuard on(true);
      CHECK(square(x).tracked());
    }
    CHECK(!t.recording());
  }
  CHECK(square(x).tracked());
}

TEST(handles_dropped_elsewhere_come_back_without_being_asked) {
  Tape& t = tape();
  PlainLeaf leaf;
  const Ref x = enter(leaf, 0, Value(1.0));
  const int64_t before = t.live_nodes();
  for (int round = 0; round < 50; ++round) {
    std::vector<Ref> made;
    for (int i = 0; i < 1000; ++i) made.push_back(square(x));
    std::thread([&] { made.clear(); }).join();
  }
  // The last rounds may still be queued; the first were recycled by the recording itself.
  CHECK(t.live_nodes() <= before + 3000);
  t.drain_releases();
  CHECK(t.live_nodes() == before);
}

TEST(handles_are_dropped_while_the_owner_records) {
  Tape& t = tape();
  const int64_t before = t.live_nodes();
  PlainLeaf leaf;
  {
    const Ref x = enter(leaf, 0, Value(1.0));
    std::mutex mutex;
    std::vector<Ref> shared;
    std::atomic<bool> done{false};
    std::thread dropper([&] {
      while (true) {
        const bool last = done;
        std::vector<Ref> mine;
        {
          std::lock_guard lock(mutex);
          mine.swap(shared);
        }
        for (const Ref& r : mine) CHECK(r.value().as_double() == 1);  // reading is allowed
        mine.clear();
        if (last) return;
      }
    });
    for (int i = 0; i < 20000; ++i) {
      Ref y = square(x);
      std::lock_guard lock(mutex);
      shared.push_back(std::move(y));
    }
    done = true;
    dropper.join();
  }
  t.drain_releases();
  CHECK(t.live_nodes() == before);
}

TEST(the_tape_of_a_finished_thread) {
  tape();
  const size_t bytes = pool_stats().bytes_in_use;
  {
    std::optional<Variable> result, changed;
    std::thread([&] {
      const Variable x(ones({1000}));
      result = sum(square(x));
      // Its content names itself as a leaf: what is let go of comes back to the same tape.
      changed = Variable(ones({1000}));
      IndexSpec spec;
      spec.at(3);
      changed->cell().assign(spec, {}, Ref(result->ref()));
    }).join();
    CHECK(result->item() == 1000);  // values stay
    CHECK(changed->value().at(3) == 1000);
    CHECK_THROWS_SAYING(RuntimeError, "has ended", *result + *result);
    CHECK_THROWS_SAYING(RuntimeError, "has ended", result->backward());
    CHECK_THROWS_SAYING(RuntimeError, "tg.value(v)", grad({&*result, 1}, {&*changed, 1}));
    {
      const RecordingGuard off(false);
      CHECK((*result + *result).item() == 2000);  // only values
    }
    std::thread([&] { changed.reset(); }).join();
    result.reset();
  }
  CHECK(pool_stats().bytes_in_use == bytes);
}

TEST(threads_that_come_and_go_leave_nothing) {
  tape();
  const size_t bytes = pool_stats().bytes_in_use;
  const Variable w(ones({100}));
  for (int i = 0; i < 50; ++i) {
    std::optional<Variable> kept;
    std::thread([&] {
      kept = sum(square(w));
      const std::vector<Variable> g = grad({&*kept, 1}, {&w, 1});
      CHECK(g[0].value().at(99) == 2);
    }).join();
  }
  const Variable again(ones({100}));
  CHECK(pool_stats().bytes_in_use <= bytes + 4096);
}

TEST(another_threads_recording_raises) {
  const Variable x(2.0), y = square(x);
  std::thread([&] {
    CHECK_THROWS_SAYING(RuntimeError, "another thread", y + y);
    CHECK_THROWS_SAYING(RuntimeError, "leaf", y.backward());
    CHECK((x + x).item() == 4);  // leaves belong to no tape
  }).join();
  y.backward();
  CHECK(x.grad().as_double() == 4);
}

TEST(leaves_are_read_on_many_threads_at_once) {
  const Variable w(ones({500})), s(3.0);
  std::vector<std::thread> team;
  for (int k = 0; k < 4; ++k)
    team.emplace_back([&, k] {
      for (int i = 0; i < 50; ++i) {
        const Variable loss = sum(square(w) * s) * Variable(static_cast<double>(k));
        const Variable wrt[] = {w, s};
        const std::vector<Variable> g = grad({&loss, 1}, wrt);
        CHECK(g[0].value().at(7) == 6.0 * k && g[1].item() == 500.0 * k);
      }
    });
  for (std::thread& t : team) t.join();
}

TEST(slots_are_given_out_in_order_once_all_are_free) {
  std::thread([] {  // on a tape of its own
    Tape& tape = Tape::current();
    std::vector<uint32_t> first;
    for (int round = 0; round < 3; ++round) {
      std::vector<Ref> held;
      std::vector<uint32_t> slots;
      for (int k = 0; k < 100; ++k) {
        held.push_back(Ref::adopt(&tape, tape.argument(0, Value(1.0))));
        slots.push_back(held.back().slot());
      }
      if (round == 0) first = slots;
      CHECK(slots == first);
      for (int k = 0; k < 100; k += 2) held[static_cast<size_t>(k)] = Ref();
      held.clear();
      CHECK(tape.live_nodes() == 0);
    }
  })
      .join();
}
