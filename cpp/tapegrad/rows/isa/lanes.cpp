#include "tapegrad/rows/lanes_table.h"

namespace tapegrad {
namespace {

template <class T>
void add(T* __restrict to, const T* __restrict ct, int64_t n, unsigned uniform) {
  if (uniform & 1) {
    const T c = ct[0];
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] += c;
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] += ct[i];
  }
}

struct Product {
  template <class T>
  static T value(T c, T p) {
    return c == 0 ? T(0) : c * p;
  }
};

struct StrongProduct {
  template <class T>
  static T value(T c, T p) {
    return (c == 0) | (p == 0) ? T(0) : c * p;
  }
};

struct Masked {
  template <class T>
  static T value(T c, T p) {
    return p != 0 ? c : T(0);
  }
};

template <class F, class T>
void add_result(T* __restrict to, const T* __restrict ct, const T* __restrict p, int64_t n,
                unsigned uniform) {
  switch (uniform & 3) {
    case 0:
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) to[i] += F::value(ct[i], p[i]);
      return;
    case 1: {
      const T c = ct[0];
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) to[i] += F::value(c, p[i]);
      return;
    }
    case 2: {
      const T q = p[0];
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) to[i] += F::value(ct[i], q);
      return;
    }
    default: {
      const T product = F::value(ct[0], p[0]);
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) to[i] += product;
    }
  }
}

template <class T>
LaneKernels<T> make_lanes() {
  return {add<T>, add_result<Product, T>, add_result<StrongProduct, T>, add_result<Masked, T>};
}

}  // namespace

void TAPEGRAD_ISA_NAMESPACE::fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32) {
  f64 = make_lanes<double>();
  f32 = make_lanes<float>();
}

}  // namespace tapegrad
