#pragma once

#include <array>
#include <cstdint>

#include "tapegrad/base/shape.h"

// Walking the elements of strided arrays: what copies, reductions and scans share.

namespace tapegrad {

// Offsets into N arrays that are walked together over one shape, in C order.
template <int N>
class Odometer {
 public:
  Odometer(const Dims& shape, const std::array<Dims, N>& strides)
      : shape_(shape), strides_(strides), index_(shape.size(), 0) {}

  int64_t offset(int k) const { return offsets_[static_cast<size_t>(k)]; }

  void seek(int64_t flat) {
    offsets_ = {};
    for (size_t i = shape_.size(); i-- > 0;) {
      index_[i] = flat % shape_[i];
      flat /= shape_[i];
      for (size_t k = 0; k < N; ++k) offsets_[k] += index_[i] * strides_[k][i];
    }
  }

  void next() {
    for (size_t i = shape_.size(); i-- > 0;) {
      for (size_t k = 0; k < N; ++k) offsets_[k] += strides_[k][i];
      if (++index_[i] < shape_[i]) return;
      for (size_t k = 0; k < N; ++k) offsets_[k] -= strides_[k][i] * shape_[i];
      index_[i] = 0;
    }
  }

 private:
  Dims shape_;
  std::array<Dims, N> strides_;
  Dims index_;
  std::array<int64_t, N> offsets_{};
};

// Drops axes of length 1 and merges neighbours that every array walks as one.
template <int N>
void coalesce_axes(Dims& shape, std::array<Dims, N>& strides) {
  size_t kept = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    bool merge = kept > 0;
    for (size_t k = 0; merge && k < N; ++k)
      merge = strides[k][kept - 1] == strides[k][i] * shape[i];
    if (!merge) ++kept;
    shape[kept - 1] = merge ? shape[kept - 1] * shape[i] : shape[i];
    for (size_t k = 0; k < N; ++k) strides[k][kept - 1] = strides[k][i];
  }
  shape.resize(kept);
  for (size_t k = 0; k < N; ++k) strides[k].resize(kept);
}

}  // namespace tapegrad
