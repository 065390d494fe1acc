#pragma once

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_exponential.h"
#include "tapegrad/scalar/functions/functions_special.h"
#include "tapegrad/scalar/number.h"

// The error function's relatives that stay in range in the tail of the normal distribution.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

// exp(x^2) times the n-th integral of erfc from x to infinity: (-1)^n / (2^n n!) times the n-th
// derivative of erfcx (DLMF 7.18.2), without the differences of near numbers.
struct ErfcxIntegral : Binary {
  static constexpr const char* name = "erfcx_integral";
  static constexpr unsigned data_inputs = 1;
  static constexpr double ns = 60;

  static double value(double n, double x) {
    if (!(n >= 0 && n < 100 && n == __builtin_rint(n)) || x != x) return vm::not_a_number<double>;
    const double first = vm::erfcx(x);
    if (n == 0) return first;
    if (n == 1) return vm::erfcx_slope(x);
    // DLMF 7.18.7: upwards where terms add up or nearly so, else downwards (10.74(iv) of the same
    // says why) from where nothing depends on the start.
    if (x < 0.5) {
      double before = two_over_sqrt_pi, found = first;
      for (double k = 1; k <= n; k += 1) {
        const double next = (0.5 * before - x * found) / k;
        before = found;
        found = next;
      }
      return found;
    }
    if (x == vm::infinity<double>) return 0;
    const double reach = vm::sqrt(n) + 15 / x;
    double last = 0, found = 1e-300, wanted = 0;
    for (double k = __builtin_ceil(reach * reach) + 4; k > 0; k -= 1) {
      if (k == n) wanted = found;
      const double next = 2 * (k + 1) * last + 2 * x * found;
      last = found;
      found = next;
      if (found > 1e200) {
        last *= 1e-200;
        found *= 1e-200;
        wanted *= 1e-200;
      }
    }
    return wanted / found * first;
  }
  static float value(float n, float x) {
    return static_cast<float>(value(static_cast<double>(n), static_cast<double>(x)));
  }
  template <class T>
  static T value(T n, T x) {
    return value(n, x);
  }
  template <class T>
  static std::array<T, 2> partials(T n, T x, T) {
    return {T(0.0), -2.0 * (n + 1.0) * call<ErfcxIntegral>(n + 1.0, x)};
  }
};

// The first of them.
struct ErfcxSlope : Unary {
  static constexpr const char* name = "erfcx_slope";
  static constexpr double ns = 6;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    return static_cast<T>(vm::erfcx_slope(static_cast<double>(x)));
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-4.0 * call<ErfcxIntegral>(T(2.0), x)};
  }
};

struct Erfcx : Unary {
  static constexpr const char* name = "erfcx";
  static constexpr double ns = 5;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    return static_cast<T>(vm::erfcx(static_cast<double>(x)));
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-2.0 * call<ErfcxSlope>(x)};
  }
};

struct LogNdtr : Unary {
  static constexpr const char* name = "log_ndtr";
  static constexpr double ns = 10;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    return static_cast<T>(vm::log_ndtr(static_cast<double>(x)));
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {(2.0 * one_over_sqrt_2_pi) / call<Erfcx>(-one_over_sqrt_2 * x)};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
