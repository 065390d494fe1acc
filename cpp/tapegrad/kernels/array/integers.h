#pragma once

#include "tapegrad/base/value.h"

// NumPy's arithmetic on integers: it wraps around, and a division by zero gives zero. Two
// single int64 may be Python's own numbers, where neither is so: a ValueError then.

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

// f(a, b), broadcast, in an integer dtype that holds all operands; functions of one number leave b
// out of account.
Value eval_integers(IntegerFn f, DType d, const Value& a, const Value& b);

}  // namespace tapegrad
