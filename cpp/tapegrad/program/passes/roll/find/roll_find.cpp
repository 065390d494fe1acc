#include "tapegrad/program/passes/roll/find/roll_find.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/find/roll_keys.h"
#include "tapegrad/program/passes/roll/find/roll_stretch.h"

namespace tapegrad {
namespace {

constexpr uint32_t none = ~uint32_t{0};
constexpr uint32_t window = 8;         // steps that must agree before a repetition is looked at
constexpr uint32_t most_periods = 6;   // that are tried at one place
constexpr uint32_t short_period = 64;  // of numbers
constexpr uint32_t long_period = 8 * short_period;

// Signatures that agree: what repeats at all. Where a part is read or written may differ.
class Signatures {
 public:
  explicit Signatures(const Program& p)
      : p_(p), step_(p.steps.size()), next_(p.steps.size(), none) {
    for (size_t k = 0; k < p.steps.size(); ++k) {
      const Program::Step& s = p.steps[k];
      uint64_t h = mix_hash(s.op, s.n_in);
      h = mix_hash(h, static_cast<uint64_t>(s.n_out) << 1 | (s.held ? 1 : 0));
      h = mix_hash(h, static_cast<uint64_t>(s.kernel));
      if (s.kernel >= 0 || !(reads_by_key(op_by_id(s.op)) || writes_by_key(op_by_id(s.op))))
        h = mix_hash(h, s.attrs);
      for (ValueId v : p.in(s)) h = mix_hash(h, p.values[v].type);
      for (uint32_t j = 0; j < s.n_out; ++j) h = mix_hash(h, p.values[s.first_out + j].type);
      step_[k] = h;
    }
    // Of each kind of window, the place that was seen last.
    struct Seen {
      uint64_t hash;
      uint32_t at;
    };
    LongVector<Seen> seen;
    FlatTable table;
    for (size_t k = p.steps.size() < window ? 0 : p.steps.size() - window + 1; k-- > 0;) {
      uint64_t h = 0;
      for (size_t i = k; i < k + window; ++i) h = mix_hash(h, step_[i]);
      const auto at = static_cast<uint32_t>(k);
      const uint32_t known = table.find(h, [&](uint32_t i) { return seen[i].hash == h; });
      if (known != FlatTable::none) {
        next_[k] = std::exchange(seen[known].at, at);
      } else {
        table.insert(h, static_cast<uint32_t>(seen.size()));
        seen.push_back({h, at});
      }
    }
  }

  // The next place that looks like k for a while.
  uint32_t next(uint32_t k) const { return next_[k]; }
  // How far the steps from a and from b > a agree.
  uint32_t agreement(uint32_t a, uint32_t b) const {
    uint32_t n = 0;
    while (b + n < step_.size() && step_[a + n] == step_[b + n]) ++n;
    return n;
  }

 private:
  const Program& p_;
  LongVector<uint64_t> step_;
  LongVector<uint32_t> next_;
};

class Finder {
 public:
  Finder(const Program& p, uint32_t least_turns, LoopKind kind)
      : p_(p),
        least_turns_(least_turns),
        kind_(kind),
        signatures_(p),
        uses_(use_counts(p)),
        repeat_soon_(p.steps.size() + 1, 0) {
    const auto n = static_cast<uint32_t>(p.steps.size());
    for (uint32_t k = 0; k < n; ++k) {
      const uint32_t next = signatures_.next(k);
      repeat_soon_[k + 1] =
          repeat_soon_[k] + (next != none && next - k <= short_period && is_of_numbers(k));
    }
  }

  std::vector<RolledLoop> run() {
    const auto n = static_cast<uint32_t>(p_.steps.size());
    for (uint32_t at = 0; at < n;) at = look_at(at);
    return std::move(found_);
  }

 private:
  bool is_of_numbers(uint32_t k) const {
    const Program::Step& s = p_.steps[k];
    return s.n_out == 1 && p_.type_of(s.first_out).shape.empty();
  }

  // Whether most of a long turn is a short loop over numbers: that is the loop to find, turn by
  // turn, as what it makes is a series then for the next.
  bool is_nest(uint32_t at, uint32_t period) const {
    return period >= long_period && 2 * (repeat_soon_[at + period] - repeat_soon_[at]) > period;
  }

  // Whether a loop over numbers is too short to be rolled.
  bool is_too_short(const RolledLoop& loop) const {
    if (kind_ != LoopKind::scan || loop.period * loop.count >= least_steps_of_loop) return false;
    for (uint32_t k = 0; k < loop.period; ++k)
      if (!is_of_numbers(loop.first + k)) return false;
    return true;
  }

