#include "tapegrad/kernels/linalg/matmul.h"

#include <algorithm>
#include <type_traits>

#include "tapegrad/kernels/linalg/matmul_scaled.h"
#include "tapegrad/parallel/parallel.h"

// The first of these loops that fits is run: integers plainly; products with k, n <= 4 (and small
// matrix-vector products) by loops unrolled in registers, over all rows of the stack; an outer
// product row by row; everything else by GEMM, which cuts large products itself.

namespace tapegrad {

namespace {

constexpr double ns_per_multiply_add = 0.04;  // inside GEMM
constexpr int64_t tiny_rows = 512;            // rows of a stack of tiny products handed out at once

// How GEMM is told to read a matrix.
struct Orientation {
  bool readable = false;
  bool transposed = false;
  int64_t leading = 1;
};

Orientation orient(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
  const int64_t least_row = std::max<int64_t>(1, columns),
                least_column = std::max<int64_t>(1, rows);
  if (columns <= 1 || column_stride == 1) {
    if (rows <= 1) return {true, false, least_row};
    if (row_stride >= least_row) return {true, false, row_stride};
  }
  if (rows <= 1 || row_stride == 1) {
    if (columns <= 1) return {true, true, least_column};
    if (column_stride >= least_column) return {true, true, column_stride};
  }
  return {};
}

// Computes the offsets of item `i` of a stack.
template <class T>
const T* item(const MatrixStack<T>& s, const Dims& batch, int64_t i) {
  int64_t offset = 0;
  for (size_t axis = batch.size(); axis-- > 0 && i > 0;) {
    offset += i % batch[axis] * s.batch_strides[axis];
    i /= batch[axis];
  }
  return s.data + offset;
}

bool all_zero(const Dims& strides) {
  return std::all_of(strides.begin(), strides.end(), [](int64_t s) { return s == 0; });
}

template <class T>
void multiply_plainly(const Dims& batch, int64_t m, int64_t n, int64_t k, const MatrixStack<T>& a,
                      const MatrixStack<T>& b, T* out) {
  parallel_for(
      element_count(batch) * m, 1, static_cast<double>(n * k), [&](int64_t from, int64_t to) {
        for (int64_t row = from; row < to; ++row) {
          const T* x = item(a, batch, row / m) + row % m * a.row_stride;
          const T* y = item(b, batch, row / m);
          for (int64_t j = 0; j < n; ++j) {
            T sum{};
            for (int64_t p = 0; p < k; ++p) {
              const T left = x[p * a.column_stride],
                      right = y[p * b.row_stride + j * b.column_stride];
              if constexpr (std::is_same_v<T, bool>) {
                sum = sum || (left && right);
              } else {
                using Wide =
                    std::conditional_t<std::is_signed_v<T>, uint64_t, T>;  // wraps, as NumPy does
                sum = static_cast<T>(static_cast<Wide>(sum) +
                                     static_cast<Wide>(left) * static_cast<Wide>(right));
              }
            }
            out[row * n + j] = sum;
          }
        }
      });
}

// Multiplies rows [from, to) of all the rows of a stack; b stays in registers while the matrix does
// not change.
template <int K, int N, class T>
void tiny_rows_product(const Dims& batch, int64_t m, const MatrixStack<T>& a,
                       const MatrixStack<T>& b, T* out, int64_t from, int64_t to) {
  for (int64_t row = from; row < to;) {
    const int64_t matrix = row / m, end = std::min(to, (matrix + 1) * m);
    const T* y = item(b, batch, matrix);
    const T* x = item(a, batch, matrix) + (row - matrix * m) * a.row_stride;
    T right[K][N];
    for (int p = 0; p < K; ++p) {
      for (int j = 0; j < N; ++j) right[p][j] = y[p * b.row_stride + j * b.column_stride];
    }
    for (; row < end; ++row, x += a.row_stride) {
      for (int j = 0; j < N; ++j) {
        T sum = x[0] * right[0][j];
        for (int p = 1; p < K; ++p) sum += x[p * a.column_stride] * right[p][j];
        out[row * N + j] = sum;
      }
    }
  }
}

template <class T>
using TinyProduct = void (*)(const Dims&, int64_t, const MatrixStack<T>&, const MatrixStack<T>&, T*,
                             int64_t, int64_t);

template <class T>
TinyProduct<T> tiny_product(int64_t k, int64_t n) {
  static constexpr TinyProduct<T> table[8][4] = {{tiny_rows_product<1, 1>, tiny_rows_product<1, 2>,
                                                  tiny_rows_product<1, 3>, tiny_rows_product<1, 4>},
                                                 {tiny_rows_product<2, 1>, tiny_rows_product<2, 2>,
                                                  tiny_rows_product<2, 3>, tiny_rows_product<2, 4>},
                                                 {tiny_rows_product<3, 1>, tiny_rows_product<3, 2>,
                                                  tiny_rows_product<3, 3>, tiny_rows_product<3, 4>},
                                                 {tiny_rows_product<4, 1>, tiny_rows_product<4, 2>,
                                                  tiny_rows_product<4, 3>, tiny_rows_product<4, 4>},
                                                 {tiny_rows_product<5, 1>},
                                                 {tiny_rows_product<6, 1>},
                                                 {tiny_rows_product<7, 1>},
                                                 {tiny_rows_product<8, 1>}};
  return table[k - 1][n - 1];
}

// Multiplies every element of a by the row b.
template <class T>
void outer_product(const T* a, int64_t a_stride, const T* b, int64_t b_stride, int64_t m, int64_t n,
                   T* out) {
  parallel_for(m, std::max<int64_t>(1, 4096 / n), 0.5 * static_cast<double>(n),
               [&](int64_t from, int64_t to) {
                 for (int64_t i = from; i < to; ++i) {
                   const T x = a[i * a_stride];
                   T* row = out + i * n;
                   if (b_stride == 1) {
#pragma omp simd
                     for (int64_t j = 0; j < n; ++j) row[j] = x * b[j];
                   } else {
                     for (int64_t j = 0; j < n; ++j) row[j] = x * b[j * b_stride];
                   }
                 }
               });
}

// A row times a matrix, as the transposed matrix times a column.
bool is_tiny_row(int64_t m, int64_t n, int64_t k) {
  return m == 1 && n > 1 && (n > 4 || k > 4) && is_tiny_product(m, n, k);
}

template <class T>
MatrixStack<T> transposed(const MatrixStack<T>& a) {
  return {a.data, a.column_stride, a.row_stride, a.batch_strides};
}

template <class T>
void multiply_floats(const Dims& given_batch, int64_t m, int64_t n, int64_t k, MatrixStack<T> a,
                     MatrixStack<T> b, T* out) {
  Dims batch = given_batch;
  int64_t count = element_count(batch);
  // One matrix on the right serves the whole stack, whose rows follow each other: that is one tall
  // product.
  if (count > 1 && all_zero(b.batch_strides)) {
    int64_t step = a.row_stride * m;
    bool merges = true;
    for (size_t axis = batch.size(); axis-- > 0;) {
      if (batch[axis] == 1) continue;
      merges &= a.batch_strides[axis] == step;
      step *= batch[axis];
    }
    if (m == 1 && !merges && batch.size() == 1) {
      a.row_stride = a.batch_strides[0];
      merges =
          is_tiny_product(count, n, k) || orient(count, k, a.row_stride, a.column_stride).readable;
    }
    // A small product reads any strides, the tall one may be none any more.
    const bool readable =
        is_tiny_product(m * count, n, k) || orient(k, n, b.row_stride, b.column_stride).readable;
    if (merges && readable && orient(m * count, k, a.row_stride, a.column_stride).readable) {
      m *= count;
      count = 1;
      batch = {};
    }
  }
  if (is_tiny_row(m, n, k)) {
    std::swap(a, b);
    a = transposed(a);
    b = transposed(b);
    std::swap(m, n);
  }
  if (is_tiny_product(m, n, k)) {
    const TinyProduct<T> product = tiny_product<T>(k, n);
    parallel_for(count * m, tiny_rows, 0.5 * static_cast<double>(n * k) + 1,
                 [&](int64_t from, int64_t to) { product(batch, m, a, b, out, from, to); });
    return;
  }
  if (k == 1 && count == 1) {
    return outer_product(a.data, a.row_stride, b.data, b.column_stride, m, n, out);
  }
  const Orientation left = orient(m, k, a.row_stride, a.column_stride);
  const Orientation right = orient(k, n, b.row_stride, b.column_stride);
  const auto one = [&](int64_t i) {
    scaled_gemm(left.transposed, right.transposed, m, n, k, item(a, batch, i), left.leading,
                item(b, batch, i), right.leading, out + i * m * n, n);
  };
  // GEMM shares out a large product itself.
  const double ns = ns_per_multiply_add * static_cast<double>(m * n * k) + 60;
  if (count == 1 || ns > 1e5) {
    for (int64_t i = 0; i < count; ++i) one(i);
    return;
  }
  parallel_for(count, 1, ns, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) one(i);
  });
}

}  // namespace

