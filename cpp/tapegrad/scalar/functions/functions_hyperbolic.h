#pragma once

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_trigonometric.h"
#include "tapegrad/scalar/number.h"

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

struct Sinh : Unary {
  static constexpr const char* name = "sinh";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return vm::sinh(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Cosh>(x)};
  }
};

struct Cosh : Unary {
  static constexpr const char* name = "cosh";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return vm::cosh(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {call<Sinh>(x)};
  }
};

struct Tanh : Unary {
  static constexpr const char* name = "tanh";
  static constexpr double ns = 3;
  template <class T>
  static T value(T x) {
    return vm::tanh(x);
  }
  template <class T>
  static std::array<T, 1> partials(T, T y) {
    return {1.0 - y * y};
  }
};

struct Arcsinh : Unary {
  static constexpr const char* name = "arcsinh";
  static constexpr double ns = 5;
  template <class T>
  static T value(T x) {
    return vm::asinh(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / call<Hypot>(x, T(1.0))};
  }
};

struct Arccosh : Unary {
  static constexpr const char* name = "arccosh";
  static constexpr double ns = 5;
  template <class T>
  static T value(T x) {
    return vm::acosh(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / (call<Sqrt>(x - 1.0) * call<Sqrt>(x + 1.0))};
  }
};

struct Arctanh : Unary {
  static constexpr const char* name = "arctanh";
  static constexpr double ns = 5;
  template <class T>
  static T value(T x) {
    return vm::atanh(x);
  }
  template <class T>
  static std::array<T, 1> partials(T x, T) {
    return {1.0 / ((1.0 - x) * (1.0 + x))};
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
