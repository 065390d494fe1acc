// The turns of a repetition: what their steps read, and how the keys of their steps move, as seen
// from one turn in the middle.
#pragma once

#include <algorithm>

#include "tapegrad/program/passes/roll/find/roll_keys.h"
#include "tapegrad/program/passes/roll/find/roll_stretch.h"

namespace tapegrad {

class RepeatedTurns {
 protected:
  static constexpr uint32_t none = ~uint32_t{0};
  static constexpr uint32_t around = 6;  // turns before and behind the one in the middle

  RepeatedTurns(const Program& p, const Repetition& where, LoopKind kind)
      : p_(p),
        is_scan_(kind == LoopKind::scan),
        first_(where.first),
        period_(where.period),
        turns_(where.turns) {}

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

  std::span<const int64_t> code_of(uint32_t turn, uint32_t k) const {
    return p_.attrs_of(step(turn, k)).integers(index_attrs::code);
  }
  // How the key of a step moves from the turn in the middle on.
  std::optional<KeyMove> move_of(uint32_t k) const {
    return key_move(code_of(middle_, k), code_of(middle_ + 1, k));
  }

  // Keys that come from data (x[labels[t]]) are sometimes equal, and move evenly, for a turn or
  // two: so several turns around the middle are looked at.
  template <class F>
  bool all_around_middle(F&& holds) const {
    const uint32_t low = middle_ - std::min(middle_, around), high = middle_ + around + 1;
    for (uint32_t turn = low; turn < std::min(high, turns_); ++turn)
      if (!holds(turn)) return false;
    return true;
  }

  bool is_fixed(uint32_t k) const {
    const Program::Step& s = step(middle_, k);
    if (s.attrs != step(middle_ + 1, k).attrs) return false;
    if (!is_scan_ || s.kernel >= 0 || op_by_id(s.op).key != KeyKind::basic) return true;
    return all_around_middle([&](uint32_t turn) { return step(turn, k).attrs == s.attrs; });
  }

  bool moves_evenly(uint32_t k) const {
    return move_of(k) && all_around_middle([&](uint32_t turn) { return key_holds(turn, k); });
  }

  // Whether single positions alone move, by data: not evenly.
  bool moves(uint32_t k) const {
    return op_by_id(step(middle_, k).op).key == KeyKind::basic && !moves_evenly(k) &&
           all_around_middle([&](uint32_t turn) { return is_part(turn, k); });
  }

  // table[key] = x or table[key] += x with another part at each turn, written whole; additions may
  // be to any part.
  bool is_scatter(uint32_t k, bool in_turns) const {
    const Program::Step& s = step(middle_, k);
    const Op& op = op_by_id(s.op);
    if (!writes_by_key(op) || s.held) return false;
    if (!moves_evenly(k) && (op.update != UpdateKind::add || in_turns || !moves(k))) return false;
    const Dims& shape = p_.type_of(input(middle_, k, 0)).shape;
    IndexSpec part;
    const std::span<const int64_t> code = code_of(middle_, k);
    part.code.assign(code.begin(), code.end());
    return p_.type_of(input(middle_, k, 1)).shape == result_shape(part, shape);
  }

  // How many turns before its reader a carry was made.
  uint32_t age_of(uint32_t k, uint32_t a) const { return middle_ - turn_of(input(middle_, k, a)); }

  bool is_part(uint32_t turn, uint32_t k) const {
    std::vector<size_t> items;
    return note_moves(code_of(middle_, k), code_of(turn, k), items);
  }

  bool key_holds(uint32_t turn, uint32_t k) const {
    if (turn == middle_) return true;
    std::optional<KeyMove> move = move_of(k);
    move->by *= static_cast<int64_t>(turn) - middle_;
    return key_move(code_of(middle_, k), code_of(turn, k)) == move;
  }

  // Rows that data name (w[labels[t]]) come again too, but in no order.
  bool repeats(uint32_t k, uint32_t a, uint32_t by) const {
    for (uint32_t turn = middle_; turn < std::min(middle_ + by, turns_ - by); ++turn)
      if (input(turn, k, a) != input(turn + by, k, a)) return false;
    return true;
  }

  // Whether one step may add what both add, at any positions.
  bool may_be_together(uint32_t k, uint32_t other, const std::vector<bool>& is_anywhere) const {
    if (!is_anywhere[k] || !is_anywhere[other]) return false;
    const Program::Step &s = step(middle_, k), &t = step(middle_, other);
    std::vector<size_t> items;
    return s.op == t.op && p_.type_of(p_.in(s)[1]) == p_.type_of(p_.in(t)[1]) &&
           note_moves(code_of(middle_, k), code_of(middle_, other), items);
  }

  // Whether there is an item with the same position in both, and another one at each turn.
  bool share_a_moving_item(uint32_t earlier, uint32_t later, uint32_t low, uint32_t high) const {
    const size_t n = std::min(code_of(middle_, earlier).size(), code_of(middle_, later).size()) / 4;
    for (size_t item = 0; item < n; ++item) {
      int64_t by = 0;
      bool holds = true;
      for (uint32_t turn = low; holds && turn < high; ++turn) {
        const IndexItem a = IndexItems(code_of(turn, earlier))[item],
                        b = IndexItems(code_of(turn, later))[item];
        holds = a.kind == IndexKind::at && b.kind == IndexKind::at && a.start == b.start;
        if (!holds || turn == low) continue;
        const int64_t step = a.start - IndexItems(code_of(turn - 1, earlier))[item].start;
        holds = step != 0 && (turn == low + 1 || step == by);
        by = step;
      }
      if (holds) return true;
      // After an axis that a key makes, items of one number are of different axes.
      if (!IndexItems(code_of(middle_, earlier))[item].takes_axis() ||
          !IndexItems(code_of(middle_, later))[item].takes_axis())
        return false;
    }
    return false;
  }

  const Program& p_;
  const bool is_scan_;
  const uint32_t first_, period_, turns_;
  uint32_t middle_ = 0;
};

}  // namespace tapegrad
