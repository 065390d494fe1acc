#include <algorithm>
#include <numeric>

#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/sweep/reverse_sweep.h"

// This is the run by components. Leave out the light head (nodes that only light nodes consume,
// such as the sum of many losses) and the sinks (leaves and arguments); what remains may fall into
// parts that share no node, such as the branches of a batch. A part is swept by one thread, in
// order, its adjoints warm in that thread's cache. Adjoints that several parts, or a part and the
// head, contribute to are deferred: contributions wait in outboxes and are added in ascending
// position of their senders, exactly as the serial run adds them.

namespace tapegrad {
namespace {

constexpr double worth_it_ns = 4e4;
constexpr double light_ns = 1000;
constexpr int32_t head = -1, sink = -2;

class UnionFind {
 public:
  explicit UnionFind(size_t n) : root_(n) { std::iota(root_.begin(), root_.end(), 0u); }
  uint32_t find(uint32_t x) {
    while (root_[x] != x) x = root_[x] = root_[root_[x]];
    return x;
  }
  void join(uint32_t a, uint32_t b) { root_[find(a)] = find(b); }

 private:
  std::vector<uint32_t> root_;
};

}  // namespace

bool ReverseSweep::plan_components() {
  const size_t count = state_.size();
  const bool always = work_threshold_ns() <= 0;  // for tests
  std::vector<uint8_t> in_head(count, 1);
  for (size_t pos = 0; pos < count; ++pos) {
    if (cost_[pos] >= light_ns || always) in_head[pos] = 0;
    if (in_head[pos]) continue;
    for (int32_t to : schedule_->inputs_of(pos))
      if (to >= 0) in_head[static_cast<size_t>(to)] = 0;
  }
  part_.assign(count, 0);
  UnionFind sets(count);
  for (size_t pos = 0; pos < count; ++pos) {
    bool has_input = false;
    for (int32_t to : schedule_->inputs_of(pos)) has_input |= to >= 0;
    part_[pos] = in_head[pos] ? head : has_input ? 0 : sink;
  }
  for (size_t pos = 0; pos < count; ++pos) {
    if (part_[pos] < 0) continue;
    for (int32_t to : schedule_->inputs_of(pos))
      if (to >= 0 && part_[static_cast<size_t>(to)] >= 0)
        sets.join(static_cast<uint32_t>(pos), static_cast<uint32_t>(to));
  }
  std::vector<int32_t> number(count, -1);
  std::vector<double> cost;
  parts_.clear();
  for (size_t pos = 0; pos < count; ++pos) {
    if (part_[pos] < 0) continue;
    int32_t& k = number[sets.find(static_cast<uint32_t>(pos))];
    if (k < 0) {
      k = static_cast<int32_t>(parts_.size());
      parts_.emplace_back();
      cost.push_back(0);
    }
    part_[pos] = k;
    parts_[static_cast<size_t>(k)].push_back(static_cast<uint32_t>(pos));
    cost[static_cast<size_t>(k)] += cost_[pos];
  }
  if (parts_.size() < 2) return false;
  const double total = std::accumulate(cost.begin(), cost.end(), 0.0);
  const double largest = *std::max_element(cost.begin(), cost.end());
  return always || (total >= worth_it_ns && largest * num_threads() <= 1.2 * total);
}

void ReverseSweep::run_components() {
  const size_t count = state_.size();
  // A target that is fed from one place alone is written at once; else it is deferred.
  constexpr int32_t nobody = -3;
  std::vector<int32_t> fed_by(count, nobody);
  deferred_.assign(count, 0);
  outbox_.assign(count, {});
  senders_.assign(count, {});
  for (size_t pos = 0; pos < count; ++pos) {
    for (int32_t to : schedule_->inputs_of(pos)) {
      if (to < 0) continue;
      int32_t& who = fed_by[static_cast<size_t>(to)];
      if (who != nobody && who != part_[pos]) deferred_[static_cast<size_t>(to)] = 1;
      who = part_[pos];
    }
  }
  for (size_t pos = 0; pos < count; ++pos) {
    for (int32_t to : schedule_->inputs_of(pos)) {
      if (to < 0 || !deferred_[static_cast<size_t>(to)]) continue;
      std::vector<uint32_t>& from = senders_[static_cast<size_t>(to)];
      if (from.empty() || from.back() != pos) from.push_back(static_cast<uint32_t>(pos));
    }
  }
  prepare_picked();
  const auto turn = [this](size_t pos) {
    if (deferred_[pos]) land_pending(pos);
    process(pos);
  };
  const ConcurrentSection section(concurrent_, outbox_);
  for (size_t pos = 0; pos < count; ++pos)
    if (part_[pos] == head) turn(pos);
  const size_t groups = std::min(parts_.size(), static_cast<size_t>(num_threads()) * 8);
  parallel_tasks(static_cast<int64_t>(groups), [&](int64_t g) {
    const size_t from = parts_.size() * static_cast<size_t>(g) / groups;
    const size_t to = parts_.size() * static_cast<size_t>(g + 1) / groups;
    InterruptPoll poll;
    for (size_t k = from; k < to; ++k) {
      for (uint32_t pos : parts_[k]) {
        poll(work_for_polls(node_at(pos)));
        turn(pos);
      }
    }
  });
  for (size_t pos = 0; pos < count; ++pos)
    if (part_[pos] == sink) turn(pos);
}

}  // namespace tapegrad
