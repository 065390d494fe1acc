#include <algorithm>
#include <functional>
#include <limits>
#include <optional>

#include "tapegrad/program/costs.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/distribute/roll_at_once.h"
#include "tapegrad/program/passes/roll/distribute/roll_chains.h"
#include "tapegrad/program/passes/roll/distribute/roll_costs.h"
#include "tapegrad/program/passes/roll/distribute/roll_terms.h"
#include "tapegrad/program/passes/roll/find/roll_keys.h"
#include "tapegrad/program/passes/roll/roll_cycles.h"
#include "tapegrad/program/scan/scan_products.h"

// Loop distribution (Allen and Kennedy, Automatic translation of Fortran programs to vector form,
// 1987). What no turn makes out of what it made in the turn before can be made for all turns at
// once, as arrays: a function then costs a fraction of what it costs on single numbers or short
// rows. But what goes from one kind to the other passes through an array. So steps change their
// kind where that lowers the sum of both costs. What turns only add up, of such arrays, is a scan
// of its own, in the order of the turns.

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;
using Kind = RolledLoop::Kind;

constexpr uint32_t least_turns = 32;
constexpr uint32_t most_searched = 128;  // steps of a body in which kinds are chosen one by one
constexpr double clear_gain = 0.75;
constexpr double clearer_gain = 0.65;  // where a scan over rows stays, which is better at the rest
constexpr uint32_t none = made_outside;

class Distribution {
 public:
  // `at_once`: steps of the program that are made at once by loops before this one.
  Distribution(const Program& p, RolledLoop& loop, const std::vector<bool>& at_once)
      : p_(p), loop_(loop), at_once_before_(at_once) {}

  // False where the loop is better left as it is.
  bool run() {
    cycles_ = cycles_of(p_, loop_);
    order_ = in_order();
    for (uint32_t k = 0; k < loop_.period; ++k) is_free_.push_back(may_be_at_once(k));
    sums_ = chains_of_sums(p_, loop_, [this](uint32_t k, uint32_t a) { return is_run(k, a); });
    loop_.is_term = terms_of_sums(p_, loop_, cycles_, sums_.summand);
    for (uint32_t k = 0; k < loop_.period; ++k)
      if (loop_.is_term[k]) is_free_[k] = false;
    const bool has_sums = std::ranges::any_of(sums_.summand, [](uint32_t a) { return a != none; });
    if (!has_sums && std::ranges::none_of(is_free_, std::identity())) return false;
    if (!may_be_apart()) return false;
    find_series();
    costs_ = TurnCosts(p_, loop_, has_rows_that_recur());
    nothing_.assign(loop_.period, false);
    const double plain = cost(nothing_, false);
    std::optional<std::vector<bool>> best;
    // Sums are taken in the order of the turns in any case.
    const double unchanged = cost_of_sums();
    const double gain = has_rows_that_recur() ? clearer_gain : clear_gain;
    double least = unchanged + gain * (plain - unchanged);
    for (const std::vector<bool>& start : {all(), before_cycles(), nothing_}) {
      std::vector<bool> chosen = start;
      const double found = improved(chosen);
      if (found >= least) continue;
      least = found;
      best = std::move(chosen);
    }
    if (!best) return false;
    set_stages(*best);
    return true;
  }

 private:
  const Program::Step& step(uint32_t k) const { return p_.steps[loop_.first + k]; }
  bool is_computed(uint32_t k) const {
    return loop_.roles[k] == Role::computed || loop_.roles[k] == Role::straight;
  }

  // Whether a step may be made at once: it waits for no turn before.
  bool may_be_at_once(uint32_t k) const {
    const Program::Step& s = step(k);
    if (loop_.roles[k] != Role::computed || cycles_.recurs_at(k)) return false;
    const int64_t elements = element_count(p_.type_of(s.first_out).shape);
    return elements <= most_of_turn && elements * loop_.count <= most_at_once &&
           can_be_at_once(p_, s);
  }

  // Whether what such a step reads are arrays of all turns, or become arrays.
  bool is_made_in_sum(uint32_t k, const std::vector<bool>& chosen) const {
    for (uint32_t a = 0; a < step(k).n_in; ++a) {
      const RolledLoop::Operand& operand = loop_.operand(k, a);
      if (operand.kind == Kind::series && is_loose_[operand.index]) return false;
      const uint32_t from = source_in_body(p_, loop_, k, a);
      if (from == made_outside || !is_computed(from) || chosen[from]) continue;
      if (loop_.is_term[from] && !is_made_in_sum(from, chosen)) return false;
    }
    return true;
  }
  bool is_free(uint32_t k) const { return is_free_[k]; }

