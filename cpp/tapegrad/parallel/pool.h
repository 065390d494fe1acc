#pragma once

#include "tapegrad/parallel/parallel.h"

namespace tapegrad::parallel_detail {

// Does what run_team (team.h) does, on a pool of std::threads that sleep between regions. Nobody
// waits for a worker that has not begun: the caller takes over the members that are left, and a
// region ends even if no worker ever comes to help.
void run_pool(int members, FunctionRef<int> work);

}  // namespace tapegrad::parallel_detail
