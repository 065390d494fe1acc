#include "tapegrad/program/passes/roll/find/roll_stretch.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/passes/roll/find/roll_turns.h"

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;
using Kind = RolledLoop::Kind;

constexpr size_t most_writes = 64;  // into one array, in a turn
constexpr uint32_t most_age = RolledLoop::most_age;
constexpr uint32_t most_tries = 8;
constexpr uint32_t most_in_turn = 16;  // arrays

class Stretch : RepeatedTurns {
 public:
  Stretch(const Program& p, const LongVector<uint32_t>& uses, const Repetition& where,
          LoopKind kind)
      : RepeatedTurns(p, where, kind), uses_(uses) {}

  // Kinds are taken from one turn and held against those around it. Behind a loop the search goes
  // on. Where there is none it goes on at the next turn, and, where many turns were looked at in
  // vain again and again, behind half of them: so all of it stays linear.
  StretchSearch find(uint32_t least_turns, std::vector<RolledLoop>& found) {
    constexpr int patience = 8;
    const size_t before = found.size();
    for (int misses = 0; from_ + least_turns <= turns_;) {
      RolledLoop loop;
      low_ = high_ = middle_ = from_ + std::min(most_age, least_turns - 2);
      if (find_around_middle(loop, least_turns)) {
        found.push_back(std::move(loop));
        from_ = high_;
        looked_at_ = misses = 0;
      } else {
        const bool goes_far = ++misses % patience == 0;
        from_ += goes_far ? std::max(std::exchange(looked_at_, 0) / 2, uint32_t{1}) : 1;
      }
    }
    return {found.size() > before, begins_better_, in_turn_};
  }

 private:
  // Additions at positions from data are made behind the loop where that is possible, else in it.
  bool find_around_middle(RolledLoop& loop, uint32_t least_turns) {
    in_turns_.assign(period_, false);
    for (uint32_t tries = 0; tries <= most_tries; ++tries) {
      loop = {};
      low_ = high_ = middle_;
      not_apart_ = none;
      if (find_with_scatters(loop, least_turns)) return true;
      if (not_apart_ == none || !loop.is_anywhere[not_apart_]) return false;
      in_turns_[not_apart_] = true;
    }
    return false;
  }

  bool find_with_scatters(RolledLoop& loop, uint32_t least_turns) {
    loop.period = period_;
    if (!classify(loop)) return false;
    high_ = middle_ + 2;
    while (low_ > from_ && holds(loop, low_ - 1, none)) --low_;
    const uint32_t strict = low_;
    low_ -= std::min(most_age, low_ - from_);
    // A row of a nest may end where it reads what it made itself: the later it begins, the later.
    for (uint32_t settled = 0;; settled = high_) {
      while (high_ < turns_ && holds(loop, high_, none) && reads_outside(loop, high_)) ++high_;
      looked_at_ = std::max(looked_at_, high_ - low_);
      if (high_ == settled) break;
      if (!settle_beginning(loop, strict)) return false;
    }
    if (high_ < low_ + least_turns || !scatters_are_apart(loop)) return false;
    loop.first = first_ + low_ * period_;
    loop.count = high_ - low_;
    name_carries(loop);
    name_series(loop);
    return true;
  }

