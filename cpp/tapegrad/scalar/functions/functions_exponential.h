#pragma once

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_selection.h"
#include "tapegrad/scalar/number.h"

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

inline constexpr double ln_2 = 0.693147180559945309417;
inline constexpr double ln_10 = 2.302585092994045684018;

struct Exp : Unary {
  static constexpr const char* name = "exp";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::exp(x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {y};
  }
};

struct Exp2 : Unary {
  static constexpr const char* name = "exp2";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::exp2(x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {y * ln_2};
  }
};

struct Expm1 : Unary {
  static constexpr const char* name = "expm1";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::expm1(x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {y + 1.0};
  }
};

struct Log : Unary {
  static constexpr const char* name = "log";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::log(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / x};
  }
};

struct Log2 : Unary {
  static constexpr const char* name = "log2";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::log2(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {(1.0 / ln_2) / x};
  }
};

struct Log10 : Unary {
  static constexpr const char* name = "log10";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::log10(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {(1.0 / ln_10) / x};
  }
};

struct Log1p : Unary {
  static constexpr const char* name = "log1p";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::log1p(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / (1.0 + x)};
  }
};

struct Cbrt : Unary {
  static constexpr const char* name = "cbrt";
  static constexpr double ns = 5;
  template <class T>
  static T value(T x) {
    return vm::cbrt(x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {(1.0 / 3.0) / (y * y)};
  }
};

// Exponents -1, 1, 2 and 3 are products: as exact as pow, and fast in the polynomials that people
// write. By x: y x^(y-1), and 0 where y is 0. By y: x^y log x, and 0 where x^y is 0 (x = 0, y > 0);
// NaN where x < 0. At x = 0 < y the factor x^y of the latter is 0 whatever y is, though log x is
// infinite: by y nothing follows of it, and by x what follows of x log x (y <= 1) or nothing.
struct Power : Binary {
  static constexpr const char* name = "power";
  static constexpr double ns = 10;
  template <class T>
  static T value(T x, T y) {
    if (y == 2) return x * x;
    if (y == 1) return x;
    if (y == 3) return x * x * x;
    if (y == -1) return 1 / x;
    return vm::pow(x, y);
  }
  template <class T>
  static T core(T x, T y) {
    const T general = vm::pow_core(x, y);
    const T product = y == 2 ? x * x : (y == 3 ? x * x * x : (y == 1 ? x : 1 / x));
    return (y == 2) | (y == 3) | (y == 1) | (y == -1) ? product : general;
  }
  template <class T>
  static bool special(T x, T y) {
    return vm::pow_special(x, y);
  }
  template <class T>
  static std::array<T, 2> partials(T x, T y, T out) {
    const T log_x = call<Log>(x);
    const T vanishes = call<Equal>(x, T(0.0)) * call<Greater>(y, T(0.0));
    const T at_zero = call<Select>(call<Greater>(y, T(1.0)), T(0.0), call<Zmul>(x, log_x));
    return {call<Zmul>(y, call<Power>(x, y - 1.0)),
            call<Select>(vanishes, at_zero, call<Zmul>(out, log_x))};
  }
};

// logaddexp is log(e^a + e^b). Its partials are e^(a - y); where y is infinite the infinite operand
// takes it, equal ones half each.
struct Logaddexp : Binary {
  static constexpr const char* name = "logaddexp";
  static constexpr double ns = 5;
  template <class T>
  static T value(T a, T b) {
    const T high = Maximum::value(a, b), low = Minimum::value(a, b);
    return high + (a == b ? static_cast<T>(ln_2) : vm::log1p(vm::exp(low - high)));
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T y) {
    const T infinite = call<Isinf>(y);
    return {call<Select>(infinite, call<Prefer>(a, b), call<Exp>(a - y)),
            call<Select>(infinite, call<Prefer>(b, a), call<Exp>(b - y))};
  }
};

struct Logaddexp2 : Binary {
  static constexpr const char* name = "logaddexp2";
  static constexpr double ns = 5;
  template <class T>
  static T value(T a, T b) {
    const T high = Maximum::value(a, b), low = Minimum::value(a, b);
    return high + (a == b ? T(1) : vm::log1p(vm::exp2(low - high)) * static_cast<T>(1.0 / ln_2));
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T y) {
    const T infinite = call<Isinf>(y);
    return {call<Select>(infinite, call<Prefer>(a, b), call<Exp2>(a - y)),
            call<Select>(infinite, call<Prefer>(b, a), call<Exp2>(b - y))};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
