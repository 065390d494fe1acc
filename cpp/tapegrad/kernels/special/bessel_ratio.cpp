#include "tapegrad/kernels/special/bessel_ratio.h"

#include <cmath>
#include <limits>

// By the continued fraction 1 / (2 (v + 1) / x + 1 / (2 (v + 2) / x + ...)) (DLMF 10.33.1), whose
// convergents follow without a division; far out by both asymptotic series (10.40.1).

namespace tapegrad {
namespace {

constexpr double far = 40.0;
constexpr double eps = std::numeric_limits<double>::epsilon();
constexpr int most_steps = 100000;

// The sum of the asymptotic series of I_v(x) sqrt(2 pi x) exp(-x).
double asymptotic(double v, double x) {
  const double m = 4 * v * v;
  double term = 1, sum = 1;
  for (int k = 1; k < 60; ++k) {
    const double odd = 2 * k - 1;
    term *= -(m - odd * odd) / (8 * k * x);
    sum += term;
    if (std::abs(term) < 0.1 * eps * std::abs(sum)) break;
  }
  return sum;
}

double fraction(double v, double x) {
  const double step = 2 / x;
  double b = step * (v + 1);
  // Numerators p and denominators q of two convergents, the older ones first.
  double p0 = 0, q0 = 1, p1 = 1, q1 = b;
  for (int k = 0; k < most_steps; k += 4) {
    for (int i = 0; i < 2; ++i) {
      b += step;
      p0 += b * p1;
      q0 += b * q1;
      b += step;
      p1 += b * p0;
      q1 += b * q0;
    }
    if (std::abs(p1 * q0 - p0 * q1) <= 0.25 * eps * std::abs(p1 * q0)) break;
    if (q1 > 1e100) {
      const double shrink = 1 / q1;
      p0 *= shrink, q0 *= shrink, p1 *= shrink, q1 = 1;
    }
  }
  return p1 / q1;
}

}  // namespace

double iv_ratio(const double* inputs) {
  const double v = inputs[0], x = inputs[1];
  if (!(v >= 0) || !(x > 0) || std::isinf(v)) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(x)) return 1;
  if (x * x < eps * (v + 1) * (v + 2)) return x / (2 * (v + 1));
  if (x > far && (v + 1) * (v + 1) < x) return asymptotic(v + 1, x) / asymptotic(v, x);
  return fraction(v, x);
}

}  // namespace tapegrad
