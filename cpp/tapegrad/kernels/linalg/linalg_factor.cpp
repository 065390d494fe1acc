#include "tapegrad/kernels/linalg/linalg_factor.h"

#include <algorithm>
#include <cmath>

#include "tapegrad/kernels/blas/lapack.h"

namespace tapegrad {
namespace {

template <class T>
bool small_lu(int64_t n, T* a, int32_t* pivots) {
  bool regular = true;
  for (int64_t s = 0; s < n; ++s) {
    int64_t best = s;
    T largest = std::abs(a[s * n + s]);
    for (int64_t i = s + 1; i < n; ++i) {
      const T x = std::abs(a[i * n + s]);
      if (x > largest || (std::isnan(x) && !std::isnan(largest))) {
        best = i;
        largest = x;
      }
    }
    pivots[s] = static_cast<int32_t>(best);
    if (best != s) std::swap_ranges(a + s * n, a + (s + 1) * n, a + best * n);
    if (largest == 0) {
      regular = false;
      continue;
    }
    const T* top = a + s * n;
    const T pivot = top[s];
    for (int64_t i = s + 1; i < n; ++i) {
      T* row = a + i * n;
      const T factor = row[s] / pivot;
      row[s] = factor;
      for (int64_t j = s + 1; j < n; ++j) row[j] -= factor * top[j];
    }
  }
  return regular;
}

template <class T>
void subtract_row(T* to, const T* from, T factor, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) to[j] -= factor * from[j];
}

template <class T>
void small_solve(int64_t n, int64_t columns, const T* lu, const int32_t* pivots, T* b) {
  for (int64_t i = 0; i < n; ++i) {
    if (pivots[i] != i)
      std::swap_ranges(b + i * columns, b + (i + 1) * columns, b + pivots[i] * columns);
  }
  for (int64_t i = 1; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j)
      subtract_row(b + i * columns, b + j * columns, lu[i * n + j], columns);
  }
  for (int64_t i = n - 1; i >= 0; --i) {
    T* row = b + i * columns;
    for (int64_t j = i + 1; j < n; ++j) subtract_row(row, b + j * columns, lu[i * n + j], columns);
    const T pivot = lu[i * n + i];
    for (int64_t j = 0; j < columns; ++j) row[j] /= pivot;
  }
}

template <class T>
bool small_cholesky(int64_t n, T* a) {
  for (int64_t i = 0; i < n; ++i) {
    T* row = a + i * n;
    for (int64_t j = 0; j <= i; ++j) {
      const T* other = a + j * n;
      T sum = row[j];
      for (int64_t k = 0; k < j; ++k) sum -= row[k] * other[k];
      if (j < i) {
        row[j] = sum / other[j];
      } else if (sum <= 0) {
        return false;
      } else {
        row[i] = std::sqrt(sum);
      }
    }
  }
  return true;
}

}  // namespace

template <class T>
bool factor_lu(int64_t n, T* a, int32_t* pivots) {
  return n <= small_order ? small_lu(n, a, pivots) : getrf(n, a, n, pivots) == 0;
}

template <class T>
void solve_lu(int64_t n, int64_t columns, const T* lu, const int32_t* pivots, T* b) {
  if (n == 0 || columns == 0) return;
  if (n <= small_order) {
    small_solve(n, columns, lu, pivots, b);
  } else {
    getrs(false, n, columns, lu, n, pivots, b, columns);
  }
}

template <class T>
bool factor_cholesky(int64_t n, T* a) {
  const bool ok = n <= small_order ? small_cholesky(n, a) : potrf(n, a, n) == 0;
  for (int64_t i = 0; i < n; ++i) std::fill(a + i * n + i + 1, a + (i + 1) * n, T(0));
  return ok;
}

template <class T>
bool solve_small_triangle(int64_t n, int64_t columns, const Triangle<T>& a, T* b) {
  const auto at = [&](int64_t i, int64_t j) {
    return a.data[i * a.row_stride + j * a.column_stride];
  };
  for (int64_t i = 0; i < n && !a.is_unit; ++i)
    if (at(i, i) == 0) return false;
  for (int64_t turn = 0; turn < n; ++turn) {
    const int64_t i = a.is_lower ? turn : n - 1 - turn;
    T* row = b + i * columns;
    for (int64_t j = a.is_lower ? 0 : i + 1; j < (a.is_lower ? i : n); ++j)
      subtract_row(row, b + j * columns, at(i, j), columns);
    if (a.is_unit) continue;
    const T pivot = at(i, i);
    for (int64_t j = 0; j < columns; ++j) row[j] /= pivot;
  }
  return true;
}

template bool solve_small_triangle(int64_t, int64_t, const Triangle<float>&, float*);
template bool solve_small_triangle(int64_t, int64_t, const Triangle<double>&, double*);
template bool factor_lu(int64_t, float*, int32_t*);
template bool factor_lu(int64_t, double*, int32_t*);
template void solve_lu(int64_t, int64_t, const float*, const int32_t*, float*);
template void solve_lu(int64_t, int64_t, const double*, const int32_t*, double*);
template bool factor_cholesky(int64_t, float*);
template bool factor_cholesky(int64_t, double*);

}  // namespace tapegrad
