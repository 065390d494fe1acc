#include "tapegrad/kernels/linalg/matmul_scaled.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tapegrad/base/buffer.h"
#include "tapegrad/kernels/blas/blas.h"

namespace tapegrad {
namespace {

template <class T>
struct Range;
template <>
struct Range<double> {
  static constexpr int tiny = -960;  // numbers below 2^tiny make subnormal products
  static constexpr int large = 400;  // of two below 2^large no sum overflows
};
template <>
struct Range<float> {
  static constexpr int tiny = -110, large = 40;
};

// A matrix as it lies in memory.
template <class T>
struct Stored {
  const T* data;
  int64_t rows, columns, leading;
};

// One element in 64 is looked at, 256 at most: few subnormal numbers cost little.
template <class T>
bool has_tiny(const Stored<T>& x) {
  const T limit = std::ldexp(T{1}, Range<T>::tiny);
  const int64_t size = x.rows * x.columns, step = std::max<int64_t>(64, size / 256) | 1;
  const bool is_packed = x.leading == x.columns;  // divisions take longer than the rest
  for (int64_t i = step / 2; i < size; i += step) {
    const T value = std::abs(x.data[is_packed ? i : i / x.columns * x.leading + i % x.columns]);
    if (value != 0 && value < limit) return true;
  }
  return false;
}

// Returns the largest exponent of an element; NaN has none.
template <class T>
int exponent_of(const Stored<T>& x) {
  T most = 0;
  for (int64_t i = 0; i < x.rows; ++i) {
    const T* row = x.data + i * x.leading;
#pragma omp simd reduction(max : most)
    for (int64_t j = 0; j < x.columns; ++j)
      most = std::abs(row[j]) > most ? std::abs(row[j]) : most;
  }
  if (most == 0) return std::numeric_limits<T>::min_exponent;
  return std::isinf(most) ? std::numeric_limits<T>::max_exponent : std::ilogb(most) + 1;
}

// Returns the power of two by which x may be scaled before it is multiplied by y; 0 means not at
// all.
template <class T>
int scale_of(const Stored<T>& x, const Stored<T>& y) {
  if (!has_tiny(x) || exponent_of(y) > Range<T>::large) return 0;
  return std::max(0, std::min(Range<T>::large - exponent_of(x), Range<T>::large));
}

template <class T>
class ScaledCopy {
 public:
  ScaledCopy(const Stored<T>& x, int exponent)
      : buffer_(Buffer::allocate(static_cast<size_t>(x.rows * x.columns) * sizeof(T))) {
    const T factor = std::ldexp(T{1}, exponent);
    T* to = static_cast<T*>(static_cast<void*>(buffer_->data()));
    for (int64_t i = 0; i < x.rows; ++i, to += x.columns)
      for (int64_t j = 0; j < x.columns; ++j) to[j] = x.data[i * x.leading + j] * factor;
  }
  ScaledCopy(const ScaledCopy&) = delete;
  ScaledCopy& operator=(const ScaledCopy&) = delete;
  ~ScaledCopy() { buffer_->drop(); }
  const T* data() const { return static_cast<const T*>(static_cast<const void*>(buffer_->data())); }

 private:
  Buffer* buffer_;
};

}  // namespace

template <class T>
void scaled_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda,
                 const T* b, int64_t ldb, T* c, int64_t ldc) {
  const Stored<T> left{a, ta ? k : m, ta ? m : k, lda}, right{b, tb ? n : k, tb ? k : n, ldb};
  const auto back = [](int exponent) { return std::ldexp(T{1}, -exponent); };
  if (const int e = scale_of(left, right)) {
    const ScaledCopy<T> copy(left, e);
    gemm(ta, tb, m, n, k, back(e), copy.data(), left.columns, b, ldb, T(0), c, ldc);
  } else if (const int f = scale_of(right, left)) {
    const ScaledCopy<T> copy(right, f);
    gemm(ta, tb, m, n, k, back(f), a, lda, copy.data(), right.columns, T(0), c, ldc);
  } else {
    gemm(ta, tb, m, n, k, T(1), a, lda, b, ldb, T(0), c, ldc);
  }
}

template void scaled_gemm(bool, bool, int64_t, int64_t, int64_t, const float*, int64_t,
                          const float*, int64_t, float*, int64_t);
template void scaled_gemm(bool, bool, int64_t, int64_t, int64_t, const double*, int64_t,
                          const double*, int64_t, double*, int64_t);

}  // namespace tapegrad
