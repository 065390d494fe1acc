// Arrays of every layout, for the tests of kernels that walk strides, and a way to run something
// with several numbers of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/parallel/parallel.h"

namespace cases {

using tapegrad::Dims;
using tapegrad::DType;
using tapegrad::Value;

// Numbers in (-1, 1), the same at each run.
class Random {
 public:
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(static_cast<int64_t>(state_) >> 11) * 0x1p-52;
  }

 private:
  uint64_t state_ = 12345;
};

inline Value random_array(const Dims& shape, DType d = DType::float64) {
  Random random;
  Value v = Value::empty(d, shape);
  for (int64_t i = 0; i < v.size(); ++i)
    v.set_at(i, is_integer(d) ? random.next() * 100 : random.next());
  return v;
}

inline Dims reversed(const Dims& d) {
  Dims out(d.size());
  for (size_t i = 0; i < d.size(); ++i) out[i] = d[d.size() - 1 - i];
  return out;
}

// An array of `shape` whose memory is laid out as: 0 packed, 1 transposed, 2 every second element
// of the last axis, 3 every axis backwards, 4 the first axis repeated (stride 0).
constexpr int layouts = 5;
inline Value laid_out(const Dims& shape, int layout, DType d = DType::float64) {
  if (shape.empty() || layout == 0) return random_array(shape, d);
  if (layout == 1) {
    const Value v = random_array(reversed(shape), d);
    return v.view(shape, reversed(v.strides()), 0);
  }
  if (layout == 2) {
    Dims wide = shape;
    wide[wide.size() - 1] *= 2;
    const Value v = random_array(wide, d);
    Dims strides = v.strides();
    strides[strides.size() - 1] = 2;
    return v.view(shape, strides, 0);
  }
  const Value v = random_array(shape, d);
  Dims strides = v.strides();
  if (layout == 4) {
    strides[0] = 0;
    return v.view(shape, strides, 0);
  }
  int64_t offset = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (v.size()) offset += (shape[i] - 1) * strides[i];
    strides[i] = -strides[i];
  }
  return v.view(shape, strides, offset);
}

// The position of flat element `flat`.
inline Dims index_of(int64_t flat, const Dims& shape) {
  Dims index(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    index[i] = flat % shape[i];
    flat /= shape[i];
  }
  return index;
}

inline int64_t flat_of(const Dims& index, const Dims& shape) {
  int64_t flat = 0;
  for (size_t i = 0; i < shape.size(); ++i) flat = flat * shape[i] + index[i];
  return flat;
}

// True where compute() gives the same bits with 1, 2, 3 and 8 threads, and more than one was used.
template <class F>
bool same_for_any_threads(F&& compute) {
  const double threshold = tapegrad::work_threshold_ns();
  tapegrad::set_work_threshold_ns(0);
  tapegrad::set_num_threads(1);
  const Value serial = compute();
  const int64_t regions = tapegrad::parallel_regions_run();
  bool same = true;
  for (int threads : {2, 3, 8}) {
    tapegrad::set_num_threads(threads);
    same = same && same_bits(serial, compute());
  }
  tapegrad::set_num_threads(0);
  tapegrad::set_work_threshold_ns(threshold);
  return same && tapegrad::parallel_regions_run() > regions;
}

}  // namespace cases