  bool classify(RolledLoop& loop) {
    loop.roles.assign(period_, Role::computed);
    loop.is_anywhere.assign(period_, false);
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
      const bool fixed = is_fixed(k);
      if (fixed) {
        if (same) loop.roles[k] = Role::hoisted;
      } else if (reads_by_key(op_by_id(s.op)) && same) {
        loop.roles[k] = Role::varying;
      } else if (!is_scan_) {
        loop.roles[k] = Role::straight;
      } else if (is_scatter(k, in_turns_[k])) {
        loop.roles[k] = Role::scatter;
        loop.is_anywhere[k] = !moves_evenly(k);
      } else if (moves(k)) {
        loop.is_anywhere[k] = true;
      } else {
        return false;
      }
    }
    return !adds_in_turn(loop);
  }

  // Whether each step goes on with what it made more turns ago, and all with the same: several
  // sums, say, to which is added in turn. Then that many turns are one.
  bool adds_in_turn(const RolledLoop& loop) {
    uint32_t common = 0;
    for_carries(loop, [&](uint32_t k, uint32_t a, MadeBy, uint32_t age) {
      if (k == source_of(input(middle_, k, a)).k) common = std::gcd(common, age);
    });
    bool all = common > 1;
    for_carries(loop, [&](uint32_t, uint32_t, MadeBy, uint32_t age) { all &= age == common; });
    if (all) in_turn_ = common;
    return all;
  }

  bool kind_of(uint32_t k, uint32_t a, Kind& kind) {
    const ValueId v = input(middle_, k, a), next = input(middle_ + 1, k, a);
    const uint32_t turn = turn_of(v);
    if (turn != none && turn <= middle_ && turn + most_age >= middle_) {
      const MadeBy from = source_of(v);
      kind = turn == middle_ ? Kind::local : Kind::carry;
      if (is_output(next, turn + 1, from.k, from.out)) return true;
      if (turn + 1 >= middle_) return false;
    }
    kind = v == next && stays(k, a) ? Kind::invariant : Kind::series;
    if (kind == Kind::series && takes_turns(k, a)) return false;
    return turn == none || turn < middle_;
  }

  // Whether a few arrays come in turn, as where each of them is added up: then that many turns are
  // one, which is a longer repetition to look at. As a series they would be put together.
  bool takes_turns(uint32_t k, uint32_t a) {
    const ValueId v = input(middle_, k, a);
    if (p_.type_of(v).shape.empty() || v == input(middle_ + 1, k, a)) return false;
    for (uint32_t by = 2; by <= most_in_turn && middle_ + by < turns_; ++by)
      if (input(middle_ + by, k, a) == v && repeats(k, a, by)) {
        in_turn_ = by;
        return true;
      }
    return false;
  }

  // In a nest, whether it is the same for all rows: looked at from both ends.
  bool stays(uint32_t k, uint32_t a) const {
    return is_scan_ || input(from_, k, a) == input(turns_ - 1, k, a);
  }

  // Whether a turn is like the one in the middle. Where a carry would have been made before turn
  // `begin`, anything from before that turn may stand for it; none: nothing may.
  bool holds(const RolledLoop& loop, uint32_t turn, uint32_t begin) const {
    for (uint32_t k = 0; k < period_; ++k) {
      const Program::Step& s = step(turn, k);
      const Role role = loop.roles[k];
      if (loop.is_anywhere[k]) {
        if (!is_part(turn, k)) return false;
      } else if (role == Role::computed || role == Role::hoisted) {
        if (s.attrs != step(middle_, k).attrs) return false;
      } else if (role == Role::scatter && !key_holds(turn, k)) {
        return false;
      }
      for (uint32_t a = 0; a < s.n_in; ++a)
        if (!operand_holds(loop.operand(k, a).kind, turn, k, a, begin)) return false;
    }
    return true;
  }

  bool operand_holds(Kind kind, uint32_t turn, uint32_t k, uint32_t a, uint32_t begin) const {
    const ValueId v = p_.in(step(turn, k))[a], known = input(middle_, k, a);
    switch (kind) {
      case Kind::local: {
        const MadeBy from = source_of(known);
        return is_output(v, turn, from.k, from.out);
      }
      case Kind::carry: {
        const uint32_t age = age_of(k, a);
        if (begin != none && turn < begin + age) return is_from_before(v, begin);
        if (turn < age) return false;
        const MadeBy from = source_of(known);
        return is_output(v, turn - age, from.k, from.out);
      }
      case Kind::invariant:
        return v == known;
      case Kind::series:
        return true;
    }
    return false;
  }

  // Whether what a turn reads from outside was made before this loop: it ends where that is not so.
  // In a nest that is the row; a scan may begin at the turn in the middle and no later.
  bool reads_outside(const RolledLoop& loop, uint32_t turn) const {
    const uint32_t begin = is_scan_ ? middle_ : low_;
    for (uint32_t k = 0; k < period_; ++k)
      for (uint32_t a = 0; a < step(turn, k).n_in; ++a) {
        const Kind kind = loop.operand(k, a).kind;
        if (kind != Kind::invariant && kind != Kind::series) continue;
        const uint32_t from = turn_of(input(turn, k, a));
        if (from != none && from >= begin) return false;
      }
    return true;
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

  // Step, output and age of a carry.
  using CarryKey = std::array<uint32_t, 3>;

  template <class F>
  void for_carries(const RolledLoop& loop, F&& f) const {
    for (uint32_t k = 0; k < period_; ++k)
      for (uint32_t a = 0; a < step(middle_, k).n_in; ++a)
        if (loop.operand(k, a).kind == Kind::carry && !(loop.roles[k] == Role::scatter && a == 0))
          f(k, a, source_of(input(middle_, k, a)), age_of(k, a));
  }

  // What a loop that begins at turn `begin` finds of carries from before it. So near the end that
  // there are fewer turns, there is no loop.
  template <class F>
  void for_initials(const RolledLoop& loop, uint32_t begin, F&& f) const {
    for_carries(loop, [&](uint32_t k, uint32_t a, MadeBy from, uint32_t age) {
      for (uint32_t t = 0; t < age && begin + t < turns_; ++t)
        f(CarryKey{from.k, from.out, age - t}, input(begin + t, k, a));
    });
  }

  // Whether the loop may begin at turn `begin`: the turns up to `strict` are like the others, and
  // all that read what was to be made so many turns before the first one find the same.
  bool begins_at(const RolledLoop& loop, uint32_t begin, uint32_t strict) const {
    for (uint32_t turn = begin; turn < strict; ++turn)
      if (!holds(loop, turn, begin)) return false;
    bool same = true;
    std::map<CarryKey, ValueId> initial;
    for_initials(loop, begin, [&](const CarryKey& of, ValueId v) {
      same &= initial.try_emplace(of, v).first->second == v;
    });
    return same;
  }

  // The first turn: of those from low_ on, in which nothing is read from outside that was made in
  // the loop.
  bool settle_beginning(const RolledLoop& loop, uint32_t strict) {
    for (;;) {
      while (low_ < strict && !begins_at(loop, low_, strict)) ++low_;
      const uint32_t before = low_;
      if (!keep_outside_apart(loop)) return false;
      if (low_ == before) return true;
    }
  }

  // The writes are made after the loop, each for all turns at once. So nobody may read what is
  // written between them, and no part may be written in another order than before.
  bool scatters_are_apart(RolledLoop& loop) {
    std::map<uint32_t, std::vector<uint32_t>> chains;  // by the first write of a turn
    std::set<uint32_t> mixed;                          // chains of which some turns write the same
    std::vector<uint32_t> first_of(period_, none);
    std::vector<bool> goes_on(period_, false);
    for (uint32_t k = 0; k < period_; ++k) {
      if (loop.roles[k] != Role::scatter) continue;
      not_apart_ = k;
      const MadeBy from = source_of(input(middle_, k, 0));
      if (loop.roles[from.k] != Role::scatter) return false;
      const bool begins = loop.operand(k, 0).kind == Kind::carry;
      if (begins && age_of(k, 0) != 1) return false;
      first_of[k] = begins ? k : first_of[from.k];
      if (!begins) goes_on[from.k] = true;
      std::vector<uint32_t>& chain = chains[first_of[k]];
      if (chain.size() == most_writes) return false;
      for (uint32_t before : chain)
        if (!in_order(loop, before, k)) {
          mixed.insert(first_of[k]);
          if (!may_be_together(before, k, loop.is_anywhere)) {
            begins_better_ = k;  // writes in a turn what the step before it writes in the next
            return false;
          }
        }
      chain.push_back(k);
    }
    for (uint32_t k = 0; k < period_; ++k) {
      if (loop.roles[k] != Role::scatter) continue;
      not_apart_ = k;
      if (first_of[source_of(input(middle_, first_of[k], 0)).k] != first_of[k]) return false;
      for (uint32_t turn = low_; turn + (goes_on[k] ? 0 : 1) < high_; ++turn)
        if (uses_[step(turn, k).first_out] != 1) return false;
    }
    for (uint32_t first : mixed) {
      const std::vector<uint32_t>& chain = chains[first];
      not_apart_ = chain.back();
      for (uint32_t k : chain)
        if (!may_be_together(first, k, loop.is_anywhere)) return false;
      for (uint32_t k : chain) loop.is_anywhere[k] = true;
      loop.together.push_back(chain);
    }
    not_apart_ = none;
    return true;
  }

  // Whether what both steps write at some turns, the later of the two in a turn writes last.
  bool in_order(const RolledLoop& loop, uint32_t earlier, uint32_t later) const {
    const std::span<const int64_t> a = code_of(middle_, earlier), b = code_of(middle_, later);
    if (loop.is_anywhere[earlier] || loop.is_anywhere[later])
      return share_a_moving_item(earlier, later, low_, high_);
    const std::optional<KeyMove> move = move_of(earlier);
    if (move_of(later) != move) return false;
    if (apart_beside(a, b, move->item)) return true;
    const int64_t ahead = a[4 * move->item + 1] - b[4 * move->item + 1];
    return ahead % move->by != 0 || ahead / move->by >= 0 ||
           ahead / move->by <= -static_cast<int64_t>(high_ - low_);
  }

  void name_carries(RolledLoop& loop) const {
    std::map<CarryKey, ValueId> initial;
    for_initials(loop, low_, [&](const CarryKey& of, ValueId v) { initial.try_emplace(of, v); });
    std::map<CarryKey, uint32_t> number;
    for (const auto& [of, v] : initial) {  // the youngest of each first
      number[of] = static_cast<uint32_t>(loop.carries.size());
      loop.carries.push_back({of[0], of[1], of[2], v});
    }
    for_carries(loop, [&](uint32_t k, uint32_t a, MadeBy from, uint32_t age) {
      loop.operands[loop.first_operand[k] + a].index = number.at({from.k, from.out, age});
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

  const LongVector<uint32_t>& uses_;
  uint32_t from_ = 0, low_ = 0, high_ = 0;
  uint32_t looked_at_ = 0;      // the most turns, since the search went far
  std::vector<bool> in_turns_;  // by step of the body
  uint32_t not_apart_ = none;   // the write that is not
  std::optional<uint32_t> begins_better_;
  uint32_t in_turn_ = 0;  // how many turns would be one
};

}  // namespace

StretchSearch find_in_stretch(const Program& p, const LongVector<uint32_t>& uses,
                              const Repetition& where, uint32_t least_turns, LoopKind kind,
                              std::vector<RolledLoop>& found) {
  return Stretch(p, uses, where, kind).find(least_turns, found);
}

}  // namespace tapegrad
