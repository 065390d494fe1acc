// Scalar functions of numbers and of arrays, at the instruction-set level in use.
#pragma once

#include <span>

#include "tapegrad/base/value.h"
#include "tapegrad/rows/elementwise_table.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {

template <class T>
inline T eval_scalar_as(ScalarFn f, T a, T b = 0, T c = 0) {
  switch (f) {
    case scalar_fn_of<Add>():
      return a + b;
    case scalar_fn_of<Subtract>():
      return a - b;
    case scalar_fn_of<Multiply>():
      return a * b;
    case scalar_fn_of<Divide>():
      return a / b;
    case scalar_fn_of<Negative>():
      return -a;
    case scalar_fn_of<Square>():
      return a * a;
    case scalar_fn_of<Reciprocal>():
      return 1 / a;
    case scalar_fn_of<Zmul>():
      return a == 0 ? T(0) : a * b;
    default:
      return elementwise_kernel<T>(f).scalar(a, b, c);
  }
}

inline double eval_scalar(ScalarFn f, double a, double b = 0, double c = 0) {
  return eval_scalar_as<double>(f, a, b, c);
}
inline float eval_scalar_f32(ScalarFn f, float a, float b = 0, float c = 0) {
  return eval_scalar_as<float>(f, a, b, c);
}

// out = f(in...) with NumPy's broadcasting. out.dtype() on entry says what is wanted: float64 or
// float32 to compute in that type; bool for a comparison or predicate, computed in float32 where
// all operands are float32 arrays or smaller data, else in float64. Its shape and memory are made
// here (scalars in, scalar out). Operands may have any dtype and strides. fingerprints: one entry
// for each operand; those that are not 0 on entry are set to fingerprint(operand), taken while the
// operand passes through the cache.
void eval_elementwise(ScalarFn f, std::span<const Value> in, Value& out,
                      uint64_t* fingerprints = nullptr);

}  // namespace tapegrad
