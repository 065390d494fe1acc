#pragma once

#include <span>

#include "tapegrad/base/value.h"
#include "tapegrad/rows/reduce_loops.h"

namespace tapegrad {

// Folds the axes of `v` where `reduced` is true (one flag for each axis); the result has the other
// axes, in order. `parameter`, for the folds that have one, has the shape and dtype of the result.
// v is float32, float64, or, for sum, prod, max and min, int64 or uint64. An empty reduction gives
// the identity (0, 1, -inf ...).
//
// The order of the operations follows from shape and strides alone: chunks of a fixed length
// (fold_chunk elements along a row, column_rows rows of a column), combined in a fixed tree.
Value fold_axes(Fold fold, const Value& v, const Dims& reduced, const Value* parameter = nullptr);

}  // namespace tapegrad
