#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tapegrad {

// A Buffer is reference-counted memory: pooled (64-byte aligned, 2 MiB aligned with huge pages from
// 4 MiB) or foreign (borrowed, returned through a callback).
class Buffer {
 public:
  using Release = void (*)(void* owner);

  static Buffer* allocate(size_t bytes);
  static Buffer* borrow(void* data, size_t bytes, void* owner, Release release);

  char* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  bool is_foreign() const { return release_ != nullptr; }
  void* owner() const { return owner_; }  // of borrowed memory
  bool is_unique() const { return refs_.load(std::memory_order_acquire) == 1; }
  void retain() { refs_.fetch_add(1, std::memory_order_relaxed); }
  // Nobody else can count up what has one owner: the last one need not count down.
  void drop() {
    if (is_unique() || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

 private:
  friend class BufferPool;
  void destroy();

  std::atomic<int64_t> refs_{1};
  size_t capacity_ = 0;
  char* data_ = nullptr;
  void* owner_ = nullptr;
  Release release_ = nullptr;
  int32_t size_class_ = -1;
};

struct PoolStats {
  size_t bytes_in_use;
  size_t bytes_cached;  // for all threads, and small blocks for the calling one
};

PoolStats pool_stats();
// Gives cached memory back to the system, and what the heap holds free besides.
void trim_pool();
void set_pool_capacity(size_t bytes);  // most that the pool keeps cached

}  // namespace tapegrad
