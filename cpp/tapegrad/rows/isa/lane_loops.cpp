#include "tapegrad/rows/isa/lane_row_sums.h"
#include "tapegrad/rows/isa/lane_tiles.h"

namespace tapegrad {
namespace {

template <class F, class T, bool ua, bool ub, bool uc>
void single(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>&) {
  T* out = at[s.out];
  const T *a = at[s.a], *b = at[s.b], *c = at[s.c];
  const T x = a[0], y = b[0], z = c[0];
  for_lanes(out, n, [=](int64_t i) {
    if constexpr (F::arity == 1) return F::value(a[i]);
    if constexpr (F::arity == 2) return F::value(ua ? x : a[i], ub ? y : b[i]);
    if constexpr (F::arity == 3) return F::value(ua ? x : a[i], ub ? y : b[i], uc ? z : c[i]);
  });
}

template <class F, class T>
void add_single(LaneLoops<T>& loops) {
  auto& by_mask = loops.single[index_of(scalar_fn_of<F>())];
  by_mask[0] = single<F, T, false, false, false>;
  if constexpr (F::arity >= 2) {
    by_mask[1] = single<F, T, true, false, false>;
    by_mask[2] = single<F, T, false, true, false>;
  }
  if constexpr (F::arity == 3) {
    by_mask[3] = single<F, T, true, true, false>;
    by_mask[4] = single<F, T, false, false, true>;
    by_mask[5] = single<F, T, true, false, true>;
    by_mask[6] = single<F, T, false, true, true>;
  }
}

template <class T, class... F>
void add_singles(LaneLoops<T>& loops, FunctionList<F...>) {
  (add_single<F>(loops), ...);
}

using CheapFunctions = FunctionList<Add, Subtract, Multiply, Divide, Negative, Reciprocal, Square,
                                    Sqrt, Absolute, Zmul, Zproduct, Maximum, Minimum, Select, Less,
                                    LessEqual, Greater, GreaterEqual, Equal, NotEqual>;

template <class T, int sign>
void products(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>&) {
  T* out = at[s.out];
  const T *a = at[s.a], *b = at[s.b], *c = at[s.c], *d = at[s.d];
  for_lanes(out, n, [=](int64_t i) {
    return sign > 0 ? a[i] * b[i] + c[i] * d[i] : a[i] * b[i] - c[i] * d[i];
  });
}

template <class T>
void accumulate(T* sums, const T* x, int64_t first, int64_t n) {
  int64_t lane = first % running_sums<T>, i = 0;
  if (lane) {
    for (; i < n && lane < running_sums<T>; ++i, ++lane) sums[lane] += x[i];
  }
  if (n - i >= running_sums<T>) {
    T s[running_sums<T>];
    for (int64_t j = 0; j < running_sums<T>; ++j) s[j] = sums[j];
    for (; i + running_sums<T> <= n; i += running_sums<T>) {
#pragma omp simd
      for (int64_t j = 0; j < running_sums<T>; ++j) s[j] = s[j] + x[i + j];
    }
    for (int64_t j = 0; j < running_sums<T>; ++j) sums[j] = s[j];
  }
  for (int64_t j = 0; i < n; ++i, ++j) sums[j] += x[i];
}

template <class T>
void from_bool(T* to, const bool* from, int64_t n) {
  const auto* const bytes = static_cast<const int8_t*>(static_cast<const void*>(from));
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(static_cast<int32_t>(bytes[i]));
}

// As `row` of isa/reduce_loops.cpp: fewer than 8 in order, else halves.
template <class T>
T finish(T* sums, int64_t n) {
  T result = -T{0};
  if (n < 8) {
    for (int64_t j = 0; j < n; ++j) result += sums[j];
  } else {
    for (int64_t half = running_sums<T> / 2; half > 0; half /= 2)
      for (int64_t j = 0; j < half; ++j) sums[j] += sums[j + half];
    result = sums[0];
  }
  for (int64_t j = 0; j < running_sums<T>; ++j) sums[j] = -T{0};
  return result;
}

template <class T>
void fill(LaneLoops<T>& loops) {
  loops.width = vector_width<T>;
  add_singles(loops, CheapFunctions());
  loops.two_products = products<T, 1>;
  loops.product_difference = products<T, -1>;
  loops.sum_of_products = sum_of_products<T, false>;
  loops.contracted_products = sum_of_products<T, true>;
  loops.products_tile[0] = products_tile<T, 2>;
  loops.products_tile[1] = products_tile<T, 4>;
  loops.sums_of_rows = sums_of_rows<T>;
  loops.accumulate = accumulate<T>;
  loops.from_bool = from_bool<T>;
  loops.finish = finish<T>;
  fill_lane_pairs(loops);
}

}  // namespace

void TAPEGRAD_ISA_NAMESPACE::fill_lane_loops(LaneLoops<double>& f64, LaneLoops<float>& f32) {
  fill(f64);
  fill(f32);
}

}  // namespace tapegrad
