#include "tapegrad/kernels/decompose/complex_matrix.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/blas/blas_library.h"
#include "tapegrad/kernels/decompose/complex_builtin.h"
#include "tapegrad/kernels/decompose/matrix.h"

namespace tapegrad {
namespace {

using Z = std::complex<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double eps = std::numeric_limits<double>::epsilon();

// Calls f(work, length, info) twice: first it asks for the length (-1).
template <class T, class F>
int with_work(F&& f) {
  T told = 0;
  int length = -1, info = 0;
  f(&told, &length, &info);
  if (info != 0) return info;
  length = std::max(1, static_cast<int>(std::ceil(std::real(told))));
  const PooledArray<T> work(static_cast<size_t>(length));
  f(work.get(), &length, &info);
  return info;
}

bool is_finite(const Z* first, const Z* last) {
  return std::all_of(first, last,
                     [](Z x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); });
}

// The conjugate transpose.
void turned(int64_t rows, int64_t columns, const Z* from, Z* to) {
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) to[i * columns + j] = std::conj(from[j * rows + i]);
}

// The rest of orthonormal bases, to the k = min(m, n) vectors that each has.
void builtin_rest(int64_t m, int64_t n, Z* u, Z* vt) {
  const int64_t k = std::min(m, n);
  for (int64_t j = k; j < m; ++j) builtin::complete_column(m, j, u);
  const PooledArray<Z> v(static_cast<size_t>(n * n));
  turned(k, n, vt, v.get());
  for (int64_t j = k; j < n; ++j) builtin::complete_column(n, j, v.get());
  turned(n, n, v.get(), vt);
}

// A wide matrix is decomposed as its conjugate transpose.
bool builtin_singular(int64_t m, int64_t n, Z* a, double* s, Z* u, Z* vt) {
  const int64_t tall = std::max(m, n), k = std::min(m, n);
  const PooledArray<Z> left(static_cast<size_t>(tall * k)), right(static_cast<size_t>(k * k));
  if (m >= n) {
    std::copy_n(a, m * n, left.get());
  } else {
    turned(m, n, a, left.get());
  }
  const bool done = builtin::singular_decomposition(tall, k, left.get(), s, right.get());
  if (m >= n) {
    std::copy_n(left.get(), m * k, u);
    turned(k, k, right.get(), vt);
  } else {
    std::copy_n(right.get(), k * k, u);
    turned(n, k, left.get(), vt);
  }
  return done;
}

// What rounding leaves of the imaginary parts of a real matrix's eigenvalues goes.
bool builtin_real_eigen(int64_t n, const double* a, Z* values, Z* v) {
  const PooledArray<Z> matrix(static_cast<size_t>(n * n));
  double size = 0;
  for (int64_t i = 0; i < n * n; ++i) {
    matrix.get()[i] = a[i];
    size = std::max(size, std::abs(a[i]));
  }
  if (!builtin::general_eigen(n, matrix.get(), values, v)) return false;
  for (int64_t j = 0; j < n; ++j) {
    if (std::abs(values[j].imag()) > 16 * static_cast<double>(n) * eps * size) continue;
    values[j] = values[j].real();
    if (!v) continue;
    double norm = 0;
    for (int64_t i = 0; i < n; ++i) norm += v[j * n + i].real() * v[j * n + i].real();
    for (int64_t i = 0; i < n; ++i) v[j * n + i] = v[j * n + i].real() / std::sqrt(norm);
  }
  return true;
}

}  // namespace

bool hermitian_eigen(bool is_lower, int64_t n, Z* a, double* values) {
  if (n == 0) return true;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = j; i < n; ++i) {
      Z &below = a[j * n + i], &above = a[i * n + j];
      if (i == j) below = below.real();
      (is_lower ? above : below) = std::conj(is_lower ? below : above);
    }
  if (!is_finite(a, a + n * n)) {
    std::fill_n(a, n * n, Z(nan, nan));
    std::fill_n(values, n, nan);
    return true;
  }
  const ComplexLapack* lapack = complex_lapack();
  if (!lapack) {
    const PooledArray<Z> v(static_cast<size_t>(n * n));
    const bool done = builtin::hermitian_eigen(n, a, values, v.get());
    std::copy_n(v.get(), n * n, a);
    return done;
  }
  const int order = checked_int(n), integers_length = 3 + 5 * order;
  const int reals_length = checked_int(1 + 5 * n + 2 * n * n);
  const PooledArray<int> integers(static_cast<size_t>(integers_length));
  const PooledArray<double> reals(static_cast<size_t>(reals_length));
  return with_work<Z>([&](Z* work, const int* length, int* info) {
           lapack->heevd("V", is_lower ? "L" : "U", &order, a, &order, values, work, length,
                         reals.get(), &reals_length, integers.get(), &integers_length, info, 1, 1);
         }) == 0;
}

