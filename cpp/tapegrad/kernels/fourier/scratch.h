#pragma once

#include <utility>

#include "tapegrad/base/pooled.h"
#include "tapegrad/rows/fourier_loops.h"

namespace tapegrad {

// Arrays of n complex numbers in one block, at distances that are no power of two: what stands at
// the same place of several arrays must not fall into one set of the cache.
template <class T>
class FourierScratch {
 public:
  FourierScratch() = default;
  FourierScratch(int arrays, int64_t n)
      : distance_((n + line - 1) / line * line + 5 * line),
        all_(static_cast<size_t>(2 * arrays * distance_)) {}

  Split<T> operator[](int i) const {
    T* re = all_.get() + 2 * i * distance_;
    return {re, re + distance_};
  }
  explicit operator bool() const { return static_cast<bool>(all_); }

 private:
  static constexpr int64_t line = 64 / sizeof(T);
  int64_t distance_ = 0;
  PooledArray<T> all_;
};

}  // namespace tapegrad
