#include "tapegrad/kernels/decompose/builtin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace tapegrad::builtin {
namespace {

constexpr int most_sweeps = 60;

// The tangent of the rotation that makes the off-diagonal element of [[x, y], [y, z]] zero.
template <class T>
T rotation_tangent(T x, T y, T z) {
  const T theta = (z - x) / (2 * y);
  if (std::isinf(theta)) return 0;
  return std::copysign(T(1), theta) / (std::abs(theta) + std::hypot(T(1), theta));
}

template <class T>
void rotate(int64_t n, T c, T s, T* x, T* y, int64_t stride = 1) {
  for (int64_t i = 0; i < n; ++i) {
    const T a = x[i * stride], b = y[i * stride];
    x[i * stride] = c * a - s * b;
    y[i * stride] = s * a + c * b;
  }
}

template <class T>
T dot(int64_t n, const T* x, const T* y) {
  T sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

template <class T>
void set_identity(int64_t n, T* v) {
  std::fill_n(v, n * n, T(0));
  for (int64_t i = 0; i < n; ++i) v[i * n + i] = 1;
}

// The numbers are brought near 1, so that squares neither overflow nor vanish.
template <class T>
T scale_to_one(int64_t size, T* a) {
  T largest = 0;
  for (int64_t i = 0; i < size; ++i) largest = std::max(largest, std::abs(a[i]));
  if (largest == 0) return 1;
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (int64_t i = 0; i < size; ++i) a[i] = std::ldexp(a[i], -exponent);
  return std::ldexp(T(1), exponent);
}

// Columns in the order of their numbers.
template <class T>
void reorder(const std::vector<int64_t>& order, int64_t rows, T* columns) {
  const std::vector<T> before(columns, columns + static_cast<int64_t>(order.size()) * rows);
  for (size_t j = 0; j < order.size(); ++j)
    std::copy_n(before.data() + order[j] * rows, rows, columns + static_cast<int64_t>(j) * rows);
}

}  // namespace

// Of the coordinate vectors the one of which most is left.
template <class T>
void complete_column(int64_t m, int64_t n, int64_t j, T* u) {
  std::vector<T> best(static_cast<size_t>(m)), tried(static_cast<size_t>(m));
  T largest = -1;
  for (int64_t axis = 0; axis < m && largest < T(0.5); ++axis) {
    std::fill(tried.begin(), tried.end(), T(0));
    tried[static_cast<size_t>(axis)] = 1;
    for (int round = 0; round < 2; ++round)
      for (int64_t l = 0; l < n; ++l) {
        const T share = l == j ? T(0) : dot(m, u + l * m, tried.data());
        for (int64_t i = 0; i < m; ++i) tried[static_cast<size_t>(i)] -= share * u[l * m + i];
      }
    const T left = std::sqrt(dot(m, tried.data(), tried.data()));
    if (left <= largest) continue;
    largest = left;
    best = tried;
  }
  for (int64_t i = 0; i < m; ++i) u[j * m + i] = best[static_cast<size_t>(i)] / largest;
}

template <class T>
bool symmetric_eigen(int64_t n, T* a, T* values, T* v) {
  set_identity(n, v);
  const T scale = scale_to_one(n * n, a);
  const T small = std::numeric_limits<T>::epsilon() / 8 * std::sqrt(dot(n * n, a, a));
  bool done = false;
  for (int sweep = 0; sweep < most_sweeps && !done; ++sweep) {
    done = true;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        const T y = a[p * n + q];
        if (std::abs(y) <= small / static_cast<T>(n)) continue;
        done = false;
        const T t = rotation_tangent(a[p * n + p], y, a[q * n + q]);
        const T c = 1 / std::hypot(T(1), t), s = t * c;
        rotate(n, c, s, a + p, a + q, n);
        rotate(n, c, s, a + p * n, a + q * n);
        a[p * n + q] = a[q * n + p] = 0;
        rotate(n, c, s, v + p * n, v + q * n);
      }
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order,
                           [&](int64_t i, int64_t j) { return a[i * n + i] < a[j * n + j]; });
  for (size_t i = 0; i < order.size(); ++i) values[i] = a[order[i] * (n + 1)] * scale;
  reorder(order, n, v);
  return done;
}

