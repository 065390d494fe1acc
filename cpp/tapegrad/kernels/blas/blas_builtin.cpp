#include "tapegrad/kernels/blas/blas_builtin.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace tapegrad::builtin {
namespace {

constexpr int64_t block_rows = 64, block_depth = 256, block_cols = 512;
constexpr int tile_rows = 4;
template <class T>
constexpr int tile_cols = 32 / sizeof(T);  // four rows of these fill half the SSE registers

// Packs a block of op(X) as strips of `width` lanes (rows of A or columns of B), padded with zeros:
// a strip holds, for each step in depth, the elements that the micro-kernel reads together.
template <class T>
void pack(const T* x, int64_t lane_stride, int64_t depth_stride, int64_t lanes, int64_t depth,
          int width, T* out) {
  for (int64_t first = 0; first < lanes; first += width) {
    const int64_t count = std::min<int64_t>(width, lanes - first);
    for (int64_t l = 0; l < depth; ++l) {
      const T* from = x + first * lane_stride + l * depth_stride;
      for (int64_t j = 0; j < count; ++j) out[j] = from[j * lane_stride];
      for (int64_t j = count; j < width; ++j) out[j] = T(0);
      out += width;
    }
  }
}

// Adds alpha * a b to one tile of tile_rows by tile_cols, of which rows by cols exist.
template <class T>
void micro_kernel(int64_t depth, T alpha, const T* a, const T* b, T* c, int64_t ldc, int64_t rows,
                  int64_t cols) {
  constexpr int width = tile_cols<T>;
  T sum[tile_rows][width] = {};
  for (int64_t l = 0; l < depth; ++l, a += tile_rows, b += width) {
    for (int i = 0; i < tile_rows; ++i) {
#pragma omp simd
      for (int j = 0; j < width; ++j) sum[i][j] += a[i] * b[j];
    }
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) c[i * ldc + j] += alpha * sum[i][j];
}

template <class T>
void scale(int64_t m, int64_t n, T beta, T* c, int64_t ldc) {
  if (beta == T(1)) return;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == T(0) ? T(0) : beta * c[i * ldc + j];
}

}  // namespace

template <class T>
void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
          const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  constexpr int width = tile_cols<T>;
  scale(m, n, beta, c, ldc);
  const int64_t a_row = ta ? 1 : lda, a_depth = ta ? lda : 1;
  const int64_t b_col = tb ? ldb : 1, b_depth = tb ? 1 : ldb;
  const auto round_up = [](int64_t count, int64_t to) { return (count + to - 1) / to * to; };
  const int64_t depth = std::min(k, block_depth);
  std::unique_ptr<T[]> a_pack(new T[round_up(std::min(m, block_rows), tile_rows) * depth]);
  std::unique_ptr<T[]> b_pack(new T[round_up(std::min(n, block_cols), width) * depth]);
  for (int64_t j0 = 0; j0 < n; j0 += block_cols) {
    const int64_t cols = std::min(block_cols, n - j0);
    for (int64_t l0 = 0; l0 < k; l0 += block_depth) {
      const int64_t deep = std::min(block_depth, k - l0);
      pack(b + j0 * b_col + l0 * b_depth, b_col, b_depth, cols, deep, width, b_pack.get());
      for (int64_t i0 = 0; i0 < m; i0 += block_rows) {
        const int64_t rows = std::min(block_rows, m - i0);
        pack(a + i0 * a_row + l0 * a_depth, a_row, a_depth, rows, deep, tile_rows, a_pack.get());
        for (int64_t j = 0; j < cols; j += width)
          for (int64_t i = 0; i < rows; i += tile_rows)
            micro_kernel(deep, alpha, a_pack.get() + i * deep, b_pack.get() + j * deep,
                         c + (i0 + i) * ldc + j0 + j, ldc, std::min<int64_t>(tile_rows, rows - i),
                         std::min<int64_t>(width, cols - j));
      }
    }
  }
}

