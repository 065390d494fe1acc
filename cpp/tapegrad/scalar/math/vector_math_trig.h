#pragma once

#include "tapegrad/scalar/math/vector_math_base.h"

// sin, cos, tan. The argument is reduced by a multiple of pi (pi/2 for tan) in three parts: the
// first subtraction is exact, the second product is, and what the second subtraction rounds off
// goes into a tail. Arguments beyond Format::trig_limit are "special": libm does them.

namespace tapegrad::vm {
namespace {

template <class T>
struct ReducedAngle {
  T r;
  T tail;
};

template <class T>
[[gnu::always_inline]] inline ReducedAngle<T> subtract_multiple(T x, T n, T c1, T c2, T c3) {
  const T first = fma(-n, c1, x);
  const T r = fma(-n, c2, first);
  return {r, fma(-n, c3, fma(-n, c2, first - r))};
}

// sin(r + tail), |r| <= pi/2. The factor of the tail stands for cos r.
template <class T>
[[gnu::always_inline]] inline T sin_reduced(ReducedAngle<T> a) {
  const T z = a.r * a.r;
  const T tail = a.tail * fma(z, T(-0.405), T{1});
  return a.r + fma(a.r * z, polynomial(z, Coefficients<T>::sin_half), tail);
}

template <class T>
[[gnu::always_inline]] inline bool trig_special(T x) {
  return has_fma && abs(x) > Format<T>::trig_limit;
}

template <class T>
[[gnu::always_inline]] inline bool sin_special(T x) {
  return trig_special(x);
}

template <class T>
[[gnu::always_inline]] inline bool cos_special(T x) {
  return trig_special(x);
}

template <class T>
[[gnu::always_inline]] inline bool tan_special(T x) {
  return trig_special(x);
}

template <class T>
[[gnu::always_inline]] inline T sin_core(T x) {
  if constexpr (!has_fma) return std::sin(x);
  using C = Coefficients<T>;
  const T a = abs(x);
  const T rounded = fma(a, C::inverse_pi, Format<T>::round);
  const T n = rounded - Format<T>::round;
  const T s = sin_reduced(subtract_multiple(a, n, C::pi_1, C::pi_2, C::pi_3));
  const auto odd = to_bits(rounded) << (8 * sizeof(T) - 1);
  return from_bits<T>(to_bits(s) ^ odd ^ (to_bits(x) & sign_bit<T>));
}

template <class T>
[[gnu::always_inline]] inline T cos_core(T x) {
  if constexpr (!has_fma) return std::cos(x);
  using C = Coefficients<T>;
  const T a = abs(x);
  const T rounded = fma(a, C::inverse_pi, T{-0.5}) + Format<T>::round;
  const T n = (rounded - Format<T>::round) + T{0.5};
  const T s = sin_reduced(subtract_multiple(a, n, C::pi_1, C::pi_2, C::pi_3));
  const auto even = ~to_bits(rounded) << (8 * sizeof(T) - 1);
  return from_bits<T>(to_bits(s) ^ even);
}

template <class T>
[[gnu::always_inline]] inline T tan_core(T x) {
  if constexpr (!has_fma) return std::tan(x);
  using C = Coefficients<T>;
  const T a = abs(x);
  const T rounded = fma(a, C::inverse_half_pi, Format<T>::round);
  const T n = rounded - Format<T>::round;
  const ReducedAngle<T> angle = subtract_multiple(a, n, C::half_pi_1, C::half_pi_2, C::half_pi_3);
  const T r = angle.r;
  const T z = r * r;
  const T half = T{0.5} * z;
  const Pair<T> sine =
      add_ordered(r, fma(r * z, polynomial(z, C::sin_quarter), fma(-half, angle.tail, angle.tail)));
  const T one = 1 - half;
  const T more = fma(z * z, polynomial(z, C::cos_quarter), -r * angle.tail);
  const Pair<T> cosine = add_ordered(one, ((1 - one) - half) + more);
  const bool odd = (to_bits(rounded) & 1) != 0;
  const Pair<T> top = {odd ? -cosine.high : sine.high, odd ? -cosine.low : sine.low};
  const Pair<T> bottom = {odd ? sine.high : cosine.high, odd ? sine.low : cosine.low};
  const T inverse = 1 / bottom.high;
  const T quotient = top.high * inverse;
  const T residual = fma(-quotient, bottom.high, top.high) + fma(-quotient, bottom.low, top.low);
  return times_sign(fma(residual, inverse, quotient), x);
}

template <class T>
[[gnu::always_inline]] inline T sin(T x) {
  return sin_special(x) ? std::sin(x) : sin_core(x);
}

template <class T>
[[gnu::always_inline]] inline T cos(T x) {
  return cos_special(x) ? std::cos(x) : cos_core(x);
}

template <class T>
[[gnu::always_inline]] inline T tan(T x) {
  return tan_special(x) ? std::tan(x) : tan_core(x);
}

}  // namespace
}  // namespace tapegrad::vm
