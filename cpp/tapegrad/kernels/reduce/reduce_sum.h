#pragma once

#include <span>

#include "tapegrad/base/value.h"

namespace tapegrad {

// Sums of floating arrays in the fixed order of fold_axes: the bits depend on shape and strides
// alone.

// Undoes a broadcast from `shape` to the shape of v: v itself where there is nothing to sum.
Value sum_to_shape(const Value& v, std::span<const int64_t> shape);

double sum_all(const Value& v);

}  // namespace tapegrad
