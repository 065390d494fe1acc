#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// Returns cross products along the last axis; the other axes broadcast, and both operands are
// float32 or both float64. A last axis of length 3 holds x, y, z; one of length 2 holds x and y (z
// is zero); one of length 1 holds z alone. `keep` says the same of the result.
Value cross_vectors(const Value& a, const Value& b, const Dims& shape, int64_t keep);

}  // namespace tapegrad
