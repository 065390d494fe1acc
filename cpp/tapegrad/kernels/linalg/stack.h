#pragma once

#include <algorithm>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/linalg/linalg.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/strided.h"

// How the kernels go through stacks of matrices.

namespace tapegrad {

// Walks the matrices of a stack, one after the other, through broadcast strides.
template <class T>
class Matrices {
 public:
  Matrices(const Value& v, const Dims& batch)
      : data_(v.data<T>()),
        rows(v.dim(v.ndim() - 2)),
        columns(v.dim(v.ndim() - 1)),
        row_stride(v.layout()->strides()[v.ndim() - 2]),
        column_stride(v.layout()->strides()[v.ndim() - 1]),
        at_(batch, {broadcast_strides(stack_of(v.shape()), stack_of(v.strides()), batch)}) {}

  void seek(int64_t i) { at_.seek(i); }
  void next() { at_.next(); }
  const T* current() const { return data_ + at_.offset(0); }
  // The same in Fortran's order.
  void pack_columns_into(T* to) const {
    const T* from = current();
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t i = 0; i < rows; ++i)
        to[j * rows + i] = from[i * row_stride + j * column_stride];
  }
  void pack_into(T* to) const {
    const T* from = current();
    for (int64_t i = 0; i < rows; ++i) {
      const T* row = from + i * row_stride;
      if (column_stride == 1) {
        std::copy(row, row + columns, to + i * columns);
      } else {
        for (int64_t j = 0; j < columns; ++j) to[i * columns + j] = row[j * column_stride];
      }
    }
  }

 private:
  const T* data_;

 public:
  const int64_t rows, columns, row_stride, column_stride;

 private:
  Odometer<1> at_;
};

// From this cost on one matrix occupies all threads.
inline constexpr double shared_out = 1e6;

// Calls f(begin, end, first_failure) over the stack; f lowers first_failure to the lowest position
// that failed.
template <class F>
int64_t over_stack(int64_t count, double ns, F&& f) {
  constexpr int64_t grain = 8;
  const int64_t step = ns > 1e4 ? 1 : grain;
  if (ns > shared_out) {  // LAPACK shares out a large matrix itself
    int64_t failed = count;
    f(0, count, failed);
    return failed == count ? -1 : failed;
  }
  const auto parts = static_cast<size_t>((count + step - 1) / step);
  const PooledArray<int64_t> first(parts);
  std::fill(first.get(), first.get() + parts, count);
  parallel_for(count, step, ns, [&](int64_t from, int64_t to) {
    f(from, to, first[static_cast<size_t>(from / step)]);
  });
  const int64_t failed = *std::min_element(first.get(), first.get() + parts);
  return failed == count ? -1 : failed;
}

inline double cube(int64_t n) {
  return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
}

template <class F>
decltype(auto) visit_floating(DType d, F&& f) {
  return d == DType::float32 ? f(float{}) : f(double{});
}

}  // namespace tapegrad
