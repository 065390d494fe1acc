#include "tapegrad/kernels/decompose/matrix.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tapegrad/base/error.h"
#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/blas/blas_library.h"
#include "tapegrad/kernels/decompose/builtin.h"

namespace tapegrad {
namespace {

// LAPACK tells the length of its work array as a floating number, which may be rounded down.
template <class T>
int work_length(T told) {
  return static_cast<int>(std::ceil(told * (1 + std::numeric_limits<T>::epsilon())));
}

// Calls f(work, length, info) twice: first it asks for the length (-1).
template <class T, class F>
int with_work(F&& f) {
  T told = 0;
  int length = -1, info = 0;
  f(&told, &length, &info);
  if (info != 0) return info;
  length = std::max(1, work_length(told));
  const PooledArray<T> work(static_cast<size_t>(length));
  f(work.get(), &length, &info);
  return info;
}

template <class T>
void transpose(int64_t m, int64_t n, const T* from, T* to) {
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < m; ++i) to[i * n + j] = from[j * m + i];
}

template <class T>
bool builtin_eigen(bool is_lower, int64_t n, T* a, T* values) {
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = j + 1; i < n; ++i)
      (is_lower ? a[i * n + j] : a[j * n + i]) = is_lower ? a[j * n + i] : a[i * n + j];
  const PooledArray<T> v(static_cast<size_t>(n * n));
  const bool done = builtin::symmetric_eigen(n, a, values, v.get());
  std::copy_n(v.get(), n * n, a);
  return done;
}

// The rest of an orthonormal basis, to the k columns that u has.
template <class T>
void complete_basis(int64_t m, int64_t k, T* u) {
  std::fill(u + m * k, u + m * m, T(0));
  for (int64_t j = k; j < m; ++j) builtin::complete_column(m, m, j, u);
}

template <class T>
void builtin_rest(int64_t m, int64_t n, T* u, T* vt) {
  const int64_t k = std::min(m, n);
  complete_basis(m, k, u);
  const PooledArray<T> v(static_cast<size_t>(n * n));
  transpose(k, n, vt, v.get());
  complete_basis(n, k, v.get());
  transpose(n, n, v.get(), vt);
}

template <class T>
bool builtin_singular(bool vectors, int64_t m, int64_t n, T* a, T* s, T* u, T* vt) {
  const int64_t tall = std::max(m, n), k = std::min(m, n);
  const PooledArray<T> left(static_cast<size_t>(tall * k)), right(static_cast<size_t>(k * k));
  if (m >= n) {
    std::copy_n(a, m * n, left.get());
  } else {
    transpose(m, n, a, left.get());
  }
  const bool done = builtin::singular_decomposition(tall, k, left.get(), s, right.get());
  if (!vectors) return done;
  if (m >= n) {
    std::copy_n(left.get(), m * k, u);
    transpose(k, k, right.get(), vt);
  } else {
    std::copy_n(right.get(), k * k, u);
    transpose(n, k, left.get(), vt);
  }
  return done;
}

}  // namespace

int checked_int(int64_t value) {
  if (value > std::numeric_limits<int>::max())
    throw_error<ValueError>("linear algebra: a dimension of ", value,
                            " is beyond what 32-bit LAPACK addresses; make the matrix smaller");
  return static_cast<int>(value);
}

template <class T>
bool symmetric_eigen(bool is_lower, bool vectors, int64_t n, T* a, T* values) {
  if (n == 0) return true;
  bool finite = true;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = is_lower ? j : 0; i < (is_lower ? n : j + 1); ++i)
      finite = finite && std::isfinite(a[j * n + i]);
  if (!finite) {
    std::fill_n(a, n * n, std::numeric_limits<T>::quiet_NaN());
    std::fill_n(values, n, std::numeric_limits<T>::quiet_NaN());
    return true;
  }
  const BlasFunctions<T>* blas = blas_functions<T>();
  if (!blas) return builtin_eigen(is_lower, n, a, values);
  const int order = checked_int(n), integers_length = 3 + 5 * order;
  const PooledArray<int> integers(static_cast<size_t>(integers_length));
  return with_work<T>([&](T* work, const int* length, int* info) {
           blas->syevd(vectors ? "V" : "N", is_lower ? "L" : "U", &order, a, &order, values, work,
                       length, integers.get(), &integers_length, info, 1, 1);
         }) == 0;
}

