#pragma once

#include <cmath>

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_selection.h"
#include "tapegrad/scalar/math/special_coefficients.h"
#include "tapegrad/scalar/number.h"

// The gamma function's logarithm and what follows from it. Special values are SciPy's.
//
// Positive x below 8 are led back to where a polynomial holds by log Gamma(x + 1) = log Gamma(x) +
// log x; beyond there are the asymptotic series (DLMF 5.11). Single precision is computed in
// double.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

inline constexpr double half_log_2_pi = 0.91893853320467274178;
inline constexpr double pi_number = 3.14159265358979323846;

template <size_t N>
[[gnu::always_inline]] inline double polynomial(const double (&c)[N], double x) {
  double sum = c[N - 1];
#pragma GCC unroll 32
  for (size_t k = 1; k < N; ++k) sum = sum * x + c[N - 1 - k];
  return sum;
}

// sin(pi x), and pi / tan(pi x).
[[gnu::always_inline]] inline double sin_pi(double x) {
  const double whole = __builtin_rint(x), half = 0.5 * whole;
  const double s = vm::sin(pi_number * (x - whole));
  return half == __builtin_rint(half) ? s : -s;
}
[[gnu::always_inline]] inline double pi_cot_pi(double x) {
  const double r = pi_number * (x - __builtin_rint(x));
  return pi_number * vm::cos(r) / vm::sin(r);
}

struct Gammaln : Unary {
  static constexpr const char* name = "gammaln";
  static constexpr double ns = 8;

  static double core(double x) {
    // Below 8: log Gamma(x) = t p(t) + sign log(m).
    double t = x, m = 1;
#pragma GCC unroll 8
    for (int k = 0; k < 5; ++k) {
      const bool down = t >= 3;
      t = down ? t - 1 : t;
      m = down ? m * t : m;
    }
    const bool first = t < 0.5, second = t < 1.5;
    m = first ? t * (1 + t) : (second ? t : m);
    t = first ? t : (second ? t - 1 : t - 2);
    const bool far = x >= 8;
    const double l = vm::log(far ? x : m);
    const double near = t * polynomial(vm::log_gamma_near_2, t - 0.25) + (second ? -l : l);
    const double inverse = 1 / x;
    const double rest = half_log_2_pi + inverse * polynomial(vm::stirling, inverse * inverse);
    return far ? (x - 0.5) * (l - 1) + (rest - 0.5) : near;
  }
  static bool special(double x) { return !((x > 0) & (x < 1e300)); }
  static double value(double x) {
    if (!special(x)) return core(x);
    if (!(x <= 0) || x == -vm::infinity<double>) return x > 0 ? vm::infinity<double> : x;
    if (x == __builtin_rint(x)) return vm::infinity<double>;
    if (x > -32) {
      double y = x, product = 1;
      for (; y < 0; y += 1) product *= y;
      return core(y) - vm::log(vm::abs(product));
    }
    return vm::log(pi_number / vm::abs(x * sin_pi(x))) - core(-x);
  }
  static float core(float x) { return static_cast<float>(core(static_cast<double>(x))); }
  static bool special(float x) { return special(static_cast<double>(x)); }
  static float value(float x) { return static_cast<float>(value(static_cast<double>(x))); }
  template <class T>
  static T value(T x) {
    return value(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<struct Psi>(x)};
  }
};

// The derivative by s, n times, of Hurwitz's zeta(s, q) = sum over k >= 0 of (k + q)^-s.
// Euler-Maclaurin (DLMF 25.11.7 and 2.10.1); n is a whole number from 0 to 8.
struct ZetaByOrder : Ternary {
  static constexpr const char* name = "zeta_by_order";
  static constexpr unsigned data_inputs = 1;
  static constexpr double ns = 300;
  static constexpr int most = 8;

  static double value(double n, double s, double q) {
    const int order = static_cast<int>(vm::clamp(n, -1.0, most + 1.0));
    if (order < 0 || order > most || s != s || q != q || s < -1e4) return vm::not_a_number<double>;
    if (s == 1) return order % 2 ? -vm::infinity<double> : vm::infinity<double>;
    if (q <= 0) {
      if (q == __builtin_rint(q)) return vm::infinity<double>;
      if (s != __builtin_rint(s) || q < -1e4 || order > 0) return vm::not_a_number<double>;
    }
    if (q == vm::infinity<double>) return s > 1 ? 0 : vm::not_a_number<double>;
    double sum = 0, x = q;
    const double least = 10 + 0.5 * vm::abs(s);
    for (; x < least; x += 1) {
      const double l = vm::log(vm::abs(x));
      double term = x < 0 && __builtin_fmod(s, 2) != 0 ? -vm::exp(-s * l) : vm::exp(-s * l);
      for (int k = 0; k < order; ++k) term *= -l;
      sum += term;
      if (!(vm::abs(sum) < vm::infinity<double>)) return sum;
      if (s > 1 && x > 2 && vm::abs(term) <= 1e-20 * vm::abs(sum)) return sum;  // s may be huge
    }
    return sum + tail(order, s, x);
  }
  static float value(float n, float s, float q) {
    return static_cast<float>(
        value(static_cast<double>(n), static_cast<double>(s), static_cast<double>(q)));
  }
  template <class T>
  static T value(T n, T s, T q) {
    return value(n, s, q);
  }
  // d/dq zeta(s, q) = -s zeta(s + 1, q), and that n times by s.
  template <class T>
  static std::array<T, 3> partials(T n, T s, T q, T) {
    const T lower = call<ZetaByOrder>(call<Maximum>(n - 1.0, T(0.0)), s + 1.0, q);
    return {T(0.0), call<ZetaByOrder>(n + 1.0, s, q),
            -(s * call<ZetaByOrder>(n, s + 1.0, q)) - call<Zmul>(n, lower)};
  }

