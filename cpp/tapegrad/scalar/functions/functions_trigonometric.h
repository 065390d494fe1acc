#pragma once

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_selection.h"
#include "tapegrad/scalar/number.h"

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

// Where a function has `core` and `special`, array loops run core on all and value again where
// special.
struct Sin : Unary {
  static constexpr const char* name = "sin";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::sin(x);
  }
  template <class T>
  static T core(T x) {
    return vm::sin_core(x);
  }
  template <class T>
  static bool special(T x) {
    return vm::sin_special(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Cos>(x)};
  }
};

struct Cos : Unary {
  static constexpr const char* name = "cos";
  static constexpr double ns = 2;
  template <class T>
  static T value(T x) {
    return vm::cos(x);
  }
  template <class T>
  static T core(T x) {
    return vm::cos_core(x);
  }
  template <class T>
  static bool special(T x) {
    return vm::cos_special(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-call<Sin>(x)};
  }
};

struct Tan : Unary {
  static constexpr const char* name = "tan";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return vm::tan(x);
  }
  template <class T>
  static T core(T x) {
    return vm::tan_core(x);
  }
  template <class T>
  static bool special(T x) {
    return vm::tan_special(x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {1.0 + y * y};
  }
};

struct Arcsin : Unary {
  static constexpr const char* name = "arcsin";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return vm::asin(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / call<Sqrt>((1.0 - x) * (1.0 + x))};
  }
};

struct Arccos : Unary {
  static constexpr const char* name = "arccos";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return vm::acos(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {-1.0 / call<Sqrt>((1.0 - x) * (1.0 + x))};
  }
};

struct Arctan : Unary {
  static constexpr const char* name = "arctan";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return vm::atan(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / (1.0 + x * x)};
  }
};

// The gradient is (b, -a) / (a^2 + b^2), and 0 at the origin.
struct Arctan2 : Binary {
  static constexpr const char* name = "arctan2";
  static constexpr double ns = 12;
  template <class T>
  static T value(T a, T b) {
    return vm::atan2(a, b);
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    const T r = call<Hypot>(a, b);
    const T origin = call<Equal>(r, T(0.0));
    return {call<Select>(origin, T(0.0), b / r / r), call<Select>(origin, T(0.0), -a / r / r)};
  }
};

// The gradient is (a, b) / y, and 0 at the origin.
struct Hypot : Binary {
  static constexpr const char* name = "hypot";
  static constexpr double ns = 4;
  template <class T>
  static T value(T a, T b) {
    return vm::hypot(a, b);
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T y) {
    const T origin = call<Equal>(y, T(0.0));
    return {call<Select>(origin, T(0.0), a / y), call<Select>(origin, T(0.0), b / y)};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
