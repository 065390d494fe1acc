#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {

namespace {

constexpr int most_levels = 4;

// Loops in loops: what is left of the inner ones repeats, and is cleaned before it is looked at.
Program roll_nests(Program p, const PassOptions& options) {
  for (int level = 0; level < most_levels; ++level) {
    if (level > 0) p = drop_dead(rewrite_locally(std::move(p), options));
    const size_t steps = p.steps.size();
    p = roll_loops(join_lookups(p));
    if (p.steps.size() == steps || !options.dead) break;
  }
  return p;
}

}  // namespace

Program optimise(Program p, const PassOptions& options) {
  p = rewrite_locally(std::move(p), options);
  if (options.parts && options.dead) p = add_up_parts(keep_in_pieces(join_writes(drop_dead(p))));
  if (options.roll) p = roll_nests(std::move(p), options);
  p = rewrite_locally(std::move(p), options);
  if (options.dead) p = trim_bodies(p);
  if (options.parts && options.dead) p = join_writes(drop_dead(p));
  if (options.fuse) p = transpose_before_gathers(compute_before_gathers(std::move(p)));
  if (options.batch && options.fuse && options.dead) p = batch(std::move(p), options.may_require);
  if (options.expand && options.fuse && options.dead) p = expand(std::move(p), options.may_require);
  if (options.tiles && options.fuse && options.dead) p = tile(std::move(p));
  if (options.fuse) p = fuse(p);
  if (options.dead) p = drop_dead(p);
  if (options.batch && options.fuse && options.dead) p = write_into_joins(std::move(p));
  return p;
}

}  // namespace tapegrad
