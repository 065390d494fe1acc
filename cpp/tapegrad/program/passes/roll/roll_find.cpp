#include "tapegrad/program/passes/roll/roll_find.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/roll_keys.h"

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;
using Kind = RolledLoop::Kind;

constexpr uint32_t none = ~uint32_t{0};
constexpr uint32_t window = 8;         // steps that must agree before a repetition is looked at
constexpr uint32_t most_periods = 6;   // that are tried at one place
constexpr size_t most_writes = 64;     // into one array, in a turn
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
    std::unordered_map<uint64_t, uint32_t> last;
    last.reserve(p.steps.size());
    for (size_t k = p.steps.size(); k-- > 0;) {
      if (k + window > p.steps.size()) continue;
      uint64_t h = 0;
      for (size_t i = k; i < k + window; ++i) h = mix_hash(h, step_[i]);
      const auto [it, fresh] = last.try_emplace(h, static_cast<uint32_t>(k));
      if (!fresh) {
        next_[k] = it->second;
        it->second = static_cast<uint32_t>(k);
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
  std::vector<uint64_t> step_;
  std::vector<uint32_t> next_;
};

// Looks at a stretch of `turns` turns: what kind each operand is, and for which turns that holds.
class Stretch {
 public:
  Stretch(const Program& p, const std::vector<uint32_t>& uses, uint32_t first, uint32_t period,
          uint32_t turns)
      : p_(p), uses_(uses), first_(first), period_(period), turns_(turns) {}

  // Two loops with one body may follow one another: so the kinds are taken from one turn and held
  // against the others, and some turns are tried.
  bool find(RolledLoop& loop, uint32_t least_turns) {
    for (const uint32_t quarter : {2u, 1u, 3u}) {
      loop = {};
      middle_ = turns_ * quarter / 4;
      if (find_around_middle(loop, least_turns)) return true;
    }
    return false;
  }

 private:
  bool find_around_middle(RolledLoop& loop, uint32_t least_turns) {
    if (middle_ == 0 || middle_ + 1 >= turns_) return false;
    loop.period = period_;
    if (!classify(loop)) return false;
    low_ = middle_;
    high_ = middle_ + 2;
    while (low_ > 0 && holds(loop, low_ - 1)) --low_;
    while (high_ < turns_ && holds(loop, high_)) ++high_;
    if (!keep_outside_apart(loop)) return false;
    while (low_ == 0 && !same_initials(loop)) ++low_;
    if (high_ < low_ + least_turns || !scatters_are_apart(loop)) return false;
    loop.first = first_ + low_ * period_;
    loop.count = high_ - low_;
    name_carries(loop);
    name_series(loop);
    return true;
  }

  const Program::Step& step(uint32_t turn, uint32_t k) const {
    return p_.steps[first_ + turn * period_ + k];
  }
  // The step that makes v, or none.
  uint32_t producer(ValueId v) const {
    const Program::ValueInfo& info = p_.values[v];
    return info.source == Source::step ? info.index : none;
  }
  // v as output `out` of step k of a turn; false where it was made elsewhere.
  bool is_output(ValueId v, uint32_t turn, uint32_t k, uint32_t out) const {
    return v == step(turn, k).first_out + out;
  }
  // The turn that makes v, or none.
  uint32_t turn_of(ValueId v) const {
    const uint32_t s = producer(v);
    if (s == none || s < first_ || s >= first_ + turns_ * period_) return none;
    return (s - first_) / period_;
  }
  ValueId input(uint32_t turn, uint32_t k, uint32_t a) const { return p_.in(step(turn, k))[a]; }

  struct MadeBy {
    uint32_t k = 0, out = 0;
  };
  MadeBy source_of(ValueId v) const {
    const uint32_t s = producer(v);
    return {(s - first_) % period_, v - p_.steps[s].first_out};
  }

  bool classify(RolledLoop& loop) {
    loop.roles.assign(period_, Role::computed);
    for (uint32_t k = 0; k < period_; ++k) {
      loop.first_operand.push_back(static_cast<uint32_t>(loop.operands.size()));
      const Program::Step& s = step(middle_, k);
      if (s.kernel >= 0) return false;
      bool same = true;  // all operands, at every turn
      for (uint32_t a = 0; a < s.n_in; ++a) {
        Kind kind;
        if (!kind_of(k, a, kind)) return false;
        loop.operands.push_back({kind, 0});
        if (kind == Kind::local) {
          same &= loop.roles[source_of(input(middle_, k, a)).k] == Role::hoisted;
        } else {
          same &= kind == Kind::invariant;
        }
      }
      const bool fixed = s.attrs == step(middle_ + 1, k).attrs;
      if (fixed) {
        if (same) loop.roles[k] = Role::hoisted;
      } else if (reads_by_key(op_by_id(s.op)) && same) {
        loop.roles[k] = Role::varying;
      } else if (is_scatter(k)) {
        loop.roles[k] = Role::scatter;
      } else {
        return false;
      }
    }
    return true;
  }

  bool kind_of(uint32_t k, uint32_t a, Kind& kind) const {
    const ValueId v = input(middle_, k, a), next = input(middle_ + 1, k, a);
    const uint32_t turn = turn_of(v);
    if (turn == middle_ || turn + 1 == middle_) {
      const MadeBy from = source_of(v);
      kind = turn == middle_ ? Kind::local : Kind::carry;
      return is_output(next, turn + 1, from.k, from.out);
    }
    kind = v == next ? Kind::invariant : Kind::series;
    return turn == none || turn < middle_;
  }

  std::span<const int64_t> code_of(uint32_t turn, uint32_t k) const {
    return p_.attrs_of(step(turn, k)).integers(index_attrs::code);
  }
  // How the key of a step moves from the turn in the middle on.
  std::optional<KeyMove> move_of(uint32_t k) const {
    return key_move(code_of(middle_, k), code_of(middle_ + 1, k));
  }

  // table[key] = x or table[key] += x with another part at each turn, written whole.
  bool is_scatter(uint32_t k) const {
    const Program::Step& s = step(middle_, k);
    if (!writes_by_key(op_by_id(s.op)) || s.held || !move_of(k)) return false;
    const Dims& shape = p_.type_of(input(middle_, k, 0)).shape;
    IndexSpec part;
    const std::span<const int64_t> code = code_of(middle_, k);
    part.code.assign(code.begin(), code.end());
    return p_.type_of(input(middle_, k, 1)).shape == result_shape(part, shape);
  }

  bool holds(const RolledLoop& loop, uint32_t turn) const {
    for (uint32_t k = 0; k < period_; ++k) {
      const Program::Step& s = step(turn, k);
      const Role role = loop.roles[k];
      if ((role == Role::computed || role == Role::hoisted) && s.attrs != step(middle_, k).attrs)
        return false;
      if (role == Role::scatter && !key_holds(turn, k)) return false;
      for (uint32_t a = 0; a < s.n_in; ++a)
        if (!operand_holds(loop.operand(k, a).kind, turn, k, a)) return false;
    }
    return true;
  }

  bool key_holds(uint32_t turn, uint32_t k) const {
    if (turn == middle_) return true;
    std::optional<KeyMove> move = move_of(k);
    move->by *= static_cast<int64_t>(turn) - middle_;
    return key_move(code_of(middle_, k), code_of(turn, k)) == move;
  }

  bool operand_holds(Kind kind, uint32_t turn, uint32_t k, uint32_t a) const {
    const ValueId v = p_.in(step(turn, k))[a], known = input(middle_, k, a);
    switch (kind) {
      case Kind::local: {
        const MadeBy from = source_of(known);
        return is_output(v, turn, from.k, from.out);
      }
      case Kind::carry: {
        if (turn == 0) return turn_of(v) == none;
        const MadeBy from = source_of(known);
        return is_output(v, turn - 1, from.k, from.out);
      }
      case Kind::invariant:
        return v == known;
      case Kind::series:
        return true;
    }
    return false;
  }

  // Invariants and series come from before the first turn.
  bool keep_outside_apart(const RolledLoop& loop) {
    for (uint32_t k = 0; k < period_; ++k)
      for (uint32_t a = 0; a < step(middle_, k).n_in; ++a) {
        const Kind kind = loop.operand(k, a).kind;
        if (kind != Kind::invariant && kind != Kind::series) continue;
        for (uint32_t turn = high_; turn-- > low_;) {
          const uint32_t from = turn_of(input(turn, k, a));
          if (from == none || from < low_) continue;
          if (from >= turn) return false;
          low_ = from + 1;
        }
      }
    return low_ < middle_ + 1;
  }

  template <class F>
  void for_carries(const RolledLoop& loop, F&& f) const {
    for (uint32_t k = 0; k < period_; ++k)
      for (uint32_t a = 0; a < step(middle_, k).n_in; ++a)
        if (loop.operand(k, a).kind == Kind::carry && !(loop.roles[k] == Role::scatter && a == 0))
          f(k, a, source_of(input(middle_, k, a)));
  }

  // At the very first turn every reader of a carry must find the same value.
  bool same_initials(const RolledLoop& loop) const {
    std::map<std::pair<uint32_t, uint32_t>, ValueId> initial;
    bool same = true;
    for_carries(loop, [&](uint32_t k, uint32_t a, MadeBy from) {
      const ValueId v = input(low_, k, a);
      same &= initial.try_emplace({from.k, from.out}, v).first->second == v;
    });
    return same;
  }

  // The writes are made after the loop, each for all turns at once. So nobody may read what is
  // written between them, and no part may be written in another order than before.
  bool scatters_are_apart(const RolledLoop& loop) const {
    std::map<uint32_t, std::vector<uint32_t>> chains;  // by the first write of a turn
    std::vector<uint32_t> first_of(period_, none);
    std::vector<bool> goes_on(period_, false);
    for (uint32_t k = 0; k < period_; ++k) {
      if (loop.roles[k] != Role::scatter) continue;
      const MadeBy from = source_of(input(middle_, k, 0));
      if (loop.roles[from.k] != Role::scatter) return false;
      const bool begins = loop.operand(k, 0).kind == Kind::carry;
      first_of[k] = begins ? k : first_of[from.k];
      if (!begins) goes_on[from.k] = true;
      std::vector<uint32_t>& chain = chains[first_of[k]];
      if (chain.size() == most_writes) return false;
      for (uint32_t before : chain)
        if (!in_order(before, k)) return false;
      chain.push_back(k);
    }
    for (uint32_t k = 0; k < period_; ++k) {
      if (loop.roles[k] != Role::scatter) continue;
      if (first_of[source_of(input(middle_, first_of[k], 0)).k] != first_of[k]) return false;
      for (uint32_t turn = low_; turn + (goes_on[k] ? 0 : 1) < high_; ++turn)
        if (uses_[step(turn, k).first_out] != 1) return false;
    }
    return true;
  }

  // Whether what both steps write at some turns, the later of the two in a turn writes last.
  bool in_order(uint32_t earlier, uint32_t later) const {
    const std::span<const int64_t> a = code_of(middle_, earlier), b = code_of(middle_, later);
    const std::optional<KeyMove> move = move_of(earlier);
    if (move_of(later) != move) return false;
    if (apart_beside(a, b, move->item)) return true;
    const int64_t ahead = a[4 * move->item + 1] - b[4 * move->item + 1];
    return ahead % move->by != 0 || ahead / move->by >= 0 ||
           ahead / move->by <= -static_cast<int64_t>(high_ - low_);
  }

  void name_carries(RolledLoop& loop) const {
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> known;
    for_carries(loop, [&](uint32_t k, uint32_t a, MadeBy from) {
      const auto [it, fresh] =
          known.try_emplace({from.k, from.out}, static_cast<uint32_t>(loop.carries.size()));
      if (fresh) loop.carries.push_back({from.k, from.out, input(low_, k, a)});
      loop.operands[loop.first_operand[k] + a].index = it->second;
    });
  }

  bool same_series(uint32_t k, uint32_t a, RolledLoop::Series s) const {
    for (uint32_t turn = low_; turn < high_; ++turn)
      if (input(turn, k, a) != input(turn, s.step, s.operand)) return false;
    return true;
  }

  void name_series(RolledLoop& loop) const {
    FlatTable known;
    for (uint32_t k = 0; k < period_; ++k)
      for (uint32_t a = 0; a < step(middle_, k).n_in; ++a) {
        RolledLoop::Operand& operand = loop.operands[loop.first_operand[k] + a];
        if (operand.kind != Kind::series) continue;
        uint64_t h = 0;
        for (uint32_t turn = low_; turn < high_; ++turn) h = mix_hash(h, input(turn, k, a));
        operand.index =
            known.find(h, [&](uint32_t i) { return same_series(k, a, loop.series[i]); });
        if (operand.index != FlatTable::none) continue;
        operand.index = static_cast<uint32_t>(loop.series.size());
        known.insert(h, operand.index);
        loop.series.push_back({k, a});
      }
  }

  const Program& p_;
  const std::vector<uint32_t>& uses_;
  const uint32_t first_, period_, turns_;
  uint32_t middle_ = 0, low_ = 0, high_ = 0;
};

class Finder {
 public:
  Finder(const Program& p, uint32_t least_turns)
      : p_(p),
        least_turns_(least_turns),
        signatures_(p),
        uses_(p.values.size(), 0),
        repeat_soon_(p.steps.size() + 1, 0) {
    for (ValueId v : p.operands) ++uses_[v];
    for (ValueId v : p.outputs) ++uses_[v];
    for (const Program::Guard& g : p.guards) ++uses_[g.value];
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

  // Returns the step to look at next.
  uint32_t look_at(uint32_t at) {
    uint32_t next = signatures_.next(at), seen = at + 1;
    for (uint32_t tries = 0; next != none && tries < most_periods; ++tries) {
      const uint32_t period = next - at;
      if (is_nest(at, period)) break;
      if (budget_ < period) return static_cast<uint32_t>(p_.steps.size());
      const uint32_t agreement = signatures_.agreement(at, next);
      budget_ -= std::min(budget_, static_cast<size_t>(agreement));
      if (agreement >= (least_turns_ - 1) * period) {
        if (take(at, period, agreement + period)) return found_.back().end();
        seen = std::max(seen, at + agreement);
      }
      next = signatures_.next(next);
    }
    return seen;
  }

  // A loop may begin at any of its steps: where the fewest values go over to the next turn.
  bool take(uint32_t at, uint32_t period, uint32_t length) {
    const uint32_t shift = best_shift(at, period, length);
    for (const uint32_t by : {shift, uint32_t{0}}) {
      RolledLoop loop;
      const uint32_t turns = (length - by) / period;
      if (Stretch(p_, uses_, at + by, period, turns).find(loop, least_turns_)) {
        found_.push_back(std::move(loop));
        return true;
      }
      if (by == 0) break;
    }
    return false;
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
  const Signatures signatures_;
  std::vector<uint32_t> uses_;
  std::vector<uint32_t> repeat_soon_;  // by step: how many before it
  std::vector<RolledLoop> found_;
  size_t budget_ = 32 * p_.steps.size();  // comparisons: what makes the search linear
};

}  // namespace

std::vector<RolledLoop> find_loops(const Program& p, uint32_t least_turns) {
  return Finder(p, least_turns).run();
}

}  // namespace tapegrad
