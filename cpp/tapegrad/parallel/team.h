// What parallel.cpp needs from a threading library; team_openmp.cpp or team_std.cpp is built, never
// both.
#pragma once

#include "tapegrad/parallel/parallel.h"

namespace tapegrad::parallel_detail {

int default_threads();
bool in_foreign_region();  // inside a region that somebody else's code opened

// Calls work(member) once for each member in [0, members), as far as possible at the same time, and
// returns when all have returned. work does not throw.
void run_team(int members, FunctionRef<int> work);

}  // namespace tapegrad::parallel_detail
