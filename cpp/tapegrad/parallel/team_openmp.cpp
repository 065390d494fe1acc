#include <omp.h>

#include "tapegrad/parallel/team.h"

namespace tapegrad::parallel_detail {

int default_threads() { return omp_get_max_threads(); }

bool in_foreign_region() { return omp_in_parallel(); }

void run_team(int members, FunctionRef<int> work) {
#pragma omp parallel num_threads(members)
  {
    // The team may be smaller than asked for (OMP_THREAD_LIMIT, omp_set_dynamic).
    const int size = omp_get_num_threads();
    for (int member = omp_get_thread_num(); member < members; member += size) work(member);
  }
}

}  // namespace tapegrad::parallel_detail