  // Where arrays are made turn by turn that are no part of a recurrence, what is left of the loop
  // would be no scan; large products are added up by the scan that makes their factors.
  bool may_be_apart() const {
    return std::ranges::none_of(order_, [this](uint32_t k) {
      const Dims& shape = p_.type_of(step(k).first_out).shape;
      if (loop_.roles[k] == Role::computed && element_count(shape) > most_of_turn) return true;
      if (loop_.is_term[k]) return false;
      return !shape.empty() && !is_free(k) && !cycles_.recurs_at(k);
    });
  }

  bool has_rows_that_recur() const {
    return std::ranges::any_of(order_, [this](uint32_t k) {
      return sums_.summand[k] == none && cycles_.recurs_at(k) && loop_.roles[k] == Role::computed &&
             !p_.type_of(step(k).first_out).shape.empty();
    });
  }

  // Whether what is read from outside lies in few rows, each evenly.
  bool is_run(uint32_t k, uint32_t a) const {
    constexpr uint32_t few = 4;
    uint32_t breaks = 0;
    std::optional<KeyMove> before;
    uint32_t distance = 0;
    for (uint32_t turn = 0; turn + 1 < loop_.count && breaks <= few; ++turn) {
      const ValueId v = p_.in(p_.steps[loop_.step(turn, k)])[a];
      const ValueId next = p_.in(p_.steps[loop_.step(turn + 1, k)])[a];
      if (!are_of_one_array(v, next) || v == next || p_.is_constant(v)) {
        ++breaks;
        continue;
      }
      const uint32_t i = p_.values[v].index, j = p_.values[next].index;
      const bool of_key = reads_by_key(op_by_id(p_.steps[i].op));
      const auto move = of_key ? key_move(p_.attrs_of(p_.steps[i]).integers(index_attrs::code),
                                          p_.attrs_of(p_.steps[j]).integers(index_attrs::code))
                               : std::nullopt;
      breaks += turn > 0 && (of_key ? move != before : j - i != distance);
      before = move;
      distance = j - i;
    }
    return breaks <= few;
  }

  // Whether a step is such a sum, of something that is an array of all turns.
  bool is_sum(uint32_t k, const std::vector<bool>& chosen) const {
    return sums_.of[k] != none &&
           std::ranges::all_of(sums_.chains[sums_.of[k]],
                               [&](uint32_t member) { return adds_array(member, chosen); });
  }
  bool adds_array(uint32_t k, const std::vector<bool>& chosen) const {
    const RolledLoop::Operand& operand = loop_.operand(k, sums_.summand[k]);
    if (operand.kind == Kind::series) return !is_loose_[operand.index];
    const uint32_t from = source_in_body(p_, loop_, k, sums_.summand[k]);
    if (loop_.is_term[from]) return is_made_in_sum(from, chosen);
    return loop_.roles[from] == Role::varying || (is_computed(from) && chosen[from]);
  }

  // Whether a sum makes what it adds.
  bool makes_term(uint32_t k) const {
    if (loop_.operand(k, sums_.summand[k]).kind != Kind::local) return false;
    return loop_.is_term[source_in_body(p_, loop_, k, sums_.summand[k])];
  }

  // Steps behind those that they read, those of a cycle in the order of the body.
  std::vector<uint32_t> in_order() const {
    std::vector<uint32_t> order;
    for (uint32_t k = 0; k < loop_.period; ++k)
      if (is_computed(k)) order.push_back(k);
    std::ranges::stable_sort(order, {}, [this](uint32_t k) { return cycles_.of[k]; });
    return order;
  }

  // The computed step that makes an operand, or made_outside.
  uint32_t source(uint32_t k, uint32_t a) const {
    const uint32_t from = source_in_body(p_, loop_, k, a);
    return from != made_outside && is_computed(from) ? from : made_outside;
  }

  // Series that are no part of an array yet.
  void find_series() {
    for (const RolledLoop::Series& s : loop_.series) {
      const auto at = [&](uint32_t turn) {
        return p_.in(p_.steps[loop_.step(turn, s.step)])[s.operand];
      };
      // The first and last may come from elsewhere, and so may a single one of which algebra has
      // made something simpler (a factor of 1).
      int loose = 0;
      for (uint32_t quarter = 1; quarter <= 3; ++quarter) {
        const uint32_t turn = quarter * (loop_.count / 4);
        loose += !are_of_one_array(at(turn), at(turn + 1)) &&
                 !are_made_by_loop(at(turn), at(turn + 1), at(turn + 2));
      }
      is_loose_.push_back(loose > 1);
    }
  }