bool singular_decomposition(int64_t m, int64_t n, Z* a, double* s, Z* u, Z* vt, bool whole) {
  const int64_t k = std::min(m, n), l = std::max(m, n);
  if (k == 0) return true;
  if (std::any_of(a, a + m * n, [](Z x) { return std::isnan(x.real()) || std::isnan(x.imag()); }))
    return false;
  if (!is_finite(a, a + m * n)) {
    std::fill_n(s, k, nan);
    std::fill_n(u, m * (whole ? m : k), Z(nan, nan));
    std::fill_n(vt, (whole ? n : k) * n, Z(nan, nan));
    return true;
  }
  const ComplexLapack* lapack = complex_lapack();
  if (!lapack) {
    const bool done = builtin_singular(m, n, a, s, u, vt);
    if (whole) builtin_rest(m, n, u, vt);
    return done;
  }
  const int rows = checked_int(m), columns = checked_int(n);
  const int least = whole ? columns : std::min(rows, columns);
  const PooledArray<int> integers(static_cast<size_t>(8 * k));
  const int64_t reals_length = k * std::max(5 * k + 7, 2 * l + 2 * k + 1);
  const PooledArray<double> reals(static_cast<size_t>(reals_length));
  return with_work<Z>([&](Z* work, const int* length, int* info) {
           lapack->gesdd(whole ? "A" : "S", &rows, &columns, a, &rows, s, u, &rows, vt, &least,
                         work, length, reals.get(), integers.get(), info, 1);
         }) == 0;
}

bool general_eigen(int64_t n, Z* a, Z* values, Z* v) {
  if (n == 0) return true;
  if (!is_finite(a, a + n * n)) return false;
  const ComplexLapack* lapack = complex_lapack();
  if (!lapack) return builtin::general_eigen(n, a, values, v);
  const int order = checked_int(n), one = 1;
  const PooledArray<double> reals(static_cast<size_t>(2 * n));
  return with_work<Z>([&](Z* work, const int* length, int* info) {
           lapack->geev("N", v ? "V" : "N", &order, a, &order, values, nullptr, &one, v, &order,
                        work, length, reals.get(), info, 1, 1);
         }) == 0;
}

bool general_eigen(int64_t n, double* a, Z* values, Z* v) {
  if (n == 0) return true;
  if (!std::all_of(a, a + n * n, [](double x) { return std::isfinite(x); })) return false;
  const ComplexLapack* lapack = complex_lapack();
  if (!lapack) return builtin_real_eigen(n, a, values, v);
  const int order = checked_int(n), one = 1;
  const PooledArray<double> re(static_cast<size_t>(n)), im(static_cast<size_t>(n)),
      vectors(static_cast<size_t>(n * n));
  const int info = with_work<double>([&](double* work, const int* length, int* found) {
    lapack->real_geev("N", v ? "V" : "N", &order, a, &order, re.get(), im.get(), nullptr, &one,
                      vectors.get(), &order, work, length, found, 1, 1);
  });
  if (info != 0) return false;
  for (int64_t j = 0; j < n; ++j) values[j] = {re.get()[j], im.get()[j]};
  for (int64_t j = 0; v && j < n; ++j) {
    const double* x = vectors.get() + j * n;
    if (im.get()[j] == 0) {
      for (int64_t i = 0; i < n; ++i) v[j * n + i] = x[i];
      continue;
    }
    // A pair's vectors are x +- iy of two columns.
    for (int64_t i = 0; i < n; ++i) {
      v[j * n + i] = {x[i], x[n + i]};
      v[(j + 1) * n + i] = {x[i], -x[n + i]};
    }
    ++j;
  }
  return true;
}

bool elimination(int64_t n, Z* a, Z* pivots) {
  bool odd = false;
  if (const ComplexLapack* lapack = complex_lapack(); lapack && n > 0) {
    const int order = checked_int(n);
    int info = 0;
    const PooledArray<int> rows(static_cast<size_t>(n));
    lapack->getrf(&order, &order, a, &order, rows.get(), &info);
    for (int64_t i = 0; i < n; ++i) odd ^= rows.get()[i] != i + 1;
  } else {
    odd = builtin::eliminate(n, a);
  }
  for (int64_t i = 0; i < n; ++i) pivots[i] = a[i * (n + 1)];
  return odd;
}

void inverse_of_vectors(int64_t n, const Z* v, Z* u) {
  if (n == 0) return;
  const PooledArray<Z> matrix(static_cast<size_t>(n * n));
  std::copy_n(v, n * n, matrix.get());
  std::fill_n(u, n * n, Z(0));
  for (int64_t i = 0; i < n; ++i) u[i * n + i] = 1;
  bool done = true;
  if (const ComplexLapack* lapack = complex_lapack()) {
    const int order = checked_int(n);
    int info = 0;
    const PooledArray<int> pivots(static_cast<size_t>(n));
    lapack->gesv(&order, &order, matrix.get(), &order, pivots.get(), u, &order, &info);
    done = info == 0;
  } else {
    done = builtin::solve(n, matrix.get(), u);
  }
  double largest = 0;
  for (int64_t i = 0; i < n * n; ++i) largest = std::max(largest, std::abs(u[i]));
  if (!done || !(largest * static_cast<double>(n) * 1e3 * eps < 1))
    std::fill_n(u, n * n, Z(nan, nan));
}

}  // namespace tapegrad
