#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "tapegrad/base/buffer.h"

namespace tapegrad {

// Shape and strides, immutable and shared between values. Of arrays of few axes those that a
// program asks for again and again are made once for all and stay: whoever holds one of these
// counts nothing, since counting, which is atomic, is much of what an operation on a short array
// costs. All others are counted and go with the last who holds them.
class Layout {
 public:
  static Layout* make(std::span<const int64_t> shape);
  static Layout* make(std::span<const int64_t> shape, std::span<const int64_t> strides);

  int ndim() const { return ndim_; }
  int64_t size() const { return size_; }
  bool contiguous() const { return contiguous_; }
  const int64_t* dims() const { return items_; }
  const int64_t* strides() const { return items_ + ndim_; }
  bool stays() const { return stays_; }

  void retain() {
    if (!stays_) refs_.fetch_add(1, std::memory_order_relaxed);
  }
  void drop() {
    if (stays_) return;
    if (refs_.load(std::memory_order_acquire) == 1 ||
        refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy();
  }

 private:
  static Layout* make_in(void* memory, std::span<const int64_t> shape,
                         std::span<const int64_t> strides);
  bool is(std::span<const int64_t> shape, std::span<const int64_t> strides) const;
  void destroy();

  std::atomic<int32_t> refs_{1};
  int32_t ndim_ = 0;
  int64_t size_ = 0;
  Buffer* home_ = nullptr;  // the pooled block that it lives in; null for one that stays
  bool contiguous_ = true;
  bool stays_ = false;
  int64_t items_[1];  // shape, then strides
};

}  // namespace tapegrad
