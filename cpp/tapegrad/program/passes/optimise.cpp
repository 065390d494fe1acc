#include <optional>

#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/tiles/run_cost.h"

namespace tapegrad {
namespace {

constexpr int most_levels = 4;

// Loops in loops: what is left of the inner ones repeats, and is cleaned before it is looked at.
Program roll_nests(Program p, const PassOptions& options) {
  for (int level = 0; level < most_levels; ++level) {
    if (level > 0)
      p = join_row_lookups(join_lookups(drop_dead(rewrite_locally(std::move(p), options))));
    const size_t steps = p.steps.size();
    p = roll_loops(p);
    if (p.steps.size() == steps || !options.dead) break;
  }
  return p;
}

// The passes after roll_nests(), until lanes are found.
Program with_lanes(Program p, const PassOptions& options) {
  p = rewrite_locally(std::move(p), options);
  if (options.dead) p = trim_bodies(p);
  if (options.parts && options.dead) p = join_writes(add_up_parts(drop_dead(p), PartsTaken::all));
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

// Programs of so many steps are tried without loops too: where batch() finds lanes in them, or
// expand() scalars, they may be faster. Costs are rough, so a clear gain is asked for.
constexpr size_t most_steps = 4000;
constexpr double clear_gain = 0.7;

// What costs less than `most` ns a run of the program that roll_nests() got, or nothing.
std::optional<Program> without_loops(Program p, const PassOptions& options, double most) {
  p = with_lanes(std::move(p), options);
  if (least_cost(p) > most) return std::nullopt;
  p = finished(std::move(p), options);
  return run_cost(p) < most ? std::optional(std::move(p)) : std::nullopt;
}

Program without_tiny_arrays(Program p, const PassOptions& options) {
  Program found = expand_tiny(p);
  if (found.steps.size() == p.steps.size()) return p;
  return join_writes(drop_dead(rewrite_locally(std::move(found), options)));
}

}  // namespace

Program optimise(Program p, const PassOptions& options) {
  p = rewrite_locally(std::move(p), options);
  const bool has_parts = options.parts && options.dead;
  if (has_parts) p = join_writes(drop_dead(p));
  if (options.expand && options.fuse && has_parts) p = without_tiny_arrays(std::move(p), options);
  if (options.roll) p = distribute_loops(join_row_lookups(join_lookups(p)));
  if (has_parts) p = add_up_parts(keep_in_pieces(std::move(p)), PartsTaken::repeated);
  if (!options.roll) return finished(with_lanes(std::move(p), options), options);
  Program rolled = roll_nests(p, options);
  const bool has_loops = rolled.steps.size() != p.steps.size();
  rolled = finished(with_lanes(std::move(rolled), options), options);
  if (!has_loops || p.steps.size() > most_steps) return rolled;
  auto straight = without_loops(std::move(p), options, clear_gain * run_cost(rolled));
  return straight ? std::move(*straight) : std::move(rolled);
}

}  // namespace tapegrad
