#pragma once

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_gamma.h"
#include "tapegrad/scalar/functions/functions_special.h"
#include "tapegrad/scalar/math/jet.h"
#include "tapegrad/scalar/number.h"

// Derivatives by parameters that no formula of other functions gives. Each follows the computation
// of the function itself term by term.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

// The derivative by a, n times, of the regularised P(a, x) = gammainc(a, x): the power series
// (DLMF 8.7.1) up to x = a + 1, beyond it the continued fraction of Q (DLMF 8.9.2). n is 1, 2 or 3.
struct GammaincByShape : Ternary {
  static constexpr const char* name = "gammainc_by_shape";
  static constexpr unsigned data_inputs = 1;
  static constexpr double ns = 500;

  static double value(double n, double a, double x) {
    if (!(a > 0) || !(x >= 0)) return vm::not_a_number<double>;
    if (x == 0 || x == vm::infinity<double>) return 0;
    const auto order = static_cast<int>(vm::clamp(n, -1.0, 4.0));
    return x < a + 1 ? series(a, x).derivative(order) : -fraction(a, x).derivative(order);
  }
  static float value(float n, float a, float x) {
    return static_cast<float>(
        value(static_cast<double>(n), static_cast<double>(a), static_cast<double>(x)));
  }
  template <class T>
  static T value(T n, T a, T x) {
    return value(n, a, x);
  }
  // By x: the density p and what its derivatives by a are to it, in u = log x - digamma(a).
  template <class T>
  static std::array<T, 3> partials(T n, T a, T x, T) {
    const T p = call<Exp>(call<Xlogy>(a - 1.0, x) - x - call<Gammaln>(a));
    const T u = call<Log>(x) - call<Psi>(a), v = call<Polygamma>(T(1.0), a);
    const T second = u * u - v;
    const T third = u * (u * u - 3.0 * v) - call<Polygamma>(T(2.0), a);
    const T factor = call<Select>(call<Equal>(n, T(1.0)), u,
                                  call<Select>(call<Equal>(n, T(2.0)), second, third));
    return {T(0.0), call<GammaincByShape>(n + 1.0, a, x), p * factor};
  }

 private:
  // x^a e^-x / Gamma(a + shift).
  static vm::Jet front(double a, double x, double shift) {
    const double b = a + shift, l = vm::log(x);
    const vm::Jet exponent{{a * l - x - Gammaln::value(b), l - Psi::value(b),
                            -0.5 * Polygamma::value(1.0, b), -Polygamma::value(2.0, b) / 6}};
    return exponent.exponential(vm::exp(exponent.c[0]));
  }
  static vm::Jet series(double a, double x) {
    vm::Jet term = vm::Jet::constant(1), sum = term;
    bool small = false;
    for (int k = 1; k < 100000 && !small && sum.c[0] == sum.c[0]; ++k) {
      term = term * vm::Jet::constant(x) / vm::Jet::parameter(a + k);
      sum = sum + term;
      small = true;
      for (int i = 0; i < vm::Jet::terms; ++i)
        small &= vm::abs(term.c[i]) <= 1e-17 * vm::abs(sum.c[i]);
    }
    if (!small) sum = vm::Jet::constant(vm::not_a_number<double>);
    return front(a, x, 1) * sum;
  }
  static vm::Jet fraction(double a, double x) {
    vm::Jet b = vm::Jet::constant(x + 1) - vm::Jet::parameter(a);
    vm::Jet f = b, c = b, d;
    double change = 1;  // which rounding may hold above what is asked for
    for (int k = 1; k < 100000 && change >= 1e-16; ++k) {  // NaN ends it
      const vm::Jet numerator =
          vm::Jet::constant(k) * (vm::Jet::parameter(a) - vm::Jet::constant(k));
      b = b + vm::Jet::constant(2);
      d = vm::Jet::constant(1) / (b + numerator * d);
      c = b + numerator / c;
      const vm::Jet turn = c * d;
      f = f * turn;
      change = vm::abs(turn.c[0] - 1);
      for (int i = 1; i < vm::Jet::terms; ++i) change += vm::abs(turn.c[i]);
    }
    if (!(change < 1e-13)) f = vm::Jet::constant(vm::not_a_number<double>);
    return front(a, x, 0) / f;
  }
};

