#pragma once

#include "tapegrad/scalar/math/special_coefficients.h"
#include "tapegrad/scalar/math/vector_math_exp.h"
#include "tapegrad/scalar/math/vector_math_log.h"

// erf, erfc, erfcx, and the normal distribution.

namespace tapegrad::vm {
namespace {

// erfc(x) for x >= 0.7, and exp(-x^2) as the square of its root: neither loses digits where the
// exponential itself is subnormal.
struct ErfcTail {
  double value, root;

  [[gnu::always_inline]] explicit ErfcTail(double x) {
    const double c = clamp(x, 0.7, 28.0);  // beyond it all is 0
    const Pair<double> square = multiply_exact(c, c);
    root = exp(-0.5 * square.high);
    const double scaled = polynomial((c - 3) / (c + 3) - 0.09375, erfc_far) / (1 + 2 * c);
    value = root * (scaled - scaled * square.low) * root;
  }
};

[[gnu::always_inline]] inline double erf_over_x(double square) {
  return polynomial(square - 0.25, erf_near_0);
}

[[gnu::always_inline]] inline double erf(double x) {
  if constexpr (!has_fma) return __builtin_erf(x);
  const double a = abs(x), square = x * x;
  const double far = with_sign(1 - ErfcTail(a).value, x);
  return square < 0.5 ? x * erf_over_x(square) : far;
}

[[gnu::always_inline]] inline double erfc(double x) {
  if constexpr (!has_fma) return __builtin_erfc(x);
  const double square = x * x, tail = ErfcTail(abs(x)).value;
  const double far = x < 0 ? 2 - tail : tail;
  return square < 0.5 ? 1 - x * erf_over_x(square) : far;
}

// exp(a^2) erfc(a) for a >= 0.7: beyond 28 by the asymptotic series (DLMF 7.12.1).
[[gnu::always_inline]] inline double erfcx_tail(double a) {
  constexpr double series[] = {1, -0.5, 0.75, -1.875, 6.5625, -29.53125, 162.421875};
  constexpr double one_over_sqrt_pi = 0.56418958354775628695;
  const double c = clamp(a, 0.7, 28.0), inverse = 1 / a;
  const double middle = polynomial((c - 3) / (c + 3) - 0.09375, erfc_far) / (1 + 2 * c);
  const double outer = one_over_sqrt_pi * inverse * polynomial(inverse * inverse, series);
  return c < 28 ? middle : outer;
}

[[gnu::always_inline]] inline double erfcx(double x) {
  const double m = clamp(x, -28.0, 1.0), tail = erfcx_tail(abs(x));
  const Pair<double> square = multiply_exact(m, m);
  const double root = exp(0.5 * square.high), e = root * (1 + square.low) * root;
  const double far = x < 0 ? 2 * e - tail : tail;
  const double near = e * (1 - x * erf_over_x(square.high));
  return square.high < 0.5 ? near : far;
}

// 1 / sqrt(pi) - x erfcx(x), minus half of the derivative of erfcx: beyond 28 the derivative of the
// series (DLMF 7.18.14).
[[gnu::always_inline]] inline double erfcx_slope(double x) {
  constexpr double series[] = {1,       -1.5,       3.75,        -13.125,
                               59.0625, -324.84375, 2111.484375, -15836.1328125};
  constexpr double one_over_sqrt_pi = 0.56418958354775628695;
  const double c = clamp(x, 1.0, 28.0), m = clamp(x, -28.0, 1.0), inverse = 1 / x;
  const double scale = 1 / (1 + 2 * c), square = inverse * inverse;
  const double middle = polynomial((c - 3) / (c + 3) - 0.15625, erfcx_slope_far) * scale * scale;
  const double outer = 0.5 * one_over_sqrt_pi * square * polynomial(square, series);
  const double near = one_over_sqrt_pi - m * erfcx(m);
  const double far = x > 28 ? outer : middle;
  return x < 1 ? (x < -28 ? infinity<double> : near) : far;
}

// Of u = x / sqrt(2) the rounding error is made good by the derivative: far out it would be
// multiplied by x^2.
[[gnu::always_inline]] inline double ndtr(double x) {
  constexpr double one_over_sqrt_2 = 0.70710678118654752440, rest = -4.833646656726458e-17;
  constexpr double one_over_sqrt_pi = 0.56418958354775628695;
  const double u = x * one_over_sqrt_2;
  const double error = __builtin_fma(x, one_over_sqrt_2, -u) + x * rest;
  if constexpr (!has_fma) {
    if (abs(x) < 1) return 0.5 + 0.5 * __builtin_erf(u);
    const double far = 0.5 * __builtin_erfc(-u);
    return abs(x) < 39 ? far + one_over_sqrt_pi * exp(-u * u) * error : far;
  }
  const ErfcTail tail(abs(u));
  const double far = x < 0 ? 0.5 * tail.value : 1 - 0.5 * tail.value;
  const double made_good = far + one_over_sqrt_pi * tail.root * error * tail.root;
  const double outer = abs(x) < 39 ? made_good : far;
  return abs(x) < 1 ? 0.5 + 0.5 * (u * erf_over_x(u * u)) : outer;
}

// Below -1 from erfcx, which does not underflow.
[[gnu::always_inline]] inline double log_ndtr(double x) {
  constexpr double one_over_sqrt_2 = 0.70710678118654752440;
  const double a = clamp(-x, 1.0, infinity<double>);
  const double low = log(0.5 * erfcx_tail(one_over_sqrt_2 * a)) - 0.5 * a * a;
  const double high = log1p(-ndtr(-x));
  return x < -1 ? low : high;
}

}  // namespace
}  // namespace tapegrad::vm
