#pragma once

#include <cstddef>
#include <new>

// Small objects that come and go with every operation. What is freed waits in lists of its thread,
// one for each size, for the next object: in loops that record, malloc is a large part of the cost.
// The lists are plain data that outlives its owner, because objects still go while a thread ends.

namespace tapegrad::recycled {

inline constexpr std::size_t step = 32, n_sizes = 8;
inline constexpr int most_kept = 4096;  // of each size

struct Blocks {
  void* first;  // each holds the next one
  int count;    // most_kept, and none to be kept, once the thread ends
};
extern constinit thread_local Blocks blocks[n_sizes] __attribute__((tls_model("initial-exec")));

void own_blocks();  // frees this thread's when it ends

inline void* allocate(std::size_t bytes) {
  const std::size_t k = (bytes - 1) / step;
  if (k >= n_sizes) return ::operator new(bytes);
  Blocks& b = blocks[k];
  if (b.first == nullptr) return ::operator new((k + 1) * step);
  void* const p = b.first;
  b.first = *static_cast<void**>(p);
  --b.count;
  return p;
}

// Of as many bytes as were asked for.
inline void deallocate(void* p, std::size_t bytes) {
  const std::size_t k = (bytes - 1) / step;
  if (k >= n_sizes || blocks[k].count >= most_kept) return ::operator delete(p);
  Blocks& b = blocks[k];
  if (b.first == nullptr) own_blocks();
  *static_cast<void**>(p) = b.first;
  b.first = p;
  ++b.count;
}

// A base of classes whose objects are recycled.
struct Recycled {
  static void* operator new(std::size_t bytes) { return allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) { deallocate(p, bytes); }
};

}  // namespace tapegrad::recycled
