// Passes: functions from program to program. Each can be switched off. What a program computes
// stays the same to the bit, except that
//   batch and expand_small add short sums in the order of their elements,
//   tiles adds sums over the cut axis tile by tile,
//   reorder allows algebra that changes rounding.
// The order that each of them takes depends on shapes alone, not on the number of threads.
#pragma once

#include "tapegrad/program/program.h"

namespace tapegrad {

struct PassOptions {
  bool roll = true;      // stretches of steps that repeat become scans
  bool parts = true;     // parts of arrays are read where they were written
  bool fold = true;      // steps whose inputs are constants
  bool shared = true;    // equal steps become one
  bool dead = true;      // steps that nothing needs
  bool algebra = true;   // identities that keep IEEE results
  bool views = true;     // reshapes, transposes and broadcasts that do nothing or merge
  bool batch = true;     // short axes beside a long one become scalars; short sums in another order
  bool expand = true;    // small arrays become scalars where that is faster, to the bit
  bool tiles = true;     // large arrays are worked on in blocks of an axis; sums over it by blocks
  bool fuse = true;      // elementwise steps with their broadcasts and sums become kernels
  bool reorder = false;  // algebra that changes rounding
  // Passes may make guards (Program::Guard::of_pass): whoever runs the program has another.
  bool may_require = false;
};

// The first turn of loops is made like the others, for the next two.
Program align_turns(Program p);
Program roll_loops(Program p);
// Loops over numbers taken apart into what recurs and what all turns can be made of at once.
Program distribute_loops(Program p);
Program fold_constants(const Program& p);
Program share_common(const Program& p);
Program drop_dead(const Program& p);
// Calls and scans lose the outputs that nothing reads, and the inputs that only those needed.
Program trim_bodies(Program p);
// A scan whose steps another one takes too, as its tangents do, becomes a part of that.
Program merge_scans(Program p);
Program simplify(const Program& p);
// What a loop reads at one recorded number after the other is read at once, for roll_loops.
Program join_lookups(Program p);
// The same for x[t, k] at one row t after the other.
Program join_row_lookups(Program p);
// The same for windows x[t:t+w].
Program join_windows(Program p);
// Arrays that are written element by element, and read after that, are made by one step.
Program join_writes(Program p);
// Arrays that are joined of pieces and taken apart again are computed piece by piece.
Program keep_in_pieces(Program p);
// What is added to the same few parts of an array again and again is added up part by part; `all`:
// and what is added once to each of the parts that zeros are made of is joined.
enum class PartsTaken : uint8_t { repeated, all };
Program add_up_parts(Program p, PartsTaken taken);
// f(x[i]) as f(x)[i] where x is not longer than x[i]; for programs that are run, not swept.
Program compute_before_gathers(Program p);
// Outputs that are transposes of long gathers as gathers from what was transposed.
Program transpose_before_gathers(Program p);
Program batch(Program p, bool may_require = false);
// What kernels over a batch alone read of another becomes one array.
Program pack_results(Program p);
// Kernels over a batch write what is joined after them where it lies in the result.
Program write_into_joins(Program p);
Program expand(Program p, bool may_require = false);
// `always`: wherever two tiles are to be had, for tests; else where it saves time.
Program tile(Program p, bool always = false);
Program fuse(const Program& p);
// Arrays of at most `most_elements` taken apart into scalars; p itself where that would make more
// than `most_scalars`. Sums are added in the order of their elements.
Program expand_small(const Program& p, int64_t most_elements = 64, size_t most_scalars = 20000);
// Long programs over very short arrays, vectors of two in a loop above all, as
// programs over numbers, to the bit.
Program expand_tiny(Program p);
Program optimise(const Program& recorded, const PassOptions& options);

}  // namespace tapegrad
