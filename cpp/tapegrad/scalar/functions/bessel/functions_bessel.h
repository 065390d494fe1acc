#pragma once

#include "tapegrad/scalar/functions/bessel/bessel_number.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_selection.h"

// The Bessel functions J and Y of orders 0 and 1: polynomials up to 5, beyond it amplitudes of a
// sine and a cosine (DLMF 10.17). Derivatives are those of DLMF 10.6.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {
namespace bessel {

constexpr double two_over_pi = 0.63661977236758134308;
constexpr double sqrt_pi = 1.77245385090551602730;

// J_n(x) / x^n for |x| <= 5; `square` is x^2.
template <int n>
[[gnu::always_inline]] inline double j_near(double square) {
  if (n == 0) return ((square - j0_zero_1) - j0_zero_2) * vm::polynomial(square - 12.5, j0_near);
  return ((square - j1_zero_1) - j1_zero_2) * vm::polynomial(square - 12.5, j1_near);
}

// J_n(a) and Y_n(a) for a >= 5, with the sine and the cosine of a.
template <int n>
[[gnu::always_inline]] inline double wave(double a, double sine, double cosine, bool second) {
  const double inverse = 1 / a, s = inverse * inverse - 0.02;
  const double p = n == 0 ? vm::polynomial(s, p0) : vm::polynomial(s, p1);
  const double q = inverse * (n == 0 ? vm::polynomial(s, q0) : vm::polynomial(s, q1));
  const double sum = sine + cosine, difference = sine - cosine;
  // cos and sin of a - (2n + 1) pi/4, times sqrt(2)
  const double c = n == 0 ? sum : difference, d = n == 0 ? difference : -sum;
  return (second ? p * d + q * c : p * c - q * d) / (sqrt_pi * vm::sqrt(a));
}

template <int n>
[[gnu::always_inline]] inline double j_of(double x, double sine, double cosine) {
  const double a = vm::abs(x), square = x * x;
  const double near = n == 0 ? j_near<0>(square) : a * j_near<1>(square);
  const double found = a <= 5 ? near : wave<n>(a, sine, cosine, false);
  return n == 0 ? found : vm::times_sign(found, x);
}

template <int n>
[[gnu::always_inline]] inline double y_of(double x, double sine, double cosine) {
  const double square = x * x, l = vm::log(x);
  double near;
  if constexpr (n == 0) {
    near = two_over_pi * l * j_near<0>(square) + vm::polynomial(square - 12.5, y0_near);
  } else {
    const double smooth =
        two_over_pi * l * j_near<1>(square) + vm::polynomial(square - 12.5, y1_near);
    near = x * smooth - two_over_pi / x;
    near = x == 0 ? -vm::infinity<double> : near;
  }
  return x > 5 ? wave<n>(x, sine, cosine, true) : near;
}

// Functions of x, sin |x| and cos x; libm does these of large x.
template <class Self>
struct Oscillating : Unary {
  static constexpr double ns = 10;
  template <class T>
  [[gnu::always_inline]] static T core(T x) {
    const auto w = static_cast<double>(x);
    return static_cast<T>(Self::at(w, vm::sin_core(vm::abs(w)), vm::cos_core(w)));
  }
  template <class T>
  static bool special(T x) {
    return vm::sin_special(static_cast<double>(x));
  }
  template <class T>
  static T value(T x) {
    if (!special(x)) return core(x);
    const auto w = static_cast<double>(x);
    return static_cast<T>(Self::at(w, __builtin_sin(vm::abs(w)), __builtin_cos(w)));
  }
};

}  // namespace bessel

struct J0 : bessel::Oscillating<J0> {
  static constexpr const char* name = "j0";
  [[gnu::always_inline]] static double at(double x, double sine, double cosine) {
    return bessel::j_of<0>(x, sine, cosine);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-call<struct J1>(x)};
  }
};

struct J1 : bessel::Oscillating<J1> {
  static constexpr const char* name = "j1";
  [[gnu::always_inline]] static double at(double x, double sine, double cosine) {
    return bessel::j_of<1>(x, sine, cosine);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<J0>(x) - call<struct J1OverX>(x)};
  }
};

struct Y0 : bessel::Oscillating<Y0> {
  static constexpr const char* name = "y0";
  [[gnu::always_inline]] static double at(double x, double sine, double cosine) {
    return bessel::y_of<0>(x, sine, cosine);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-call<struct Y1>(x)};
  }
};

struct Y1 : bessel::Oscillating<Y1> {
  static constexpr const char* name = "y1";
  [[gnu::always_inline]] static double at(double x, double sine, double cosine) {
    return bessel::y_of<1>(x, sine, cosine);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T y) {
    return {call<Y0>(x) - y / x};
  }
};

// J_n(x) / x^n, which is even and smooth: its derivative is -x times the next one (DLMF 10.6.6).
struct JOverPower : Binary {
  static constexpr const char* name = "j_over_power";
  static constexpr unsigned data_inputs = 1;
  static constexpr double ns = 60;

  static double value(double n, double x) {
    const double a = vm::abs(x);
    if (!(n >= 0 && n < 40 && n == __builtin_rint(n)) || !(a < vm::infinity<double>))
      return vm::not_a_number<double>;
    return a < 4 || a < n ? series(n, 0.25 * a * a) : recurrence(n, a);
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
    return {T(0.0), -(x * call<JOverPower>(n + 1.0, x))};
  }

 private:
  static double series(double n, double t) {  // DLMF 10.2.2
    double term = 1;
    for (double k = 1; k <= n; k += 1) term /= 2 * k;
    double sum = term;
    const double least = 1e-20 * term;
    for (double k = 1; vm::abs(term) > least; k += 1) {
      term *= -t / (k * (k + n));
      sum += term;
    }
    return sum;
  }
  // Upwards in the order, which is stable up to a.
  static double recurrence(double n, double a) {
    double before = J0::value(a), found = J1::value(a), power = a;
    if (n == 0) return before;
    for (double k = 1; k < n; k += 1) {
      const double next = 2 * k / a * found - before;
      before = found;
      found = next;
      power *= a;
    }
    return found / power;
  }
};

// J1(x) / x.
struct J1OverX : bessel::Oscillating<J1OverX> {
  static constexpr const char* name = "j1_over_x";
  [[gnu::always_inline]] static double at(double x, double sine, double cosine) {
    const double a = vm::abs(x), m = a > 1 ? a : 1.0;
    const double near = bessel::j_near<1>(x * x);
    const double far = bessel::wave<1>(m, sine, cosine, false) / m;
    return a > 5 ? far : near;
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-(x * call<JOverPower>(T(2.0), x))};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
