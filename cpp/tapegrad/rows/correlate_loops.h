// The innermost loop of correlations, compiled for each instruction-set level.
#pragma once

#include <cstdint>

namespace tapegrad {

// out[i - begin] = sum over 0 <= j < m of a[i + j - left] v[j], for begin <= i < end; a has n
// elements, and zeros around them. The order of the additions depends on i and the lengths alone.
template <class T>
using CorrelateLoop = void (*)(const T* a, int64_t n, int64_t left, const T* v, int64_t m,
                               int64_t begin, int64_t end, T* out);

template <class T>
struct CorrelateLoops {
  CorrelateLoop<T> by_shifts;  // for many outputs: along them
  CorrelateLoop<T> by_sums;    // for few: along the terms of each
};

template <class T>
const CorrelateLoops<T>& correlate_loops();

}  // namespace tapegrad
