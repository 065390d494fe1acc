#include "tapegrad/kernels/reduce/reduce_scan.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/array/copy.h"
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

// A running sum along a long line is taken in chunks of fixed length: first every chunk's total,
// then each chunk's own running sum plus what came before it. The last sum of a chunk is what the
// next one starts from, so sums of positive numbers never fall. Chunks are taken four at a time,
// because one running sum alone waits for its own additions; the length keeps the four off each
// other's sets of the cache.
constexpr int64_t chunk_length = 16000;
constexpr int64_t interleaved = 4;

template <class T>
class ChunkedSum {
 public:
  ChunkedSum(const T* x, T* y, int64_t n, bool reverse)
      : x_(reverse ? x + n - 1 : x),
        y_(reverse ? y + n - 1 : y),
        n_(n),
        step_(reverse ? -1 : 1),
        before_(static_cast<size_t>((n + chunk_length - 1) / chunk_length)) {}

  void run() {
    const auto chunks = static_cast<int64_t>(before_.size());
    const int64_t groups = (chunks + interleaved - 1) / interleaved;
    const double ns = 0.5 * static_cast<double>(interleaved * chunk_length);
    parallel_for(groups, 1, ns, [&](int64_t begin, int64_t end) {
      for (int64_t g = begin; g < end; ++g) visit<false>(g * interleaved, chunks - 1);
    });
    T carry = neutral();
    for (T& b : before_) {
      const T total = b;
      b = carry;
      carry = RunningSum<T>::next(carry, total, total);
    }
    parallel_for(groups, 1, ns, [&](int64_t begin, int64_t end) {
      for (int64_t g = begin; g < end; ++g) visit<true>(g * interleaved, chunks);
    });
  }

 private:
  static constexpr T neutral() { return static_cast<T>(-0.0); }  // -0.0 + x is x, also for -0.0

  template <bool write>
  void visit(int64_t first, int64_t chunks) {
    if (first + interleaved <= chunks && (first + interleaved) * chunk_length <= n_) {
      scan<write, interleaved>(first, chunk_length);
    } else {
      for (int64_t k = first; k < std::min(first + interleaved, chunks); ++k)
        scan<write, 1>(k, std::min(chunk_length, n_ - k * chunk_length));
    }
  }

  template <bool write, int64_t width>
  void scan(int64_t first, int64_t length) {
    const T* const x = x_ + first * chunk_length * step_;
    T* const y = y_ + first * chunk_length * step_;
    std::array<T, width> sum, before;
    for (int64_t k = 0; k < width; ++k) {
      sum[k] = neutral();
      before[k] = before_[static_cast<size_t>(first + k)];
    }
    for (int64_t i = 0; i < length; ++i)
      for (int64_t k = 0; k < width; ++k) {
        const int64_t at = (k * chunk_length + i) * step_;
        sum[k] = RunningSum<T>::next(sum[k], x[at], x[at]);
        if constexpr (write) y[at] = RunningSum<T>::next(before[k], sum[k], sum[k]);
      }
    if constexpr (!write)
      for (int64_t k = 0; k < width; ++k) before_[static_cast<size_t>(first + k)] = sum[k];
  }

  const T* x_;  // where the scan begins
  T* y_;
  int64_t n_, step_;
  PooledVector<T> before_;  // by chunk: its total, then the sum of all before it
};

template <class F, class T>
void scan_typed(const Value& c, const Value& x, Value& y, int axis, bool reverse) {
  const int64_t n = x.dim(axis);
  int64_t inner = 1;
  for (int i = axis + 1; i < x.ndim(); ++i) inner *= x.dim(i);
  const int64_t lines = x.size() / n;
  if constexpr (std::is_same_v<F, RunningSum<T>>) {
    if (inner == 1 && n >= 2 * interleaved * chunk_length) {
      for (int64_t line = 0; line < lines; ++line)
        ChunkedSum<T>(x.data<T>() + line * n, y.data<T>() + line * n, n, reverse).run();
      return;
    }
  }
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
