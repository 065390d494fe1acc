#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tapegrad/base/dtype.h"

// NumPy's rules for dtypes beyond `promote`, as plain functions. A Python number is weak: it takes
// the dtype of the arrays and NumPy scalars that it meets, where that can represent its kind.

namespace tapegrad {

// Whether d, an integer dtype or bool, can represent x.
bool can_hold(DType d, int64_t x);

// numpy.can_cast(from, to, "same_kind"): what an in-place operator may write into an array of `to`.
bool can_cast_same_kind(DType from, DType to);

// The dtype that a Python float takes beside operands whose common dtype is `strong`.
constexpr DType weak_float_dtype(DType strong) {
  return strong == DType::float32 ? DType::float32 : DType::float64;
}

// The dtype in which NumPy computes with integers and masks of these dtypes and with Python ints
// that have these values; nothing where that is no integer dtype (masks alone, or uint64 beside
// int64, which give float64) or does not hold a Python int (an error in NumPy).
std::optional<DType> common_integer_dtype(std::span<const DType> dtypes,
                                          std::span<const int64_t> python_ints);

}  // namespace tapegrad
