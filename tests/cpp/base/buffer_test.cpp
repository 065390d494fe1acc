#include "tapegrad/base/buffer.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

namespace {

bool aligned(const void* p, size_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

}  // namespace

TEST(blocks_hold_what_was_asked_for) {
  for (size_t bytes :
       {size_t{0}, size_t{1}, size_t{64}, size_t{65}, size_t{80}, size_t{81}, size_t{1000},
        size_t{4096}, size_t{114688}, size_t{114689}, size_t{131072}, size_t{5} << 20}) {
    Buffer* b = Buffer::allocate(bytes);
    CHECK(b->capacity() >= bytes);
    CHECK(b->capacity() <= std::max<size_t>(64, bytes + bytes / 4 + 1));
    CHECK(aligned(b->data(), 64));
    CHECK(b->is_unique() && !b->is_foreign());
    std::memset(b->data(), 7, b->capacity());
    b->drop();
  }
  trim_pool();
}

TEST(blocks_come_back) {
  trim_pool();
  const PoolStats before = pool_stats();
  for (size_t bytes : {size_t{100}, size_t{3} << 20}) {
    Buffer* a = Buffer::allocate(bytes);
    char* const data = a->data();
    CHECK(pool_stats().bytes_in_use == before.bytes_in_use + a->capacity());
    a->drop();
    CHECK(pool_stats().bytes_in_use == before.bytes_in_use);
    CHECK(pool_stats().bytes_cached > before.bytes_cached);
    Buffer* b = Buffer::allocate(bytes - 1);
    CHECK(b->data() == data);
    b->drop();
  }
  trim_pool();
  CHECK(pool_stats().bytes_cached == 0);
}

TEST(the_cache_has_a_bound) {
  trim_pool();
  set_pool_capacity(size_t{1} << 20);
  Buffer* large = Buffer::allocate(size_t{3} << 20);
  Buffer* small = Buffer::allocate(size_t{1} << 19);
  large->drop();
  CHECK(pool_stats().bytes_cached == 0);
  small->drop();
  CHECK(pool_stats().bytes_cached == size_t{1} << 19);
  set_pool_capacity(size_t{4} << 30);
  trim_pool();
}

TEST(references_are_counted) {
  Buffer* b = Buffer::allocate(10);
  b->retain();
  CHECK(!b->is_unique());
  b->drop();
  CHECK(b->is_unique());
  b->drop();
}

TEST(foreign_memory_is_given_back_once) {
  static int returned = 0;
  double data[4] = {1, 2, 3, 4};
  Buffer* b = Buffer::borrow(data, sizeof data, &returned,
                             [](void* owner) { ++*static_cast<int*>(owner); });
  CHECK(b->is_foreign());
  CHECK(b->data() == reinterpret_cast<char*>(data));
  b->retain();
  b->drop();
  CHECK(returned == 0);
  b->drop();
  CHECK(returned == 1);
}

TEST(impossible_sizes_raise) {
  CHECK_THROWS(MemoryError, Buffer::allocate(~size_t{0}));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // theirs end the program
  CHECK_THROWS_SAYING(MemoryError, "could not allocate", Buffer::allocate(size_t{1} << 46));
#endif
}

TEST(blocks_travel_between_threads) {
  const size_t before = pool_stats().bytes_in_use;
  for (int round = 0; round < 3; ++round) {
    std::vector<Buffer*> made(100);
    std::thread maker([&] {
      for (Buffer*& b : made) b = Buffer::allocate(200);
    });
    maker.join();  // its cache is gone, what it made is not
    std::thread taker([&] {
      for (Buffer* b : made) {
        b->data()[0] = 1;
        b->drop();
      }
    });
    taker.join();
  }
  CHECK(pool_stats().bytes_in_use == before);
}

TEST(blocks_that_travel_come_back) {
  // One thread makes what another drops, round after round: the same blocks serve again.
  trim_pool();
  constexpr int rounds = 200, n = 100;
  std::vector<Buffer*> made(n);
  std::atomic<int> turn{0};
  std::thread maker([&] {
    for (int round = 0; round < rounds; ++round) {
      while (turn.load() != 2 * round) std::this_thread::yield();
      for (Buffer*& b : made) b = Buffer::allocate(2000);
      turn.store(2 * round + 1);
    }
  });
  for (int round = 0; round < rounds; ++round) {
    while (turn.load() != 2 * round + 1) std::this_thread::yield();
    for (Buffer* b : made) b->drop();
    turn.store(2 * round + 2);
  }
  maker.join();
  CHECK(pool_stats().bytes_cached < size_t{1} << 20);  // of 40 MB that were handed out
  trim_pool();
}

TEST(a_longer_block_serves_where_there_is_no_other) {
  trim_pool();
  constexpr size_t bytes = size_t{4} << 20;
  Buffer* const b = Buffer::allocate(bytes);
  b->drop();
  Buffer* const shorter = Buffer::allocate(bytes - bytes / 4);
  CHECK(shorter == b);
  CHECK(pool_stats().bytes_cached == 0);
  Buffer* const other = Buffer::allocate(bytes / 4);
  shorter->drop();
  Buffer* const much_shorter = Buffer::allocate(bytes / 4);  // would waste most of it
  CHECK(much_shorter != b);
  other->drop();
  much_shorter->drop();
  trim_pool();
}
