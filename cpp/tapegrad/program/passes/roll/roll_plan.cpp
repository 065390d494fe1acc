#include "tapegrad/program/passes/roll/roll_plan.h"

#include <algorithm>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/shape/shape.h"

namespace tapegrad {

RollPlan::RollPlan(const Program& p, std::vector<RolledLoop> loops)
    : p_(p), loops_(std::move(loops)), states_(loops_.size()), at_(p.steps.size(), none) {
  for (uint32_t i = 0; i < loops_.size(); ++i) {
    const RolledLoop& loop = loops_[i];
    std::fill(at_.begin() + loop.first, at_.begin() + loop.end(), i);
    State& state = states_[i];
    uint32_t keys = 0;
    for (uint32_t k = 0; k < loop.period; ++k) {
      state.first_key.push_back(keys);
      keys += p.steps[loop.first + k].n_out;
    }
    state.wanted.assign(keys, false);
    state.stacked.assign(keys, no_value);
    state.last.assign(keys, {no_value});
    state.ages.assign(keys, 0);
    const bool is_scan = loop.stages.empty();
    for (const RolledLoop::Stage& stage : loop.stages)
      for (uint32_t k : stage.sums) state.ages[state.first_key[k]] = 1;
    for (const RolledLoop::Carry& c : loop.carries) {
      if (!is_scan) break;  // but for sums nothing is left over
      uint32_t& ages = state.ages[state.first_key[c.step] + c.out];
      ages = std::max(ages, c.age);
    }
    state.reverse = runs_backwards(i);
  }
  find_wanted();
}

std::optional<RollPlan::Place> RollPlan::place_of(ValueId v) const {
  const Program::ValueInfo& info = p_.values[v];
  if (info.source != Source::step || at_[info.index] == none) return std::nullopt;
  const uint32_t i = at_[info.index];
  const uint32_t offset = info.index - loops_[i].first;
  const uint32_t k = offset % loops_[i].period;
  return Place{i, offset / loops_[i].period, k,
               states_[i].first_key[k] + (v - p_.steps[info.index].first_out)};
}

RollPlan::Element RollPlan::element_of(ValueId v) const {
  if (const auto at = place_of(v); at && role_of(*at) == Role::computed)
    return {Element::From::loop, uint64_t{at->loop} << 32 | at->key, 0,
            index_of_turn(at->loop, at->turn), 0};
  const Program::ValueInfo& info = p_.values[v];
  if (info.source != Source::step) return {};
  const Program::Step& s = p_.steps[info.index];
  if (s.kernel >= 0) return {};
  const Op& op = op_by_id(s.op);
  if (op.join == JoinKind::unstack) {
    const ValueId base = p_.in(s)[0];
    if (normalize_axis(p_.attrs_of(s).integer(join_attrs::axis), p_.type_of(base).shape.ndim(),
                       "unstack") != 0)
      return {};
    return {Element::From::unstack, s.first_out, base, v - s.first_out, info.index};
  }
  if (!reads_by_key(op)) return {};
  return {Element::From::slice, p_.in(s)[0], p_.in(s)[0], 0, info.index};
}

std::optional<KeyMove> RollPlan::move_between(const Element& a, const Element& b) const {
  if (a.from != b.from || a.from == Element::From::other || a.source != b.source)
    return std::nullopt;
  if (a.from == Element::From::slice) return key_move(code_of(a), code_of(b));
  if (a.index == b.index) return std::nullopt;
  return KeyMove{0, b.index - a.index};
}

// The results of another loop are read from the last to the first: so is this one run.
bool RollPlan::runs_backwards(uint32_t i) const {
  int votes = 0;
  for (const RolledLoop::Series& s : loops_[i].series) {
    const Element a = element_of(read(i, 0, s.step, s.operand));
    const Element b = element_of(read(i, 1, s.step, s.operand));
    if (const auto move = move_between(a, b)) votes += move->by < 0 ? 1 : -1;
  }
  return votes > 0;
}

std::vector<ValueId> RollPlan::turns_of(uint32_t i, uint32_t k, uint32_t a, bool output) const {
  const RolledLoop& loop = loops_[i];
  std::vector<ValueId> list(loop.count);
  for (uint32_t t = 0; t < loop.count; ++t) {
    const uint32_t turn = index_of_turn(i, t);
    list[t] = output ? p_.steps[loop.step(turn, k)].first_out : read(i, turn, k, a);
  }
  return list;
}

size_t RollPlan::run_length(std::span<const ValueId> list) const {
  if (list.size() < 2) return list.size();
  Element last = element_of(list[1]);
  const std::optional<KeyMove> move = move_between(element_of(list[0]), last);
  size_t n = move ? 2 : 1;
  for (; move && n < list.size(); ++n) {
    const Element e = element_of(list[n]);
    if (move_between(last, e) != move) break;
    last = e;
  }
  return n;
}

std::optional<RollPlan::Positions> RollPlan::scattered(std::span<const ValueId> list) const {
  constexpr size_t few = 4;  // ranges beside one another
  const Element first = element_of(list[0]);
  if (first.from != Element::From::slice) return std::nullopt;
  const std::span<const int64_t> code = code_of(first);
  const Dims& base = p_.type_of(first.base).shape;
  if (IndexItems(code).source_axes() != base.ndim()) return std::nullopt;
  size_t ranges = 0;
  for (size_t i = 0; i < list.size() && ranges <= few; ++ranges) i += run_length(list.subspan(i));
  if (ranges <= few) return std::nullopt;
  std::vector<std::span<const int64_t>> codes;
  for (ValueId v : list) {
    const Element e = element_of(v);
    if (e.from != Element::From::slice || e.base != first.base) return std::nullopt;
    codes.push_back(code_of(e));
  }
  return positions_in(codes);
}

std::optional<RollPlan::Positions> RollPlan::positions_in(
    std::span<const std::span<const int64_t>> codes) {
  Positions found;
  for (const std::span<const int64_t> code : codes)
    if (!note_moves(codes[0], code, found.items)) return std::nullopt;
  if (found.items.empty()) return std::nullopt;
  std::ranges::sort(found.items);
  for (size_t item : found.items) {
    std::vector<int64_t>& at = found.at.emplace_back();
    for (const std::span<const int64_t> code : codes) at.push_back(IndexItems(code)[item].start);
  }
  return found;
}

RollPlan::Positions RollPlan::positions_of(uint32_t i, std::span<const uint32_t> steps) const {
  std::vector<std::span<const int64_t>> codes;
  for (uint32_t turn = 0; turn < loops_[i].count; ++turn)
    for (uint32_t k : steps)
      codes.push_back(p_.attrs_of(p_.steps[loops_[i].step(turn, k)]).integers(index_attrs::code));
  return positions_in(codes).value_or(Positions{});
}

bool RollPlan::is_long_stack(const Program::Step& s) const {
  return s.kernel < 0 && op_by_id(s.op).join == JoinKind::stack && s.n_in >= long_stack &&
         normalize_axis(p_.attrs_of(s).integer(join_attrs::axis),
                        p_.type_of(s.first_out).shape.ndim(), "stack") == 0;
}

void RollPlan::want(ValueId v) {
  const auto at = place_of(v);
  if (!at || role_of(*at) != Role::computed) return;
  if (!is_left_over(*at)) states_[at->loop].wanted[at->key] = true;
}

void RollPlan::want_list(std::span<const ValueId> list) {
  for (ValueId v : list)
    if (const auto at = place_of(v); at && role_of(*at) == Role::computed)
      states_[at->loop].wanted[at->key] = true;
}

void RollPlan::find_wanted() {
  for (uint32_t k = 0; k < p_.steps.size(); ++k) {
    const Program::Step& s = p_.steps[k];
    if (at_[k] != none) continue;
    if (is_long_stack(s)) {
      want_list(p_.in(s));
    } else {
      for (ValueId v : p_.in(s)) want(v);
    }
  }
  for (ValueId v : p_.outputs) want(v);
  for (const Program::Guard& g : p_.guards) want(g.value);
  for (uint32_t i = 0; i < loops_.size(); ++i) {
    const RolledLoop& loop = loops_[i];
    for (const RolledLoop::Carry& c : loop.carries) want(c.initial);
    for (const RolledLoop::Series& s : loop.series)
      want_list(turns_of(i, s.step, s.operand, false));
    for (uint32_t k = 0; k < loop.period; ++k) {
      if (loop.roles[k] == Role::scatter) want(read(i, 0, k, 0));
      for (uint32_t a = 0; a < p_.steps[loop.first + k].n_in; ++a)
        if (loop.operand(k, a).kind == Kind::invariant) want(read(i, 0, k, a));
    }
  }
}

}  // namespace tapegrad
