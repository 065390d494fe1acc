// What the definitions of scalar functions are written with. A definition is a struct
//
//   struct Tanh : Unary {
//     static constexpr const char* name = "tanh";
//     template <class T> static T value(T x) { return vm::tanh(x); }              // T: double,
//     float template <class T> static std::array<T, 1> partials(T, T y) { return {1.0 - y * y}; }
//     // inputs, output
//   };
//
// `value` is compiled into the array loops of each instruction-set level. `partials` is
// instantiated for the recorder Sym (sym.h), which writes it down as a PartialTape; applications
// of other functions in it are spelled call<F>(...). A partial must be right, and free of NaN, at
// ordinary points when it is differentiated further.
#pragma once

#include <array>
#include <type_traits>

#include "tapegrad/scalar/math/vector_math.h"

// Kernels compile these headers once per instruction-set level; each gets types of its own, so that
// the linker cannot choose the copy of a wider machine.
#ifndef TAPEGRAD_ISA_NAMESPACE
#define TAPEGRAD_ISA_NAMESPACE isa_any
#endif

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {

struct Function {
  static constexpr bool returns_bool = false;  // a comparison or predicate: NumPy gives bool
  static constexpr unsigned data_inputs = 0;   // bit i: input i is data, never differentiated
  static constexpr double ns = 0.4;            // rough cost per element, for the parallel threshold
};

struct Unary : Function {
  static constexpr int arity = 1;
  static constexpr double ns = 0.4;
};

struct Binary : Function {
  static constexpr int arity = 2;
};

struct Ternary : Function {
  static constexpr int arity = 3;
};

template <class F, class T, class... Rest>
constexpr auto call(T x, Rest... rest) {
  if constexpr (std::is_arithmetic_v<T>) {
    return F::template value<T>(x, static_cast<T>(rest)...);
  } else {
    return T::template apply<F>(x, T(rest)...);
  }
}

template <class T>
std::array<T, 1> zero_partial() {
  return {T(0.0)};
}

template <class T>
std::array<T, 2> zero_partials() {
  return {T(0.0), T(0.0)};
}

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
