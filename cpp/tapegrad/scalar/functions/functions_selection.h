#pragma once

#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/number.h"

// These are choices, comparisons and predicates. Truth is 0 or 1 in the number type; arrays of it
// are stored as bool. Ties of maximum, minimum, fmax and fmin share the derivative, half each.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

struct UnaryPredicate : Unary {
  static constexpr bool returns_bool = true;
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return zero_partial<T>();
  }
};

struct BinaryPredicate : Binary {
  static constexpr bool returns_bool = true;
  template <class T>
  static std::array<T, 2> partials(T, T, T) {
    return zero_partials<T>();
  }
};

// This is the derivative of maximum(a, b) by a.
struct Prefer : Binary {
  static constexpr const char* name = "prefer";
  template <class T>
  static constexpr T value(T a, T b) {
    return a > b ? T(1) : (a == b ? T(0.5) : T(0));
  }
  template <class T>
  static std::array<T, 2> partials(T, T, T) {
    return zero_partials<T>();
  }
};

struct Maximum : Binary {
  static constexpr const char* name = "maximum";
  template <class T>
  static constexpr T value(T a, T b) {
    return (a >= b) | (a != a) ? a : b;
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    return {call<Prefer>(a, b), call<Prefer>(b, a)};
  }
};

struct Minimum : Binary {
  static constexpr const char* name = "minimum";
  template <class T>
  static constexpr T value(T a, T b) {
    return (a <= b) | (a != a) ? a : b;
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    return {call<Prefer>(b, a), call<Prefer>(a, b)};
  }
};

// fmax and fmin pass over NaN, in the derivative too.
struct Fmax : Binary {
  static constexpr const char* name = "fmax";
  template <class T>
  static constexpr T value(T a, T b) {
    return (a >= b) | (b != b) ? a : b;
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    return {call<Select>(call<Isnan>(b), T(1.0), call<Prefer>(a, b)),
            call<Select>(call<Isnan>(a), call<LogicalNot>(call<Isnan>(b)), call<Prefer>(b, a))};
  }
};

struct Fmin : Binary {
  static constexpr const char* name = "fmin";
  template <class T>
  static constexpr T value(T a, T b) {
    return (a <= b) | (b != b) ? a : b;
  }
  template <class T>
  static std::array<T, 2> partials(T a, T b, T) {
    return {call<Select>(call<Isnan>(b), T(1.0), call<Prefer>(b, a)),
            call<Select>(call<Isnan>(a), call<LogicalNot>(call<Isnan>(b)), call<Prefer>(a, b))};
  }
};

// This is np.where(mask, a, b).
struct Select : Ternary {
  static constexpr const char* name = "where";
  static constexpr unsigned data_inputs = 1;
  template <class T>
  static constexpr T value(T mask, T a, T b) {
    return mask != 0 ? a : b;
  }
  template <class T>
  static std::array<T, 3> partials(T mask, T, T, T) {
    return {T(0.0), call<NotEqual>(mask, T(0.0)), call<Equal>(mask, T(0.0))};
  }
};

// This is x with another value where the mask is true: the derivative stays that of x.
struct WithValue : Ternary {
  static constexpr const char* name = "with_value";
  static constexpr unsigned data_inputs = 0b101;
  template <class T>
  static constexpr T value(T mask, T x, T known) {
    return mask != 0 ? known : x;
  }
  template <class T>
  static std::array<T, 3> partials(T, T, T, T) {
    return {T(0.0), T(1.0), T(0.0)};
  }
};

// This is minimum(maximum(x, low), high); the derivative by x is 1 in the closed interval.
struct Clip : Ternary {
  static constexpr const char* name = "clip";
  template <class T>
  static constexpr T value(T x, T low, T high) {
    return Minimum::value(Maximum::value(x, low), high);
  }
  template <class T>
  static std::array<T, 3> partials(T x, T low, T high, T) {
    const T above = call<Greater>(call<Maximum>(x, low), high);
    return {call<LessEqual>(low, x) * call<LessEqual>(x, high),
            call<LogicalNot>(above) * call<Less>(x, low), above};
  }
};

