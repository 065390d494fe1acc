#include "tapegrad/kernels/reduce_scan.h"

#include <algorithm>

#include "tapegrad/kernels/copy.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

template <class T>
struct RunningSum {
  static T first(T, T x) { return x; }
  static T next(T y, T, T x) { return y + x; }
};

template <class T>
struct RunningProd {
  static T first(T, T x) { return x; }
  static T next(T y, T, T x) { return y * x; }
};

// Integers wrap around as in NumPy.
template <>
struct RunningSum<int64_t> {
  static int64_t first(int64_t, int64_t x) { return x; }
  static int64_t next(int64_t y, int64_t, int64_t x) {
    return static_cast<int64_t>(static_cast<uint64_t>(y) + static_cast<uint64_t>(x));
  }
};

template <>
struct RunningProd<int64_t> {
  static int64_t first(int64_t, int64_t x) { return x; }
  static int64_t next(int64_t y, int64_t, int64_t x) {
    return static_cast<int64_t>(static_cast<uint64_t>(y) * static_cast<uint64_t>(x));
  }
};

template <class T>
struct Recurrence {
  static T first(T c, T) { return c; }
  static T next(T y, T c, T x) { return y == 0 ? c : x * y + c; }
};

// The arrays are (outer, n, inner); each of the outer * inner lines is scanned alone.
template <class F, class T>
void scan_lines(const T* c, const T* x, T* y, int64_t n, int64_t inner, int64_t first_line,
                int64_t lines, bool reverse) {
  const int64_t step = reverse ? -inner : inner;
  const int64_t start = reverse ? (n - 1) * inner : 0;
  if (inner == 1) {
    for (int64_t line = first_line; line < first_line + lines; ++line) {
      int64_t at = line * n + start;
      T carry = F::first(c[at], x[at]);
      y[at] = carry;
      for (int64_t i = 1; i < n; ++i) {
        at += step;
        y[at] = carry = F::next(carry, c[at], x[at]);
      }
    }
    return;
  }
  for (int64_t line = first_line, end; line < first_line + lines; line = end) {
    const int64_t column = line % inner;
    end = std::min({first_line + lines, line - column + inner, line + 1024});
    const int64_t width = end - line;
    int64_t at = line / inner * n * inner + column + start;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) y[at + j] = F::first(c[at + j], x[at + j]);
    for (int64_t i = 1; i < n; ++i) {
      const int64_t before = at;
      at += step;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) y[at + j] = F::next(y[before + j], c[at + j], x[at + j]);
    }
  }
}

template <class F, class T>
void scan_typed(const Value& c, const Value& x, Value& y, int axis, bool reverse) {
  const int64_t n = x.dim(axis);
  int64_t inner = 1;
  for (int i = axis + 1; i < x.ndim(); ++i) inner *= x.dim(i);
  const int64_t lines = x.size() / n;
  const int64_t grain = inner == 1 ? 1 : std::min<int64_t>(inner, 64);
  parallel_for(lines, grain, static_cast<double>(n), [&](int64_t begin, int64_t end) {
    scan_lines<F, T>(c.data<T>(), x.data<T>(), y.data<T>(), n, inner, begin, end - begin, reverse);
  });
}

template <template <class> class F>
Value scan(const Value& c, const Value& x, int axis, bool reverse) {
  const Value pc = packed(c), px = packed(x);
  Value y = Value::empty_like(px);
  if (y.size() == 0) return y;
  switch (x.dtype()) {
    case DType::float32:
      scan_typed<F<float>, float>(pc, px, y, axis, reverse);
      break;
    case DType::float64:
      scan_typed<F<double>, double>(pc, px, y, axis, reverse);
      break;
    case DType::int64:
    case DType::uint64:
      scan_typed<F<int64_t>, int64_t>(pc, px, y, axis, reverse);
      break;
    default:
      throw_error<TypeError>("scan: no loops for ", dtype_name(x.dtype()),
                             "; cast to int64 or float64");
  }
  return y;
}

}  // namespace

Value cumulative_sum(const Value& x, int axis, bool reverse) {
  return scan<RunningSum>(x, x, axis, reverse);
}

Value cumulative_prod(const Value& x, int axis, bool reverse) {
  return scan<RunningProd>(x, x, axis, reverse);
}

Value linear_recurrence(const Value& c, const Value& x, int axis, bool reverse) {
  return scan<Recurrence>(c, x, axis, reverse);
}

}  // namespace tapegrad
