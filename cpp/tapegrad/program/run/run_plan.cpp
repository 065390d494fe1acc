#include "tapegrad/program/run/run_plan.h"

#include <algorithm>
#include <array>

#include "tapegrad/parallel/parallel.h"
#include "tapegrad/program/costs.h"

namespace tapegrad {
namespace {

constexpr double step_overhead_ns = 150;  // before the first element
constexpr double splits_itself_ns = 2e5;  // a step this heavy uses the threads inside
constexpr double turn_worth_ns = 2e4;     // a level this light runs on one thread
constexpr double worthy_share = 0.2;      // of all work, in levels that are worth it
constexpr double most_of_a_turn = 0.6;    // a step that is more of it than this keeps it waiting

bool is_view(const Program::Step& s) { return s.kernel < 0 && op_by_id(s.op).is_whole_view(); }

// What an op does besides giving values: nobody may take it out of turn.
bool calls_out(const Program& p, const Program::Step& s) {
  if (s.kernel >= 0) return false;
  const Attrs& attrs = p.attrs_of(s);
  for (size_t i = 0; i < attrs.size(); ++i)
    if (std::holds_alternative<AttrRef>(attrs[i])) return true;
  return false;
}

double elements(const Program& p, ValueId v) {
  return static_cast<double>(element_count(p.type_of(v).shape));
}

double cost_ns(const Program& p, const Program::Step& s) {
  if (s.kernel >= 0)
    return step_overhead_ns + p.kernels[static_cast<size_t>(s.kernel)]->ns(s.n_in + s.n_out);
  if (is_view(s)) return step_overhead_ns;
  const Op& op = op_by_id(s.op);
  const std::span<const ValueId> in = p.in(s);
  if (op.scalar_fn >= 0)
    return step_overhead_ns +
           elements(p, s.first_out) * (costs::element * (s.n_in + 1) +
                                       scalar_fn_info(static_cast<ScalarFn>(op.scalar_fn)).ns);
  if (op.by_region && op.in_place)
    return step_overhead_ns + 2 * costs::element * elements(p, in[1]);
  double most = 0;
  for (uint32_t j = 0; j < s.n_out; ++j) most = std::max(most, elements(p, s.first_out + j));
  if (!op.by_region)
    for (ValueId v : in) most = std::max(most, elements(p, v));
  return step_overhead_ns + 2 * costs::element * most * (s.n_in + s.n_out);
}

// Completes a plan whose turns and steps are known.
RunPlan with_lives(const Program& p, RunPlan plan, size_t n_owned) {
  constexpr uint32_t never = ~uint32_t{0};
  const size_t n_values = p.values.size();
  std::vector<uint32_t> last_turn(n_values, never), reader(n_values, never), operand(n_values);
  std::vector<uint8_t> alone(n_values, 0), stays(n_values, 0);
  for (ValueId v = 0; v < n_values; ++v) {
    const Program::ValueInfo& info = p.values[v];
    stays[v] =
        info.source != Source::step && !(info.source == Source::input && info.index < n_owned);
  }
  for (ValueId v : p.outputs) stays[v] = 1;
  for (uint32_t t = 0; t < plan.turns.size(); ++t) {
    const RunPlan::Turn& turn = plan.turns[t];
    for (uint32_t i = turn.first_step; i < turn.first_step + turn.n_steps; ++i) {
      const uint32_t k = plan.steps[i];
      const Program::Step& s = p.steps[k];
      for (uint32_t j = 0; j < s.n_out; ++j) last_turn[s.first_out + j] = t;
      for (uint32_t o = s.first_in; o < s.first_in + s.n_in; ++o) {
        const ValueId v = p.operands[o];
        if (last_turn[v] != t) {
          alone[v] = 1;
        } else if (reader[v] != k) {
          alone[v] = 0;
        }
        last_turn[v] = t;
        reader[v] = k;
        operand[v] = o;  // the last one of the step
      }
    }
  }
  for (ValueId v = 0; v < n_values; ++v) stays[v] |= last_turn[v] == never;  // nobody reads it
  plan.takes.assign(p.operands.size(), 0);
  std::vector<uint32_t> count(plan.turns.size() + 1, 0);
  const auto dropped = [&](ValueId v) { return !stays[v] && !(reader[v] != never && alone[v]); };
  for (ValueId v = 0; v < n_values; ++v) {
    if (stays[v]) continue;
    if (dropped(v)) {
      ++count[last_turn[v]];
    } else {
      plan.takes[operand[v]] = 1;
    }
  }
  uint32_t at = 0;
  for (size_t t = 0; t < plan.turns.size(); ++t) {
    plan.turns[t].first_drop = at;
    at += count[t];
  }
  plan.drops.resize(at);
  for (ValueId v = 0; v < n_values; ++v)
    if (dropped(v)) {
      RunPlan::Turn& turn = plan.turns[last_turn[v]];
      plan.drops[turn.first_drop + turn.n_drops++] = v;
    }
  return plan;
}

// Each step's level: one more than the highest of those that it waits for.
std::vector<uint32_t> levels_of(const Program& p) {
  std::vector<uint32_t> level(p.steps.size(), 0);
  uint32_t floor = 0, highest = 0;
  for (size_t k = 0; k < p.steps.size(); ++k) {
    const Program::Step& s = p.steps[k];
    const bool alone = calls_out(p, s);
    uint32_t mine = alone && k > 0 ? highest + 1 : floor;
    for (ValueId v : p.in(s))
      if (p.values[v].source == Source::step) mine = std::max(mine, level[p.values[v].index] + 1);
    level[k] = mine;
    highest = std::max(highest, mine);
    if (alone) floor = mine + 1;
  }
  return level;
}

}  // namespace

RunPlan plan_in_order(const Program& p, size_t n_owned) {
  RunPlan plan;
  for (uint32_t k = 0; k < p.steps.size(); ++k) {
    plan.steps.push_back(k);
    plan.turns.push_back({.first_step = k, .n_steps = 1});
  }
  return with_lives(p, std::move(plan), n_owned);
}

std::optional<RunPlan> plan_together(const Program& p, size_t n_owned) {
  const bool always = work_threshold_ns() <= 0;  // for tests
  const std::vector<uint32_t> level = levels_of(p);
  std::vector<uint32_t> order(p.steps.size());
  for (uint32_t k = 0; k < order.size(); ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return level[a] < level[b]; });
  RunPlan plan;
  double total = 0, worthy = 0;
  for (size_t first = 0, last = 0; first < order.size(); first = last) {
    std::vector<uint32_t> light;
    double together = 0, heaviest = 0;
    const auto alone = [&](uint32_t k) {
      plan.turns.push_back({.first_step = static_cast<uint32_t>(plan.steps.size()), .n_steps = 1});
      plan.steps.push_back(k);
    };
    for (last = first; last < order.size() && level[order[last]] == level[order[first]]; ++last) {
      const double cost = cost_ns(p, p.steps[order[last]]);
      total += cost;
      if (cost >= splits_itself_ns) {
        alone(order[last]);
      } else {
        light.push_back(order[last]);
        together += cost;
        heaviest = std::max(heaviest, cost);
      }
    }
    if (light.size() > 1 &&
        (always || (together >= turn_worth_ns && heaviest <= most_of_a_turn * together))) {
      worthy += together;
      plan.turns.push_back({.first_step = static_cast<uint32_t>(plan.steps.size()),
                            .n_steps = static_cast<uint32_t>(light.size()),
                            .together = true});
      plan.steps.insert(plan.steps.end(), light.begin(), light.end());
    } else {
      for (uint32_t k : light) alone(k);
    }
  }
  if (worthy == 0 || (!always && worthy < worthy_share * total)) return std::nullopt;
  return with_lives(p, std::move(plan), n_owned);
}

