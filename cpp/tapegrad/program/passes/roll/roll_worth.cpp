#include <algorithm>
#include <optional>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"
#include "tapegrad/program/passes/roll/find/roll_keys.h"
#include "tapegrad/program/passes/roll/roll_cycles.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/scan/scan_products.h"

// Which of the loops that were found are faster as scans than step by step.

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;

constexpr uint32_t least_turns = 8;
constexpr uint32_t many_steps = 4096;
constexpr uint32_t some_turns = 12;         // of a loop over other arrays
constexpr uint64_t many_numbers = 250'000;  // steps of numbers alone, in all loops
// The same in loops of so many turns, of which a scan takes each without a look at the others.
constexpr uint64_t many_in_long_loops = 75'000;
constexpr uint32_t long_loop = 1000;
// A loop over numbers with long turns, and more of them, is faster than a tape of so many steps.
constexpr uint64_t many_in_one_loop = 16'000, some_beside_it = 2'000;
constexpr uint32_t long_turn = 16;
constexpr int64_t most_elements = most_ungathered;  // of an array in a loop that is no kernel
constexpr int64_t small_array = 64;      // which expand() takes apart, in programs of so many
constexpr int64_t few_scalars = 64'000;  // scalars

// Whether a turn does more with what the turn before made than to add to it: turns that only add
// up could also be made all at once.
bool recurs(const Program& p, const RolledLoop& loop) {
  const LoopCycles cycles = cycles_of(p, loop);
  for (uint32_t k = 0; k < loop.period; ++k) {
    const Program::Step& s = p.steps[loop.step(0, k)];
    if (loop.roles[k] != Role::computed || s.op == op_of_fn<Add>()) continue;
    if (cycles.recurs_at(k)) return true;
    for (uint32_t a = 0; a < s.n_in; ++a)
      if (loop.operand(k, a).kind == RolledLoop::Kind::carry) return true;
  }
  return false;
}

// By step of the body: whether it makes or adds up the terms of a sum of products over the turns,
// which the scan does apart (scan_products.h). Nothing else may read what these steps make.
Flags gathered_steps(const Program& p, const RolledLoop& loop, const std::vector<uint32_t>& reads) {
  Flags is_sum(loop.period, 0), is_term(loop.period, 0), gathered(loop.period, 0);
  std::vector<uint32_t> readers(loop.period, 0);
  for (uint32_t k = 0; k < loop.period; ++k) {
    const Program::Step& s = p.steps[loop.step(0, k)];
    if (loop.roles[k] != Role::computed || s.kernel >= 0) continue;
    is_sum[k] = s.op == op_of_fn<Add>() && may_be_gathered(p.type_of(s.first_out));
    is_term[k] = is_gathered_term(p, s);
  }
  // The step that makes an operand, in this turn or the one before.
  const auto maker = [&](uint32_t k, uint32_t a) -> std::optional<uint32_t> {
    const RolledLoop::Operand& o = loop.operand(k, a);
    if (o.kind == RolledLoop::Kind::local)
      return p.values[p.in(p.steps[loop.step(0, k)])[a]].index - loop.first;
    if (o.kind == RolledLoop::Kind::carry && loop.carries[o.index].age == 1)
      return loop.carries[o.index].step;
    return {};
  };
  // A sum of which a part is something else is none; then those that read it aren't, either.
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t k = 0; k < loop.period; ++k) {
      if (!is_sum[k]) continue;
      for (uint32_t a = 0; a < 2 && is_sum[k]; ++a) {
        const std::optional<uint32_t> part = maker(k, a);
        if (!part || !(is_sum[*part] || is_term[*part])) is_sum[k] = 0, changed = true;
      }
    }
  }
  for (uint32_t k = 0; k < loop.period; ++k) {
    if (!is_sum[k]) continue;
    for (uint32_t a = 0; a < 2; ++a)
      if (const std::optional<uint32_t> part = maker(k, a)) ++readers[*part];
  }
  for (uint32_t k = 0; k < loop.period; ++k) {
    const ValueId made = p.steps[loop.step(0, k)].first_out;
    gathered[k] = (is_sum[k] || is_term[k]) && readers[k] == 1 && reads[made] == 1;
  }
  return gathered;
}

