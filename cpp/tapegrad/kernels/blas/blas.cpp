#include "tapegrad/kernels/blas/blas.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "tapegrad/kernels/blas/blas_builtin.h"
#include "tapegrad/kernels/blas/blas_library.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

constexpr int64_t max_int = std::numeric_limits<int>::max();
constexpr double ns_per_product = 0.06;  // one multiply-add of a matrix product, one thread
constexpr double ns_per_element = 0.3;   // one element of a matrix that is read once

template <class T>
struct Matrix {
  const T* data;
  int64_t ld;
  bool is_trans;  // data holds the transpose

  Matrix at(int64_t row, int64_t col) const {
    return {data + (is_trans ? col * ld + row : row * ld + col), ld, is_trans};
  }
};

template <class T>
void scale(int64_t m, int64_t n, T beta, T* c, int64_t ldc) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == T(0) ? T(0) : beta * c[i * ldc + j];
}

template <class T>
void tiny_product(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c,
                  int64_t ldc) {
  const int64_t a_row = a.is_trans ? 1 : a.ld, a_col = a.is_trans ? a.ld : 1;
  const int64_t b_row = b.is_trans ? 1 : b.ld, b_col = b.is_trans ? b.ld : 1;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T sum = a.data[i * a_row] * b.data[j * b_col];
      for (int64_t l = 1; l < k; ++l)
        sum += a.data[i * a_row + l * a_col] * b.data[l * b_row + j * b_col];
      T& out = c[i * ldc + j];
      out = beta == T(0) ? alpha * sum : alpha * sum + beta * out;
    }
  }
}

// Returns what BLAS accepts as the leading dimension of a stored rows by cols matrix; 0 where it
// would refuse.
int blas_ld(int64_t rows, int64_t cols, int64_t ld) {
  if (rows <= 1) ld = std::max<int64_t>(cols, 1);
  return ld >= cols && ld <= max_int ? static_cast<int>(ld) : 0;
}

// Computes one tile, on this thread.
template <class T>
void product(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c,
             int64_t ldc) {
  if (m * n * k <= 64) return tiny_product(m, n, k, alpha, a, b, beta, c, ldc);
  const int a_ld = a.is_trans ? blas_ld(k, m, a.ld) : blas_ld(m, k, a.ld);
  const int b_ld = b.is_trans ? blas_ld(n, k, b.ld) : blas_ld(k, n, b.ld);
  const int c_ld = blas_ld(m, n, ldc);
  const bool fits = std::max({m, n, k}) <= max_int && a_ld && b_ld && c_ld;
  const BlasFunctions<T>* blas = fits ? blas_functions<T>() : nullptr;
  if (!blas)
    return builtin::gemm(a.is_trans, b.is_trans, m, n, k, alpha, a.data, a.ld, b.data, b.ld, beta,
                         c, ldc);
  const auto i = [](int64_t value) { return static_cast<int>(value); };
  const auto trans_if = [](bool is_trans) { return is_trans ? trans : no_trans; };
  if (n == 1 || m == 1) {
    // This is y = op(A) x, or its transpose y' = op(B)' x'. gemv may read the old y though beta is
    // 0.
    const bool by_column = n == 1;
    const Matrix<T>& matrix = by_column ? a : b;
    const bool is_trans = matrix.is_trans == by_column;
    const int64_t rows = by_column ? (a.is_trans ? k : m) : (b.is_trans ? n : k);
    const int64_t cols = by_column ? (a.is_trans ? m : k) : (b.is_trans ? k : n);
    const int x_step = by_column ? (b.is_trans ? 1 : b_ld) : (a.is_trans ? a_ld : 1);
    if (beta == T(0)) scale(m, n, beta, c, ldc);
    return blas->gemv(row_major, trans_if(is_trans), i(rows), i(cols), alpha, matrix.data,
                      by_column ? a_ld : b_ld, by_column ? b.data : a.data, x_step,
                      beta == T(0) ? T(1) : beta, c, by_column ? c_ld : 1);
  }
  blas->gemm(row_major, trans_if(a.is_trans), trans_if(b.is_trans), i(m), i(n), i(k), alpha, a.data,
             a_ld, b.data, b_ld, beta, c, c_ld);
}

// A product is cut by its shape alone. Either the result is cut into tiles, or, where the result is
// small, the sum.
struct Tiling {
  int64_t rows, cols, depth;
};

int64_t even_part(int64_t length, int64_t at_most, int64_t unit) {
  const int64_t parts = (length - 1) / at_most + 1;
  const int64_t part = (length - 1) / parts + 1;
  return (part + unit - 1) / unit * unit;
}

