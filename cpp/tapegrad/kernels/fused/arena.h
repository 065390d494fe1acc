#pragma once

#include "tapegrad/base/buffer.h"

namespace tapegrad {

// Memory of one run, given out piece by piece: measured first, then taken.
class Arena {
 public:
  static constexpr size_t alignment = 64;
  static size_t aligned(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    if (buffer_) buffer_->drop();
  }
  void reserve(size_t bytes) {
    if (bytes <= sizeof local_) {
      next_ = local_;
    } else {
      buffer_ = Buffer::allocate(bytes);
      next_ = buffer_->data();
    }
  }
  template <class U>
  U* take(size_t n) {
    U* p = static_cast<U*>(static_cast<void*>(next_));
    next_ += aligned(n * sizeof(U));
    return p;
  }

 private:
  Buffer* buffer_ = nullptr;
  char* next_ = nullptr;
  alignas(alignment) char local_[2048];
};

}  // namespace tapegrad
