#pragma once

#include <cstdint>

namespace tapegrad {

// What a reduction folds: combine(map(x, parameter)...), one parameter for each output.
enum class Fold {
  sum,
  prod,
  max,  // NaN where there is one
  min,
  square_deviation,  // sum of (x - parameter)^2
  exp_sum,           // sum of exp(x - parameter)
  count_equal        // elements equal to the parameter; NaN counts as equal to NaN
};

constexpr int fold_count = 7;
constexpr int64_t fold_chunk = 1024;  // most elements that one call of `row` sees

// The innermost loops of a reduction, compiled for each instruction-set level. The order of the
// additions is fixed by n alone.
template <class T>
struct FoldLoops {
  T identity;
  // n <= fold_chunk elements at x[0], x[stride], ...
  T (*row)(const T* x, int64_t stride, int64_t n, T parameter);
  // out[r] = row(x + r * row_stride, stride, n, parameter[r]) for each of the rows.
  void (*rows)(const T* x, int64_t row_stride, int64_t rows, int64_t stride, int64_t n,
               const T* parameter, T* out);
  // accumulator[j] combined with x[r * row_stride + j] for each of the rows, in order.
  void (*columns)(T* accumulator, const T* x, int64_t row_stride, int64_t rows, int64_t width,
                  const T* parameter);
  // right[j] = combine(left[j], right[j])
  void (*merge)(const T* left, T* right, int64_t n);
};

// For float, double; int64_t and uint64_t have sum, prod, max and min alone.
template <class T>
const FoldLoops<T>& fold_loops(Fold fold);

}  // namespace tapegrad