Tiling tiling(int64_t m, int64_t n, int64_t k) {
  const double size = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const bool is_vector = m == 1 || n == 1;
  const double worthwhile = is_vector ? 1 << 16 : 1 << 19;  // multiply-adds of a tile, at least
  Tiling tiling{m, n, k};
  if (size < 2 * worthwhile) return tiling;
  if (m * n <= 4096 && k >= 64 * (m + n)) {
    const int64_t most_parts = std::min<int64_t>(64, static_cast<int64_t>(size / worthwhile));
    tiling.depth = even_part(k, (k - 1) / most_parts + 1, 64);
    return tiling;
  }
  const double edge =
      std::clamp(std::sqrt(static_cast<double>(m) * static_cast<double>(n) / 32), 256.0, 1024.0);
  const int64_t cols = std::min(n, static_cast<int64_t>(edge));
  const double rows =
      std::max(edge, worthwhile / (static_cast<double>(cols) * static_cast<double>(k)));
  tiling.rows = rows >= static_cast<double>(m) ? m : even_part(m, static_cast<int64_t>(rows), 16);
  const double wide =
      std::max(edge, worthwhile / (static_cast<double>(tiling.rows) * static_cast<double>(k)));
  tiling.cols = wide >= static_cast<double>(n) ? n : even_part(n, static_cast<int64_t>(wide), 16);
  return tiling;
}

template <class F>
void share_out(int64_t tasks, double ns, F&& f) {
  if (ns >= work_threshold_ns()) return parallel_tasks(tasks, f);
  for (int64_t i = 0; i < tasks; ++i) f(i);
}

template <class T>
void product_split_in_depth(int64_t m, int64_t n, int64_t k, int64_t depth, double ns, T alpha,
                            Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t ldc) {
  const int64_t parts = (k - 1) / depth + 1, size = m * n;
  std::unique_ptr<T[]> partial(new T[parts * size]);
  share_out(parts, ns, [&](int64_t part) {
    const int64_t first = part * depth;
    product(m, n, std::min(depth, k - first), alpha, a.at(0, first), b.at(first, 0), T(0),
            partial.get() + part * size, n);
  });
  for (int64_t step = 1; step < parts; step *= 2)
    for (int64_t part = 0; part + step < parts; part += 2 * step)
      for (int64_t i = 0; i < size; ++i)
        partial[part * size + i] += partial[(part + step) * size + i];
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      T& out = c[i * ldc + j];
      out = beta == T(0) ? partial[i * n + j] : partial[i * n + j] + beta * out;
    }
}

}  // namespace

template <class T>
void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
          const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) return scale(m, n, beta, c, ldc);
  const Matrix<T> left_factor{a, lda, ta}, right_factor{b, ldb, tb};
  const Tiling tile = tiling(m, n, k);
  if (tile.rows >= m && tile.cols >= n && tile.depth >= k)
    return product(m, n, k, alpha, left_factor, right_factor, beta, c, ldc);
  const double size = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const double ns = size * (m == 1 || n == 1 ? ns_per_element : ns_per_product);
  if (tile.depth < k)
    return product_split_in_depth(m, n, k, tile.depth, ns, alpha, left_factor, right_factor, beta,
                                  c, ldc);
  const int64_t down = (m - 1) / tile.rows + 1, across = (n - 1) / tile.cols + 1;
  share_out(down * across, ns, [&](int64_t index) {
    const int64_t i = index / across * tile.rows, j = index % across * tile.cols;
    product(std::min(tile.rows, m - i), std::min(tile.cols, n - j), k, alpha, left_factor.at(i, 0),
            right_factor.at(0, j), beta, c + i * ldc + j, ldc);
  });
}

template <class T>
void gemm_batched(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
                  int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc, int64_t batch,
                  const int64_t* a_offsets, const int64_t* b_offsets, const int64_t* c_offsets) {
  const auto one = [&](int64_t i) {
    gemm(ta, tb, m, n, k, alpha, a + a_offsets[i], lda, b + b_offsets[i], ldb, beta,
         c + c_offsets[i], ldc);
  };
  // Products that cut themselves come one after the other, each on all threads.
  const Tiling tile = tiling(m, n, k);
  if (tile.rows < m || tile.cols < n || tile.depth < k) {
    for (int64_t i = 0; i < batch; ++i) one(i);
    return;
  }
  const double ns = 20 + ns_per_product * static_cast<double>(m * n * k) +
                    ns_per_element * static_cast<double>(m * k + k * n + m * n);
  parallel_for(batch, 1, ns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) one(i);
  });
}

template void gemm(bool, bool, int64_t, int64_t, int64_t, double, const double*, int64_t,
                   const double*, int64_t, double, double*, int64_t);
template void gemm(bool, bool, int64_t, int64_t, int64_t, float, const float*, int64_t,
                   const float*, int64_t, float, float*, int64_t);
template void gemm_batched(bool, bool, int64_t, int64_t, int64_t, double, const double*, int64_t,
                           const double*, int64_t, double, double*, int64_t, int64_t,
                           const int64_t*, const int64_t*, const int64_t*);
template void gemm_batched(bool, bool, int64_t, int64_t, int64_t, float, const float*, int64_t,
                           const float*, int64_t, float, float*, int64_t, int64_t, const int64_t*,
                           const int64_t*, const int64_t*);

}  // namespace tapegrad
