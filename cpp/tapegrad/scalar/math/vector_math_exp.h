#pragma once

#include "tapegrad/scalar/math/vector_math_base.h"

// exp, exp2, expm1, sinh, cosh, tanh: x = n ln2 + r with |r| <= ln2/2, a polynomial for e^r - 1,
// and a scaling by powers of two.

namespace tapegrad::vm {
namespace {

template <class T>
struct ReducedExp {
  T rounded;  // Format::round + n
  T p;        // e^r - 1
};

template <class T>
[[gnu::always_inline]] inline ReducedExp<T> reduce_exp(T x) {
  using C = Coefficients<T>;
  const T rounded = fma(x, C::log2_e, Format<T>::round);
  const T n = rounded - Format<T>::round;
  const T r = fma(-n, C::ln2_2, fma(-n, C::ln2_1, x));
  return {rounded, fma(r * r, polynomial(r, C::exp), r)};
}

// 2^n as two factors, so that results overflow and become subnormal with one rounding.
template <class T>
[[gnu::always_inline]] inline Pair<T> split_power(T rounded) {
  constexpr T round = Format<T>::round;
  const T n = rounded - round;
  const T half = fma(n, T{0.5}, round);
  return {power_of_two(half), power_of_two((n - (half - round)) + round)};
}

template <class T>
[[gnu::always_inline]] inline T scale_exp(ReducedExp<T> e) {
  const Pair<T> s = split_power(e.rounded);
  return fma(e.p, s.high, s.high) * s.low;
}

// (e^x - 1) 2^-j; the shift keeps 2^(n-j) finite where the result still is. What the roundings of
// r and of 2^n r + (2^n - 1) lose is added back.
template <int j, class T>
[[gnu::always_inline]] inline T expm1_shifted(T x) {
  using C = Coefficients<T>;
  constexpr T unit = T{1} / (1 << j);
  const T rounded = fma(x, C::log2_e, Format<T>::round);
  const T n = rounded - Format<T>::round;
  const T first = fma(-n, C::ln2_1, x);
  const T r = fma(-n, C::ln2_2, first);
  const T tail = fma(-n, C::ln2_2, first - r);
  const T w = fma(r * r, polynomial(r, C::exp), tail);  // e^r - 1 - r
  const T s = power_of_two(rounded - j);
  const T high = fma(s, r, s - unit);
  const T low = fma(s, r, (s - unit) - high);
  return high + fma(s, w, low);
}

template <class T>
[[gnu::always_inline]] inline T exp(T x) {
  if constexpr (!has_fma) return std::exp(x);
  return scale_exp(reduce_exp(clamp(x, Format<T>::exp_low, Format<T>::exp_high)));
}

template <class T>
[[gnu::always_inline]] inline T exp2(T x) {
  if constexpr (!has_fma) return std::exp2(x);
  using F = Format<T>;
  x = clamp(x, T{-F::bias - F::shift - 5}, T{F::bias + 2});
  const T rounded = x + F::round;
  const T r = x - (rounded - F::round);
  return scale_exp(ReducedExp<T>{rounded, r * polynomial(r, Coefficients<T>::exp2)});
}

template <class T>
[[gnu::always_inline]] inline T expm1(T x) {
  if constexpr (!has_fma) return std::expm1(x);
  const T y = clamp(x, Format<T>::expm1_low, Format<T>::expm1_high);
  const T result = 2 * expm1_shifted<1>(y);
  return abs(x) < Format<T>::tiny ? x : result;
}

// sinh = t - t^2 / (2 t + 2) = (t + t / (t + 1)) / 2, t = e^|x| - 1 = 4 q; the first where t < 1.
template <class T>
[[gnu::always_inline]] inline T sinh(T x) {
  if constexpr (!has_fma) return std::sinh(x);
  const T a = abs(x);
  const T q = expm1_shifted<2>(a > Format<T>::sinh_high ? Format<T>::sinh_high : a);
  const bool small = q < T{0.25};
  const T numerator = small ? -4 * q * q : q;
  const T result = 2 * ((small ? 2 * q : q) + numerator / fma(T{4}, q, T{1}));
  return times_sign(a < Format<T>::tiny ? a : result, x);
}

// cosh = e^x / 2 + 1 / (2 e^x), e^x = 4 q.
template <class T>
[[gnu::always_inline]] inline T cosh(T x) {
  if constexpr (!has_fma) return std::cosh(x);
  const T a = abs(x);
  const ReducedExp<T> e = reduce_exp(a > Format<T>::sinh_high ? Format<T>::sinh_high : a);
  const T s = power_of_two(e.rounded - 2);
  const T q = fma(e.p, s, s);
  return fma(T{2}, q, T{0.125} / q);
}

// tanh = t / (t + 2), t = e^(2|x|) - 1; what the sum and the quotient round off is added back.
template <class T>
[[gnu::always_inline]] inline T tanh(T x) {
  if constexpr (!has_fma) return std::tanh(x);
  const T a = abs(x);
  const T y = a > Format<T>::tanh_high ? Format<T>::tanh_high : a;
  const T t = 2 * expm1_shifted<1>(2 * y);
  const bool big = t > 2;
  const Pair<T> d = add_ordered(big ? t : T{2}, big ? T{2} : t);
  const T inverse = 1 / d.high;
  const T quotient = t * inverse;
  const T residual = fma(-quotient, d.low, fma(-quotient, d.high, t));
  const T result = fma(residual, inverse, quotient);
  return times_sign(a < Format<T>::tiny ? a : result, x);
}

}  // namespace
}  // namespace tapegrad::vm