// What a turn computes.
struct TurnWork {
  bool is_short = true;  // one kernel may do it
  bool has_loops = false;
  uint64_t steps = 0;          // those of loops each time
  uint64_t lookups = 0;        // that stand before the loop
  bool writes_across = false;  // along another axis than the first
  bool has_products = false;   // that expand() leaves as they are
  int64_t largest = 0, scalars = 0;
  Dims space;

  bool is_of_numbers() const { return is_short && space.empty(); }
  bool is_of_small_arrays() const { return largest <= small_array; }
};

// Of a write: a key holds for the last axes of the array.
bool moves_along_first_axis(const Program& p, const RolledLoop& loop, uint32_t k) {
  const auto code_of = [&](uint32_t turn) {
    return p.attrs[p.steps[loop.step(turn, k)].attrs].integers(index_attrs::code);
  };
  const std::vector<int64_t> now = code_of(0), next = code_of(1);
  const Dims& shape = p.type_of(p.in(p.steps[loop.step(0, k)])[0]).shape;
  return IndexItems(now).source_axes() == shape.ndim() && now.size() == next.size() &&
         now[1] != next[1] && std::equal(now.begin() + 2, now.end(), next.begin() + 2);
}

// Whether expand() takes a product apart.
bool is_taken_apart(const Program& p, const Program::Step& s) {
  const Dims &a = p.type_of(p.in(s)[0]).shape, &b = p.type_of(p.in(s)[1]).shape;
  if (a.size() > 2 || b.size() > 2) return false;
  const int64_t rows = a.size() == 2 ? a[0] : 1, columns = b.size() == 2 ? b[1] : 1;
  return adds_in_order(1, static_cast<size_t>(rows), static_cast<size_t>(columns),
                       static_cast<size_t>(a.back()));
}

TurnWork work_of(const Program& p, const RolledLoop& loop, const std::vector<uint32_t>& reads) {
  TurnWork work;
  const Flags gathered = gathered_steps(p, loop, reads);
  for (const RolledLoop::Series& s : loop.series) {
    const ValueId v = p.in(p.steps[loop.step(loop.count / 2, s.step)])[s.operand];
    if (p.values[v].source != Source::step) continue;
    const Program::Step& made_by = p.steps[p.values[v].index];
    work.lookups += made_by.kernel < 0 && reads_by_key(op_by_id(made_by.op));
  }
  for (uint32_t k = 0; k < loop.period; ++k) {
    if (loop.roles[k] == Role::scatter) {
      work.writes_across |= !loop.is_anywhere[k] && !moves_along_first_axis(p, loop, k);
    }
    if (loop.roles[k] != Role::computed) continue;
    const Program::Step& s = p.steps[loop.step(0, k)];
    const Op& op = op_by_id(s.op);
    if (s.op == scan_op().id) {
      const ScanForm inner(p.attrs_of(s));
      work.has_loops = true;
      work.steps += inner.body->program().steps.size() * static_cast<uint64_t>(inner.length);
    }
    if (gathered[k]) {
      work.is_short = false;
      continue;
    }
    work.has_products |= op.product == ProductKind::matrices && !is_taken_apart(p, s);
    work.is_short &= op.scalar_fn >= 0 || op.view == ViewKind::broadcast || op.adds_up() ||
                     op.reduces == ReductionKind::mean;
    for (uint32_t j = 0; j < s.n_out; ++j) {
      const Dims& shape = p.type_of(s.first_out + j).shape;
      work.largest = std::max(work.largest, element_count(shape));
      work.scalars += element_count(shape);
      if (shape.empty()) continue;
      if (work.space.empty()) work.space = shape;
      work.is_short &= shape == work.space;
    }
  }
  return work;
}

