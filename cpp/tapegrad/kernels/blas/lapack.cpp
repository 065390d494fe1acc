#include "tapegrad/kernels/blas/lapack.h"

#include <algorithm>
#include <limits>

#include "tapegrad/base/error.h"
#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/blas/blas.h"
#include "tapegrad/kernels/blas/blas_builtin.h"
#include "tapegrad/kernels/blas/blas_library.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

constexpr int64_t unblocked = 256;  // up to this order, one call of the library
constexpr int64_t block = 128;
constexpr double ns_per_product = 0.08;

// Calls f(begin, count) on pieces of [0, n) cut by the amount of work alone.
template <class F>
void for_pieces(int64_t n, int64_t piece, double products_per_item, F&& f) {
  const double products = products_per_item * static_cast<double>(n);
  if (n <= piece || products < 1 << 19) return f(int64_t{0}, n);
  parallel_for((n - 1) / piece + 1, 1,
               static_cast<double>(piece) * products_per_item * ns_per_product,
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i)
                   f(i * piece, std::min(piece, n - i * piece));
               });
}

int checked_int(int64_t value) {
  if (value > std::numeric_limits<int>::max())
    throw_error<ValueError>(
        "linear algebra: a dimension or stride of ", value,
        " is beyond what 32-bit LAPACK addresses; make the matrix contiguous or smaller");
  return static_cast<int>(value);
}

// Solves op(A) X = B without a look at the diagonal.
template <class T>
void solve_triangular(bool is_lower, bool is_trans, bool is_unit, int64_t n, int64_t nrhs,
                      const T* a, int64_t lda, T* b, int64_t ldb) {
  if (n <= 0 || nrhs <= 0) return;
  const BlasFunctions<T>* blas = blas_functions<T>();
  const int order = checked_int(n), a_ld = checked_int(n == 1 ? 1 : lda);
  const int uplo = is_lower ? lower : upper, op = is_trans ? trans : no_trans;
  const int diag = is_unit ? unit : non_unit;
  if (blas && nrhs == 1)
    return blas->trsv(row_major, uplo, op, diag, order, a, a_ld, b, checked_int(n == 1 ? 1 : ldb));
  for_pieces(nrhs, block, static_cast<double>(n) * static_cast<double>(n) / 2,
             [&](int64_t first, int64_t count) {
               if (!blas)
                 return builtin::trsm(is_lower, is_trans, is_unit, n, count, a, lda, b + first,
                                      ldb);
               blas->trsm(row_major, left, uplo, op, diag, order, checked_int(count), T(1), a, a_ld,
                          b + first, checked_int(n == 1 ? nrhs : ldb));
             });
}

// Solves X L' = B in place of B (rows by n), L lower triangular.
template <class T>
void solve_right(int64_t rows, int64_t n, const T* l, int64_t ldl, T* b, int64_t ldb) {
  const BlasFunctions<T>* blas = blas_functions<T>();
  for_pieces(rows, block, static_cast<double>(n) * static_cast<double>(n) / 2,
             [&](int64_t first, int64_t count) {
               T* x = b + first * ldb;
               if (!blas) return builtin::trsm_right(count, n, l, ldl, x, ldb);
               blas->trsm(row_major, right, lower, trans, non_unit, checked_int(count),
                          checked_int(n), T(1), l, checked_int(ldl), x, checked_int(ldb));
             });
}

// Swaps rows first, first + 1, ... with their pivots, in the columns [0, cols) of a.
template <class T>
void swap_rows(T* a, int64_t lda, int64_t cols, const int32_t* pivots, int64_t first, int64_t last,
               bool backwards = false) {
  if (cols <= 0) return;
  parallel_for(cols, 256, 0.5 * static_cast<double>(last - first), [&](int64_t begin, int64_t end) {
    for (int64_t step = 0; step < last - first; ++step) {
      const int64_t i = backwards ? last - 1 - step : first + step;
      if (pivots[i] != i)
        std::swap_ranges(a + i * lda + begin, a + i * lda + end, a + pivots[i] * lda + begin);
    }
  });
}

// Computes the LU factors of the panel a (rows by cols), through a column-major copy.
template <class T>
int factor_panel(int64_t rows, int64_t cols, T* a, int64_t lda, T* copy, int32_t* pivots) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) copy[j * rows + i] = a[i * lda + j];
  int info = 0;
  if (const BlasFunctions<T>* blas = blas_functions<T>()) {
    const int m = checked_int(rows), n = checked_int(cols);
    blas->getrf(&m, &n, copy, &m, pivots, &info);
  } else {
    info = builtin::getrf(rows, cols, copy, rows, pivots);
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) a[i * lda + j] = copy[j * rows + i];
  return info;
}

template <class T>
int factor_diagonal_block(int64_t n, T* a, int64_t lda) {
  const BlasFunctions<T>* blas = blas_functions<T>();
  if (!blas) return builtin::potrf(n, a, lda);
  // Row-major lower is column-major upper.
  const int order = checked_int(n), ld = checked_int(n == 1 ? 1 : lda);
  int info = 0;
  blas->potrf("U", &order, a, &ld, &info, 1);
  return info;
}

}  // namespace