template <class T>
void trsm(bool is_lower, bool is_trans, bool is_unit, int64_t n, int64_t nrhs, const T* a,
          int64_t lda, T* b, int64_t ldb) {
  const int64_t row = is_trans ? 1 : lda, col = is_trans ? lda : 1;
  const bool downwards = is_lower != is_trans;
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = downwards ? step : n - 1 - step;
    T* x = b + i * ldb;
    for (int64_t done = 0; done < step; ++done) {
      const int64_t j = downwards ? done : n - 1 - done;
      const T factor = a[i * row + j * col];
      const T* y = b + j * ldb;
#pragma omp simd
      for (int64_t r = 0; r < nrhs; ++r) x[r] -= factor * y[r];
    }
    if (is_unit) continue;
    const T pivot = a[i * row + i * col];
    for (int64_t r = 0; r < nrhs; ++r) x[r] /= pivot;
  }
}

template <class T>
void trsm_right(int64_t rows, int64_t n, const T* l, int64_t ldl, T* b, int64_t ldb) {
  for (int64_t r = 0; r < rows; ++r) {
    T* x = b + r * ldb;
    for (int64_t i = 0; i < n; ++i) {
      const T* row = l + i * ldl;
      T sum = x[i];
      for (int64_t j = 0; j < i; ++j) sum -= x[j] * row[j];
      x[i] = sum / row[i];
    }
  }
}

template <class T>
int getrf(int64_t m, int64_t n, T* a, int64_t lda, int* pivots) {
  int info = 0;
  for (int64_t k = 0; k < std::min(m, n); ++k) {
    T* column = a + k * lda;
    int64_t best = k;
    for (int64_t i = k; i < m && !std::isnan(column[best]); ++i)
      if (!(std::abs(column[i]) <= std::abs(column[best]))) best = i;
    pivots[k] = static_cast<int>(best + 1);
    if (column[best] == T(0)) {
      if (!info) info = static_cast<int>(k + 1);
      continue;
    }
    if (best != k)
      for (int64_t j = 0; j < n; ++j) std::swap(a[j * lda + k], a[j * lda + best]);
    for (int64_t i = k + 1; i < m; ++i) column[i] /= column[k];
    for (int64_t j = k + 1; j < n; ++j) {
      T* target = a + j * lda;
      const T factor = target[k];
#pragma omp simd
      for (int64_t i = k + 1; i < m; ++i) target[i] -= factor * column[i];
    }
  }
  return info;
}

template <class T>
int potrf(int64_t n, T* a, int64_t lda) {
  for (int64_t i = 0; i < n; ++i) {
    T* row = a + i * lda;
    for (int64_t j = 0; j <= i; ++j) {
      const T* other = a + j * lda;
      T sum = row[j];
      for (int64_t l = 0; l < j; ++l) sum -= row[l] * other[l];
      if (j < i) {
        row[j] = sum / other[j];
      } else if (sum <= T(0)) {
        return static_cast<int>(i + 1);
      } else {
        row[i] = std::sqrt(sum);
      }
    }
  }
  return 0;
}

template void gemm(bool, bool, int64_t, int64_t, int64_t, double, const double*, int64_t,
                   const double*, int64_t, double, double*, int64_t);
template void gemm(bool, bool, int64_t, int64_t, int64_t, float, const float*, int64_t,
                   const float*, int64_t, float, float*, int64_t);
template void trsm(bool, bool, bool, int64_t, int64_t, const double*, int64_t, double*, int64_t);
template void trsm(bool, bool, bool, int64_t, int64_t, const float*, int64_t, float*, int64_t);
template void trsm_right(int64_t, int64_t, const double*, int64_t, double*, int64_t);
template void trsm_right(int64_t, int64_t, const float*, int64_t, float*, int64_t);
template int getrf(int64_t, int64_t, double*, int64_t, int*);
template int getrf(int64_t, int64_t, float*, int64_t, int*);
template int potrf(int64_t, double*, int64_t);
template int potrf(int64_t, float*, int64_t);

}  // namespace tapegrad::builtin
