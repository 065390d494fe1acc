#pragma once

#include "tapegrad/scalar/math/vector_math_exp.h"
#include "tapegrad/scalar/math/vector_math_log.h"

// cbrt, hypot, pow.

namespace tapegrad::vm {
namespace {

// |x| = 2^(3q) m; w near m^(-1/3) from a polynomial and one step of third order, then m w^2 with
// one Newton step on the exact residual.
template <class T>
[[gnu::always_inline]] inline T cbrt(T x) {
  if constexpr (!has_fma) return std::cbrt(x);
  using F = Format<T>;
  constexpr int up = F::shift == 52 ? 54 : 24;  // a multiple of 3 that makes subnormals normal
  constexpr T scale = static_cast<T>(std::uint64_t{1} << up);
  const T a = abs(x);
  const bool small = a < std::numeric_limits<T>::min();
  const Scaled<T> split = split_exponent(small ? a * scale : a, small ? T{up} : T{0});
  const T rounded = fma(split.exponent, T(1.0 / 3), F::round);
  const T part = fma(rounded - F::round, T{-3}, split.exponent);  // -1, 0 or 1
  const T near_one = 1 + split.f;
  const T m = near_one * (part < 0 ? T{0.5} : (part > 0 ? T{2} : T{1}));
  const T factor = part < 0 ? T(1.25992104989487316) : (part > 0 ? T(0.793700525984099737) : T{1});
  const T start = factor * polynomial(near_one, Coefficients<T>::inverse_cbrt);
  const T e = fma(-m * start, start * start, T{1});
  const T w = fma(start * e, fma(e, T(2.0 / 9), T(1.0 / 3)), start);
  const T y = m * w * w;
  const Pair<T> square = multiply_exact(y, y);
  const T residual = fma(-square.low, y, fma(-square.high, y, m));
  const T root = fma(residual * T(1.0 / 3), w * w, y);
  return (a > 0 && a < infinity<T>) ? times_sign(root * power_of_two(rounded), x) : x;
}

template <class T>
[[gnu::always_inline]] inline T hypot(T x, T y) {
  if constexpr (!has_fma) return std::hypot(x, y);
  constexpr T far = sizeof(T) == 8 ? T(0x1p300) : T(0x1p40), step = far * far;
  const T a = abs(x), b = abs(y);
  const T largest = a > b ? a : b;
  const bool big = largest > far, small = largest < 1 / far;
  const T down = big ? 1 / step : (small ? step : T{1});
  const T up = big ? step : (small ? 1 / step : T{1});
  const T p = (a > b ? a : b) * down, q = (a > b ? b : a) * down;
  const T result = sqrt(fma(p, p, q * q)) * up;
  return (a == infinity<T> || b == infinity<T>) ? infinity<T> : result;
}

// log x in two parts, with a relative error near 2^-65, for positive normal x.
[[gnu::always_inline]] inline Pair<double> log_pair(double x) {
  using C = Coefficients<double>;
  const Scaled<double> split = split_exponent(x);
  const double f = split.f;
  const Pair<double> d = add_ordered(2.0, f);
  const double inverse = 1 / d.high;
  const double s = f * inverse;
  const double s_low = fma(-s, d.low, fma(-s, d.high, f)) * inverse;
  Pair<double> z = multiply_exact(s, s);
  z.low = fma(2 * s, s_low, z.low);
  Pair<double> third = add_ordered(C::two_thirds_1, z.high * polynomial(z.high, C::log_tail));
  third.low += C::two_thirds_2;
  Pair<double> product = multiply_exact(z.high, third.high);
  product.low += fma(z.high, third.low, z.low * third.high);
  Pair<double> series = add_ordered(2.0, product.high);
  series.low += product.low;
  Pair<double> log = multiply_exact(s, series.high);
  log.low += fma(s, series.low, s_low * series.high);
  Pair<double> sum = add_ordered(split.exponent * C::ln2_1, log.high);
  sum.low += fma(split.exponent, C::ln2_2, log.low);
  return sum;
}

// e^(high + low), the sum being exact and |low| small.
[[gnu::always_inline]] inline double exp_pair(Pair<double> x) {
  using C = Coefficients<double>;
  using F = Format<double>;
  const bool inside = x.high > F::exp_low && x.high < F::exp_high;
  const double high = clamp(x.high, F::exp_low, F::exp_high);
  const double low = inside ? x.low : 0;
  const double rounded = fma(high, C::log2_e, F::round);
  const double n = rounded - F::round;
  const Pair<double> r = add_ordered(fma(-n, C::ln2_1, high), fma(-n, C::ln2_2, low));
  const double w = fma(r.high * r.high, polynomial(r.high, C::exp), r.low);
  const Pair<double> one = add_ordered(1.0, r.high);
  const Pair<double> s = split_power(rounded);
  return (one.high + (one.low + w)) * s.high * s.low;
}

[[gnu::always_inline]] inline double positive_power(double x, double y) {
  const Pair<double> log = log_pair(x);
  Pair<double> product = multiply_exact(log.high, y);
  product.low = fma(log.low, y, product.low);
  return exp_pair(product);
}

// This works in double arithmetic with a relative error near 2^-35, rounded once.
[[gnu::always_inline]] inline float positive_power(float x, float y) {
  using C = Coefficients<double>;
  constexpr double round = Format<double>::round, ln2 = C::ln2_1 + C::ln2_2;
  const Scaled<double> split = split_exponent(static_cast<double>(x));
  const double s = split.f / (2 + split.f);
  const double z = s * s;
  const double log = fma(split.exponent, ln2, fma(s * z, polynomial(z, C::log_short), 2 * s));
  const double product = clamp(log * y, -110.0, 100.0);
  const double rounded = fma(product, C::log2_e, round);
  const double r = fma(round - rounded, ln2, product);
  const double p = fma(r * r, polynomial(r, C::exp_short), r);
  const double power = power_of_two(rounded);
  return static_cast<float>(fma(p, power, power));
}

// Special are zero, subnormal, infinite and NaN x, and huge, infinite and NaN y.
template <class T>
[[gnu::always_inline]] inline bool pow_special(T x, T y) {
  const T a = abs(x);
  return has_fma &&
         !(a >= std::numeric_limits<T>::min() && a < infinity<T> && abs(y) < Format<T>::power / 2);
}

// |x|^y with the sign of an odd power; a negative x with y no integer gives NaN.
template <class T>
[[gnu::always_inline]] inline T pow_core(T x, T y) {
  if constexpr (!has_fma) return std::pow(x, y);
  using F = Format<T>;
  const T power = positive_power(abs(x), y);
  const T rounded = abs(y) + F::power;
  const bool whole = rounded - F::power == abs(y);
  const T odd = from_bits<T>(to_bits(rounded) << (8 * sizeof(T) - 1));  // +0 or -0
  const T negative = whole ? times_sign(power, odd) : not_a_number<T>;
  return x < 0 ? negative : power;
}

template <class T>
[[gnu::always_inline]] inline T pow(T x, T y) {
  return pow_special(x, y) ? std::pow(x, y) : pow_core(x, y);
}

}  // namespace
}  // namespace tapegrad::vm
