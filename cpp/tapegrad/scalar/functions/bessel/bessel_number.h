#pragma once

#include "tapegrad/scalar/functions/bessel/bessel_coefficients.h"
#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/functions/functions_gamma.h"
#include "tapegrad/scalar/number.h"

// What the Bessel functions share.

namespace tapegrad {
inline namespace TAPEGRAD_ISA_NAMESPACE {
namespace bessel {

using namespace tapegrad::bessel_coefficients;

// Single precision is computed in double.
template <class Self>
struct OfDouble : Unary {
  template <class T>
  [[gnu::always_inline]] static T value(T x) {
    return static_cast<T>(Self::at(static_cast<double>(x)));
  }
};

}  // namespace bessel
}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