size_t peak_bytes(const Program& p, const RunPlan& plan) {
  std::vector<ValueId> home(p.values.size());  // whose memory a value shows
  std::vector<uint32_t> lookers(p.values.size(), 0);
  const auto bytes = [&](ValueId v) {
    const TensorType& t = p.type_of(v);
    const bool ours = p.values[v].source == Source::step && !t.shape.empty();
    return ours ? static_cast<size_t>(element_count(t.shape)) * item_size(t.dtype) : 0;
  };
  size_t now = 0, most = 0;
  for (ValueId v = 0; v < home.size(); ++v) home[v] = v;
  const auto drop = [&](ValueId v) {
    if (--lookers[home[v]] == 0) now -= bytes(home[v]);
  };
  for (const RunPlan::Turn& turn : plan.turns) {
    for (uint32_t i = turn.first_step; i < turn.first_step + turn.n_steps; ++i) {
      const Program::Step& s = p.steps[plan.steps[i]];
      const bool overwrites = s.kernel < 0 && op_by_id(s.op).in_place && plan.takes[s.first_in] &&
                              lookers[home[p.in(s)[0]]] == 1;
      for (ValueId v = s.first_out; v < s.first_out + s.n_out; ++v) {
        if (is_view(s) || overwrites) home[v] = home[p.in(s)[0]];
        if (lookers[home[v]]++ == 0) now += bytes(home[v]);
      }
      const size_t inside =
          s.kernel >= 0 ? p.kernels[static_cast<size_t>(s.kernel)]->scratch_bytes() : 0;
      most = std::max(most, now + inside);
    }
    for (uint32_t i = turn.first_step; i < turn.first_step + turn.n_steps; ++i) {
      const Program::Step& s = p.steps[plan.steps[i]];
      for (uint32_t o = s.first_in; o < s.first_in + s.n_in; ++o)
        if (plan.takes[o]) drop(p.operands[o]);
    }
    for (uint32_t d = turn.first_drop; d < turn.first_drop + turn.n_drops; ++d) drop(plan.drops[d]);
  }
  return most;
}

}  // namespace tapegrad
