#pragma once

#include "tapegrad/scalar/math/vector_math_base.h"

// asin, acos, atan, atan2.

namespace tapegrad::vm {
namespace {

// asin s in two parts, s and s z R(z), with s = |x| below 1/2 and s = sqrt((1 - |x|) / 2) above.
template <class T>
[[gnu::always_inline]] inline Pair<T> reduced_asin(T a, bool big) {
  const T half = T{0.5} * (1 - a);
  const T z = big ? half : a * a;
  const T s = big ? sqrt(half) : a;
  return {s, s * z * polynomial(z, Coefficients<T>::asin)};
}

template <class T>
[[gnu::always_inline]] inline T asin(T x) {
  if constexpr (!has_fma) return std::asin(x);
  using C = Coefficients<T>;
  const T a = abs(x);
  const bool big = a > T{0.5};
  const Pair<T> arc = reduced_asin(a, big);
  const Pair<T> rest = add_ordered(C::half_pi_1, -2 * arc.high);
  const T low = rest.low + fma(T{-2}, arc.low, C::half_pi_2);
  return times_sign(big ? rest.high + low : arc.high + arc.low, x);
}

template <class T>
[[gnu::always_inline]] inline T acos(T x) {
  if constexpr (!has_fma) return std::acos(x);
  using C = Coefficients<T>;
  const T a = abs(x);
  const bool big = a > T{0.5};
  const Pair<T> arc = reduced_asin(a, big);
  // For |x| <= 1/2 and for x < -1/2: pi/2 - s - rest, once or twice.
  const T s = big ? arc.high : times_sign(arc.high, x);
  const T rest = big ? arc.low : times_sign(arc.low, x);
  const T middle = C::half_pi_1 - (s - (C::half_pi_2 - rest));
  const T outer = x > 0 ? s + rest : middle;
  return big ? 2 * outer : middle;
}

template <class T>
[[gnu::always_inline]] inline T atan(T x) {
  if constexpr (!has_fma) return std::atan(x);
  using C = Coefficients<T>;
  constexpr T tan_eighth = T(0.41421356237309504880), tan_three_eighths = T(2.41421356237309504880);
  const T a = abs(x);
  const bool middle = a > tan_eighth, big = a > tan_three_eighths;
  const T numerator = big ? T{-1} : (middle ? a - 1 : a);
  const T denominator = big ? a : (middle ? a + 1 : T{1});
  const T t = numerator / denominator;
  const T z = t * t;
  const T base_1 = big ? C::half_pi_1 : (middle ? C::half_pi_1 / 2 : T{0});
  const T base_2 = big ? C::half_pi_2 : (middle ? C::half_pi_2 / 2 : T{0});
  const T rest = fma(t * z, polynomial(z, C::atan), base_2);
  return times_sign(base_1 + (t + rest), x);
}

// The angle of (|x|, |y|) as base + atan t with |t| <= tan(pi/8), as in atan; x < 0 turns it to
// pi - angle, y gives the sign. Infinities and zeros in both are replaced by what has their ratio.
template <class T>
[[gnu::always_inline]] inline T atan2(T y, T x) {
  if constexpr (!has_fma) return std::atan2(y, x);
  using C = Coefficients<T>;
  constexpr T tan_eighth = T(0.41421356237309504880), tan_three_eighths = T(2.41421356237309504880);
  const T x_abs = abs(x), y_abs = abs(y);
  const bool both_infinite = x_abs == infinity<T> && y_abs == infinity<T>;
  const T scale = x_abs > std::numeric_limits<T>::max() / 16 ? T{0.125} : T{1};  // for the sum
  const T a = both_infinite ? T{1} : x_abs * scale;
  const T b = both_infinite ? T{1} : y_abs * scale;
  const bool middle = b > tan_eighth * a, big = b > tan_three_eighths * a;
  const T numerator = big ? -a : (middle ? b - a : b);
  const T denominator = big ? b : (middle ? b + a : a);
  const T quotient = numerator / (denominator == 0 ? T{1} : denominator);
  const bool left = (to_bits(x) & sign_bit<T>) != 0;
  const T t = times_sign(quotient, x);
  const T z = t * t;
  const T middle_1 = left ? C::three_quarter_pi_1 : C::half_pi_1 / 2;
  const T middle_2 = left ? C::three_quarter_pi_2 : C::half_pi_2 / 2;
  const T axis_1 = left ? C::pi_1 : T{0};
  const T axis_2 = left ? C::pi_2 : T{0};
  const T base_1 = big ? C::half_pi_1 : (middle ? middle_1 : axis_1);
  const T base_2 = big ? C::half_pi_2 : (middle ? middle_2 : axis_2);
  const T rest = fma(t * z, polynomial(z, C::atan), base_2);
  return with_sign(base_1 + (t + rest), y);
}

}  // namespace
}  // namespace tapegrad::vm
