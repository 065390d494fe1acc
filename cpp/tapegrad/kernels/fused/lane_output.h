// The results of fused kernels.
#pragma once

#include <span>

#include "tapegrad/base/value.h"

namespace tapegrad {

// Makes memory for a result; that of `v` is taken where it fits and nobody else reads it.
void make_lane_output(Value& v, DType dtype, std::span<const int64_t> shape);

// Makes a scalar of a floating dtype or bool.
Value lane_number(double x, DType dtype);

// Sets every element of v, an array or a scalar of T or bool, to x.
template <class T>
void fill_lane_output(Value& v, T x);

}  // namespace tapegrad
