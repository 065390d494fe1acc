#include "tapegrad/kernels/linalg/linalg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/kernels/blas/lapack.h"
#include "tapegrad/kernels/linalg/linalg_factor.h"
#include "tapegrad/kernels/linalg/stack.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/strided.h"

namespace tapegrad {
namespace {

// Calls f(position, lu, pivots, regular) for every matrix of a.
template <class T, class F>
void factor_each(const Value& a, F&& f) {
  const Dims batch = stack_of(a.shape());
  const int64_t n = a.dim(a.ndim() - 1), count = element_count(batch);
  if (count == 0) return;
  over_stack(count, 0.4 * cube(n) + 50, [&](int64_t from, int64_t to, int64_t&) {
    const auto size = static_cast<size_t>(n);
    const PooledArray<T> lu(size * size);
    const PooledArray<int32_t> pivots(size);
    Matrices<T> matrices(a, batch);
    matrices.seek(from);
    for (int64_t i = from; i < to; ++i, matrices.next()) {
      matrices.pack_into(lu.get());
      const bool regular = factor_lu(n, lu.get(), pivots.get());
      f(i, lu.get(), pivots.get(), regular);
    }
  });
}

int64_t swaps(const int32_t* pivots, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += pivots[i] != i;
  return count;
}

// Holds the product of the pivots; the exponent is kept apart, so that only the result overflows.
template <class T>
double product_of_pivots(const T* lu, const int32_t* pivots, int64_t n) {
  double mantissa = swaps(pivots, n) % 2 ? -1 : 1;
  int64_t exponent = 0;
  for (int64_t i = 0; i < n; ++i) {
    int e = 0;
    mantissa = std::frexp(mantissa * static_cast<double>(lu[i * n + i]), &e);
    exponent += e;
  }
  return std::ldexp(mantissa, static_cast<int>(std::clamp<int64_t>(exponent, -100000, 100000)));
}

// A packed result holds one number for each matrix, or is a scalar where there is no stack.
class Numbers {
 public:
  Numbers(DType dtype, const Dims& shape)
      : scalar_(shape.empty()), value_(Value::empty(dtype, scalar_ ? Dims{1} : shape)) {}
  void set(int64_t i, double x) const {
    if (value_.dtype() == DType::float32) {
      value_.data<float>()[i] = static_cast<float>(x);
    } else {
      value_.data<double>()[i] = x;
    }
  }
  Value take() const { return scalar_ ? Value::scalar(value_.at(0), value_.dtype()) : value_; }

 private:
  bool scalar_;
  Value value_;
};

}  // namespace

Value inverse_values(const Value& a, int64_t& failed) {
  const Dims batch = stack_of(a.shape());
  const int64_t n = a.dim(a.ndim() - 1), count = element_count(batch);
  const Value out = Value::empty(a.dtype(), a.shape());
  failed = -1;
  if (out.size() == 0) return out;
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    failed = over_stack(count, cube(n) + 80, [&](int64_t from, int64_t to, int64_t& first) {
      const auto size = static_cast<size_t>(n);
      const PooledArray<T> work(size * size);
      const PooledArray<int32_t> pivots(size);
      Matrices<T> matrices(a, batch);
      matrices.seek(from);
      for (int64_t i = from; i < to; ++i, matrices.next()) {
        T* result = out.data<T>() + i * n * n;
        matrices.pack_into(work.get());
        bool regular = true;
        if (n <= small_order) {
          regular = factor_lu(n, work.get(), pivots.get());
          std::fill(result, result + n * n, T(0));
          for (int64_t j = 0; j < n; ++j) result[j * n + j] = 1;
          if (regular) solve_lu(n, n, work.get(), pivots.get(), result);
        } else {
          regular = inverse(n, work.get(), n, result, n) == 0;
        }
        if (!regular) {
          first = std::min(first, i);
          return;
        }
      }
    });
  });
  return out;
}

Value solve_values(const Value& a, const Value& b, const Dims& batch, int64_t& failed) {
  const int64_t n = a.dim(a.ndim() - 1), columns = b.dim(b.ndim() - 1),
                count = element_count(batch);
  Dims shape = batch;
  shape.push_back(n);
  shape.push_back(columns);
  const Value out = Value::empty(a.dtype(), shape);
  failed = -1;
  if (count == 0 || n == 0) return out;
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const double ns = 0.4 * cube(n) + static_cast<double>(n * n * columns) + 80;
    failed = over_stack(count, ns, [&](int64_t from, int64_t to, int64_t& first) {
      const auto size = static_cast<size_t>(n);
      const PooledArray<T> lu(size * size);
      const PooledArray<int32_t> pivots(size);
      Matrices<T> left(a, batch), right(b, batch);
      left.seek(from);
      right.seek(from);
      const T* factored = nullptr;
      for (int64_t i = from; i < to; ++i, left.next(), right.next()) {
        if (left.current() != factored) {  // one matrix may serve many right-hand sides
          factored = left.current();
          left.pack_into(lu.get());
          if (!factor_lu(n, lu.get(), pivots.get())) {
            first = std::min(first, i);
            return;
          }
        }
        T* x = out.data<T>() + i * n * columns;
        right.pack_into(x);
        solve_lu(n, columns, lu.get(), pivots.get(), x);
      }
    });
  });
  return out;
}

