#include <algorithm>
#include <thread>

#include "tapegrad/parallel/pool.h"
#include "tapegrad/parallel/team.h"

namespace tapegrad::parallel_detail {

int default_threads() {
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, max_threads);
}

bool in_foreign_region() { return false; }

void run_team(int members, FunctionRef<int> work) { run_pool(members, work); }

}  // namespace tapegrad::parallel_detail
