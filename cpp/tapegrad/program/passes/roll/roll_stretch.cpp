#include "tapegrad/program/passes/roll/roll_stretch.h"

#include <algorithm>
#include <array>
#include <map>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/passes/roll/roll_keys.h"

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;
using Kind = RolledLoop::Kind;

constexpr uint32_t none = ~uint32_t{0};
constexpr size_t most_writes = 64;  // into one array, in a turn
constexpr uint32_t most_age = RolledLoop::most_age;

class Stretch {
 public:
  Stretch(const Program& p, const LongVector<uint32_t>& uses, const Repetition& where)
      : p_(p), uses_(uses), first_(where.first), period_(where.period), turns_(where.turns) {}

  // Kinds are taken from one turn and held against those around it. Behind a loop the search goes
  // on. Where there is none it goes on at the next turn, and, where many turns were looked at in
  // vain again and again, behind half of them: so all of it stays linear.
  bool find(uint32_t least_turns, std::vector<RolledLoop>& found) {
    constexpr int patience = 8;
    const size_t before = found.size();
    for (int misses = 0; from_ + least_turns <= turns_;) {
      RolledLoop loop;
      low_ = high_ = middle_ = from_ + std::min(most_age, least_turns - 2);
      if (find_around_middle(loop, least_turns)) {
        found.push_back(std::move(loop));
        from_ = high_;
        misses = 0;
      } else {
        const bool goes_far = ++misses % patience == 0;
        from_ += goes_far ? std::max((high_ - low_) / 2, uint32_t{1}) : 1;
      }
    }
    return found.size() > before;
  }

 private:
  bool find_around_middle(RolledLoop& loop, uint32_t least_turns) {
    loop.period = period_;
    if (!classify(loop)) return false;
    high_ = middle_ + 2;
    while (low_ > from_ && holds(loop, low_ - 1, none)) --low_;
    while (high_ < turns_ && holds(loop, high_, none)) ++high_;
    const uint32_t strict = low_;
    low_ -= std::min(most_age, low_ - from_);
    if (!settle_beginning(loop, strict)) return false;
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

  bool is_from_before(ValueId v, uint32_t turn) const {
    const uint32_t s = producer(v);
    return s == none || s < first_ + turn * period_;
  }

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
    if (turn != none && turn <= middle_ && turn + most_age >= middle_) {
      const MadeBy from = source_of(v);
      kind = turn == middle_ ? Kind::local : Kind::carry;
      if (is_output(next, turn + 1, from.k, from.out)) return true;
      if (turn + 1 >= middle_) return false;
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

  // How many turns before its reader a carry was made.
  uint32_t age_of(uint32_t k, uint32_t a) const { return middle_ - turn_of(input(middle_, k, a)); }

  // Whether a turn is like the one in the middle. Where a carry would have been made before turn
  // `begin`, anything from before that turn may stand for it; none: nothing may.
  bool holds(const RolledLoop& loop, uint32_t turn, uint32_t begin) const {
    for (uint32_t k = 0; k < period_; ++k) {
      const Program::Step& s = step(turn, k);
      const Role role = loop.roles[k];
      if ((role == Role::computed || role == Role::hoisted) && s.attrs != step(middle_, k).attrs)
        return false;
      if (role == Role::scatter && !key_holds(turn, k)) return false;
      for (uint32_t a = 0; a < s.n_in; ++a)
        if (!operand_holds(loop.operand(k, a).kind, turn, k, a, begin)) return false;
    }
    return true;
  }

  bool key_holds(uint32_t turn, uint32_t k) const {
    if (turn == middle_) return true;
    std::optional<KeyMove> move = move_of(k);
    move->by *= static_cast<int64_t>(turn) - middle_;
    return key_move(code_of(middle_, k), code_of(turn, k)) == move;
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

  // What a loop that begins at turn `begin` finds of carries from before it.
  template <class F>
  void for_initials(const RolledLoop& loop, uint32_t begin, F&& f) const {
    for_carries(loop, [&](uint32_t k, uint32_t a, MadeBy from, uint32_t age) {
      for (uint32_t t = 0; t < age; ++t)
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
  bool scatters_are_apart(const RolledLoop& loop) const {
    std::map<uint32_t, std::vector<uint32_t>> chains;  // by the first write of a turn
    std::vector<uint32_t> first_of(period_, none);
    std::vector<bool> goes_on(period_, false);
    for (uint32_t k = 0; k < period_; ++k) {
      if (loop.roles[k] != Role::scatter) continue;
      const MadeBy from = source_of(input(middle_, k, 0));
      if (loop.roles[from.k] != Role::scatter) return false;
      const bool begins = loop.operand(k, 0).kind == Kind::carry;
      if (begins && age_of(k, 0) != 1) return false;
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

  const Program& p_;
  const LongVector<uint32_t>& uses_;
  const uint32_t first_, period_, turns_;
  uint32_t from_ = 0, middle_ = 0, low_ = 0, high_ = 0;
};

}  // namespace

bool find_in_stretch(const Program& p, const LongVector<uint32_t>& uses, const Repetition& where,
                     uint32_t least_turns, std::vector<RolledLoop>& found) {
  return Stretch(p, uses, where).find(least_turns, found);
}

}  // namespace tapegrad
