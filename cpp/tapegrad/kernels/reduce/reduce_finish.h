#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// These are the last steps of some reductions, for float32 and float64 of any shape.

Value divided_by(Value v, double n);                 // v / n
Value finite_or_zero(Value v);                       // 0 for infinities and NaN
Value log_plus(const Value& total, const Value& m);  // log(total) + m
Value square_roots(Value v);

}  // namespace tapegrad