template <class T>
int64_t getrf(int64_t n, T* a, int64_t lda, int32_t* pivots) {
  if (n <= 0) return 0;
  const int64_t width = n <= unblocked ? n : block;
  const PooledArray<T> copy(static_cast<size_t>(n * width));
  int64_t info = 0;
  for (int64_t j = 0; j < n; j += width) {
    const int64_t cols = std::min(width, n - j), end = j + cols;
    T* panel = a + j * lda + j;
    const int panel_info = factor_panel(n - j, cols, panel, lda, copy.get(), pivots + j);
    if (panel_info && !info) info = j + panel_info;
    for (int64_t i = j; i < end; ++i) pivots[i] += static_cast<int32_t>(j) - 1;
    swap_rows(a, lda, j, pivots, j, end);
    if (end == n) break;
    swap_rows(a + end, lda, n - end, pivots, j, end);
    solve_triangular(true, false, true, cols, n - end, panel, lda, a + j * lda + end, lda);
    gemm(false, false, n - end, n - end, cols, T(-1), a + end * lda + j, lda, a + j * lda + end,
         lda, T(1), a + end * lda + end, lda);
  }
  return info;
}

template <class T>
void getrs(bool is_trans, int64_t n, int64_t nrhs, const T* lu, int64_t ldlu, const int32_t* pivots,
           T* b, int64_t ldb) {
  if (!is_trans) swap_rows(b, ldb, nrhs, pivots, 0, n);
  solve_triangular(!is_trans, is_trans, !is_trans, n, nrhs, lu, ldlu, b, ldb);
  solve_triangular(is_trans, is_trans, is_trans, n, nrhs, lu, ldlu, b, ldb);
  if (is_trans) swap_rows(b, ldb, nrhs, pivots, 0, n, true);
}

template <class T>
int64_t inverse(int64_t n, const T* a, int64_t lda, T* out, int64_t ldo) {
  if (n <= 0) return 0;
  const PooledArray<T> lu(static_cast<size_t>(n * n));
  const PooledArray<int32_t> pivots(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    std::copy_n(a + i * lda, n, lu.get() + i * n);
    std::fill_n(out + i * ldo, n, T(0));
    out[i * ldo + i] = T(1);
  }
  const int64_t info = getrf(n, lu.get(), n, pivots.get());
  if (info == 0) getrs(false, n, n, lu.get(), n, pivots.get(), out, ldo);
  return info;
}

template <class T>
int64_t potrf(int64_t n, T* a, int64_t lda) {
  const int64_t width = n <= unblocked ? n : block;
  for (int64_t j = 0; j < n; j += width) {
    const int64_t cols = std::min(width, n - j), end = j + cols;
    T* corner = a + j * lda + j;
    if (const int info = factor_diagonal_block(cols, corner, lda)) return j + info;
    if (end == n) break;
    const T* below = a + end * lda + j;
    solve_right(n - end, cols, corner, lda, a + end * lda + j, lda);
    // The trailing lower triangle is updated tile by tile; the tiles on the diagonal through a
    // square of their own, since the upper triangle is not ours to write.
    const int64_t tiles = (n - end - 1) / block + 1;
    const auto update = [&](int64_t index) {
      int64_t row = 0;
      while ((row + 1) * (row + 2) / 2 <= index) ++row;
      const int64_t col = index - row * (row + 1) / 2;
      const int64_t rows = std::min(block, n - end - row * block);
      const int64_t wide = std::min(block, n - end - col * block);
      T* target = a + (end + row * block) * lda + end + col * block;
      T square[block * 8];
      const T *left_factor = below + row * block * lda, *right_factor = below + col * block * lda;
      if (row != col)
        return gemm(false, true, rows, wide, cols, T(-1), left_factor, lda, right_factor, lda, T(1),
                    target, lda);
      for (int64_t first = 0; first < rows; first += 8) {
        const int64_t count = std::min<int64_t>(8, rows - first), reach = first + count;
        gemm(false, true, count, reach, cols, T(-1), left_factor + first * lda, lda, right_factor,
             lda, T(0), square, block);
        for (int64_t i = 0; i < count; ++i)
          for (int64_t l = 0; l <= first + i; ++l)
            target[(first + i) * lda + l] += square[i * block + l];
      }
    };
    parallel_for(tiles * (tiles + 1) / 2, 1,
                 static_cast<double>(block * block * cols) * ns_per_product,
                 [&](int64_t first, int64_t last) {
                   for (int64_t i = first; i < last; ++i) update(i);
                 });
  }
  return 0;
}

template <class T>
int64_t trtrs(bool is_lower, bool is_trans, bool is_unit, int64_t n, int64_t nrhs, const T* a,
              int64_t lda, T* b, int64_t ldb) {
  if (!is_unit)
    for (int64_t i = 0; i < n; ++i)
      if (a[i * lda + i] == T(0)) return i + 1;
  solve_triangular(is_lower, is_trans, is_unit, n, nrhs, a, lda, b, ldb);
  return 0;
}

template int64_t getrf(int64_t, double*, int64_t, int32_t*);
template int64_t getrf(int64_t, float*, int64_t, int32_t*);
template void getrs(bool, int64_t, int64_t, const double*, int64_t, const int32_t*, double*,
                    int64_t);
template void getrs(bool, int64_t, int64_t, const float*, int64_t, const int32_t*, float*, int64_t);
template int64_t inverse(int64_t, const double*, int64_t, double*, int64_t);
template int64_t inverse(int64_t, const float*, int64_t, float*, int64_t);
template int64_t potrf(int64_t, double*, int64_t);
template int64_t potrf(int64_t, float*, int64_t);
template int64_t trtrs(bool, bool, bool, int64_t, int64_t, const double*, int64_t, double*,
                       int64_t);
template int64_t trtrs(bool, bool, bool, int64_t, int64_t, const float*, int64_t, float*, int64_t);

}  // namespace tapegrad
