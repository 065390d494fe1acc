#pragma once

namespace tapegrad {

// The n-th derivative of the Riemann zeta function at s >= -1/2: inputs n, s; n is at most 4.
double riemann_zeta_by(const double* inputs);

}  // namespace tapegrad
