// The array loops of scalar functions, for the files of rows/isa only: everything is in an
// anonymous namespace, so that each instruction-set level keeps its own copies.
#pragma once

#include "tapegrad/rows/elementwise_table.h"
#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {
namespace {

constexpr int64_t loop_block = 256;

// Cheap functions read uniform operands from a register; for the others they are spread over a
// block.
template <class F>
constexpr bool is_cheap = F::ns < 1;

template <class F, class T>
constexpr bool has_core1 = requires(T x) {
  F::core(x);
  F::special(x);
};
template <class F, class T>
constexpr bool has_core2 = requires(T x) {
  F::core(x, x);
  F::special(x, x);
};

template <class F, class T>
void unary_run(T* __restrict out, const T* __restrict a, int64_t n) {
  if constexpr (has_core1<F, T>) {
    for (int64_t begin = 0; begin < n; begin += loop_block) {
      const int64_t end = begin + loop_block < n ? begin + loop_block : n;
      int special = 0;
#pragma omp simd reduction(| : special)
      for (int64_t i = begin; i < end; ++i) {
        out[i] = F::core(a[i]);
        special |= F::special(a[i]) ? 1 : 0;
      }
      if (!special) continue;
      for (int64_t i = begin; i < end; ++i)
        if (F::special(a[i])) out[i] = F::value(a[i]);
    }
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) out[i] = F::value(a[i]);
  }
}

template <class F, class T>
void binary_run(T* __restrict out, const T* __restrict a, const T* __restrict b, int64_t n) {
  if constexpr (has_core2<F, T>) {
    for (int64_t begin = 0; begin < n; begin += loop_block) {
      const int64_t end = begin + loop_block < n ? begin + loop_block : n;
      int special = 0;
#pragma omp simd reduction(| : special)
      for (int64_t i = begin; i < end; ++i) {
        out[i] = F::core(a[i], b[i]);
        special |= F::special(a[i], b[i]) ? 1 : 0;
      }
      if (!special) continue;
      for (int64_t i = begin; i < end; ++i)
        if (F::special(a[i], b[i])) out[i] = F::value(a[i], b[i]);
    }
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) out[i] = F::value(a[i], b[i]);
  }
}

template <class T>
void fill_run(T* __restrict out, T x, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) out[i] = x;
}

// The exponents that Power::value treats apart.
template <class T>
bool power_by_constant(T* __restrict out, const T* __restrict a, T y, int64_t n) {
  if (y == 2) {
    unary_run<Square>(out, a, n);
  } else if (y == 3) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) out[i] = a[i] * a[i] * a[i];
  } else if (y == 1) {
    unary_run<Positive>(out, a, n);
  } else if (y == -1) {
    unary_run<Reciprocal>(out, a, n);
  } else {
    return false;
  }
  return true;
}

template <class F, class T>
void unary_loop(T* out, const T* a, const T*, const T*, int64_t n, unsigned uniform) {
  if (uniform & 1) return fill_run(out, F::value(a[0]), n);
  unary_run<F>(out, a, n);
}

template <class F, class T>
void binary_loop(T* __restrict out, const T* a, const T* b, const T*, int64_t n, unsigned uniform) {
  switch (uniform & 3) {
    case 0:
      return binary_run<F>(out, a, b, n);
    case 3:
      return fill_run(out, F::value(a[0], b[0]), n);
    case 2: {
      const T y = b[0];
      if constexpr (std::is_same_v<F, Power>) {
        if (power_by_constant(out, a, y, n)) return;
      }
      if constexpr (is_cheap<F>) {
#pragma omp simd
        for (int64_t i = 0; i < n; ++i) out[i] = F::value(a[i], y);
        return;
      }
      T spread[loop_block];
      fill_run(spread, y, n < loop_block ? n : loop_block);
      for (int64_t i = 0; i < n; i += loop_block)
        binary_run<F>(out + i, a + i, spread, n - i < loop_block ? n - i : loop_block);
      return;
    }
    default: {
      const T x = a[0];
      if constexpr (is_cheap<F>) {
#pragma omp simd
        for (int64_t i = 0; i < n; ++i) out[i] = F::value(x, b[i]);
        return;
      }
      T spread[loop_block];
      fill_run(spread, x, n < loop_block ? n : loop_block);
      for (int64_t i = 0; i < n; i += loop_block)
        binary_run<F>(out + i, spread, b + i, n - i < loop_block ? n - i : loop_block);
    }
  }
}

