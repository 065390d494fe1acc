#include "tapegrad/kernels/special/noncentral.h"

#include <cmath>
#include <limits>

#include "tapegrad/scalar/functions/functions.h"

// The sums begin at the largest weight and go on to both sides until what is left is nothing.

namespace tapegrad {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double enough = 1e-18;
constexpr int most_terms = 20000;

// The sum of w_j term(j), w_j = exp(-mean) mean^j / j!.
template <class Term>
double mixed(double mean, Term term) {
  if (mean == 0) return term(0.0);
  const double middle = std::floor(mean);
  const double largest = std::exp(middle * std::log(mean) - mean - Gammaln::value(middle + 1));
  double sum = largest * term(middle);
  double weight = largest;
  for (double j = middle + 1; j < middle + most_terms; ++j) {
    weight *= mean / j;
    if (weight < enough * largest) break;
    sum += weight * term(j);
  }
  weight = largest;
  for (double j = middle; j > 0; --j) {
    weight *= j / mean;
    if (weight < enough * largest) break;
    sum += weight * term(j - 1);
  }
  return sum;
}

}  // namespace

double chndtr_by_freedom(const double* inputs) {
  const double n = inputs[0], v = inputs[1], nc = inputs[2], x = inputs[3];
  if (!(v > 0) || !(nc >= 0) || !(x >= 0) || !(n >= 1) || n > 3 || std::isinf(nc)) return nan;
  if (x == 0 || std::isinf(x)) return 0;
  const double sum =
      mixed(0.5 * nc, [&](double j) { return GammaincByShape::value(n, 0.5 * v + j, 0.5 * x); });
  return sum * std::pow(0.5, n);
}

double beta_mixture_by(const double* inputs) {
  const double i = inputs[0], k = inputs[1], a = inputs[2], b = inputs[3], mean = inputs[4],
               x = inputs[5];
  if (!(a > 0) || !(b > 0) || !(mean >= 0) || !(x >= 0) || !(x <= 1) || std::isinf(mean))
    return nan;
  if (!(i >= 0) || !(k >= 0) || !(i + k >= 1) || i + k > 2) return nan;
  if (x == 0 || x == 1) return 0;
  return mixed(mean, [&](double j) {
    const double c = a + j;
    if (i == 2) return BetaincAA::value(c, b, x);
    if (k == 2) return BetaincBB::value(c, b, x);
    if (i + k == 2) return BetaincAB::value(c, b, x);
    return i == 1 ? BetaincA::value(c, b, x) : BetaincB::value(c, b, x);
  });
}

}  // namespace tapegrad