Value solve_triangular_values(const Value& a, const Value& b, const Dims& batch, bool is_lower,
                              bool is_trans, bool is_unit, int64_t& failed) {
  const int64_t n = a.dim(a.ndim() - 1), columns = b.dim(b.ndim() - 1),
                count = element_count(batch);
  Dims shape = batch;
  shape.push_back(n);
  shape.push_back(columns);
  const Value out = Value::empty(a.dtype(), shape);
  failed = -1;
  if (count == 0 || n == 0) return out;
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const double ns = 0.5 * static_cast<double>(n * n * std::max<int64_t>(1, columns)) + 80;
    failed = over_stack(count, ns, [&](int64_t from, int64_t to, int64_t& first) {
      Matrices<T> left(a, batch), right(b, batch);
      left.seek(from);
      right.seek(from);
      PooledArray<T> packed;
      for (int64_t i = from; i < to; ++i, left.next(), right.next()) {
        const T* matrix = left.current();
        T* x = out.data<T>() + i * n * columns;
        right.pack_into(x);
        if (n <= small_order) {
          Triangle<T> triangle{matrix, left.row_stride, left.column_stride, is_lower != is_trans,
                               is_unit};
          if (is_trans) std::swap(triangle.row_stride, triangle.column_stride);
          if (solve_small_triangle(n, columns, triangle, x)) continue;
          first = std::min(first, i);
          return;
        }
        int64_t leading = left.row_stride;
        bool flipped = false;
        if (left.row_stride == 1 && left.column_stride >= n) {
          leading = left.column_stride;
          flipped = true;
        } else if (left.column_stride != 1 || left.row_stride < n) {
          if (!packed) packed = PooledArray<T>(static_cast<size_t>(n * n));
          left.pack_into(packed.get());
          matrix = packed.get();
          leading = n;
        }
        if (trtrs(is_lower != flipped, is_trans != flipped, is_unit, n, columns, matrix, leading, x,
                  columns) != 0) {
          first = std::min(first, i);
          return;
        }
      }
    });
  });
  return out;
}

Value det_values(const Value& a) {
  const int64_t n = a.dim(a.ndim() - 1);
  const Numbers det(a.dtype(), stack_of(a.shape()));
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    factor_each<T>(a, [&](int64_t i, const T* lu, const int32_t* pivots, bool regular) {
      det.set(i, regular ? product_of_pivots(lu, pivots, n) : 0);
    });
  });
  return det.take();
}

void slogdet_values(const Value& a, Value& sign, Value& logarithm) {
  const int64_t n = a.dim(a.ndim() - 1), count = element_count(stack_of(a.shape()));
  const Numbers signs(a.dtype(), stack_of(a.shape())), logarithms(a.dtype(), stack_of(a.shape()));
  const Value sizes = Value::empty(DType::float64, Dims{count, n});  // of the pivots
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    factor_each<T>(a, [&](int64_t i, const T* lu, const int32_t* pivots, bool regular) {
      int64_t negative = swaps(pivots, n);
      for (int64_t j = 0; j < n; ++j) {
        const double u = static_cast<double>(lu[j * n + j]);
        negative += u < 0;
        sizes.data<double>()[i * n + j] = std::abs(u);
      }
      signs.set(i, !regular ? 0 : negative % 2 ? -1 : 1);
    });
  });
  sign = signs.take();
  Value logs = Value::empty(DType::float64, Dims{count, n});
  if (logs.size() > 0) eval_elementwise(scalar_fn_of<Log>(), {&sizes, 1}, logs);
  for (int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) sum += logs.data<double>()[i * n + j];
    const bool regular = (sign.is_scalar() ? sign.as_double() : sign.at(i)) != 0;
    logarithms.set(i, regular ? sum : -std::numeric_limits<double>::infinity());
  }
  logarithm = logarithms.take();
}

Value cholesky_values(const Value& a, int64_t& failed) {
  const Dims batch = stack_of(a.shape());
  const int64_t n = a.dim(a.ndim() - 1), count = element_count(batch);
  const Value out = Value::empty(a.dtype(), a.shape());
  failed = -1;
  if (out.size() == 0) return out;
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    failed = over_stack(count, 0.2 * cube(n) + 50, [&](int64_t from, int64_t to, int64_t& first) {
      Matrices<T> matrices(a, batch);
      matrices.seek(from);
      for (int64_t i = from; i < to; ++i, matrices.next()) {
        T* factor = out.data<T>() + i * n * n;
        matrices.pack_into(factor);
        if (!factor_cholesky(n, factor)) {
          first = std::min(first, i);
          return;
        }
      }
    });
  });
  return out;
}

}  // namespace tapegrad
