// What the lane loops share, for the files of rows/isa only.
#pragma once

#include "tapegrad/rows/lane_steps.h"
#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {
namespace {

template <class T>
constexpr int64_t vector_width = (TAPEGRAD_ISA_LEVEL >= 4 ? 64 : 32) / sizeof(T);

template <class T>
constexpr int64_t running_sums = running_sums_bytes / sizeof(T);

// f(lane) over whole vectors.
template <class T, class F>
[[gnu::always_inline]] inline void for_lanes(T* out, int64_t n, F&& f) {
  n &= -vector_width<T>;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) out[i] = f(i);
}

}  // namespace
}  // namespace tapegrad
