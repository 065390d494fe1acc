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

// One product of matrices of the same shapes and strides, again and again: what is to be decided is
// decided once. It has the bits of multiply_stacks. T is float or double.
template <class T>
class RepeatedProduct {
 public:
  RepeatedProduct(int64_t m, int64_t n, int64_t k, MatrixStack<T> a, MatrixStack<T> b);
  void run(const T* a, const T* b, T* out);

 private:
  enum class Way : uint8_t { any, tiny, tiny_row, gemm };
  using Tiny = void (*)(const Dims&, int64_t, const MatrixStack<T>&, const MatrixStack<T>&, T*,
                        int64_t, int64_t);
  const int64_t m_, n_, k_;
  const Dims no_batch_;
  MatrixStack<T> a_, b_;
  Way way_ = Way::any;
  Tiny tiny_ = nullptr;
  bool a_transposed_ = false, b_transposed_ = false;
  int64_t a_leading_ = 1, b_leading_ = 1;
};

}  // namespace tapegrad
