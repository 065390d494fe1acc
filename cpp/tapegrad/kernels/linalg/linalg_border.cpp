#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/linalg/linalg.h"
#include "tapegrad/kernels/linalg/linalg_factor.h"

namespace tapegrad {
namespace {

// Pivots below this share of the largest are bordered away, because k derivatives lose k - 1 times
// as many digits to a small pivot. At most `many` of them are; beyond that only those that are zero
// but for rounding: the more are bordered, the higher the polynomial in what is left of them.
template <class T>
constexpr T small = sizeof(T) == 8 ? T(1e-3) : T(3e-2);
template <class T>
constexpr T negligible = sizeof(T) == 8 ? T(1e-8) : T(3e-4);
constexpr int64_t many = 6;

template <class T>
bool safely_regular(int64_t n, PooledVector<T> lu, PooledVector<int32_t>& pivots) {
  if (!factor_lu(n, lu.data(), pivots.data())) return false;
  T least = std::numeric_limits<T>::infinity(), most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const T x = std::abs(lu[static_cast<size_t>(i * n + i)]);
    least = std::min(least, x);
    most = std::max(most, x);
  }
  return !(least <= small<T> * most);
}

// Eliminates with complete pivoting and notes the order in which rows and columns served. Returns
// how many pivots are to be bordered.
template <class T>
int64_t eliminate(int64_t n, PooledVector<T>& a, PooledVector<int64_t>& rows,
                  PooledVector<int64_t>& columns) {
  const auto at = [&](int64_t i, int64_t j) -> T& {
    return a[static_cast<size_t>(rows[static_cast<size_t>(i)] * n +
                                 columns[static_cast<size_t>(j)])];
  };
  T largest = 0;
  int64_t few = 0;
  for (int64_t s = 0; s < n; ++s) {
    int64_t row = s, column = s;
    for (int64_t i = s; i < n; ++i) {
      for (int64_t j = s; j < n; ++j) {
        if (std::abs(at(i, j)) > std::abs(at(row, column))) {
          row = i;
          column = j;
        }
      }
    }
    std::swap(rows[static_cast<size_t>(s)], rows[static_cast<size_t>(row)]);
    std::swap(columns[static_cast<size_t>(s)], columns[static_cast<size_t>(column)]);
    const T pivot = at(s, s);
    if (s == 0) largest = std::abs(pivot);
    if (std::abs(pivot) <= negligible<T> * largest) return std::max(n - s, few);
    if (few == 0 && n - s <= many && std::abs(pivot) <= small<T> * largest) few = n - s;
    for (int64_t i = s + 1; i < n; ++i) {
      const T factor = at(i, s) / pivot;
      for (int64_t j = s + 1; j < n; ++j) at(i, j) -= factor * at(s, j);
    }
  }
  return few;
}

template <class T>
Border border(const Value& packed) {
  const int64_t n = packed.dim(packed.ndim() - 1), count = n == 0 ? 0 : packed.size() / (n * n);
  const auto size = static_cast<size_t>(n * n);
  PooledVector<int32_t> pivots(static_cast<size_t>(n));
  Border out;
  PooledVector<PooledVector<int64_t>> rows, columns;
  bool regular = true;
  for (int64_t i = 0; i < count && regular; ++i) {
    const T* data = packed.data<T>() + i * n * n;
    regular = safely_regular(n, PooledVector<T>(data, data + size), pivots);
  }
  if (regular) return out;
  for (int64_t i = 0; i < count; ++i) {
    const T* data = packed.data<T>() + i * n * n;
    PooledVector<T> a(data, data + size);
    rows.emplace_back(static_cast<size_t>(n));
    std::iota(rows.back().begin(), rows.back().end(), 0);
    columns.push_back(rows.back());
    out.width = std::max(out.width, eliminate(n, a, rows.back(), columns.back()));
  }
  if (out.width == 0) return out;
  Dims shape = packed.shape();
  const int64_t width = out.width;
  shape[shape.size() - 1] = width;
  out.rows = Value::zeros(packed.dtype(), shape);
  shape[shape.size() - 2] = width;
  shape[shape.size() - 1] = n;
  out.columns = Value::zeros(packed.dtype(), shape);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      const auto last = static_cast<size_t>(n - width + j);
      out.rows.data<T>()[(i * n + rows[static_cast<size_t>(i)][last]) * width + j] = 1;
      out.columns.data<T>()[(i * width + j) * n + columns[static_cast<size_t>(i)][last]] = 1;
    }
  }
  return out;
}

}  // namespace

Border border_of(const Value& a) {
  const Value packed = a.contiguous();
  return a.dtype() == DType::float32 ? border<float>(packed) : border<double>(packed);
}

}  // namespace tapegrad
