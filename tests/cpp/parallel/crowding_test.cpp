#include "tapegrad/parallel/crowding.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "check.h"
#include "tapegrad/parallel/team.h"

using namespace tapegrad;
using parallel_detail::Crowding;
using parallel_detail::parallel_regions_in_pool;

constexpr int64_t ms = 1'000'000;

TEST(a_long_wait_holds_for_fifty_times_as_long) {
  Crowding crowding;
  CHECK(!crowding.at(1));
  crowding.note(ms, 4 * ms, 1000 * ms);
  CHECK(crowding.at(1000 * ms));
  CHECK(crowding.at(1200 * ms - 1));
  CHECK(!crowding.at(1200 * ms));
  // A process that was stopped for a minute does not stay without its team for an hour.
  crowding.note(ms, 60'000 * ms, 100'000 * ms);
  CHECK(!crowding.at(100'000 * ms + 50 * Crowding::longest_wait_ns));
}

TEST(short_waits_and_those_of_uneven_work_say_nothing) {
  Crowding crowding;
  crowding.note(0, Crowding::long_wait_ns, ms);
  CHECK(!crowding.at(ms));
  crowding.note(16 * ms, 4 * ms, ms);
  CHECK(!crowding.at(ms));
  crowding.note(0, Crowding::long_wait_ns + 1, ms);
  CHECK(crowding.at(ms));
}

// Of two tasks the caller ends one at once and waits for the other.
static int64_t uneven_sum(std::chrono::milliseconds pause) {
  const auto caller = std::this_thread::get_id();
  std::atomic<int64_t> sum{0};
  std::atomic<int> arrived{0};
  parallel_tasks(2, [&](int64_t i) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();  // so that neither takes both
    if (std::this_thread::get_id() != caller) std::this_thread::sleep_for(pause);
    sum += i + 1;
  });
  return sum;
}

TEST(the_pool_takes_the_place_of_the_team_after_a_long_wait) {
  set_num_threads(2);
  const int64_t before = parallel_regions_in_pool();
  for (int attempt = 0; attempt < 100 && parallel_regions_in_pool() == before; ++attempt) {
    CHECK(uneven_sum(std::chrono::milliseconds(5)) == 3);
    CHECK(uneven_sum(std::chrono::milliseconds(0)) == 3);
  }
  CHECK(parallel_regions_in_pool() > before);
  set_num_threads(0);
}