  // Returns the step to look at next. Loops that are too short to be rolled may be parts of the
  // turns of another one, which is looked for first.
  uint32_t look_at(uint32_t at) {
    uint32_t next = signatures_.next(at), seen = at + 1, least_period = 0;
    const size_t before = found_.size();
    std::vector<RolledLoop> too_short;
    for (uint32_t tries = 0; next != none && tries < most_periods; ++tries) {
      for (; next != none && next - at < least_period && budget_ > 0; --budget_)
        next = signatures_.next(next);
      if (next == none) break;
      const uint32_t period = next - at;
      if (is_nest(at, period)) break;
      if (budget_ < period) {
        if (too_short.empty()) return static_cast<uint32_t>(p_.steps.size());
        break;
      }
      const uint32_t agreement = signatures_.agreement(at, next);
      budget_ -= std::min(budget_, static_cast<size_t>(agreement));
      if (agreement >= (least_turns_ - 1) * period) {
        if (take(at, period, agreement + period)) {
          const std::span<RolledLoop> taken(found_.begin() + before, found_.end());
          if (!std::ranges::all_of(taken, [&](const auto& loop) { return is_too_short(loop); }))
            return found_.back().end();
          for (const RolledLoop& loop : taken)
            least_period = std::max(least_period, loop.period * loop.count);
          if (too_short.empty()) too_short.assign(taken.begin(), taken.end());
          found_.resize(before);
        }
        seen = std::max(seen, at + agreement);
      }
      next = signatures_.next(next);
    }
    if (too_short.empty()) return seen;
    std::ranges::move(too_short, std::back_inserter(found_));
    return found_.back().end();
  }

  // A loop may begin at any of its steps: where the fewest values go over to the next turn.
  bool take(uint32_t at, uint32_t period, uint32_t length) {
    const uint32_t shift = best_shift(at, period, length);
    std::vector<uint32_t> shifts{shift};
    if (shift != 0) shifts.push_back(0);
    uint32_t in_turn = 0;
    for (size_t i = 0; i < shifts.size(); ++i) {
      const uint32_t by = shifts[i], turns = (length - by) / period;
      const Repetition where{at + by, period, turns};
      const StretchSearch search = find_in_stretch(p_, uses_, where, least_turns_, kind_, found_);
      if (search.found) return true;
      in_turn = std::max(in_turn, search.in_turn);
      if (search.first && i == 0) shifts.insert(shifts.begin() + 1, (by + *search.first) % period);
    }
    const bool is_longer = in_turn > 1 && length / (in_turn * period) >= least_turns_;
    return is_longer && take(at, in_turn * period, length);
  }

  uint32_t best_shift(uint32_t at, uint32_t period, uint32_t length) const {
    const uint32_t turns = length / period, c = turns / 2 == 0 ? 0 : turns / 2 - 1;
    const uint32_t begin = at + c * period, end = begin + period;
    // The last step within the next turn and a bit that reads what a step of turn c makes.
    std::vector<uint32_t> last(period, 0);
    for (uint32_t k = begin; k < std::min(end + period, at + length); ++k)
      for (ValueId v : p_.in(p_.steps[k]))
        if (const Program::ValueInfo& info = p_.values[v];
            info.source == Source::step && info.index >= begin && info.index < end)
          last[info.index - begin] = k - begin;
    std::vector<int64_t> crossing(2 * period + 1, 0);  // of the boundary before each step
    for (uint32_t k = 0; k < period; ++k)
      if (last[k] > k) {
        ++crossing[k + 1];
        --crossing[last[k] + 1];
      }
    std::vector<int64_t> cost(period, 0);
    int64_t open = 0;
    for (uint32_t b = 0; b < 2 * period; ++b) {
      open += crossing[b];
      cost[b % period] += open;
    }
    return static_cast<uint32_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
  }

  const Program& p_;
  const uint32_t least_turns_;
  const LoopKind kind_;
  const Signatures signatures_;
  LongVector<uint32_t> uses_;
  LongVector<uint32_t> repeat_soon_;  // by step: how many before it
  std::vector<RolledLoop> found_;
  size_t budget_ = 32 * p_.steps.size();  // comparisons: what makes the search linear
};

}  // namespace

bool RolledLoop::only_writes() const {
  for (uint32_t k = 0; k < period; ++k)
    if (roles[k] != Role::scatter || operand(k, 1).kind != Kind::series) return false;
  return carries.empty();
}

std::vector<RolledLoop> find_loops(const Program& p, uint32_t least_turns, LoopKind kind) {
  return Finder(p, least_turns, kind).run();
}

}  // namespace tapegrad