// Derivatives of the regularised I(a, b, x) = betainc(a, b, x) by a and b: the continued fraction
// of DLMF 8.17.22, for 1 - I(b, a, 1 - x) where it converges faster.
[[gnu::always_inline]] inline vm::Jet2 betainc_fraction(double a, double b, double x, double y) {
  using vm::Jet2;
  const Jet2 p{a, 1}, q{b, 0, 1};
  const auto number = [](double c) { return Jet2::constant(c); };
  Jet2 f = number(1), c = f, d = number(0);
  double change = 1;  // which rounding may hold above what is asked for
  for (int m = 0; m < 20000 && (m <= 1 || change >= 1e-16); ++m) {  // NaN ends it
    change = 0;
    for (int half = 0; half < 2; ++half) {
      if (m == 0 && half == 0) continue;
      const Jet2 k = number(m), at = p + number(2 * m);
      const Jet2 numerator = half == 0
                                 ? k * (q - k) * number(x) / ((at - number(1)) * at)
                                 : number(-x) * (p + k) * (p + q + k) / (at * (at + number(1)));
      d = number(1) / (number(1) + numerator * d);
      c = number(1) + numerator / c;
      const Jet2 turn = c * d;
      f = f * turn;
      change += vm::abs(turn.f - 1) + vm::abs(turn.a) + vm::abs(turn.b) + vm::abs(turn.aa) +
                vm::abs(turn.ab) + vm::abs(turn.bb);
    }
  }
  if (!(change < 1e-13)) f = number(vm::not_a_number<double>);
  // x^a y^b / (a B(a, b)).
  const double log_x = vm::log(x), log_y = vm::log(y);
  const double both = Psi::value(a + b), both_2 = Polygamma::value(1.0, a + b);
  const double front = vm::exp(a * log_x + b * log_y + Gammaln::value(a + b) -
                               Gammaln::value(a + 1) - Gammaln::value(b));
  const double by_a = log_x + both - Psi::value(a + 1), by_b = log_y + both - Psi::value(b);
  const Jet2 scale{front,
                   front * by_a,
                   front * by_b,
                   front * (by_a * by_a + both_2 - Polygamma::value(1.0, a + 1)),
                   front * (by_a * by_b + both_2),
                   front * (by_b * by_b + both_2 - Polygamma::value(1.0, b))};
  return scale / f;
}

inline vm::Jet2 betainc_by_shapes(double a, double b, double x) {
  if (!(a > 0) || !(b > 0) || !(x >= 0) || !(x <= 1))
    return vm::Jet2::constant(vm::not_a_number<double>) * vm::Jet2{1, 1, 1, 1, 1, 1};
  if (x == 0 || x == 1) return {};
  if (x < (a + 1) / (a + b + 2)) return betainc_fraction(a, b, x, 1 - x);
  const vm::Jet2 r = betainc_fraction(b, a, 1 - x, x);
  return {1 - r.f, -r.b, -r.a, -r.bb, -r.ab, -r.aa};
}

// The five of them share everything but which part they give.
template <class Self>
struct BetaincPart : Ternary {
  static constexpr double ns = 1000;
  static double value(double a, double b, double x) {
    return Self::part(betainc_by_shapes(a, b, x));
  }
  static float value(float a, float b, float x) {
    return static_cast<float>(
        value(static_cast<double>(a), static_cast<double>(b), static_cast<double>(x)));
  }
  template <class T>
  static T value(T a, T b, T x) {
    return value(a, b, x);
  }
  template <class T>
  struct Density {
    T p, by_a, by_b, both, a, b;  // p, its logarithm's derivatives, and theirs
  };
  template <class T>
  static Density<T> density(T a, T b, T x) {
    const T both = call<Psi>(a + b);
    return {call<Exp>(call<Xlogy>(a - 1.0, x) + call<Xlog1py>(b - 1.0, -x) + call<Gammaln>(a + b) -
                      call<Gammaln>(a) - call<Gammaln>(b)),
            call<Log>(x) + both - call<Psi>(a),
            call<Log1p>(-x) + both - call<Psi>(b),
            call<Polygamma>(T(1.0), a + b),
            call<Polygamma>(T(1.0), a),
            call<Polygamma>(T(1.0), b)};
  }
};

