#pragma once

#include "tapegrad/base/value.h"

// This is NumPy's arithmetic on integers: it wraps around, and a division by zero gives zero. Two
// single int64 may be Python's own integers, which do neither: that is a ValueError.

namespace tapegrad {

enum class IntegerFn {
  add,
  subtract,
  multiply,
  floor_divide,
  remainder,
  minimum,
  maximum,
  positive,
  negative,
  absolute
};

// Returns f(a, b), broadcast, in an integer dtype that holds all operands; functions of one number
// ignore b.
Value eval_integers(IntegerFn f, DType d, const Value& a, const Value& b);

}  // namespace tapegrad