template <class F, class T, bool ua, bool ub, bool uc>
void ternary_run(T* __restrict out, const T* a, const T* b, const T* c, int64_t n) {
  const T x = a[0], y = b[0], z = c[0];
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) out[i] = F::value(ua ? x : a[i], ub ? y : b[i], uc ? z : c[i]);
}

template <class F, class T>
void ternary_loop(T* out, const T* a, const T* b, const T* c, int64_t n, unsigned uniform) {
  if (n == 0) return;
  switch (uniform & 7) {
    case 0:
      return ternary_run<F, T, false, false, false>(out, a, b, c, n);
    case 1:
      return ternary_run<F, T, true, false, false>(out, a, b, c, n);
    case 2:
      return ternary_run<F, T, false, true, false>(out, a, b, c, n);
    case 3:
      return ternary_run<F, T, true, true, false>(out, a, b, c, n);
    case 4:
      return ternary_run<F, T, false, false, true>(out, a, b, c, n);
    case 5:
      return ternary_run<F, T, true, false, true>(out, a, b, c, n);
    case 6:
      return ternary_run<F, T, false, true, true>(out, a, b, c, n);
    default:
      return fill_run(out, F::value(a[0], b[0], c[0]), n);
  }
}

template <class F, class T>
T at_point(T a, [[maybe_unused]] T b, [[maybe_unused]] T c) {
  if constexpr (F::arity == 1) {
    return F::value(a);
  } else if constexpr (F::arity == 2) {
    return F::value(a, b);
  } else {
    return F::value(a, b, c);
  }
}

template <class F, class T>
void unary_test(bool* __restrict out, const T* __restrict a, const T*, int64_t n,
                unsigned uniform) {
  if (uniform & 1) return fill_run(out, F::value(a[0]) != 0, n);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) out[i] = F::value(a[i]) != 0;
}

template <class F, class T>
void binary_test(bool* __restrict out, const T* __restrict a, const T* __restrict b, int64_t n,
                 unsigned uniform) {
  if (n == 0) return;
  const T x = a[0], y = b[0];
  switch (uniform & 3) {
    case 0:
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) out[i] = F::value(a[i], b[i]) != 0;
      return;
    case 1:
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) out[i] = F::value(x, b[i]) != 0;
      return;
    case 2:
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) out[i] = F::value(a[i], y) != 0;
      return;
    default:
      fill_run(out, F::value(x, y) != 0, n);
  }
}

template <class F, class T>
ElementwiseKernel<T> make_kernel() {
  if constexpr (F::returns_bool && F::arity == 1) {
    return {unary_loop<F, T>, at_point<F, T>, unary_test<F, T>};
  } else if constexpr (F::returns_bool) {
    return {binary_loop<F, T>, at_point<F, T>, binary_test<F, T>};
  } else if constexpr (F::arity == 1) {
    return {unary_loop<F, T>, at_point<F, T>, nullptr};
  } else if constexpr (F::arity == 2) {
    return {binary_loop<F, T>, at_point<F, T>, nullptr};
  } else {
    return {ternary_loop<F, T>, at_point<F, T>, nullptr};
  }
}

template <class... F>
void fill_family(ElementwiseTable& table, FunctionList<F...>) {
  ((table.f64[index_of(scalar_fn_of<F>())] = make_kernel<F, double>()), ...);
  ((table.f32[index_of(scalar_fn_of<F>())] = make_kernel<F, float>()), ...);
}

}  // namespace
}  // namespace tapegrad
