#include "tapegrad/kernels/special/bessel_order.h"

#include <cmath>
#include <limits>
#include <utility>

#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/scalar/math/jet.h"

// Power series (DLMF 10.2.2, 10.25.2), asymptotic series (10.17.3, 10.40.1) and Schlaefli's
// integrals (10.9.6, 10.9.7), each as truncated Taylor series in the order.

namespace tapegrad {
namespace {

using vm::Jet;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double pi = 3.14159265358979323846;

struct Pair {
  Jet j, y;
};

Jet unknown() { return {{nan, nan, nan, nan}}; }

Jet times(double c, Jet a) {
  for (double& x : a.c) x *= c;
  return a;
}

// cos and sin of a + b d, where d is what the parameter moves by.
std::pair<Jet, Jet> circle(double cosine, double sine, double b) {
  Jet c = Jet::constant(cosine), s = Jet::constant(sine);
  for (int i = 1; i < Jet::terms; ++i) {
    c.c[i] = -b * s.c[i - 1] / i;
    s.c[i] = b * c.c[i - 1] / i;
  }
  return {c, s};
}

double cos_pi(double v) { return std::cos(pi * std::fmod(v, 2)); }
double sin_pi_of(double v) {
  const double r = v - 2 * std::rint(0.5 * v);
  return r == std::rint(r) ? 0 : std::sin(pi * r);
}

// (x/2)^v / Gamma(v + 1), v >= 0: the power apart from the gamma function while both are in range.
double first_power(double v, double x) {
  const double l = std::log(0.5 * x);
  const bool plain = v < 150 && std::abs(v * l) < 600;
  return plain ? std::pow(0.5 * x, v) / std::tgamma(v + 1) : std::exp(v * l - std::lgamma(v + 1));
}

Jet first_term(double v, double x) {
  const double l = std::log(0.5 * x), b = v + 1;
  const Jet exponent{{v * l - std::lgamma(b), l - Psi::value(b), -0.5 * Polygamma::value(1.0, b),
                      -Polygamma::value(2.0, b) / 6}};
  return exponent.exponential(first_power(v, x));
}

// The power series of J (sign -1) or I (sign 1), v >= 0.
Jet power_series(double v, double x, double sign) {
  const double t = sign * 0.25 * x * x;
  Jet term = Jet::constant(1), sum = term;
  bool small = false;
  for (int k = 1; k < 3000 && !small; ++k) {
    term = times(t / k, term) / Jet::parameter(v + k);
    sum = sum + term;
    small = k > 0.5 * x;
    for (int i = 0; i < Jet::terms; ++i)
      small = small && std::abs(term.c[i]) <= 1e-18 * std::abs(sum.c[i]) + 1e-300;
  }
  return small ? first_term(v, x) * sum : unknown();
}

// 1 + a_1 / x + ..., with the signs of P + i Q (turning) or of I.
struct Asymptotic {
  Jet even = Jet::constant(1), odd;  // P and Q; of I the sum with signs is even - odd
  bool good = false;