template <class T>
bool singular_decomposition(bool vectors, int64_t m, int64_t n, T* a, T* s, T* u, T* vt,
                            bool whole) {
  const int64_t k = std::min(m, n);
  if (k == 0) return true;
  if (std::any_of(a, a + m * n, [](T x) { return std::isnan(x); })) return false;
  if (std::any_of(a, a + m * n, [](T x) { return std::isinf(x); })) {
    constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    std::fill_n(s, k, nan);
    if (vectors) std::fill_n(u, m * (whole ? m : k), nan);
    if (vectors) std::fill_n(vt, (whole ? n : k) * n, nan);
    return true;
  }
  const BlasFunctions<T>* blas = blas_functions<T>();
  if (!blas) {
    const bool done = builtin_singular(vectors, m, n, a, s, u, vt);
    if (whole) builtin_rest(m, n, u, vt);
    return done;
  }
  const int rows = checked_int(m), columns = checked_int(n);
  const int least = whole ? columns : std::min(rows, columns);
  const PooledArray<int> integers(static_cast<size_t>(8 * k));
  return with_work<T>([&](T* work, const int* length, int* info) {
           blas->gesdd(whole     ? "A"
                       : vectors ? "S"
                                 : "N",
                       &rows, &columns, a, &rows, s, u, &rows, vt, &least, work, length,
                       integers.get(), info, 1);
         }) == 0;
}

template <class T>
void orthogonal_triangular(int64_t m, int64_t n, T* a, T* r) {
  if (n == 0) return;
  const PooledArray<T> tau(static_cast<size_t>(n));
  const BlasFunctions<T>* blas = blas_functions<T>();
  const int rows = checked_int(m), columns = checked_int(n);
  if (blas) {
    with_work<T>([&](T* work, const int* length, int* info) {
      blas->geqrf(&rows, &columns, a, &rows, tau.get(), work, length, info);
    });
  } else {
    builtin::geqrf(m, n, a, tau.get());
  }
  for (int64_t j = 0; j < n; ++j) {
    std::copy_n(a + j * m, j + 1, r + j * n);
    std::fill(r + j * n + j + 1, r + (j + 1) * n, T(0));
  }
  if (!blas) return builtin::orgqr(m, n, a, tau.get());
  with_work<T>([&](T* work, const int* length, int* info) {
    blas->orgqr(&rows, &columns, &columns, a, &rows, tau.get(), work, length, info);
  });
}

template <class T>
void orthogonal_basis(int64_t m, int64_t n, T* a, T* q) {
  const PooledArray<T> tau(static_cast<size_t>(std::max<int64_t>(n, 1)));
  const BlasFunctions<T>* blas = blas_functions<T>();
  const int rows = checked_int(m), columns = checked_int(n);
  if (blas && n > 0) {
    with_work<T>([&](T* work, const int* length, int* info) {
      blas->geqrf(&rows, &columns, a, &rows, tau.get(), work, length, info);
    });
  } else {
    builtin::geqrf(m, n, a, tau.get());
  }
  std::copy_n(a, m * n, q);
  if (!blas) {
    builtin::orgqr(m, n, q, tau.get());
    return complete_basis(m, n, q);
  }
  with_work<T>([&](T* work, const int* length, int* info) {
    blas->orgqr(&rows, &rows, &columns, q, &rows, tau.get(), work, length, info);
  });
}

template bool symmetric_eigen(bool, bool, int64_t, double*, double*);
template bool symmetric_eigen(bool, bool, int64_t, float*, float*);
template bool singular_decomposition(bool, int64_t, int64_t, double*, double*, double*, double*,
                                     bool);
template bool singular_decomposition(bool, int64_t, int64_t, float*, float*, float*, float*, bool);
template void orthogonal_basis(int64_t, int64_t, double*, double*);
template void orthogonal_basis(int64_t, int64_t, float*, float*);
template void orthogonal_triangular(int64_t, int64_t, double*, double*);
template void orthogonal_triangular(int64_t, int64_t, float*, float*);

}  // namespace tapegrad
