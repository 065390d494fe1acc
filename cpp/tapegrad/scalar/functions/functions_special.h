#pragma once

#include <cmath>

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_exponential.h"
#include "tapegrad/scalar/functions/functions_selection.h"
#include "tapegrad/scalar/number.h"

// Functions of scipy.special that are short formulas: logistic ones, the error function, entropies.
// Special values are SciPy's. They are inlined by attribute, without which the loops of the longer
// ones are calls and not vector instructions.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

inline constexpr double two_over_sqrt_pi = 1.12837916709551257390;
inline constexpr double one_over_sqrt_2 = 0.70710678118654752440;
inline constexpr double one_over_sqrt_2_pi = 0.39894228040143267794;

struct Expit : Unary {
  static constexpr const char* name = "expit";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return 1 / (1 + vm::exp(-x));
  }
  // e = exp(-|x|) keeps the digits of small derivatives.
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    const T e = call<Exp>(-call<Absolute>(x));
    return {e / ((1.0 + e) * (1.0 + e))};
  }
};

struct LogExpit : Unary {
  static constexpr const char* name = "log_expit";
  static constexpr double ns = 5;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    const T tail = vm::log1p(vm::exp(-vm::abs(x)));
    return x < 0 ? x - tail : -tail;
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Expit>(-x)};
  }
};

// Around 1/2 the quotient x / (1 - x) is near 1: there the logarithm of 1 + (2x - 1) / (1 - x).
struct Logit : Unary {
  static constexpr const char* name = "logit";
  static constexpr double ns = 5;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    const T near = vm::log1p((2 * x - 1) / (1 - x));
    const T far = vm::log(x / (1 - x));
    return (x > T(0.3)) & (x < T(0.65)) ? near : far;
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / (x * (1.0 - x))};
  }
};

struct Erf : Unary {
  static constexpr const char* name = "erf";
  static constexpr double ns = 3;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    return static_cast<T>(vm::erf(static_cast<double>(x)));
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {two_over_sqrt_pi * call<Exp>(-call<Square>(x))};
  }
};

struct Erfc : Unary {
  static constexpr const char* name = "erfc";
  static constexpr double ns = 4;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    return static_cast<T>(vm::erfc(static_cast<double>(x)));
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-two_over_sqrt_pi * call<Exp>(-call<Square>(x))};
  }
};

struct Ndtr : Unary {
  static constexpr const char* name = "ndtr";
  static constexpr double ns = 5;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    return static_cast<T>(vm::ndtr(static_cast<double>(x)));
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {one_over_sqrt_2_pi * call<Exp>(-0.5 * call<Square>(x))};
  }
};

// r^2 / 2 up to |r| = delta, a line beyond.
struct Huber : Binary {
  static constexpr const char* name = "huber";
  template <class T>
  [[gnu::always_inline]] static T value(T delta, T r) {
    const T a = vm::abs(r);
    const T inside = T(0.5) * r * r, outside = delta * (a - T(0.5) * delta);
    const T found = a <= delta ? inside : (a > delta ? outside : delta + r);
    return delta < 0 ? vm::infinity<T> : found;
  }
  template <class T>
  static std::array<T, 2> partials(T delta, T r, T) {
    const T a = call<Absolute>(r), inside = call<LessEqual>(a, delta);
    const T outer = call<Less>(delta, T(0.0));
    return {call<Select>(call<LogicalOr>(inside, outer), T(0.0), a - delta),
            call<Select>(outer, T(0.0), call<Select>(inside, r, delta * call<Sign>(r)))};
  }
};

// 0 where x is 0, whatever y but NaN.
struct Xlogy : Binary {
  static constexpr const char* name = "xlogy";
  static constexpr double ns = 3;
  template <class T>
  [[gnu::always_inline]] static T value(T x, T y) {
    return (x == 0) & (y == y) ? T(0) : x * vm::log(y);
  }
  template <class T>
  static std::array<T, 2> partials(T x, T y, T) {
    return {call<Log>(y), call<Zmul>(x, 1.0 / y)};
  }
};

struct Xlog1py : Binary {
  static constexpr const char* name = "xlog1py";
  static constexpr double ns = 3;
  template <class T>
  [[gnu::always_inline]] static T value(T x, T y) {
    return (x == 0) & (y == y) ? T(0) : x * vm::log1p(y);
  }
  template <class T>
  static std::array<T, 2> partials(T x, T y, T) {
    return {call<Log1p>(y), call<Zmul>(x, 1.0 / (1.0 + y))};
  }
};

struct Entr : Unary {
  static constexpr const char* name = "entr";
  static constexpr double ns = 3;
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    if (x != x) return x;
    if (x > 0) return -x * vm::log(x);
    return x == 0 ? T(0) : -vm::infinity<T>;
  }
  // Where the value is -infinity it does not change.
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Select>(call<Less>(x, T(0.0)), T(0.0), -1.0 - call<Log>(x))};
  }
};

// log(x / y), also where the quotient overflows, underflows or is near 1.
template <class T>
[[gnu::always_inline]] inline T log_of_quotient(T x, T y) {
  const T q = x / y;
  if ((q > T(0.5)) & (q < T(2))) return vm::log1p((x - y) / y);
  const bool usual = (q > std::numeric_limits<T>::min()) & (q < vm::infinity<T>);
  return usual ? vm::log(q) : vm::log(x) - vm::log(y);
}

struct RelEntr : Binary {
  static constexpr const char* name = "rel_entr";
  static constexpr double ns = 6;
  template <class T>
  [[gnu::always_inline]] static T value(T x, T y) {
    if ((x != x) | (y != y)) return x + y;
    if ((x > 0) & (y > 0)) return x * log_of_quotient(x, y);
    return (x == 0) & (y >= 0) ? T(0) : vm::infinity<T>;
  }
  template <class T>
  static std::array<T, 2> partials(T x, T y, T) {
    const T inside = call<LogicalAnd>(call<GreaterEqual>(x, T(0.0)), call<GreaterEqual>(y, T(0.0)));
    return {call<Select>(inside, call<Log>(x) - call<Log>(y) + 1.0, T(0.0)),
            call<Select>(inside, -call<Zmul>(x, 1.0 / y), T(0.0))};
  }
};

struct KlDiv : Binary {
  static constexpr const char* name = "kl_div";
  static constexpr double ns = 6;
  template <class T>
  [[gnu::always_inline]] static T value(T x, T y) {
    if ((x != x) | (y != y)) return x + y;
    if ((x > 0) & (y > 0)) {
      const T r = (x - y) / y;  // near 0: x log(1 + r) - y r, of second order
      return vm::abs(r) < T(0.05) ? y * second_order(r) : x * log_of_quotient(x, y) - x + y;
    }
    return (x == 0) & (y >= 0) ? y : vm::infinity<T>;
  }
  template <class T>
  static std::array<T, 2> partials(T x, T y, T) {
    const T inside = call<LogicalAnd>(call<GreaterEqual>(x, T(0.0)), call<GreaterEqual>(y, T(0.0)));
    return {call<Select>(inside, call<Log>(x) - call<Log>(y), T(0.0)),
            call<Select>(inside, 1.0 - call<Zmul>(x, 1.0 / y), T(0.0))};
  }

 private:
  // (1 + r) log(1 + r) - r = sum over k >= 2 of (-r)^k / (k (k - 1)).
  template <class T>
  [[gnu::always_inline]] static T second_order(T r) {
    T sum = 0;
#pragma GCC unroll 16
    for (int k = 13; k >= 2; --k) sum = T(1.0 / (k * (k - 1))) - r * sum;
    return r * r * sum;
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
