#include "tapegrad/parallel/pool.h"

#include <atomic>
#include <thread>
#include <vector>

#include "check.h"

using namespace tapegrad;
using parallel_detail::FunctionRef;
using parallel_detail::run_pool;

template <class F>
static void in_pool(int members, F&& f) {
  run_pool(members, FunctionRef<int>::to(f));
}

TEST(each_member_runs_once_and_the_first_on_the_caller) {
  for (int members : {1, 2, 3, 8}) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      std::vector<int> visits(static_cast<size_t>(members), 0);
      const auto caller = std::this_thread::get_id();
      in_pool(members, [&](int member) {
        ++visits[static_cast<size_t>(member)];
        if (member == 0) CHECK(std::this_thread::get_id() == caller);
      });
      for (int count : visits) CHECK(count == 1);
    }
  }
}

TEST(a_region_ends_though_no_worker_comes) {
  // Every worker that there is stands in regions that end only after this one.
  constexpr int members = 8;
  std::atomic<int> held{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> holders;
  for (int k = 0; k < 2; ++k) {
    holders.emplace_back([&] {
      in_pool(members, [&](int) {
        ++held;
        while (!over) std::this_thread::yield();
      });
    });
  }
  // The two callers, and the workers that the pool then has: one less than members.
  while (held < members + 1) std::this_thread::yield();
  const auto caller = std::this_thread::get_id();
  int runs = 0;
  in_pool(members, [&](int) {
    CHECK(std::this_thread::get_id() == caller);
    ++runs;
  });
  CHECK(runs == members);
  over = true;
  for (std::thread& holder : holders) holder.join();
  CHECK(held == 2 * members);
}