uint64_t steps_of(const RolledLoop& loop, const TurnWork& work) {
  return (loop.period + work.lookups) * loop.count;
}

// What all loops of a kind have together: passes behind this one look at the whole program.
struct AllLoops {
  uint64_t numbers = 0;         // steps in loops over numbers alone
  uint64_t in_long_loops = 0;   // those in loops of many turns
  bool has_long_turns = false;  // one of them, of turns that go on from one another
  int64_t scalars = 0;          // in loops over small arrays

  // One long scalar tape is as fast as a short one again and again, until it outgrows the caches;
  // but it takes longer to make.
  bool are_many_numbers(uint64_t in_loop, uint32_t turns) const {
    return numbers >= many_numbers || (has_long_turns && in_loop >= some_beside_it) ||
           (turns >= long_loop && in_long_loops >= many_in_long_loops);
  }
  bool may_be_expanded() const { return scalars <= few_scalars; }
};

bool is_worth_rolling(const Program& p, const RolledLoop& loop, const TurnWork& work,
                      const AllLoops& all) {
  if (work.has_loops) return (loop.period + work.steps) * loop.count >= least_steps_of_loop;
  if (steps_of(loop, work) < least_steps_of_loop) return false;
  if (work.is_of_numbers()) return all.are_many_numbers(steps_of(loop, work), loop.count);
  if (work.is_short && work.largest <= most_loop_lanes) return true;
  if (work.largest > most_elements) return false;
  const bool is_long = loop.count >= many_turns_of_arrays;
  if (!recurs(p, loop)) return is_long && steps_of(loop, work) >= many_steps;
  if (work.is_of_small_arrays() && !work.has_products && all.may_be_expanded()) return is_long;
  // Short loops over positions of an axis that is not the first are often lanes of batch().
  return work.writes_across ? is_long : loop.count >= some_turns;
}

// A loop that does nothing but write down, one by one, what a rolled loop made (but for its first
// and last turns).
bool writes_what_is_rolled(const Program& p, const RolledLoop& loop, const Flags& rolled) {
  if (!loop.only_writes()) return false;
  for (const RolledLoop::Series& s : loop.series) {
    const ValueId v = p.in(p.steps[loop.step(loop.count / 2, s.step)])[s.operand];
    if (p.values[v].source != Source::step || !rolled[p.values[v].index]) return false;
  }
  return true;
}

}  // namespace

std::vector<RolledLoop> loops_to_roll(const Program& p) {
  std::vector<RolledLoop> loops = find_loops(p, least_turns), chosen;
  std::vector<TurnWork> work;
  AllLoops all;
  std::vector<uint32_t> reads(p.values.size(), 0);
  for (ValueId v : p.operands) ++reads[v];
  for (ValueId v : p.outputs) ++reads[v];
  for (const RolledLoop& loop : loops) {
    work.push_back(work_of(p, loop, reads));
    const uint64_t steps = steps_of(loop, work.back());
    if (work.back().is_of_numbers()) {
      all.numbers += steps;
      if (loop.count >= long_loop) all.in_long_loops += steps;
      const bool is_long = loop.period >= long_turn && loop.period <= loop.count;
      if (is_long && steps >= many_in_one_loop && recurs(p, loop)) all.has_long_turns = true;
    } else if (work.back().is_of_small_arrays()) {
      all.scalars += work.back().scalars * loop.count;
    }
  }
  Flags rolled(p.steps.size(), 0);  // by step
  Flags is_chosen(loops.size(), 0);
  for (size_t i = 0; i < loops.size(); ++i) {
    is_chosen[i] = is_worth_rolling(p, loops[i], work[i], all);
    if (is_chosen[i])
      std::fill(rolled.begin() + loops[i].first, rolled.begin() + loops[i].end(), 1);
  }
  for (size_t i = 0; i < loops.size(); ++i)
    if (is_chosen[i] || writes_what_is_rolled(p, loops[i], rolled))
      chosen.push_back(std::move(loops[i]));
  return chosen;
}

}  // namespace tapegrad