  bool are_of_one_array(ValueId v, ValueId next) const {
    if (v == next) return true;
    if (p_.is_constant(v) || p_.is_constant(next)) return p_.is_constant(v) && p_.is_constant(next);
    if (p_.values[v].source != Source::step || p_.values[next].source != Source::step) return false;
    const uint32_t i = p_.values[v].index, j = p_.values[next].index;
    if (at_once_before_[i] && at_once_before_[j]) return true;
    const Program::Step &s = p_.steps[i], &t = p_.steps[j];
    if (s.kernel >= 0 || t.kernel >= 0) return false;
    if (op_by_id(s.op).join == JoinKind::unstack) return i == j;
    if (!reads_by_key(op_by_id(s.op)) || !reads_by_key(op_by_id(t.op))) return false;
    return p_.in(s)[0] == p_.in(t)[0] && key_move(p_.attrs_of(s).integers(index_attrs::code),
                                                  p_.attrs_of(t).integers(index_attrs::code));
  }

  // Arrays that steps of another loop make, one a turn: its scan will stack them.
  bool are_made_by_loop(ValueId first, ValueId second, ValueId third) const {
    if (loop_.count < many_turns_of_arrays || p_.type_of(first).shape.empty()) return false;
    const auto maker = [&](ValueId v) -> const Program::Step* {
      if (p_.values[v].source != Source::step) return nullptr;
      const Program::Step& s = p_.steps[p_.values[v].index];
      return s.kernel < 0 ? &s : nullptr;
    };
    const Program::Step *s = maker(first), *t = maker(second), *u = maker(third);
    if (!s || !t || !u || s->op != t->op || s->attrs != t->attrs || t->op != u->op) return false;
    return s != t && t - s == u - t && first - s->first_out == second - t->first_out;
  }

  std::vector<bool> all() const {
    std::vector<bool> chosen(loop_.period, false);
    for (uint32_t k : order_) chosen[k] = is_free(k);
    return chosen;
  }

  // What depends on no cycle.
  std::vector<bool> before_cycles() const {
    std::vector<bool> chosen(loop_.period, false);
    for (uint32_t k : order_) {
      chosen[k] = is_free(k);
      for (uint32_t a = 0; a < step(k).n_in; ++a)
        if (const uint32_t from = source(k, a); from != made_outside && !chosen[from])
          chosen[k] = false;
    }
    return chosen;
  }

  // Changes the kinds of cheap steps one by one where that is better.
  double improved(std::vector<bool>& chosen) const {
    double least = cost(chosen);
    if (order_.size() > most_searched) return least;
    const auto try_each = [&](auto&& steps) {
      for (uint32_t k : steps) {
        if (!is_free(k)) continue;
        chosen[k] = !chosen[k];
        const double found = cost(chosen);
        if (found < least) {
          least = found;
        } else {
          chosen[k] = !chosen[k];
        }
      }
    };
    try_each(order_);
    try_each(std::vector<uint32_t>(order_.rbegin(), order_.rend()));
    return least;
  }

  std::vector<uint32_t> levels(const std::vector<bool>& chosen) const {
    std::vector<uint32_t> of_component(cycles_.recurs.size(), 0);
    for (uint32_t k : order_) {
      uint32_t& level = of_component[cycles_.of[k]];
      for (uint32_t a = 0; a < step(k).n_in; ++a) {
        const uint32_t from = source(k, a);
        if (from == made_outside) continue;
        // In a stage what is made at once stands behind what is not, and sums stand last.
        const bool is_last = is_sum(k, chosen) || loop_.is_term[k];
        const uint32_t behind = chosen[from] && !chosen[k] && !is_last ? 1 : 0;
        level = std::max(level, of_component[cycles_.of[from]] + behind);
      }
    }
    std::vector<uint32_t> found(loop_.period, 0);
    for (uint32_t k : order_) found[k] = of_component[cycles_.of[k]];
    return found;
  }

