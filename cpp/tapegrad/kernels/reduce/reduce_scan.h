#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// These scans run along one axis, first to last or, with `reverse`, last to first. Results are
// packed.

// Returns y[i] = y[i-1] + x[i]. x is float32, float64 or int64, also in the other two.
Value cumulative_sum(const Value& x, int axis, bool reverse);
// Returns y[i] = y[i-1] * x[i].
Value cumulative_prod(const Value& x, int axis, bool reverse);
// Returns y[i] = x[i] y[i-1] + c[i], with y[first] = c[first]; a zero y[i-1] stays zero whatever
// x[i] is (the carry is a cotangent or a tangent: the strong zero). x and c have one shape and
// dtype.
Value linear_recurrence(const Value& c, const Value& x, int axis, bool reverse);

}  // namespace tapegrad
