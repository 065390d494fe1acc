#pragma once

namespace tapegrad {

// d/dx J_v(x), of the inputs v and x.
double jv_slope(const double* inputs);

// The derivatives by v, n times, of J_v(x), Y_v(x) and I_v(x), of the inputs n, v and x; n is at
// most 3.
double jv_by_order(const double* inputs);
double yv_by_order(const double* inputs);
double iv_by_order(const double* inputs);
double ive_by_order(const double* inputs);  // of exp(-x) I_v(x)

}  // namespace tapegrad
