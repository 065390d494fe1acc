#include "tapegrad/kernels/special/zeta_derivatives.h"

#include <array>
#include <cmath>
#include <limits>

// Euler's and Maclaurin's summation (DLMF 25.2.9), term by term:
//
//   zeta(s) = sum of k^-s below N + N^(1-s) / (s - 1) + N^-s / 2
//             + sum of B_2j / (2j)! s (s + 1) ... (s + 2j - 2) N^(1-s-2j)
//
// Each term is a polynomial or a quotient in the shift of s times an exponential of it, multiplied
// as a truncated series.

namespace tapegrad {
namespace {

constexpr int n_terms = 10;        // N
constexpr int n_corrections = 10;  // B_2 to B_20

// B_2j / (2j)!
constexpr std::array<double, n_corrections> bernoulli = {
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30240.0,
    -1.0 / 1209600.0,
    1.0 / 47900160.0,
    -691.0 / 1307674368000.0,
    1.0 / 74724249600.0,
    -3617.0 / 10670622842880000.0,
    43867.0 / 5109094217170944000.0,
    -174611.0 / 802857662698291200000.0,
};

// Coefficients of the powers of a shift of s; those up to the n-th are kept.
template <int n>
using Series = std::array<double, n + 1>;

template <int n>
void multiply_linear(Series<n>& a, double constant, double slope) {
  for (size_t k = n; k > 0; --k) a[k] = a[k] * constant + a[k - 1] * slope;
  a[0] *= constant;
}

template <int n>
double zeta_by(double s) {
  constexpr double l2 = 0.69314718055994530942, l3 = 1.09861228866810969140,
                   l5 = 1.60943791243410037460, l7 = 1.94591014905531330511, l10 = l2 + l5;
  const double p2 = std::exp2(-s), p3 = std::exp(-s * l3), p5 = std::exp(-s * l5),
               p7 = std::exp(-s * l7);
  // k^-s (-log k)^n, the smallest first.
  const auto term = [](double power, double log) {
    for (int i = 0; i < n; ++i) power *= -log;
    return power;
  };
  double sum = term(p3 * p3, 2 * l3);
  sum += term(p2 * p2 * p2, 3 * l2);
  sum += term(p7, l7);
  sum += term(p2 * p3, l2 + l3);
  sum += term(p5, l5);
  sum += term(p2 * p2, 2 * l2);
  sum += term(p3, l3);
  sum += term(p2, l2);
  if (n == 0) sum += 1.0;

  // What multiplies N^-s, as a series of the shift.
  Series<n> rest{}, rising{};
  const double step = -1.0 / (s - 1.0);
  double quotient = -n_terms * step;
  for (double& x : rest) {
    x = quotient;
    quotient *= step;
  }
  rest[0] += 0.5;
  rising[0] = s / n_terms;
  if constexpr (n > 0) rising[1] = 1.0 / n_terms;
  for (int j = 0; j < n_corrections; ++j) {
    for (size_t k = 0; k <= n; ++k) rest[k] += bernoulli[static_cast<size_t>(j)] * rising[k];
    for (int i = 1; i <= 2; ++i)
      multiply_linear<n>(rising, (s + 2 * j + i) * (1.0 / n_terms), 1.0 / n_terms);
  }
  // Its product with the series of N^-shift.
  double total = 0.0, power = 1.0, factorial = 1.0;
  for (int k = n; k >= 0; --k) {
    total += rest[static_cast<size_t>(k)] * power;
    power *= -l10 / (n - k + 1);
  }
  for (int k = 2; k <= n; ++k) factorial *= k;
  return sum + p2 * p5 * total * factorial;
}

}  // namespace

double riemann_zeta_by(const double* inputs) {
  const double n = inputs[0], s = inputs[1];
  if (!(s >= -0.5)) return std::numeric_limits<double>::quiet_NaN();
  if (s > 1075.0 && n >= 0 && n <= 4) return n == 0 ? 1.0 : 0.0;  // 2^-s underflows
  if (n == 0) return zeta_by<0>(s);
  if (n == 1) return zeta_by<1>(s);
  if (n == 2) return zeta_by<2>(s);
  if (n == 3) return zeta_by<3>(s);
  return n == 4 ? zeta_by<4>(s) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace tapegrad
