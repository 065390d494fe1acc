#include "tapegrad/rows/isa/reduce_loops.h"

#include <limits>
#include <type_traits>

#include "tapegrad/scalar/math/vector_math_exp.h"

namespace tapegrad::TAPEGRAD_ISA_NAMESPACE {
namespace {

template <class T>
struct Sum {
  // -0, so that a sum of negative zeros stays one.
  static constexpr T identity = std::is_floating_point_v<T> ? -T{0} : T{0};
  static T map(T x, T) { return x; }
  static T combine(T a, T b) { return a + b; }
};

// Wraps around as NumPy does.
template <>
struct Sum<int64_t> {
  static constexpr int64_t identity = 0;
  static int64_t map(int64_t x, int64_t) { return x; }
  static int64_t combine(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
};

template <class T>
struct Prod {
  static constexpr T identity = 1;
  static T map(T x, T) { return x; }
  static T combine(T a, T b) { return a * b; }
};

template <>
struct Prod<int64_t> {
  static constexpr int64_t identity = 1;
  static int64_t map(int64_t x, int64_t) { return x; }
  static int64_t combine(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
};

template <class T>
constexpr T highest() {
  return std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity()
                                     : std::numeric_limits<T>::max();
}

template <class T>
constexpr T lowest() {
  return std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                     : std::numeric_limits<T>::lowest();
}

// A NaN in the accumulator wins every comparison against it, a NaN met is taken: it stays.
template <class T>
struct Max {
  static constexpr T identity = lowest<T>();
  static T map(T x, T) { return x; }
  static T combine(T a, T b) { return (b > a) | (b != b) ? b : a; }
};

template <class T>
struct Min {
  static constexpr T identity = highest<T>();
  static T map(T x, T) { return x; }
  static T combine(T a, T b) { return (b < a) | (b != b) ? b : a; }
};

template <class T>
struct SquareDeviation : Sum<T> {
  static T map(T x, T p) { return (x - p) * (x - p); }
};

template <class T>
struct ExpSum : Sum<T> {
  static T map(T x, T p) { return vm::exp(x - p); }
};

template <class T>
struct CountEqual : Sum<T> {
  static T map(T x, T p) { return (x == p) | ((x != x) & (p != p)) ? T{1} : T{0}; }
};

template <class F, class T>
T fold_packed(const T* x, int64_t n, T p) {
  constexpr int lanes = 128 / sizeof(T);
  T sums[lanes];
  for (int j = 0; j < lanes; ++j) sums[j] = F::identity;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
#pragma omp simd
    for (int j = 0; j < lanes; ++j) sums[j] = F::combine(sums[j], F::map(x[i + j], p));
  }
  for (int j = 0; i + j < n; ++j) sums[j] = F::combine(sums[j], F::map(x[i + j], p));
  for (int width = lanes / 2; width > 0; width /= 2)
    for (int j = 0; j < width; ++j) sums[j] = F::combine(sums[j], sums[j + width]);
  return sums[0];
}

template <class F, class T>
[[gnu::noinline]] T long_row(const T* x, int64_t stride, int64_t n, T p) {
  if (stride == 1) return fold_packed<F>(x, n, p);
  T packed[fold_chunk];
  for (int64_t i = 0; i < n; ++i) packed[i] = x[i * stride];
  return fold_packed<F>(packed, n, p);
}

template <class F, class T>
T row(const T* x, int64_t stride, int64_t n, T p) {
  if (n >= 8) return long_row<F>(x, stride, n, p);
  T result = F::identity;
  for (int64_t i = 0; i < n; ++i) result = F::combine(result, F::map(x[i * stride], p));
  return result;
}

template <class F, class T>
void rows(const T* x, int64_t row_stride, int64_t count, int64_t stride, int64_t n,
          const T* parameter, T* out) {
  for (int64_t r = 0; r < count; ++r, x += row_stride)
    out[r] = row<F>(x, stride, n, parameter ? parameter[r] : T{0});
}

template <class F, class T, bool parametric>
void columns(T* sums, const T* x, int64_t row_stride, int64_t rows, int64_t width,
             const T* parameter) {
  const auto map = [parameter](T value, int64_t j) {
    if constexpr (parametric) return F::map(value, parameter[j]);
    return F::map(value, T{0});
  };
  int64_t r = 0;
  if constexpr (!parametric) {
    for (; r + 4 <= rows; r += 4) {
      const T* a = x + r * row_stride;
      const T *b = a + row_stride, *c = b + row_stride, *d = c + row_stride;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) {
        T s = F::combine(sums[j], map(a[j], j));
        s = F::combine(s, map(b[j], j));
        s = F::combine(s, map(c[j], j));
        sums[j] = F::combine(s, map(d[j], j));
      }
    }
  }
  for (; r < rows; ++r) {
    const T* a = x + r * row_stride;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) sums[j] = F::combine(sums[j], map(a[j], j));
  }
}

template <class F, class T>
void merge(const T* left, T* right, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) right[j] = F::combine(left[j], right[j]);
}

template <class F, bool parametric, class T>
constexpr FoldLoops<T> loops_of() {
  return {F::identity, &row<F, T>, &rows<F, T>, &columns<F, T, parametric>, &merge<F, T>};
}

template <class T>
constexpr FoldLoops<T> float_table[fold_count] = {loops_of<Sum<T>, false, T>(),
                                                  loops_of<Prod<T>, false, T>(),
                                                  loops_of<Max<T>, false, T>(),
                                                  loops_of<Min<T>, false, T>(),
                                                  loops_of<SquareDeviation<T>, true, T>(),
                                                  loops_of<ExpSum<T>, true, T>(),
                                                  loops_of<CountEqual<T>, true, T>()};

template <class T>
constexpr FoldLoops<T> integer_table[] = {
    loops_of<Sum<T>, false, T>(), loops_of<Prod<T>, false, T>(), loops_of<Max<T>, false, T>(),
    loops_of<Min<T>, false, T>()};

}  // namespace

FoldTables fold_tables() {
  return {float_table<float>, float_table<double>, integer_table<int64_t>, integer_table<uint64_t>};
}

}  // namespace tapegrad::TAPEGRAD_ISA_NAMESPACE