 private:
  // x^(1-s)/(s-1) + x^-s/2 + sum of B(2k)/(2k)! s (s+1) .. (s+2k-2) x^(1-s-2k), as series in s.
  static double tail(int order, double s, double x) {
    double power[most + 1], result[most + 1] = {};
    const double l = vm::log(x);
    power[0] = vm::exp(-s * l);
    for (int i = 1; i <= order; ++i) power[i] = -power[i - 1] * l / i;
    double quotient = 0;
    for (int i = 0; i <= order; ++i) {
      quotient = (power[i] * x - quotient) / (s - 1);
      result[i] = quotient + 0.5 * power[i];
    }
    double factor[most + 1] = {s, 1};
    double scale = 1 / x;
    double j = 1;
    for (const double b : vm::euler_maclaurin) {
      for (int i = 0; i <= order; ++i)
        for (int k = 0; k <= i; ++k) result[i] += b * scale * factor[k] * power[i - k];
      for (int turn = 0; turn < 2; ++turn, j += 1)
        for (int i = order; i >= 0; --i)
          factor[i] = factor[i] * (s + j) + (i > 0 ? factor[i - 1] : 0);
      scale /= x * x;
    }
    double found = result[order];
    for (int i = 2; i <= order; ++i) found *= i;
    return found;
  }
};

// 1/x + 1/(2 x^2) + sum of B(2k) / x^(2k+1) (DLMF 5.15.8), from 12 on.
inline double trigamma(double x) {
  double sum = 0;
  for (; x < 12; x += 1) sum += 1 / (x * x);
  const double inverse = 1 / x, square = inverse * inverse;
  constexpr double c[] = {1.0 / 6,  -1.0 / 30,       1.0 / 42, -1.0 / 30,
                          5.0 / 66, -691.0 / 2730.0, 7.0 / 6,  -3617.0 / 510};
  return sum + (inverse + square * (0.5 + inverse * polynomial(c, square)));
}

// The derivative of digamma, n times: n = 1 is trigamma.
struct Polygamma : Binary {
  static constexpr const char* name = "polygamma";
  static constexpr unsigned data_inputs = 1;
  static constexpr double ns = 200;

  static double value(double n, double x);
  static float value(float n, float x) {
    return static_cast<float>(value(static_cast<double>(n), static_cast<double>(x)));
  }
  template <class T>
  static T value(T n, T x) {
    return value(n, x);
  }
  template <class T>
  static std::array<T, 2> partials(T n, T x, T) {
    return {T(0.0), call<Polygamma>(n + 1.0, x)};
  }
};

struct Psi : Unary {
  static constexpr const char* name = "psi";
  static constexpr double ns = 8;

  // Below 8: digamma(x) = (t - root) p(t) + a / b, with 1 <= t < 2.
  static double core(double x) {
    const bool low = x < 1, far = x >= 8;
    double t = low ? x + 1 : x, a = low ? -1 : 0, b = low ? x : 1;
#pragma GCC unroll 8
    for (int k = 0; k < 6; ++k) {
      const bool down = (t >= 2) & !low;
      t = down ? t - 1 : t;
      a = down ? a * t + b : a;
      b = down ? b * t : b;
    }
    const double from_root = (t - vm::digamma_root_1) - vm::digamma_root_2;
    const double near = from_root * polynomial(vm::digamma_near_root, t - 1.5) + a / b;
    const double inverse = 1 / x, square = inverse * inverse;
    const double rest = 0.5 * inverse + square * polynomial(vm::digamma_series, square);
    return far ? vm::log(x) - rest : near;
  }
  static bool special(double x) { return !((x > 0) & (x < vm::infinity<double>)); }
  static double value(double x) {
    if (!special(x)) return core(x);
    if (x == 0) return vm::with_sign(vm::infinity<double>, -x);
    if (!(x < 0)) return x;
    if (x == __builtin_rint(x)) return vm::not_a_number<double>;
    if (x > -8) {
      double sum = 0;
      for (; x < 0; x += 1) sum -= 1 / x;
      return sum + core(x);
    }
    return core(1 - x) - pi_cot_pi(x);
  }
  static float core(float x) { return static_cast<float>(core(static_cast<double>(x))); }
  static bool special(float x) { return special(static_cast<double>(x)); }
  static float value(float x) { return static_cast<float>(value(static_cast<double>(x))); }
  template <class T>
  static T value(T x) {
    return value(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Polygamma>(T(1.0), x)};
  }
};

inline double Polygamma::value(double n, double x) {
  if (n != __builtin_rint(n) || n < 0) return vm::not_a_number<double>;
  if (n == 0) return Psi::value(x);
  if (n == 1 && x > 0 && x < vm::infinity<double>) return trigamma(x);
  if (n > 170) return vm::not_a_number<double>;
  double factorial = 1;
  for (double k = 2; k <= n; k += 1) factorial *= k;
  const double found = factorial * ZetaByOrder::value(0.0, n + 1, x);
  return __builtin_fmod(n, 2) == 1 ? found : -found;
}

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
