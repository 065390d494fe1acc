#include <algorithm>

#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/sweep/reverse_sweep.h"

// This is the level-by-level run. A node's level is its longest distance from an output, so the
// nodes of a level are independent. Their rules run concurrently and put contributions into
// outboxes; when a node's turn comes, its contributions are added in ascending position of their
// senders, exactly as the serial run adds them.

namespace tapegrad {
namespace {

constexpr double node_overhead_ns = 150;  // a rule on arrays, before the first element
constexpr double worth_a_turn_ns =
    1000;  // lighter nodes lose more to the bookkeeping than a thread wins
constexpr double splits_itself_ns = 2e5;  // a node this heavy uses the threads inside
constexpr double level_worth_ns = 2e4;    // a level this light runs on one thread

double cost_ns(const Tape& tape, const Node& n) {
  if (n.kind != NodeKind::op) return 20;
  const Op& op = op_by_id(n.op);
  if (op.scalar_fn >= 0) {
    if (n.value.is_scalar()) return 20;
    const double per_element = 0.3 + scalar_fn_info(static_cast<ScalarFn>(op.scalar_fn)).ns;
    return node_overhead_ns + static_cast<double>(n.inputs().size()) * per_element *
                                  static_cast<double>(n.value.size());
  }
  int64_t elements = n.value.size();
  if (op.by_region) {
    if (op.in_place) elements = tape.node(n.inputs()[1]).value.size();
  } else {
    for (uint32_t in : n.inputs())
      if (in != 0) elements = std::max(elements, tape.node(in).value.size());
  }
  return node_overhead_ns + static_cast<double>(n.inputs().size()) * static_cast<double>(elements);
}

}  // namespace

bool ReverseSweep::worth_threads() {
  const size_t count = state_.size();
  if (count < 4 || num_threads() < 2 || in_parallel()) return false;
  bool any_array = false;
  for (size_t pos = 0; pos < count && !any_array; ++pos)
    any_array = node_at(pos).value.size() >= 64;
  if (!any_array || stays_on_this_thread(*schedule_)) return false;

  cost_.resize(count);
  double total = 0, worthy = 0;
  const bool always = work_threshold_ns() <= 0;  // for tests
  for (size_t pos = 0; pos < count; ++pos) {
    cost_[pos] = cost_ns(*tape_, node_at(pos));
    total += cost_[pos];
    if (cost_[pos] >= worth_a_turn_ns) worthy += cost_[pos];
  }
  return always || (total >= level_worth_ns && worthy >= 0.5 * total);
}

bool ReverseSweep::plan_levels() {
  const size_t count = state_.size();
  const bool always = work_threshold_ns() <= 0;
  std::vector<uint32_t> level(count, 0);
  uint32_t deepest = 0;
  double total = 0;
  for (size_t pos = 0; pos < count; ++pos) {
    total += cost_[pos];
    deepest = std::max(deepest, level[pos]);
    for (int32_t in : schedule_->inputs_of(pos))
      if (in >= 0)
        level[static_cast<size_t>(in)] = std::max(level[static_cast<size_t>(in)], level[pos] + 1);
  }
  levels_.assign(deepest + 1, {});
  for (size_t pos = 0; pos < count; ++pos)
    levels_[level[pos]].push_back(static_cast<uint32_t>(pos));
  double gain = 0;
  for (const auto& nodes : levels_) {
    double together = 0;
    size_t light = 0;
    for (uint32_t pos : nodes)
      if (cost_[pos] < splits_itself_ns && (always || cost_[pos] >= worth_a_turn_ns)) {
        together += cost_[pos];
        ++light;
      }
    if (light > 1 && together >= level_worth_ns) gain += together;
  }
  return gain > 0.5 * total || (always && levels_.size() < count);
}

// The entries are made beforehand, so that threads never insert.
void ReverseSweep::prepare_picked() {
  for (size_t pos = 0; pos < state_.size(); ++pos)
    if (node_at(pos).kind == NodeKind::pick && schedule_->inputs_of(pos)[0] >= 0)
      picked_[static_cast<size_t>(schedule_->inputs_of(pos)[0])];
}

void ReverseSweep::run_levels() {
  const size_t count = state_.size();
  outbox_.assign(count, {});
  senders_.assign(count, {});
  for (size_t pos = 0; pos < count; ++pos) {
    for (int32_t in : schedule_->inputs_of(pos)) {
      if (in < 0) continue;
      std::vector<uint32_t>& from = senders_[static_cast<size_t>(in)];
      if (from.empty() || from.back() != pos) from.push_back(static_cast<uint32_t>(pos));
    }
  }
  prepare_picked();
  deferred_.assign(count, 1);
  const ConcurrentSection section(concurrent_, outbox_);
  const auto turn = [this](size_t pos) {
    land_pending(pos);
    process(pos);
  };
  InterruptPoll poll;
  for (const std::vector<uint32_t>& nodes : levels_) {
    poll(16);
    std::vector<uint32_t> light;
    double together = 0;
    for (uint32_t pos : nodes) {
      if (cost_[pos] >= splits_itself_ns) {
        poll(16);
        turn(pos);
      } else {
        light.push_back(pos);
        together += cost_[pos];
      }
    }
    if (light.size() < 2 || (together < level_worth_ns && work_threshold_ns() > 0)) {
      for (uint32_t pos : light) turn(pos);
      continue;
    }
    const size_t groups = std::min(light.size(), static_cast<size_t>(num_threads()) * 4);
    parallel_tasks(static_cast<int64_t>(groups), [&](int64_t g) {
      const size_t from = light.size() * static_cast<size_t>(g) / groups;
      const size_t to = light.size() * static_cast<size_t>(g + 1) / groups;
      for (size_t k = from; k < to; ++k) turn(light[k]);
    });
  }
}

void ReverseSweep::land_pending(size_t pos) {
  for (uint32_t from : senders_[pos]) {
    for (Pending& p : outbox_[from]) {
      if (p.to != pos) continue;
      if (p.op != nullptr) {
        add_in_place_now(pos, *p.op, p.attrs, std::move(p.refs));
      } else if (p.output >= 0) {
        add_pick_now(pos, static_cast<size_t>(p.output), std::move(p.refs[0]));
      } else {
        add_now(pos, std::move(p.refs[0]));
      }
      p.refs.clear();
    }
  }
}

}  // namespace tapegrad