// Third derivatives by the shapes are not computed: NaN.
struct BetaincAA : BetaincPart<BetaincAA> {
  static constexpr const char* name = "betainc_by_aa";
  static double part(const vm::Jet2& r) { return r.aa; }
  template <class T>
  static std::array<T, 3> partials(T a, T b, T x, T) {
    const auto d = density(a, b, x);
    return {T(vm::not_a_number<double>), T(vm::not_a_number<double>),
            d.p * (d.by_a * d.by_a + d.both - d.a)};
  }
};
struct BetaincAB : BetaincPart<BetaincAB> {
  static constexpr const char* name = "betainc_by_ab";
  static double part(const vm::Jet2& r) { return r.ab; }
  template <class T>
  static std::array<T, 3> partials(T a, T b, T x, T) {
    const auto d = density(a, b, x);
    return {T(vm::not_a_number<double>), T(vm::not_a_number<double>),
            d.p * (d.by_a * d.by_b + d.both)};
  }
};
struct BetaincBB : BetaincPart<BetaincBB> {
  static constexpr const char* name = "betainc_by_bb";
  static double part(const vm::Jet2& r) { return r.bb; }
  template <class T>
  static std::array<T, 3> partials(T a, T b, T x, T) {
    const auto d = density(a, b, x);
    return {T(vm::not_a_number<double>), T(vm::not_a_number<double>),
            d.p * (d.by_b * d.by_b + d.both - d.b)};
  }
};
struct BetaincA : BetaincPart<BetaincA> {
  static constexpr const char* name = "betainc_by_a";
  static double part(const vm::Jet2& r) { return r.a; }
  template <class T>
  static std::array<T, 3> partials(T a, T b, T x, T) {
    const auto d = density(a, b, x);
    return {call<BetaincAA>(a, b, x), call<BetaincAB>(a, b, x), d.p * d.by_a};
  }
};
struct BetaincB : BetaincPart<BetaincB> {
  static constexpr const char* name = "betainc_by_b";
  static double part(const vm::Jet2& r) { return r.b; }
  template <class T>
  static std::array<T, 3> partials(T a, T b, T x, T) {
    const auto d = density(a, b, x);
    return {call<BetaincAB>(a, b, x), call<BetaincBB>(a, b, x), d.p * d.by_b};
  }
};

// The derivative by v, n times, of kv(v, x): the integral over t > 0 of t^n exp(-x cosh t) times
// cosh(v t) or sinh(v t) (DLMF 10.32.9), by the trapezoidal rule, whose error falls exponentially
// (Trefethen and Weideman, SIAM Review 56, 2014).
struct KvByOrder : Ternary {
  static constexpr const char* name = "kv_by_order";
  static constexpr unsigned data_inputs = 1;
  static constexpr double ns = 2000;

  static double value(double n, double v, double x) {
    if (!(x > 0) || v != v || !(n >= 0)) return vm::not_a_number<double>;
    const bool odd = __builtin_fmod(n, 2) == 1;
    const double w = vm::abs(v);
    double step = 0.15;
    const double narrow = 0.6 / vm::sqrt(vm::sqrt(x * x + w * w));
    step = narrow < step ? narrow : step;
    constexpr int most = 20000;
    const double slope = w / x;  // the largest term is at asinh of it
    if (!(vm::log(slope + vm::sqrt(slope * slope + 1)) < most * step))
      return vm::not_a_number<double>;
    double sum = n == 0 ? 0.5 * vm::exp(-x) : 0, peak = sum;
    bool done = false;
    for (int k = 1; k < most && !done; ++k) {
      const double t = step * k, e = vm::exp(t), fall = 0.5 * x * (e + 1 / e);
      const double up = vm::exp(w * t - fall), down = vm::exp(-w * t - fall);
      double term = 0.5 * (odd ? up - down : up + down);
      if (n > 0) term *= __builtin_pow(t, __builtin_ceil(n));
      sum += term;
      peak = term > peak ? term : peak;
      done = (fall > w * t + 10 && term <= 1e-19 * peak) || sum == vm::infinity<double>;
    }
    if (!done) return vm::not_a_number<double>;
    const double found = step * sum;
    return odd && v < 0 ? -found : found;
  }
  static float value(float n, float v, float x) {
    return static_cast<float>(
        value(static_cast<double>(n), static_cast<double>(v), static_cast<double>(x)));
  }
  template <class T>
  static T value(T n, T v, T x) {
    return value(n, v, x);
  }
  template <class T>
  static std::array<T, 3> partials(T n, T v, T x, T) {
    return {T(0.0), call<KvByOrder>(n + 1.0, v, x),
            -0.5 * (call<KvByOrder>(n, v - 1.0, x) + call<KvByOrder>(n, v + 1.0, x))};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