bool gemm_readable(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
  return orient(rows, columns, row_stride, column_stride).readable;
}

bool is_tiny_product(int64_t m, int64_t n, int64_t k) {
  return (k <= 4 && n <= 4) || ((n == 1 || m == 1) && k <= 8 && m <= 8 && n <= 8);
}

template <class T>
void multiply_stacks(const Dims& batch, int64_t m, int64_t n, int64_t k, MatrixStack<T> a,
                     MatrixStack<T> b, T* out) {
  const int64_t size = element_count(batch) * m * n;
  if (size == 0) return;
  if (k == 0) {
    std::fill(out, out + size, T{});
  } else if constexpr (std::is_floating_point_v<T>) {
    multiply_floats(batch, m, n, k, std::move(a), std::move(b), out);
  } else {
    multiply_plainly(batch, m, n, k, a, b, out);
  }
}

template <class T>
RepeatedProduct<T>::RepeatedProduct(int64_t m, int64_t n, int64_t k, MatrixStack<T> a,
                                    MatrixStack<T> b)
    : m_(m), n_(n), k_(k), a_(std::move(a)), b_(std::move(b)) {
  if (m == 0 || n == 0 || k == 0) return;
  if (is_tiny_row(m, n, k)) {
    way_ = Way::tiny_row;
    tiny_ = tiny_product<T>(k, 1);
    a_ = transposed(a_);
    b_ = transposed(b_);
  } else if (is_tiny_product(m, n, k)) {
    if (m > tiny_rows) return;
    way_ = Way::tiny;
    tiny_ = tiny_product<T>(k, n);
  } else if (k > 1) {
    way_ = Way::gemm;
    const Orientation left = orient(m, k, a_.row_stride, a_.column_stride);
    const Orientation right = orient(k, n, b_.row_stride, b_.column_stride);
    a_transposed_ = left.transposed;
    a_leading_ = left.leading;
    b_transposed_ = right.transposed;
    b_leading_ = right.leading;
  }
}

