#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tapegrad/scalar/math/vector_math_coefficients.h"

// Here are the number formats and the few building blocks of the vector math: see vector_math.h.

namespace tapegrad::vm {

// The linkage is internal on purpose: each instruction-set level compiles its own copy, and no copy
// with wider instructions may be linked into code for a narrower machine.
namespace {

#if defined(__FMA__) && (!defined(TAPEGRAD_ISA_LEVEL) || TAPEGRAD_ISA_LEVEL > 1)
inline constexpr bool has_fma = true;
#else
inline constexpr bool has_fma = false;
#endif

template <class T>
struct Format;

template <>
struct Format<double> {
  using Bits = std::uint64_t;
  static constexpr int shift = 52;
  static constexpr int bias = 1023;
  static constexpr double power = 0x1p52;    // integers in the low bits of power + n, n >= 0
  static constexpr double round = 0x1.8p52;  // x + round has the nearest integer in its low bits
  static constexpr double large = 0x1p28;    // beyond it sqrt(x^2 + 1) is x
  static constexpr double tiny = 0x1p-54;    // below it f(x) = x where f(x) = x + O(x^2)
  static constexpr double exp_low = -746, exp_high = 710;
  static constexpr double expm1_low = -40, expm1_high = 709.9, sinh_high = 710.8, tanh_high = 22;
  static constexpr double trig_limit = 0x1p23;  // n * pi_2 is exact up to here
};

template <>
struct Format<float> {
  using Bits = std::uint32_t;
  static constexpr int shift = 23;
  static constexpr int bias = 127;
  static constexpr float power = 0x1p23f;
  static constexpr float round = 0x1.8p23f;
  static constexpr float large = 0x1p13f;
  static constexpr float tiny = 0x1p-25f;
  static constexpr float exp_low = -105, exp_high = 89;
  static constexpr float expm1_low = -20, expm1_high = 88.8f, sinh_high = 89.6f, tanh_high = 11;
  static constexpr float trig_limit = 0x1p14f;
};

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();

template <class T>
[[gnu::always_inline]] inline auto to_bits(T x) {
  return std::bit_cast<typename Format<T>::Bits>(x);
}

template <class T>
[[gnu::always_inline]] inline T from_bits(typename Format<T>::Bits b) {
  return std::bit_cast<T>(b);
}

template <class T>
inline constexpr typename Format<T>::Bits sign_bit =
    typename Format<T>::Bits{1} << (8 * sizeof(T) - 1);

[[gnu::always_inline]] inline double fma(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
[[gnu::always_inline]] inline float fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}

template <class T>
[[gnu::always_inline]] inline T abs(T x) {
  return from_bits<T>(to_bits(x) & ~sign_bit<T>);
}

// Returns |x| with the sign of s.
template <class T>
[[gnu::always_inline]] inline T with_sign(T x, T s) {
  return from_bits<T>((to_bits(x) & ~sign_bit<T>) | (to_bits(s) & sign_bit<T>));
}

// Returns x with its sign flipped where s is negative.
template <class T>
[[gnu::always_inline]] inline T times_sign(T x, T s) {
  return from_bits<T>(to_bits(x) ^ (to_bits(s) & sign_bit<T>));
}

[[gnu::always_inline]] inline double sqrt(double x) { return __builtin_sqrt(x); }
[[gnu::always_inline]] inline float sqrt(float x) { return __builtin_sqrtf(x); }

// high + low = a + b exactly, for |a| >= |b| or a = 0.
template <class T>
struct Pair {
  T high;
  T low;
};

template <class T>
[[gnu::always_inline]] inline Pair<T> add_ordered(T a, T b) {
  const T sum = a + b;
  return {sum, (a - sum) + b};
}

template <class T>
[[gnu::always_inline]] inline Pair<T> multiply_exact(T a, T b) {
  const T product = a * b;
  return {product, fma(a, b, -product)};
}

// low <= x <= high; NaN stays NaN.
template <class T>
[[gnu::always_inline]] inline T clamp(T x, T low, T high) {
  x = x > high ? high : x;
  return x < low ? low : x;
}

// Horner's rule; coefficients in ascending order. Without FMA the functions of these headers are
// libm's, and others round twice.
template <class T, int n>
[[gnu::always_inline]] inline T polynomial(T x, const T (&c)[n]) {
  T sum = c[n - 1];
#pragma GCC unroll 32
  for (int i = n - 2; i >= 0; --i) sum = has_fma ? fma(sum, x, c[i]) : sum * x + c[i];
  return sum;
}

// Returns 2^n, where the argument is Format::round + n and n is in the normal exponent range.
template <class T>
[[gnu::always_inline]] inline T power_of_two(T rounded) {
  using F = Format<T>;
  using Bits = typename F::Bits;
  return from_bits<T>((to_bits(rounded) << F::shift) + (Bits{F::bias} << F::shift));
}

// x = (1 + f) * 2^exponent with 1 + f in [sqrt(1/2), sqrt(2)), for positive normal x.
template <class T>
struct Scaled {
  T f;
  T exponent;
  typename Format<T>::Bits biased;
};

template <class T>
[[gnu::always_inline]] inline Scaled<T> split_exponent(T x, T extra = 0) {
  using F = Format<T>;
  using Bits = typename F::Bits;
  constexpr Bits root_half = std::bit_cast<Bits>(static_cast<T>(0.70710678118654752440));
  constexpr Bits one = std::bit_cast<Bits>(T{1});
  const Bits b = to_bits(x) + (one - root_half);
  const Bits biased = b >> F::shift;
  const T m = from_bits<T>((b & ((Bits{1} << F::shift) - 1)) + root_half);
  const T exponent = from_bits<T>(biased | to_bits(F::power)) - (F::power + (F::bias + extra));
  return {m - 1, exponent, biased};
}

}  // namespace
}  // namespace tapegrad::vm
