#pragma once

#include <cmath>

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_selection.h"
#include "tapegrad/scalar/number.h"

// These round, divide with remainder, and take numbers apart. Quotients and exponents are constant
// almost everywhere.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

struct UnaryStep : Unary {
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return zero_partial<T>();
  }
};

struct Floor : UnaryStep {
  static constexpr const char* name = "floor";
  static double value(double x) { return __builtin_floor(x); }
  static float value(float x) { return __builtin_floorf(x); }
  template <class T>
  static T value(T x) {
    return value(x);
  }
};

struct Ceil : UnaryStep {
  static constexpr const char* name = "ceil";
  static double value(double x) { return __builtin_ceil(x); }
  static float value(float x) { return __builtin_ceilf(x); }
  template <class T>
  static T value(T x) {
    return value(x);
  }
};

struct Trunc : UnaryStep {
  static constexpr const char* name = "trunc";
  static double value(double x) { return __builtin_trunc(x); }
  static float value(float x) { return __builtin_truncf(x); }
  template <class T>
  static T value(T x) {
    return value(x);
  }
};

// Halves are rounded to even.
struct Rint : UnaryStep {
  static constexpr const char* name = "rint";
  static double value(double x) { return __builtin_rint(x); }
  static float value(float x) { return __builtin_rintf(x); }
  template <class T>
  static T value(T x) {
    return value(x);
  }
};

struct Fmod : Binary {
  static constexpr const char* name = "fmod";
  static constexpr double ns = 8;
  template <class T>
  static T value(T a, T b) {
    return std::fmod(a, b);
  }
  // a = y + n b with an integer n, which is recovered from y itself.
  template <class T>
  static std::array<T, 2> partials(T a, T b, T y) {
    return {T(1.0), -call<Rint>((a - y) / b)};
  }
};

// The remainder has the sign of the divisor, as Python's %.
struct Remainder : Binary {
  static constexpr const char* name = "remainder";
  static constexpr double ns = 8;
  template <class T>
  static T value(T a, T b) {
    const T r = std::fmod(a, b);
    if (b == 0 || r != r) return r;
    if (r == 0) return vm::with_sign(T(0), b);
    return (b < 0) != (r < 0) ? r + b : r;
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T y) {
    return {T(1.0), -call<Rint>((a - y) / b)};
  }
};

struct FloorDivide : Binary {
  static constexpr const char* name = "floor_divide";
  static constexpr double ns = 9;
  template <class T>
  static T value(T a, T b) {
    if (b == 0) return a / b;
    const T r = std::fmod(a, b);
    T quotient = (a - r) / b;
    if (r != 0 && (b < 0) != (r < 0)) quotient -= 1;
    if (quotient == 0) return vm::with_sign(T(0), a / b);
    const T whole = Floor::value(quotient);
    return quotient - whole > T(0.5) ? whole + 1 : whole;
  }
  template <class T>
  static std::array<T, 2> partials(T, T, T) {
    return zero_partials<T>();
  }
};

struct ModfFrac : Unary {
  static constexpr const char* name = "modf_frac";
  template <class T>
  static T value(T x) {
    const T whole = Trunc::value(x);
    return vm::with_sign(vm::abs(x) == vm::infinity<T> ? T(0) : x - whole, x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return {T(1.0)};
  }
};

struct FrexpExponent : UnaryStep {
  static constexpr const char* name = "frexp_exponent";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    int exponent = 0;
    if (x - x == 0) (void)std::frexp(x, &exponent);
    return static_cast<T>(exponent);
  }
};

struct Ldexp : Binary {
  static constexpr const char* name = "ldexp";
  static constexpr unsigned data_inputs = 2;
  static constexpr double ns = 4;
  template <class T>
  static T value(T x, T exponent) {
    const T n = vm::clamp(exponent, T(-10000), T(10000));
    return n == n ? std::ldexp(x, static_cast<int>(n)) : n;
  }
  template <class T>
  static std::array<T, 2> partials(T, T exponent, T) {
    return {call<Ldexp>(T(1.0), exponent), T(0.0)};
  }
};

struct FrexpMantissa : Unary {
  static constexpr const char* name = "frexp_mantissa";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    int exponent = 0;
    return x - x == 0 ? std::frexp(x, &exponent) : x;
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Ldexp>(T(1.0), -call<FrexpExponent>(x))};
  }
};

struct Nextafter : Binary {
  static constexpr const char* name = "nextafter";
  static constexpr double ns = 3;
  template <class T>
  static T value(T a, T b) {
    return std::nextafter(a, b);
  }
  template <class T>
  static std::array<T, 2> partials(T, T, T) {
    return {T(1.0), T(0.0)};
  }
};

// This is the distance to the next number away from 0, with the sign of x.
struct Spacing : UnaryStep {
  static constexpr const char* name = "spacing";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    if (vm::abs(x) == vm::infinity<T>) return vm::not_a_number<T>;
    return std::nextafter(x, vm::with_sign(vm::infinity<T>, x)) - x;
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
