// What the pool of buffers keeps for later, and for how long.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tapegrad {

size_t pool_capacity();  // see set_pool_capacity

// Below this the pool keeps what it has.
inline constexpr size_t pool_always_keeps = size_t{32} << 20;

// Called, if set, when the pool begins to hold more than that. True where somebody will call
// trim_idle_pool until it gives false; it is not called again before.
extern bool (*pool_holds_much)();

// Gives back the blocks that nobody took since the last call. Returns whether more than
// pool_always_keeps is left.
bool trim_idle_pool();

// While one lives, the new blocks of this thread have ordinary pages, however long they are: to
// clear huge ones does not pay for what is soon given back.
class OrdinaryPages {
 public:
  OrdinaryPages();
  ~OrdinaryPages();
  OrdinaryPages(const OrdinaryPages&) = delete;
  OrdinaryPages& operator=(const OrdinaryPages&) = delete;

 private:
  bool before_;
};

// For tests: the n-th allocation from now, counted from 0 over all threads, throws MemoryError;
// none does where n is negative. Returns whether the one asked for before is still to come.
bool fail_allocation(int64_t n);

}  // namespace tapegrad
