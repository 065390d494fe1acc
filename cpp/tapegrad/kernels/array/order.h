#pragma once

#include "tapegrad/base/value.h"

// These functions find positions of elements in the order of NumPy: NaN is larger than all numbers,
// and equal elements stay in their order. All results are int64.

namespace tapegrad {

// Returns the positions that sort `x` along an axis, in the shape of `x`, which has at least one
// axis.
Value sorting_positions(const Value& x, int axis);

// Returns the position of the largest or smallest element along an axis, the first one of several;
// a NaN counts as either. The shape is that of `x` without the axis, which is not empty.
Value extreme_positions(const Value& x, int axis, bool largest);

// Counts the elements of the sorted vector that are less than each element of `v`, or not greater
// where `or_equal`. Both have the same dtype.
Value counts_below(const Value& sorted, const Value& v, bool or_equal);

}  // namespace tapegrad
