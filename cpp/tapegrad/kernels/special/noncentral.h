#pragma once

namespace tapegrad {

// Derivatives of distribution functions that are mixtures with Poisson's weights.
//
// Of the non-central chi squared distribution function at x, by its degrees of freedom v, n times:
// inputs n, v, nc, x. n is at most 3.
double chndtr_by_freedom(const double* inputs);
// Of the sum of w_j I_x(a + j, b), w_j the weights of a mean m, by a and by b, i and k times:
// inputs i, k, a, b, m, x. The two are at most 2 together.
double beta_mixture_by(const double* inputs);

}  // namespace tapegrad