template <class T>
bool singular_decomposition(int64_t m, int64_t n, T* a, T* s, T* v) {
  set_identity(n, v);
  const T scale = scale_to_one(m * n, a);
  constexpr T eps = std::numeric_limits<T>::epsilon();
  bool done = false;
  for (int sweep = 0; sweep < most_sweeps && !done; ++sweep) {
    done = true;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        T *x = a + p * m, *z = a + q * m;
        const T xx = dot(m, x, x), xz = dot(m, x, z), zz = dot(m, z, z);
        if (std::abs(xz) <= 4 * eps * std::sqrt(xx) * std::sqrt(zz)) continue;
        done = false;
        const T t = rotation_tangent(xx, xz, zz);
        const T c = 1 / std::hypot(T(1), t);
        rotate(m, c, t * c, x, z);
        rotate(n, c, t * c, v + p * n, v + q * n);
      }
  }
  std::vector<T> norms(static_cast<size_t>(n));
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t j = 0; j < n; ++j)
    norms[static_cast<size_t>(j)] = std::sqrt(dot(m, a + j * m, a + j * m));
  const auto norm_of = [&](int64_t j) { return norms[static_cast<size_t>(j)]; };
  std::ranges::stable_sort(order, [&](int64_t i, int64_t j) { return norm_of(i) > norm_of(j); });
  reorder(order, m, a);
  reorder(order, n, v);
  int64_t rank = 0;
  for (int64_t j = 0; j < n; ++j) {
    const T norm = norm_of(order[static_cast<size_t>(j)]);
    s[j] = norm * scale;
    if (norm > 0) rank = j + 1;
    for (int64_t i = 0; i < m; ++i) a[j * m + i] = norm > 0 ? a[j * m + i] / norm : T(0);
  }
  for (int64_t j = rank; j < n; ++j) complete_column(m, n, j, a);
  return done;
}

template <class T>
void geqrf(int64_t m, int64_t n, T* a, T* tau) {
  for (int64_t j = 0; j < n; ++j) {
    T* x = a + j * m;
    T largest = 0;
    for (int64_t i = j + 1; i < m; ++i)
      largest = std::isnan(x[i]) ? x[i] : std::max(largest, std::abs(x[i]));
    tau[j] = 0;
    if (largest == 0) continue;
    largest = std::max(largest, std::abs(x[j]));
    T squares = 0;
    for (int64_t i = j; i < m; ++i) squares += (x[i] / largest) * (x[i] / largest);
    const T beta = -std::copysign(largest * std::sqrt(squares), x[j]);
    tau[j] = (beta - x[j]) / beta;
    for (int64_t i = j + 1; i < m; ++i) x[i] /= x[j] - beta;
    x[j] = beta;
    for (int64_t l = j + 1; l < n; ++l) {
      T* y = a + l * m;
      const T share = tau[j] * (y[j] + dot(m - j - 1, x + j + 1, y + j + 1));
      y[j] -= share;
      for (int64_t i = j + 1; i < m; ++i) y[i] -= share * x[i];
    }
  }
}

template <class T>
void orgqr(int64_t m, int64_t n, T* a, const T* tau) {
  for (int64_t j = n - 1; j >= 0; --j) {
    T* x = a + j * m;
    for (int64_t l = j + 1; l < n; ++l) {
      T* y = a + l * m;
      const T share = tau[j] * (y[j] + dot(m - j - 1, x + j + 1, y + j + 1));
      y[j] -= share;
      for (int64_t i = j + 1; i < m; ++i) y[i] -= share * x[i];
    }
    std::fill_n(x, j, T(0));
    for (int64_t i = j + 1; i < m; ++i) x[i] *= -tau[j];
    x[j] = 1 - tau[j];
  }
}

template bool symmetric_eigen(int64_t, double*, double*, double*);
template bool symmetric_eigen(int64_t, float*, float*, float*);
template bool singular_decomposition(int64_t, int64_t, double*, double*, double*);
template bool singular_decomposition(int64_t, int64_t, float*, float*, float*);
template void complete_column(int64_t, int64_t, int64_t, double*);
template void complete_column(int64_t, int64_t, int64_t, float*);
template void geqrf(int64_t, int64_t, double*, double*);
template void geqrf(int64_t, int64_t, float*, float*);
template void orgqr(int64_t, int64_t, double*, const double*);
template void orgqr(int64_t, int64_t, float*, const float*);

}  // namespace tapegrad::builtin
