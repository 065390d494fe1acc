#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// Cross products along the last axis; the other axes broadcast; both float32 or both float64. A
// last axis of length 3 holds x, y, z; of length 2 x and y (z is zero); of length 1 z alone. `keep`
// says the same of the result.
Value cross_vectors(const Value& a, const Value& b, const Dims& shape, int64_t keep);

}  // namespace tapegrad
