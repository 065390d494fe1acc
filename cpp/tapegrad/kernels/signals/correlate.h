#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// out_i = sum_j a_(i + j - left) v_j of each pair of a stack, a (..., n) between `left` and `right`
// zeros, v (..., m), n + left + right >= m; float32 or float64, both alike. The result is packed,
// (..., n + left + right - m + 1).
Value correlate_values(const Value& a, const Value& v, int64_t left, int64_t right);

}  // namespace tapegrad
