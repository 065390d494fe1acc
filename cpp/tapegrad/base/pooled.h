// The memory of these vectors comes from the pool of buffers. They are the scratch space of kernels
// and ops, so that a program in its steady state takes nothing from the system.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "tapegrad/base/buffer.h"

namespace tapegrad {

template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}

  // The buffer's handle stands in front of the elements.
  T* allocate(size_t n) {
    Buffer* b = Buffer::allocate(front + n * sizeof(T));
    *static_cast<Buffer**>(static_cast<void*>(b->data())) = b;
    return static_cast<T*>(static_cast<void*>(b->data() + front));
  }
  void deallocate(T* p, size_t) {
    (*reinterpret_cast<Buffer**>(reinterpret_cast<char*>(p) - front))->drop();
  }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }

 private:
  static constexpr size_t front = 64;  // keeps the alignment
};

// Holds n elements that are not initialised.
template <class T>
class PooledArray {
 public:
  PooledArray() = default;
  explicit PooledArray(size_t n) : buffer_(Buffer::allocate(n * sizeof(T))) {}
  PooledArray(const PooledArray&) = delete;
  PooledArray& operator=(const PooledArray&) = delete;
  PooledArray(PooledArray&& o) noexcept : buffer_(std::exchange(o.buffer_, nullptr)) {}
  PooledArray& operator=(PooledArray&& o) noexcept {
    std::swap(buffer_, o.buffer_);
    return *this;
  }
  ~PooledArray() {
    if (buffer_) buffer_->drop();
  }
  explicit operator bool() const { return buffer_ != nullptr; }
  T* get() const { return static_cast<T*>(static_cast<void*>(buffer_->data())); }
  T& operator[](size_t i) const { return get()[i]; }

 private:
  Buffer* buffer_ = nullptr;
};

template <class T>
using PooledVector = std::vector<T, PoolAllocator<T>>;

// Memory of the heap while a vector is short. What is long comes from the pool: passes over long
// programs, each of which writes a new one, would spend a fifth of their time on page faults.
template <class T>
struct LongAllocator {
  using value_type = T;
  LongAllocator() = default;
  template <class U>
  LongAllocator(const LongAllocator<U>&) {}

  T* allocate(size_t n) {
    return is_long(n) ? PoolAllocator<T>().allocate(n) : std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, size_t n) {
    if (is_long(n)) {
      PoolAllocator<T>().deallocate(p, n);
    } else {
      std::allocator<T>().deallocate(p, n);
    }
  }
  friend bool operator==(const LongAllocator&, const LongAllocator&) { return true; }

 private:
  static bool is_long(size_t n) { return n >= (size_t{1} << 18) / sizeof(T); }
};

template <class T>
using LongVector = std::vector<T, LongAllocator<T>>;

}  // namespace tapegrad