struct Sign : Unary {
  static constexpr const char* name = "sign";
  template <class T>
  static constexpr T value(T x) {
    return x > 0 ? T(1) : (x < 0 ? T(-1) : (x == 0 ? T(0) : x));
  }
  template <class T>
  static std::array<T, 1> partials(T, T) {
    return zero_partial<T>();
  }
};

struct Heaviside : Binary {
  static constexpr const char* name = "heaviside";
  template <class T>
  static constexpr T value(T x, T at_zero) {
    return x > 0 ? T(1) : (x < 0 ? T(0) : (x == 0 ? at_zero : x));
  }
  template <class T>
  static std::array<T, 2> partials(T x, T, T) {
    return {T(0.0), call<Equal>(x, T(0.0))};
  }
};

struct Less : BinaryPredicate {
  static constexpr const char* name = "less";
  template <class T>
  static constexpr T value(T a, T b) {
    return a < b ? T(1) : T(0);
  }
};

struct LessEqual : BinaryPredicate {
  static constexpr const char* name = "less_equal";
  template <class T>
  static constexpr T value(T a, T b) {
    return a <= b ? T(1) : T(0);
  }
};

struct Greater : BinaryPredicate {
  static constexpr const char* name = "greater";
  template <class T>
  static constexpr T value(T a, T b) {
    return a > b ? T(1) : T(0);
  }
};

struct GreaterEqual : BinaryPredicate {
  static constexpr const char* name = "greater_equal";
  template <class T>
  static constexpr T value(T a, T b) {
    return a >= b ? T(1) : T(0);
  }
};

struct Equal : BinaryPredicate {
  static constexpr const char* name = "equal";
  template <class T>
  static constexpr T value(T a, T b) {
    return a == b ? T(1) : T(0);
  }
};

struct NotEqual : BinaryPredicate {
  static constexpr const char* name = "not_equal";
  template <class T>
  static constexpr T value(T a, T b) {
    return a != b ? T(1) : T(0);
  }
};

struct LogicalAnd : BinaryPredicate {
  static constexpr const char* name = "logical_and";
  template <class T>
  static constexpr T value(T a, T b) {
    return (a != 0) & (b != 0) ? T(1) : T(0);
  }
};

struct LogicalOr : BinaryPredicate {
  static constexpr const char* name = "logical_or";
  template <class T>
  static constexpr T value(T a, T b) {
    return (a != 0) | (b != 0) ? T(1) : T(0);
  }
};

struct LogicalXor : BinaryPredicate {
  static constexpr const char* name = "logical_xor";
  template <class T>
  static constexpr T value(T a, T b) {
    return (a != 0) != (b != 0) ? T(1) : T(0);
  }
};

struct LogicalNot : UnaryPredicate {
  static constexpr const char* name = "logical_not";
  template <class T>
  static constexpr T value(T x) {
    return x == 0 ? T(1) : T(0);
  }
};

struct Isnan : UnaryPredicate {
  static constexpr const char* name = "isnan";
  template <class T>
  static constexpr T value(T x) {
    return x != x ? T(1) : T(0);
  }
};

struct Isinf : UnaryPredicate {
  static constexpr const char* name = "isinf";
  template <class T>
  static constexpr T value(T x) {
    return vm::abs(x) == vm::infinity<T> ? T(1) : T(0);
  }
};

struct Isfinite : UnaryPredicate {
  static constexpr const char* name = "isfinite";
  template <class T>
  static constexpr T value(T x) {
    return vm::abs(x) < vm::infinity<T> ? T(1) : T(0);
  }
};

struct Signbit : UnaryPredicate {
  static constexpr const char* name = "signbit";
  template <class T>
  static constexpr T value(T x) {
    return (vm::to_bits(x) & vm::sign_bit<T>) != 0 ? T(1) : T(0);
  }
};

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
