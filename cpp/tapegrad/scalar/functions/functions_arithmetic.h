#pragma once

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/number.h"

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

struct Add : Binary {
  static constexpr const char* name = "add";
  template <class T>
  static constexpr T value(T a, T b) {
    return a + b;
  }
  template <class T>
  static std::array<T, 2> partials(T, T, T) {
    return {T(1.0), T(1.0)};
  }
};

struct Subtract : Binary {
  static constexpr const char* name = "subtract";
  template <class T>
  static constexpr T value(T a, T b) {
    return a - b;
  }
  template <class T>
  static std::array<T, 2> partials(T, T, T) {
    return {T(1.0), T(-1.0)};
  }
};

struct Multiply : Binary {
  static constexpr const char* name = "multiply";
  template <class T>
  static constexpr T value(T a, T b) {
    return a * b;
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    return {b, a};
  }
};

struct Divide : Binary {
  static constexpr const char* name = "divide";
  template <class T>
  static constexpr T value(T a, T b) {
    return a / b;
  }
  template <class T>
  static std::array<T, 2> partials(T, T b, T y) {
    return {1.0 / b, -y / b};
  }
};

struct Negative : Unary {
  static constexpr const char* name = "negative";
  template <class T>
  static constexpr T value(T x) {
    return -x;
  }
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return {T(-1.0)};
  }
};

struct Positive : Unary {
  static constexpr const char* name = "positive";
  template <class T>
  static constexpr T value(T x) {
    return x;
  }
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return {T(1.0)};
  }
};

struct Conjugate : Positive {
  static constexpr const char* name = "conjugate";
};

struct Reciprocal : Unary {
  static constexpr const char* name = "reciprocal";
  template <class T>
  static constexpr T value(T x) {
    return 1 / x;
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {-(y * y)};
  }
};

struct Square : Unary {
  static constexpr const char* name = "square";
  template <class T>
  static constexpr T value(T x) {
    return x * x;
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {2.0 * x};
  }
};

struct Sqrt : Unary {
  static constexpr const char* name = "sqrt";
  template <class T>
  static T value(T x) {
    return vm::sqrt(x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {0.5 / y};
  }
};

struct Absolute : Unary {
  static constexpr const char* name = "absolute";
  template <class T>
  static T value(T x) {
    return vm::abs(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Sign>(x)};
  }
};

struct Fabs : Absolute {
  static constexpr const char* name = "fabs";
};

// As NumPy, the factor is rounded first.
struct Degrees : Unary {
  static constexpr const char* name = "degrees";
  static constexpr double factor = 180.0 / 3.14159265358979323846;
  template <class T>
  static constexpr T value(T x) {
    return x * static_cast<T>(factor);
  }
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return {T(factor)};
  }
};

struct Radians : Unary {
  static constexpr const char* name = "radians";
  static constexpr double factor = 3.14159265358979323846 / 180.0;
  template <class T>
  static constexpr T value(T x) {
    return x * static_cast<T>(factor);
  }
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return {T(factor)};
  }
};

// The derivative at 0 is 0, as that of |x|.
struct Copysign : Binary {
  static constexpr const char* name = "copysign";
  template <class T>
  static T value(T a, T b) {
    return vm::with_sign(a, b);
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    return {call<Sign>(a) * call<Copysign>(T(1.0), b), T(0.0)};
  }
};

// A product with a strong zero: 0 where c is 0, whatever p. Sweeps multiply a cotangent c by a
// partial p with it. Its own derivative is zmul(dc, p) + zproduct(c, dp): in the second term the
// partial is a strong factor too (PartialTape::strong).
struct Zmul : Binary {
  static constexpr const char* name = "zmul";
  template <class T>
  static constexpr T value(T c, T p) {
    return c == 0 ? T(0) : c * p;
  }
  template <class T>
  static std::array<T, 2> partials(T c, T p, T) {
    return {p, c};
  }
};

// A product of two strong factors: 0 where either is 0, whatever the other. Both partials are
// strong.
struct Zproduct : Binary {
  static constexpr const char* name = "zproduct";
  template <class T>
  static constexpr T value(T a, T b) {
    return a == 0 || b == 0 ? T(0) : a * b;
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    return {b, a};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
