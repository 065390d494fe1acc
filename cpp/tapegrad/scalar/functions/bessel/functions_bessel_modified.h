#pragma once

#include "tapegrad/scalar/functions/bessel/bessel_number.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_exponential.h"
#include "tapegrad/scalar/functions/functions_selection.h"

// The modified Bessel functions I and K of orders 0 and 1, and themselves times exp(-|x|) and
// exp(x). Derivatives are those of DLMF 10.29.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {
namespace bessel {

// I_n(x) over x^n near 0, and sqrt(x) exp(-x) I_n(x) far from it.
template <int n>
[[gnu::always_inline]] inline double i_near(double a) {
  const double t = 0.25 * (a * a);
  return n == 0 ? vm::polynomial(t, i0_near) : vm::polynomial(t, i1_near);
}
template <int n>
[[gnu::always_inline]] inline double i_far(double a) {
  const double s = 1 / a - 0.0625;
  return n == 0 ? vm::polynomial(s, i0_far) : vm::polynomial(s, i1_far);
}

// I_n(a), a >= 0. Above 709 the exponential alone would overflow before the function does.
template <int n>
[[gnu::always_inline]] inline double i_of(double a) {
  constexpr double exp_8 = 2980.9579870417282747;
  const double m = vm::clamp(a, 0.0, 730.0);
  const bool high = m > 700;
  const double e = vm::exp(high ? m - 8 : m);
  const double far = (i_far<n>(m) / vm::sqrt(m) * (high ? exp_8 : 1.0)) * e;
  const double near = n == 0 ? i_near<0>(m) : m * i_near<1>(m);
  return m < 8 ? near : far;
}

// exp(-a) I_n(a), a >= 0.
template <int n>
[[gnu::always_inline]] inline double scaled_i_of(double a) {
  const double m = vm::clamp(a, 0.0, 8.0);
  const double near = (n == 0 ? i_near<0>(m) : m * i_near<1>(m)) * vm::exp(-m);
  const double far = i_far<n>(a) / vm::sqrt(a);
  return a < 8 ? near : far;
}

// K_n(x) for 0 < x <= 2, and sqrt(x) exp(x) K_n(x) beyond.
template <int n>
[[gnu::always_inline]] inline double k_near(double x) {
  const double t = 0.25 * (x * x), l = vm::log(0.5 * x);
  if (n == 0) return vm::polynomial(t, k0_near) - l * vm::polynomial(t, i0_near);
  const double smooth = 1 / x + x * (vm::polynomial(t, k1_near) + l * vm::polynomial(t, i1_near));
  return x == 0 ? vm::infinity<double> : smooth;
}
template <int n>
[[gnu::always_inline]] inline double k_far(double x) {
  const double s = 1 / x - 0.25;
  return n == 0 ? vm::polynomial(s, k0_far) : vm::polynomial(s, k1_far);
}

template <int n>
[[gnu::always_inline]] inline double k_of(double x) {
  const double far = k_far<n>(x) / vm::sqrt(x) * vm::exp(-x);
  const double near = k_near<n>(x);
  return x > 2 ? far : near;
}
template <int n>
[[gnu::always_inline]] inline double scaled_k_of(double x) {
  const double near = k_near<n>(x) * vm::exp(x), far = k_far<n>(x) / vm::sqrt(x);
  return x > 2 ? far : near;
}

}  // namespace bessel

// I_n(x) / x^n, which is even and smooth: its derivative is x times the next one (DLMF 10.29.4).
struct IOverPower : Binary {
  static constexpr const char* name = "i_over_power";
  static constexpr unsigned data_inputs = 1;
  static constexpr double ns = 100;

  static double value(double n, double x) {
    const double a = vm::abs(x);
    if (!(n >= 0 && n < 40 && n == __builtin_rint(n)) || x != x) return vm::not_a_number<double>;
    return a < 40 ? series(n, 0.25 * a * a) : asymptotic(n, a);
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
    return {T(0.0), x * call<IOverPower>(n + 1.0, x)};
  }

