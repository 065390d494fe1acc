#include <algorithm>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/roll_cycles.h"
#include "tapegrad/program/passes/roll/roll_find.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/scan/scan_products.h"

// Which of the loops that were found are faster as scans than step by step.

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;

constexpr uint32_t least_turns = 8;
constexpr uint32_t least_steps = 256;  // of all turns together
constexpr uint32_t many_turns = 64;    // of a loop of small arrays
constexpr uint32_t many_steps = 4096;
constexpr uint32_t some_turns = 12;                 // of another
constexpr uint64_t many_numbers = 250'000;          // steps of numbers alone, in all loops
constexpr int64_t most_elements = most_ungathered;  // of an array in a loop that is no kernel
constexpr int64_t small_array = 64;     // which expand() takes apart, in programs of so many
constexpr int64_t few_scalars = 20000;  // scalars

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

// What a turn computes.
struct TurnWork {
  bool is_short = true;  // one kernel may do it
  bool has_loops = false;
  uint64_t steps = 0;          // those of loops each time
  bool writes_across = false;  // along another axis than the first
  int64_t largest = 0, scalars = 0;
  Dims space;

  bool is_of_numbers() const { return is_short && space.empty(); }
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

TurnWork work_of(const Program& p, const RolledLoop& loop) {
  TurnWork work;
  for (uint32_t k = 0; k < loop.period; ++k) {
    if (loop.roles[k] == Role::scatter) {
      work.writes_across |= !moves_along_first_axis(p, loop, k);
    }
    if (loop.roles[k] != Role::computed) continue;
    const Program::Step& s = p.steps[loop.step(0, k)];
    const Op& op = op_by_id(s.op);
    if (s.op == scan_op().id) {
      const ScanForm inner(p.attrs_of(s));
      work.has_loops = true;
      work.steps += inner.body->program().steps.size() * static_cast<uint64_t>(inner.length);
    }
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

uint64_t steps_of(const RolledLoop& loop) { return uint64_t{loop.period} * loop.count; }

// `are_many`: the numbers in loops over numbers alone. One long scalar tape is as fast as a short
// one again and again, until it outgrows the caches; but it takes longer to make.
bool is_worth_rolling(const Program& p, const RolledLoop& loop, const TurnWork& work,
                      bool are_many) {
  if (work.has_loops) return (loop.period + work.steps) * loop.count >= least_steps;
  if (steps_of(loop) < least_steps) return false;
  if (work.is_of_numbers()) return are_many;
  if (work.is_short && work.largest <= most_loop_lanes) return true;
  if (work.largest > most_elements) return false;
  const bool is_long = loop.count >= many_turns;
  if (!recurs(p, loop)) return is_long && steps_of(loop) >= many_steps;
  if (work.largest <= small_array && work.scalars * loop.count <= few_scalars) return is_long;
  // Short loops over positions of an axis that is not the first are often lanes of batch().
  return work.writes_across ? is_long : loop.count >= some_turns;
}

}  // namespace

std::vector<RolledLoop> loops_to_roll(const Program& p) {
  std::vector<RolledLoop> loops = find_loops(p, least_turns), chosen;
  std::vector<TurnWork> work;
  uint64_t numbers = 0;
  for (const RolledLoop& loop : loops) {
    work.push_back(work_of(p, loop));
    if (work.back().is_of_numbers()) numbers += steps_of(loop);
  }
  const bool are_many = numbers >= many_numbers;
  for (size_t i = 0; i < loops.size(); ++i)
    if (is_worth_rolling(p, loops[i], work[i], are_many)) chosen.push_back(std::move(loops[i]));
  return chosen;
}

}  // namespace tapegrad
