#include <algorithm>
#include <optional>

#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/tiles/run_cost.h"

namespace tapegrad {
namespace {

constexpr int most_levels = 4;
// Programs of so many steps are tried without loops too: where batch() finds lanes in them, or
// expand() scalars, they may be faster. Costs are rough, so a clear gain is asked for.
constexpr size_t most_steps = 4000;
constexpr double clear_gain = 0.7;

// What the passes before roll_nests() gave.
struct Start {
  Program program;
  bool is_local = false;  // rewrite_locally() made it, and nothing but dead steps went since
  // The same with every turn of loops by itself, where it is short and loops were distributed.
  std::optional<Program> whole_turns{};
};

// What loops look up turn by turn, looked up at once.
Program with_joined_lookups(Program p) {
  return join_windows(join_row_lookups(join_lookups(std::move(p))));
}

Program without_tiny_arrays(Program p, const PassOptions& options) {
  const size_t steps = p.steps.size();
  p = expand_tiny(std::move(p));
  if (p.steps.size() == steps) return p;
  return join_writes(drop_dead(rewrite_locally(std::move(p), options)));
}

Start started(const Program& recorded, const PassOptions& options) {
  Start start{rewrite_locally(recorded, options), true};
  const bool has_parts = options.parts && options.dead;
  Program p = has_parts ? drop_dead(start.program) : std::move(start.program);
  start.program = Program();  // the largest of all goes at once
  const auto* const steps = p.steps.data();
  if (has_parts) p = join_writes(std::move(p));
  if (has_parts && options.expand && options.fuse) p = without_tiny_arrays(std::move(p), options);
  std::optional<Program> whole;
  const auto distribute = [&] {
    if (p.steps.size() <= most_steps) whole = p;
    const auto* const before = p.steps.data();
    p = distribute_loops(std::move(p));
    if (p.steps.data() == before) return whole.reset();
    if (!start.whole_turns) start.whole_turns = std::move(whole);
  };
  if (options.roll) {
    p = align_turns(with_joined_lookups(std::move(p)));
    distribute();
  }
  if (has_parts) {
    const auto* const before = p.steps.data();
    p = add_up_parts(keep_in_pieces(std::move(p)), PartsTaken::repeated);
    // What was added to parts of an array may be sums now.
    if (options.roll && p.steps.data() != before) distribute();
  }
  if (has_parts && start.whole_turns)
    start.whole_turns =
        add_up_parts(keep_in_pieces(std::move(*start.whole_turns)), PartsTaken::repeated);
  start.is_local = p.steps.data() == steps;  // these give back what they have nothing to do with
  start.program = std::move(p);
  return start;
}

// Whether a second walk is worth its time: over so many numbers the first one has found what there
// is to find.
bool is_to_be_rewritten(const Program& p, bool is_local) {
  const auto makes_array = [&](const Program::Step& s) {
    return s.kernel >= 0 || s.n_out != 1 || !p.type_of(s.first_out).shape.empty();
  };
  return !is_local || p.steps.size() <= most_steps ||
         std::ranges::count_if(p.steps, makes_array) > std::ssize(p.steps) / 1000;
}

// Loops in loops: what is left of the inner ones repeats, and is cleaned before it is looked at.
Program roll_nests(Program p, const PassOptions& options) {
  for (int level = 0; level < most_levels; ++level) {
    if (level > 0) p = with_joined_lookups(drop_dead(rewrite_locally(std::move(p), options)));
    const size_t steps = p.steps.size();
    p = roll_loops(std::move(p));
    if (p.steps.size() == steps || !options.dead) break;
  }
  return p;
}

// The passes after roll_nests(), until lanes are found.
Program with_lanes(Program p, const PassOptions& options, bool is_local) {
  const auto* const steps = p.steps.data();
  if (is_to_be_rewritten(p, is_local)) p = rewrite_locally(std::move(p), options);
  if (options.dead) p = merge_scans(trim_bodies(std::move(p)));
  if (options.parts && options.dead) {
    if (p.steps.data() != steps) p = drop_dead(p);
    p = join_writes(add_up_parts(std::move(p), PartsTaken::all));
  }
  if (options.fuse) p = transpose_before_gathers(compute_before_gathers(std::move(p)));
  if (options.batch && options.fuse && options.dead) p = batch(std::move(p), options.may_require);
  return p;
}

Program finished(Program p, const PassOptions& options) {
  if (options.expand && options.fuse && options.dead) p = expand(std::move(p), options.may_require);
  if (options.tiles && options.fuse && options.dead) p = tile(std::move(p));
  if (options.fuse) p = fuse(p);
  if (options.dead) p = drop_dead(p);
  if (options.fuse && options.dead) p = pack_results(std::move(p));
  if (options.batch && options.fuse && options.dead) p = write_into_joins(std::move(p));
  return p;
}

// What costs less than `most` ns a run of the program that roll_nests() got, or nothing.
std::optional<Program> without_loops(Program p, const PassOptions& options, double most) {
  p = with_lanes(std::move(p), options, false);
  if (least_cost(p) > most) return std::nullopt;
  p = finished(std::move(p), options);
  return run_cost(p) < most ? std::optional(std::move(p)) : std::nullopt;
}

}  // namespace

Program optimise(const Program& recorded, const PassOptions& options) {
  Start start = started(recorded, options);
  Program p = std::move(start.program);
  if (!options.roll) return finished(with_lanes(std::move(p), options, start.is_local), options);
  const size_t steps = p.steps.size();
  std::optional<Program> unrolled;
  const bool is_distributed = start.whole_turns.has_value();
  if (is_distributed) {
    unrolled = std::move(start.whole_turns);
  } else if (steps <= most_steps) {
    unrolled = p;
  }
  Program rolled = roll_nests(std::move(p), options);
  const bool has_loops = rolled.steps.size() != steps;
  rolled = finished(with_lanes(std::move(rolled), options, start.is_local && !has_loops), options);
  if (!(has_loops || is_distributed) || !unrolled) return rolled;
  auto straight = without_loops(std::move(*unrolled), options, clear_gain * run_cost(rolled));
  return straight ? std::move(*straight) : std::move(rolled);
}

}  // namespace tapegrad
