#pragma once

#include <cstdint>

#include "tapegrad/scalar/scalar_fn.h"

namespace tapegrad {

// One scalar function at one instruction-set level: over arrays, and at one point. Both give the
// same bits.
template <class T>
struct ElementwiseKernel {
  // out[i] = f(a[i], b[i], c[i]); an operand whose bit is set in uniform_mask points to one value
  // that stands for all. Operands that the function does not have are not touched. out overlaps no
  // operand.
  void (*loop)(T* out, const T* a, const T* b, const T* c, int64_t n, unsigned uniform_mask);
  T (*scalar)(T a, T b, T c);
  // The same, stored as bool: comparisons and predicates only, null for the others.
  void (*test)(bool* out, const T* a, const T* b, int64_t n, unsigned uniform_mask);
};

struct ElementwiseTable {
  ElementwiseKernel<double> f64[scalar_fn_limit];
  ElementwiseKernel<float> f32[scalar_fn_limit];

  template <class T>
  const ElementwiseKernel<T>& get(ScalarFn f) const {
    if constexpr (sizeof(T) == sizeof(double)) {
      return f64[index_of(f)];
    } else {
      return f32[index_of(f)];
    }
  }
  template <class T>
  ElementwiseKernel<T>& at(ScalarFn f) {
    return const_cast<ElementwiseKernel<T>&>(get<T>(f));
  }
};

const ElementwiseTable& make_elementwise_table();  // that of isa_level()

inline const ElementwiseTable& elementwise_table() {
  static const ElementwiseTable& table = make_elementwise_table();
  return table;
}

template <class T>
const ElementwiseKernel<T>& elementwise_kernel(ScalarFn f) {
  return elementwise_table().get<T>(f);
}

// How the files of rows/isa fill the table of their level.
inline namespace TAPEGRAD_ISA_NAMESPACE {
void fill_arithmetic(ElementwiseTable& table);
void fill_selection(ElementwiseTable& table);
void fill_rounding(ElementwiseTable& table);
void fill_exponential(ElementwiseTable& table);
void fill_trigonometric(ElementwiseTable& table);
void fill_hyperbolic(ElementwiseTable& table);
void fill_special(ElementwiseTable& table);
void fill_bessel(ElementwiseTable& table);
void fill_elementwise(ElementwiseTable& table);
}  // namespace TAPEGRAD_ISA_NAMESPACE

}  // namespace tapegrad
