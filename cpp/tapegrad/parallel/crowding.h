#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace tapegrad::parallel_detail {

// Tells whether threads lack cores at the moment. OpenMP's caller waits, spinning, until every
// thread has come and gone, also one that found no work left; where other programs hold the cores
// that takes as long as the system lets them run, some milliseconds. A region whose caller waited
// long beside its own work says that it is so. That holds for fifty times as long: then one region
// tries again, which costs a fiftieth.
class Crowding {
 public:
  bool at(int64_t now_ns) const { return now_ns < until_ns_.load(std::memory_order_relaxed); }

  void note(int64_t worked_ns, int64_t waited_ns, int64_t now_ns) {
    // Work that was shared out unevenly makes callers wait too, for a part of their own time.
    if (waited_ns > std::max(long_wait_ns, worked_ns / 4))
      until_ns_.store(now_ns + 50 * std::min(waited_ns, longest_wait_ns),
                      std::memory_order_relaxed);
  }

  static constexpr int64_t long_wait_ns = 1'000'000;
  static constexpr int64_t longest_wait_ns = 100'000'000;

 private:
  std::atomic<int64_t> until_ns_{0};
};

}  // namespace tapegrad::parallel_detail
