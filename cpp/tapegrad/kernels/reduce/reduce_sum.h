#pragma once

#include <span>

#include "tapegrad/base/value.h"

namespace tapegrad {

// Undoes a broadcast from `shape` to the shape of v, a floating array; returns v itself where there
// is nothing to sum. The order is that of fold_axes: the bits depend on shape and strides alone.
Value sum_to_shape(const Value& v, std::span<const int64_t> shape);

}  // namespace tapegrad