  // In ns, of all turns.
  double cost(const std::vector<bool>& chosen, bool may_sum = true) const {
    double each = 0, once = 0;
    const std::vector<uint32_t> level = levels(chosen);
    std::vector<bool> crosses(loop_.period, false), is_stacked(loop_.series.size(), false);
    for (uint32_t k : order_) {
      const bool sums = may_sum && is_sum(k, chosen);
      // A term that is made turn by turn would leave no scan.
      if (may_sum && loop_.is_term[k] && !is_made_in_sum(k, chosen))
        return std::numeric_limits<double>::infinity();
      if (is_free(k)) {
        each += chosen[k] ? costs_.at_once(k) : costs_.straight(k, level[k] > 0);
        if (chosen[k]) once += costs_.fixed(k);
      } else if (sums_.summand[k] != none) {
        each += !sums           ? costs_.straight(k, level[k] > 0)
                : makes_term(k) ? costs_.sum_of_products(k)
                                : costs_.sum(k);
        if (!sums && is_sum(k, nothing_)) each += costs_.crossing(k, true);
      }
      if (loop_.is_term[k] && !may_sum) each += costs_.straight(k, false);
      for (uint32_t a = 0; a < step(k).n_in; ++a) {
        const RolledLoop::Operand& operand = loop_.operand(k, a);
        if (operand.kind == Kind::series && chosen[k] && is_loose_[operand.index])
          is_stacked[operand.index] = true;
        const uint32_t from = source(k, a);
        if (from == made_outside) continue;
        const bool joins = may_sum && loop_.is_term[k] && !chosen[from] && !loop_.is_term[from];
        if (joins || (chosen[from] != chosen[k] && !sums)) crosses[from] = true;
      }
    }
    for (size_t n = 0; n < is_stacked.size(); ++n)
      if (is_stacked[n]) each += costs_.joining(loop_.series[n]);
    for (uint32_t k : order_)
      if (crosses[k]) each += costs_.crossing(k, chosen[k]);
    double stages = 0;
    for (uint32_t k : order_)
      if (chosen[k] || (may_sum && is_sum(k, chosen))) stages = std::max(stages, 1.0 + level[k]);
    return each * loop_.count + once + 2 * costs::step * stages;
  }

  // Of numbers, turn by turn.
  double cost_of_sums() const {
    double each = 0;
    for (uint32_t k : order_)
      if (sums_.summand[k] != none && p_.type_of(step(k).first_out).shape.empty())
        each += costs_.straight(k, false);
    return each * loop_.count;
  }

  void set_stages(const std::vector<bool>& chosen) {
    const std::vector<uint32_t> level = levels(chosen);
    for (uint32_t k : order_) {
      if (level[k] >= loop_.stages.size()) loop_.stages.resize(level[k] + 1);
      RolledLoop::Stage& stage = loop_.stages[level[k]];
      if (is_sum(k, chosen)) {
        const std::vector<uint32_t>& chain = sums_.chains[sums_.of[k]];
        if (k == chain.back()) stage.sums.push_back(k);
        if (k == chain.back() && chain.size() > 1) loop_.chains.push_back(chain);
        continue;
      }
      if (loop_.is_term[k]) continue;
      (chosen[k] ? stage.at_once : stage.straight).push_back(k);
      if (!chosen[k]) loop_.roles[k] = Role::straight;
    }
    for (RolledLoop::Stage& stage : loop_.stages) {
      std::ranges::sort(stage.straight);
      std::ranges::stable_sort(stage.sums, {},
                               [this](uint32_t k) { return p_.values[step(k).first_out].type; });
    }
  }

  const Program& p_;
  RolledLoop& loop_;
  const std::vector<bool>& at_once_before_;
  LoopCycles cycles_;
  std::vector<uint32_t> order_;  // of the computed steps
  std::vector<bool> is_free_;    // by step: whether it may be made at once
  SumChains sums_;
  std::vector<bool> is_loose_;  // by series
  std::vector<bool> nothing_;   // no step is made at once
  TurnCosts costs_;
};

}  // namespace

std::vector<RolledLoop> loops_to_distribute(const Program& p) {
  std::vector<RolledLoop> chosen;
  std::vector<bool> at_once(p.steps.size(), false);
  for (RolledLoop& loop : find_loops(p, least_turns, LoopKind::distributed)) {
    if (!Distribution(p, loop, at_once).run()) continue;
    for (const RolledLoop::Stage& stage : loop.stages)
      for (const std::vector<uint32_t>* steps : {&stage.at_once, &stage.sums})
        for (uint32_t k : *steps)
          for (uint32_t turn = 0; turn < loop.count; ++turn) at_once[loop.step(turn, k)] = true;
    chosen.push_back(std::move(loop));
  }
  return chosen;
}

}  // namespace tapegrad
