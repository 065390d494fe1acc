#include "tapegrad/parallel/idle_memory.h"

#include <chrono>
#include <thread>
#include <vector>

#include "check.h"
#include "tapegrad/base/buffer.h"
#include "tapegrad/base/pool_policy.h"

using namespace tapegrad;

namespace {

void take_and_drop(int count, size_t bytes) {
  std::vector<Buffer*> taken;
  for (int i = 0; i < count; ++i) taken.push_back(Buffer::allocate(bytes));
  for (Buffer* b : taken) b->drop();
}

}  // namespace

TEST(what_was_not_taken_goes_at_the_second_look) {
  trim_pool();
  take_and_drop(10, size_t{8} << 20);
  const size_t cached = pool_stats().bytes_cached;
  CHECK(trim_idle_pool());  // all of them were taken since the look before
  CHECK(pool_stats().bytes_cached == cached);
  take_and_drop(6, size_t{8} << 20);
  CHECK(trim_idle_pool());
  CHECK(pool_stats().bytes_cached < cached * 7 / 10);
  CHECK(!trim_idle_pool());
  CHECK(pool_stats().bytes_cached < pool_always_keeps);
}

TEST(a_thread_does_it) {
  trim_pool();
  trim_idle_memory();
  for (int round = 0; round < 2; ++round) {
    take_and_drop(10, size_t{8} << 20);
    CHECK(pool_stats().bytes_cached > pool_always_keeps);
    for (int i = 0; i < 200 && pool_stats().bytes_cached > pool_always_keeps; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK(pool_stats().bytes_cached <= pool_always_keeps);
  }
  pool_holds_much = nullptr;
}

TEST(the_limit_holds_at_once) {
  const size_t before = pool_capacity();
  trim_pool();
  take_and_drop(10, size_t{8} << 20);
  set_pool_capacity(size_t{20} << 20);
  CHECK(pool_capacity() == size_t{20} << 20);
  CHECK(pool_stats().bytes_cached <= size_t{21} << 20);
  take_and_drop(10, size_t{8} << 20);
  CHECK(pool_stats().bytes_cached <= size_t{21} << 20);
  set_pool_capacity(before);
}

TEST(an_allocation_fails_where_a_test_says_so) {
  CHECK(!fail_allocation(2));
  take_and_drop(2, 100);
  bool failed = false;
  try {
    Buffer::allocate(100);
  } catch (const std::exception&) {
    failed = true;
  }
  CHECK(failed);
  take_and_drop(2, 100);
  CHECK(!fail_allocation(5));
  CHECK(fail_allocation(-1));
}