 private:
  static double series(double n, double t) {  // DLMF 10.25.2
    double term = 1;
    for (double k = 1; k <= n; k += 1) term /= 2 * k;
    double sum = term;
    for (double k = 1; term > 1e-18 * sum; k += 1) {
      term *= t / (k * (k + n));
      sum += term;
    }
    return sum;
  }
  static double asymptotic(double n, double a) {  // DLMF 10.40.1
    if (a > 800) return vm::infinity<double>;
    double term = 1, sum = 1;
    for (double k = 1; k < 200 && vm::abs(term) > 1e-18; k += 1) {
      const double odd = 2 * k - 1;
      term *= -(4 * n * n - odd * odd) / (8 * k * a);
      sum += term;
    }
    double power = 1;
    for (double k = 0; k < n; k += 1) power *= a;
    const double half = vm::exp(0.5 * a);
    return half * (sum / (vm::sqrt(2 * pi_number * a) * power)) * half;
  }
};

// I1(x) / x.
struct I1OverX : bessel::OfDouble<I1OverX> {
  static constexpr const char* name = "i1_over_x";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) {
    const double a = vm::abs(x), m = vm::clamp(a, 1.0, vm::infinity<double>);
    const double near = bessel::i_near<1>(a), far = bessel::i_of<1>(m) / m;
    return a < 8 ? near : (a < 730 ? far : (a == a ? vm::infinity<double> : a));
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {x * call<IOverPower>(T(2.0), x)};
  }
};

struct I0 : bessel::OfDouble<I0> {
  static constexpr const char* name = "i0";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) { return bessel::i_of<0>(vm::abs(x)); }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<struct I1>(x)};
  }
};

struct I1 : bessel::OfDouble<I1> {
  static constexpr const char* name = "i1";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) {
    const double found = bessel::i_of<1>(vm::abs(x));
    return x < 0 ? -found : found;
  }
  // Where I0 is infinite I1 is too.
  template <class T>
  static std::array<T, 1> partials(T x, T y) {
    const T finite = call<Less>(call<Absolute>(y), T(vm::infinity<double>));
    return {call<I0>(x) - call<Select>(finite, call<I1OverX>(x), T(0.0))};
  }
};

struct I0e : bessel::OfDouble<I0e> {
  static constexpr const char* name = "i0e";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) { return bessel::scaled_i_of<0>(vm::abs(x)); }
  template <class T>
  static std::array<T, 1> partials(T x, T y) {
    return {call<struct I1e>(x) - call<Sign>(x) * y};
  }
};

struct I1e : bessel::OfDouble<I1e> {
  static constexpr const char* name = "i1e";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) {
    const double found = bessel::scaled_i_of<1>(vm::abs(x));
    return x < 0 ? -found : found;
  }
  template <class T>
  static std::array<T, 1> partials(T x, T y) {
    const T near = call<Less>(call<Absolute>(x), T(1.0));
    const T u = call<Select>(near, x, T(0.0)), v = call<Select>(near, T(1.0), x);
    const T quotient = call<Select>(near, call<I1OverX>(u) * call<Exp>(-call<Absolute>(u)), y / v);
    return {call<I0e>(x) - quotient - call<Sign>(x) * y};
  }
};

struct K0 : bessel::OfDouble<K0> {
  static constexpr const char* name = "k0";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) { return bessel::k_of<0>(x); }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-call<struct K1>(x)};
  }
};

struct K1 : bessel::OfDouble<K1> {
  static constexpr const char* name = "k1";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) { return bessel::k_of<1>(x); }
  template <class T>
  static std::array<T, 1> partials(T x, T y) {
    return {-call<K0>(x) - call<Absolute>(y / x)};  // at -0 as at 0
  }
};

struct K0e : bessel::OfDouble<K0e> {
  static constexpr const char* name = "k0e";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) { return bessel::scaled_k_of<0>(x); }
  template <class T>
  static std::array<T, 1> partials(T x, T y) {
    return {y - call<struct K1e>(x)};
  }
};

struct K1e : bessel::OfDouble<K1e> {
  static constexpr const char* name = "k1e";
  static constexpr double ns = 6;
  [[gnu::always_inline]] static double at(double x) { return bessel::scaled_k_of<1>(x); }
  template <class T>
  static std::array<T, 1> partials(T x, T y) {
    return {y - call<K0e>(x) - y / x};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