  Asymptotic(double v, double x, bool turning) {
    const Jet square = times(4, Jet::parameter(v) * Jet::parameter(v));
    Jet term = even;
    double size = 1;
    for (int k = 1; k < 200 && !good; ++k) {
      const double factor = 2.0 * k - 1;
      term = times(1 / (8 * k * x), term * (square - Jet::constant(factor * factor)));
      const double sign = turning && k / 2 % 2 == 1 ? -1 : 1;
      Jet& sum = k % 2 == 1 ? odd : even;
      sum = sum + times(sign, term);
      double now = 0;
      for (const double c : term.c) now += std::abs(c);
      if (now > size && k > v) return;
      size = now;
      good = size < 1e-17;
    }
  }
};

// J and Y for x large against v^2.
bool far_off(double v, double x) { return x > 30 && x > 0.25 * v * v; }

Pair far(double v, double x) {
  const Asymptotic a(v, x, true);
  // cos and sin of x - v pi/2 - pi/4
  const double sx = std::sin(x), cx = std::cos(x), turn = 0.5 * v + 0.25;
  const double ct = std::cos(pi * std::fmod(turn, 2)), st = std::sin(pi * std::fmod(turn, 2));
  const auto [c, s] = circle(cx * ct + sx * st, sx * ct - cx * st, -0.5 * pi);
  const double front = a.good ? std::sqrt(2 / (pi * x)) : nan;
  return {times(front, a.even * c - a.odd * s), times(front, a.even * s + a.odd * c)};
}

// Gauss's rule of sixteen points on [-1, 1] (DLMF 3.5(v)).
struct Gauss {
  static constexpr int n = 16;
  double x[n], w[n];
  Gauss() {
    for (int i = 0; i < n; ++i) {
      double z = std::cos(pi * (i + 0.75) / (n + 0.5)), slope = 1;
      for (int turn = 0; turn < 20; ++turn) {
        double before = 0, p = 1;
        for (int k = 1; k <= n; ++k) {
          const double next = ((2 * k - 1) * z * p - (k - 1) * before) / k;
          before = p;
          p = next;
        }
        slope = n * (z * p - before) / (z * z - 1);
        z -= p / slope;
      }
      x[i] = z;
      w[i] = 2 / ((1 - z * z) * slope * slope);
    }
  }
};

const Gauss& gauss() {
  static const Gauss rule;
  return rule;
}

template <class F>
void integrate(double low, double high, double width, F&& add) {
  const int panels = static_cast<int>(std::ceil((high - low) / width));
  const double half = 0.5 * (high - low) / panels;
  for (int p = 0; p < panels; ++p) {
    const double middle = low + (2 * p + 1) * half;
    for (int i = 0; i < Gauss::n; ++i) add(middle + half * gauss().x[i], half * gauss().w[i]);
  }
}

void add_powers(Jet& sum, double value, double t) {  // of exp(t d)
  for (int i = 0; i < Jet::terms; ++i) {
    sum.c[i] += value;
    value *= t / (i + 1);
  }
}

Pair integrals(double v, double x) {
  if (x > 1e6 || std::abs(v) > 1e6) return {unknown(), unknown()};
  Jet cosines, sines, falling, rising;
  integrate(0, pi, 8 / (x + std::abs(v) + 1), [&](double t, double w) {
    const double angle = v * t - x * std::sin(t);
    const auto [c, s] = circle(std::cos(angle), std::sin(angle), t);
    cosines = cosines + times(w, c);
    sines = sines - times(w, s);
  });
  // Beyond `high` both exponentials are below exp(-45) of their largest values.
  double high = std::asinh(45 / x);
  while (x * std::sinh(high) < std::abs(v) * high + 45) high += 0.25;
  integrate(0, high, 1 / (2 + std::abs(v) / 25 + x / 8), [&](double t, double w) {
    const double fall = x * std::sinh(t);
    add_powers(falling, w * std::exp(-v * t - fall), -t);
    add_powers(rising, w * std::exp(v * t - fall), t);
  });
  const auto [c, s] = circle(cos_pi(v), sin_pi_of(v), pi);
  return {times(1 / pi, cosines - s * falling), times(1 / pi, sines - rising - c * falling)};
}

double times(double c, double x) { return c * x; }
double value_of(double x) { return x; }
double value_of(const Jet& x) { return x.c[0]; }
void set_order(double& u, double v) { u = v; }
void set_order(Jet& u, double v) { u = Jet::parameter(v); }

// J of the orders v and v + 1.
template <class N>
struct Neighbours {
  N low, high;
};

// Miller's algorithm (DLMF 3.6(iii)), normed by the sum of 10.23.15, whose weights grow with v;
// `first` is (x/2)^v / Gamma(v + 1), v >= 0.
template <class N>
Neighbours<N> downwards(double v, double x, const N& first) {
  const double top = std::fmax(v + 30, x + 15 * std::cbrt(x) + 20) + v;
  const N one = first / first;
  N above{}, found = times(1e-250, one), weight = one, sum{}, u{};
  for (double k = std::ceil(0.5 * (top - v)); k > 0; k -= 1) {
    set_order(u, v + 2 * k);
    sum = sum + u * weight * found;
    const N next = times(2 / x, u * found) - above;
    above = next;
    set_order(u, v + 2 * k - 1);
    found = times(2 / x, u * next) - found;
    set_order(u, v + k - 1);
    if (k > 1) weight = times(k, weight) / u;
    if (std::abs(value_of(found)) > 1e100) {
      found = times(1e-100, found);
      above = times(1e-100, above);
      sum = times(1e-100, sum);
    }
    if (std::abs(value_of(weight)) < 1e-100) {
      weight = times(1e100, weight);
      sum = times(1e100, sum);
    }
  }
  const N norm = sum / weight + found;
  const N scale = std::abs(value_of(norm)) < 1e290 ? first / norm : times(nan, first);
  return {found * scale, above * scale};
}

// Where the power series loses no digits.
bool is_near(double v, double x) { return x < 5 || 0.25 * x * x < v + 1; }

// By the integrals, where they keep nine digits: their errors are those of sums of cosines.
Jet j_by_integrals(double v, double x) {
  const Jet found = integrals(v, x).j;
  return std::abs(found.c[0]) + std::abs(found.c[1]) > 1e-6 ? found : unknown();
}

Jet j_of(double v, double x) {  // v >= 0
  if (far_off(v, x)) return far(v, x).j;
  if (is_near(v, x)) return power_series(v, x, -1);
  const Jet first = first_term(v, x);
  if (first.c[0] == 0) return {};  // J is smaller
  const Jet found = downwards(v, x, first).low;
  return found.c[0] == found.c[0] ? found : j_by_integrals(v, x);
}

// Downwards from order v + m >= 0, which is stable: f(v - 1) = 2v/x f(v) + sign f(v + 1).
template <class F>
Jet lowered(double v, double x, double sign, F&& f) {
  const int m = static_cast<int>(std::ceil(-v));
  if (m > 2000) return unknown();
  Jet above = f(v + m + 1, x), found = f(v + m, x);
  for (int k = m; k > 0; --k) {
    const Jet next = times(2 / x, Jet::parameter(v + k) * found) + times(sign, above);
    above = found;
    found = next;
  }
  return found;
}

// I, or I times exp(-x).
template <bool scaled>
Jet i_of(double v, double x) {
  if (far_off(v, x)) {
    const Asymptotic a(v, x, false);
    const double half = scaled ? 1 : std::exp(0.5 * x);
    if (a.good) return times(half, times(half / std::sqrt(2 * pi * x), a.even - a.odd));
  }
  const Jet found = power_series(v, x, 1);
  return scaled ? times(std::exp(-x), found) : found;
}

// J of v and v + 1 without derivatives by the order.
double plain_series(double v, double x) {
  const double t = -0.25 * x * x;
  double term = 1, sum = 1;
  for (double k = 1; std::abs(term) > 1e-18; k += 1) {
    term *= t / (k * (k + v));
    sum += term;
  }
  return sum;
}

double plain_far(double v, double x) {
  double term = 1, p = 1, q = 0;
  for (double k = 1; std::abs(term) > 1e-17 && k < 200; k += 2) {
    term *= (4 * v * v - (2 * k - 1) * (2 * k - 1)) / (8 * k * x);
    q += term;
    term *= -(4 * v * v - (2 * k + 1) * (2 * k + 1)) / (8 * (k + 1) * x);
    p += term;
  }
  const double sx = std::sin(x), cx = std::cos(x), turn = 0.5 * v + 0.25;
  const double ct = std::cos(pi * std::fmod(turn, 2)), st = std::sin(pi * std::fmod(turn, 2));
  return std::sqrt(2 / (pi * x)) * (p * (cx * ct + sx * st) - q * (sx * ct - cx * st));
}

Neighbours<double> neighbours(double v, double x) {
  if (far_off(v + 1, x)) return {plain_far(v, x), plain_far(v + 1, x)};
  const double first = first_power(v, x);
  if (!is_near(v, x)) {
    if (first == 0) return {};
    const Neighbours<double> found = downwards(v, x, first);
    if (found.low == found.low) return found;
    return {j_by_integrals(v, x).c[0], j_by_integrals(v + 1, x).c[0]};
  }
  return {first * plain_series(v, x), first * 0.5 * x / (v + 1) * plain_series(v + 1, x)};
}

double slope(double v, double x) {  // x > 0
  if (v < 0 && v == std::rint(v)) return std::fmod(v, 2) == 0 ? slope(-v, x) : -slope(-v, x);
  const double m = v < 0 ? std::ceil(-v) : 0;
  if (m > 2000) return nan;
  Neighbours<double> found = neighbours(v + m, x);
  for (double k = m; k > 0; k -= 1) found = {2 * (v + k) / x * found.low - found.high, found.low};
  return v / x * found.low - found.high;
}

double slope_at_zero(double v, double x) {
  if (x != 0 || v != v) return nan;
  if (std::abs(v) == 1) return 0.5 * v;
  if (v > 1 || v == std::rint(v)) return 0;
  return v > 0 ? inf : nan;
}

bool is_bad(double n, double v, double x) {
  return !(n >= 0 && n < Jet::terms && n == std::rint(n)) || !(std::abs(v) < 1e6) || !(x > 0) ||
         !(x < inf);
}

}  // namespace

double jv_by_order(const double* in) {
  const double n = in[0], v = in[1], x = in[2];
  if (x == 0 && v > 0 && n >= 0) return 0;
  if (is_bad(n, v, x)) return nan;
  return (v < 0 ? lowered(v, x, -1, j_of) : j_of(v, x)).derivative(static_cast<int>(n));
}

double yv_by_order(const double* in) {
  const double n = in[0], v = in[1], x = in[2];
  if (is_bad(n, v, x)) return nan;
  return (far_off(v, x) ? far(v, x) : integrals(v, x)).y.derivative(static_cast<int>(n));
}

double iv_by_order(const double* in) {
  const double n = in[0], v = in[1], x = in[2];
  if (x == 0 && v > 0 && n >= 0) return 0;
  if (is_bad(n, v, x)) return nan;
  if (v == 0 && n == 1) return -KvByOrder::value(0, 0, x);  // far below I itself
  return (v < 0 ? lowered(v, x, 1, i_of<false>) : i_of<false>(v, x))
      .derivative(static_cast<int>(n));
}

double ive_by_order(const double* in) {
  const double n = in[0], v = in[1], x = in[2];
  if (x == 0 && v > 0 && n >= 0) return 0;
  if (is_bad(n, v, x)) return nan;
  if (v == 0 && n == 1) return -KvByOrder::value(0, 0, x) * std::exp(-x);
  return (v < 0 ? lowered(v, x, 1, i_of<true>) : i_of<true>(v, x)).derivative(static_cast<int>(n));
}

double jv_slope(const double* in) {
  const double v = in[0], x = in[1];
  const bool whole = v == std::rint(v);
  if (x < 0) return whole ? (std::fmod(v, 2) == 0 ? -1 : 1) * slope(v, -x) : nan;
  return x > 0 && x < inf && std::abs(v) < 1e6 ? slope(v, x) : slope_at_zero(v, x);
}

}  // namespace tapegrad
