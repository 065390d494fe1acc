// These are products of stacks of matrices read through strides. How a product is split into tiles
// and chunks depends on shapes and strides alone, never on the number of threads.
#pragma once

#include <cstdint>

#include "tapegrad/base/shape.h"

namespace tapegrad {

// Strides count elements; those of the batch are 0 where a matrix repeats.
template <class T>
struct MatrixStack {
  const T* data = nullptr;
  int64_t row_stride = 0;
  int64_t column_stride = 0;
  Dims batch_strides;
};

// Says whether GEMM reads such a matrix without a copy, as it is or transposed.
bool gemm_readable(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride);

// Says whether a product is small enough for plain loops, which take any strides.
bool is_tiny_product(int64_t m, int64_t n, int64_t k);

// Sets out (batch..., m, n), packed, to the product of a (batch..., m, k) and b (batch..., k, n).
// For float and double the operands must be readable by GEMM or the product tiny; integers and bool
// (or of ands) take any strides.
template <class T>
void multiply_stacks(const Dims& batch, int64_t m, int64_t n, int64_t k, MatrixStack<T> a,
                     MatrixStack<T> b, T* out);

}  // namespace tapegrad
