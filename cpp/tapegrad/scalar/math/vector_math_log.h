#pragma once

#include "tapegrad/scalar/math/vector_math_base.h"

// log, log2, log10, log1p, asinh, acosh, atanh: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)),
// log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)), s = f / (2 + f).

namespace tapegrad::vm {
namespace {

template <class T>
struct ReducedLog {
  T f;
  T exponent;
  T square;  // f^2 / 2
  T rest;    // s (f^2/2 + R)
};

template <class T>
[[gnu::always_inline]] inline ReducedLog<T> reduce_log(Scaled<T> x) {
  const T s = x.f / (2 + x.f);
  const T z = s * s;
  const T square = T{0.5} * x.f * x.f;
  return {x.f, x.exponent, square, s * fma(z, polynomial(z, Coefficients<T>::log), square)};
}

// Splits any positive finite x: subnormals are scaled up first.
template <class T>
[[gnu::always_inline]] inline ReducedLog<T> reduce_log(T x) {
  using F = Format<T>;
  const bool small = x < std::numeric_limits<T>::min();
  return reduce_log(split_exponent(small ? x * F::power : x, small ? T{F::shift} : T{0}));
}

// The value of a logarithm where the argument is not positive and finite.
template <class T>
[[gnu::always_inline]] inline T log_or_limit(T x, T result) {
  const T other = x < 0 ? not_a_number<T> : x;
  const T limit = x == 0 ? -infinity<T> : other;
  return (x > 0 && x < infinity<T>) ? result : limit;
}

template <class T>
[[gnu::always_inline]] inline T log(T x) {
  if constexpr (!has_fma) return std::log(x);
  using C = Coefficients<T>;
  const ReducedLog<T> l = reduce_log(x);
  const T low = fma(l.exponent, C::ln2_2, l.rest);
  return log_or_limit(x, fma(l.exponent, C::ln2_1, l.f - (l.square - low)));
}

// k * unit + log(1 + f) * (factor_1 + factor_2), the sum kept in two parts.
template <class T>
[[gnu::always_inline]] inline T log_in_base(T x, T unit_1, T unit_2, T factor_1, T factor_2) {
  const ReducedLog<T> l = reduce_log(x);
  const T high = l.f - l.square;
  const T low = fma(T{-0.5} * l.f, l.f, l.f - high) + l.rest;
  const T product = high * factor_1;
  const T rest = fma(high, factor_1, -product) + fma(low, factor_1, high * factor_2);
  const T whole = l.exponent * unit_1;
  const T sum = whole + product;
  return log_or_limit(x, sum + ((whole - sum) + product + fma(l.exponent, unit_2, rest)));
}

template <class T>
[[gnu::always_inline]] inline T log2(T x) {
  if constexpr (!has_fma) return std::log2(x);
  using C = Coefficients<T>;
  return log_in_base(x, T{1}, T{0}, C::inverse_ln2_1, C::inverse_ln2_2);
}

template <class T>
[[gnu::always_inline]] inline T log10(T x) {
  if constexpr (!has_fma) return std::log10(x);
  using C = Coefficients<T>;
  return log_in_base(x, C::log10_2_1, C::log10_2_2, C::inverse_ln10_1, C::inverse_ln10_2);
}

// log((high + low) 2^extra): high positive and normal, |low| about half a unit of high at most.
template <class T>
[[gnu::always_inline]] inline T log_sum(T high, T low, T extra = 0) {
  using F = Format<T>;
  using C = Coefficients<T>;
  const Scaled<T> x = split_exponent(high);
  const T scale =
      from_bits<T>((typename F::Bits{2 * F::bias} - x.biased) << F::shift);  // 2^-exponent
  const ReducedLog<T> l = reduce_log(x);
  const T exponent = l.exponent + extra;
  // Beyond max/4 the scale is no normal number, and low does not matter.
  const T error = high < std::numeric_limits<T>::max() / 4 ? low * scale : T{0};
  // error / (1 + f), to the few bits that matter.
  const T shift = fma(error, fma(l.f, l.f, -l.f), error);
  const T rest = l.rest + fma(exponent, C::ln2_2, shift);
  return fma(exponent, C::ln2_1, l.f - (l.square - rest));
}

// Splits 1 + y for y > -1.
template <class T>
[[gnu::always_inline]] inline Pair<T> one_plus(T y) {
  const T high = 1 + y;
  return {high, abs(y) < 1 ? y - (high - 1) : 1 - (high - y)};
}

template <class T>
[[gnu::always_inline]] inline T log1p(T x) {
  if constexpr (!has_fma) return std::log1p(x);
  const Pair<T> sum = one_plus(x);
  const T result = log_or_limit(sum.high, log_sum(sum.high, sum.low));
  return abs(x) < Format<T>::tiny ? x : result;
}

// asinh a = log1p(a + a^2 / (1 + sqrt(a^2 + 1))), or log(2a) for large a.
template <class T>
[[gnu::always_inline]] inline T asinh(T x) {
  if constexpr (!has_fma) return std::asinh(x);
  const T a = abs(x);
  const bool large = a > Format<T>::large;
  const T square = a * a;
  const Pair<T> y = add_ordered(a, square / (1 + sqrt(square + 1)));
  const Pair<T> sum = one_plus(y.high);
  const T log = log_sum(large ? a : sum.high, large ? T{0} : sum.low + y.low, large ? T{1} : T{0});
  const T result = a < infinity<T> ? log : a;
  return times_sign(a < Format<T>::tiny ? a : result, x);
}

// acosh x = log1p(t + sqrt(2t + t^2)), t = x - 1, or log(2x) for large x.
template <class T>
[[gnu::always_inline]] inline T acosh(T x) {
  if constexpr (!has_fma) return std::acosh(x);
  const bool large = x > Format<T>::large;
  const T t = x - 1;
  const Pair<T> y = add_ordered(sqrt(fma(t, t, 2 * t)), t);
  const Pair<T> sum = one_plus(y.high);
  const T log = log_sum(large ? x : sum.high, large ? T{0} : sum.low + y.low, large ? T{1} : T{0});
  const T other = x < 1 ? not_a_number<T> : x;
  return (x >= 1 && x < infinity<T>) ? log : other;
}

// atanh a = log1p(2a / (1 - a)) / 2.
template <class T>
[[gnu::always_inline]] inline T atanh(T x) {
  if constexpr (!has_fma) return std::atanh(x);
  const T a = abs(x);
  const Pair<T> d = add_ordered(T{1}, -a);
  const T inverse = 1 / d.high;
  const T y = 2 * a * inverse;
  const T y_low = fma(-y, d.low, fma(-y, d.high, 2 * a)) * inverse;
  const Pair<T> sum = one_plus(y);
  const T log = T{0.5} * log_sum(sum.high, sum.low + y_low);
  const T limit = a == 1 ? infinity<T> : not_a_number<T>;
  const T result = a < 1 ? log : limit;
  return times_sign(a < Format<T>::tiny ? a : result, x);
}

}  // namespace
}  // namespace tapegrad::vm
