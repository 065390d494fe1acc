#pragma once

#include "tapegrad/kernels/array/elementwise.h"

namespace tapegrad {

// What the elementwise op gives for float64 scalars, without Values.
inline double scalar_value(ScalarFn fn, double a, double b = 0) { return eval_scalar(fn, a, b); }

}  // namespace tapegrad
