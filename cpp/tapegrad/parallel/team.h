// parallel.cpp needs this from a threading library; team_openmp.cpp or team_std.cpp is built, never
// both. Where threads lack cores (crowding.h) the pool (pool.h) takes the place of the team.
#pragma once

#include "tapegrad/parallel/parallel.h"

namespace tapegrad::parallel_detail {

int default_threads();
bool in_foreign_region();  // inside a region that somebody else's code opened

// Calls work(member) once for each member in [0, members), as far as possible at the same time, and
// returns when all have returned. The caller runs member 0. work does not throw.
void run_team(int members, FunctionRef<int> work);

int64_t parallel_regions_in_pool();  // regions that the pool ran in the team's place

}  // namespace tapegrad::parallel_detail