template <class T>
void RepeatedProduct<T>::run(const T* a, const T* b, T* out) {
  if (way_ == Way::gemm)
    return scaled_gemm(a_transposed_, b_transposed_, m_, n_, k_, a, a_leading_, b, b_leading_, out,
                       n_);
  a_.data = a;
  b_.data = b;
  if (way_ == Way::tiny) return tiny_(no_batch_, m_, a_, b_, out, 0, m_);
  if (way_ == Way::tiny_row) return tiny_(no_batch_, n_, b_, a_, out, 0, n_);
  multiply_stacks<T>(no_batch_, m_, n_, k_, a_, b_, out);
}

template class RepeatedProduct<float>;
template class RepeatedProduct<double>;

template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<bool>,
                              MatrixStack<bool>, bool*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<int8_t>,
                              MatrixStack<int8_t>, int8_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<int16_t>,
                              MatrixStack<int16_t>, int16_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<int32_t>,
                              MatrixStack<int32_t>, int32_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<int64_t>,
                              MatrixStack<int64_t>, int64_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<uint8_t>,
                              MatrixStack<uint8_t>, uint8_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<uint16_t>,
                              MatrixStack<uint16_t>, uint16_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<uint32_t>,
                              MatrixStack<uint32_t>, uint32_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<uint64_t>,
                              MatrixStack<uint64_t>, uint64_t*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<float>,
                              MatrixStack<float>, float*);
template void multiply_stacks(const Dims&, int64_t, int64_t, int64_t, MatrixStack<double>,
                              MatrixStack<double>, double*);

}  // namespace tapegrad
