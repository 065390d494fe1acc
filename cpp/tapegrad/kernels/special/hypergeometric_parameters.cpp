#include "tapegrad/kernels/special/hypergeometric_parameters.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <vector>

#include "tapegrad/kernels/special/second_order.h"

// The series of DLMF 16.2.1, term by term, behind the transformations that make their terms
// positive or their argument small (13.2.39, 15.8.1).

namespace tapegrad {
namespace {

// The sum of (a1)_k .. / ((b1)_k .. k!) z^k. NaN where it does not converge, and where its terms
// cancel so that ten digits or fewer are left.
template <int n>
SecondOrder<n> series(std::initializer_list<SecondOrder<n>> above,
                      std::initializer_list<SecondOrder<n>> below, const SecondOrder<n>& z) {
  constexpr int most = 100000;
  SecondOrder<n> term(1), sum(1);
  double peak = 1;
  int small = 0;
  for (int k = 0; k < most && small < 3; ++k) {
    SecondOrder<n> factor = z, divisor(k + 1.0);
    for (const SecondOrder<n>& a : above) factor = factor * (a + SecondOrder<n>(k));
    for (const SecondOrder<n>& b : below) divisor = divisor * (b + SecondOrder<n>(k));
    term = term * (factor / divisor);
    sum = sum + term;
    const double size = term.size();
    peak = std::max(peak, size);
    small = size <= 1e-18 * sum.size() ? small + 1 : 0;
    if (!(size < 1e290)) break;
  }
  if (small < 3 || !(peak < 1e6 * sum.size())) return SecondOrder<n>(std::nan(""));
  return sum;
}

template <int n>
double of(const SecondOrder<n>& found, const double* orders) {
  return found.f == found.f ? found.derivative(orders) : std::nan("");
}

template <int n>
SecondOrder<n> variable(int i, const double* in) {
  return SecondOrder<n>::variable(i, in[n + i]);
}

bool is_pole(double c) { return c <= 0 && c == std::rint(c); }

}  // namespace

double hyp0f1_by(const double* in) {
  if (is_pole(in[2])) return std::nan("");
  return of(series<2>({}, {variable<2>(0, in)}, variable<2>(1, in)), in);
}

double hyp1f1_by(const double* in) {
  const auto a = variable<3>(0, in), b = variable<3>(1, in), z = variable<3>(2, in);
  if (is_pole(b.f)) return std::nan("");
  if (z.f >= 0) return of(series<3>({a}, {b}, z), in);
  return of(exp(z) * series<3>({b - a}, {b}, -z), in);
}

double hyp2f1_by(const double* in) {
  const auto a = variable<4>(0, in), b = variable<4>(1, in), c = variable<4>(2, in),
             z = variable<4>(3, in);
  if (is_pole(c.f) || !(z.f < 1)) return std::nan("");
  if (z.f >= -0.5) return of(series<4>({a, b}, {c}, z), in);
  const SecondOrder<4> rest = SecondOrder<4>(1) - z;
  return of(exp(-(a * log(rest))) * series<4>({a, c - b}, {c}, -(z / rest)), in);
}

}  // namespace tapegrad
