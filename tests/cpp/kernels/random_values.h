#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tapegrad/base/value.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435769u + 1) {}
  uint64_t bits() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ ^ state_ >> 29;
  }
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53;
  }
  // Mostly ordinary numbers; now and then 0, infinities, NaN, subnormals and huge ones.
  double wild() {
    constexpr double odd[] = {0.0,     -0.0,   1.0,   -1.0,     INFINITY, -INFINITY, NAN, 5e-324,
                              -3e-310, 1e-300, 1e300, -1.7e308, 0.5,      2.0,       3.0, 1e22};
    if (bits() % 4 == 0) return odd[bits() % 16];
    return uniform(-1, 1) * std::exp(uniform(-5, 5));
  }

 private:
  uint64_t state_;
};

inline Value random_array(const Dims& shape, uint64_t seed, DType d = DType::float64,
                          double low = -2, double high = 2) {
  Random random(seed);
  Value v = Value::empty(d, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, random.uniform(low, high));
  return v;
}

// Equal bits, or both NaN.
inline bool same_numbers(const Value& a, const Value& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i), y = b.at(i);
    if (std::bit_cast<uint64_t>(x) != std::bit_cast<uint64_t>(y) && !(x != x && y != y))
      return false;
  }
  return true;
}

// Sends all work to `threads` threads while it lives.
class UseThreads {
 public:
  explicit UseThreads(int threads) : threshold_(work_threshold_ns()) {
    set_num_threads(threads);
    set_work_threshold_ns(0);
  }
  ~UseThreads() {
    set_num_threads(0);
    set_work_threshold_ns(threshold_);
  }

 private:
  double threshold_;
};

}  // namespace tapegrad
