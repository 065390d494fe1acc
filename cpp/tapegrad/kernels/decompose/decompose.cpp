#include "tapegrad/kernels/decompose/decompose.h"

#include "tapegrad/kernels/decompose/matrix.h"
#include "tapegrad/kernels/linalg/stack.h"

namespace tapegrad {
namespace {

Value empty_stack(const Value& like, const Dims& batch, std::initializer_list<int64_t> last) {
  Dims shape = batch;
  for (const int64_t n : last) shape.push_back(n);
  return Value::empty(like.dtype(), shape);
}

// A packed column-major matrix, in C order.
template <class T>
void unpack(int64_t m, int64_t n, const T* from, T* to) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) to[i * n + j] = from[j * m + i];
}

// Calls f(position, matrix, failed), the matrix packed in columns, its to overwrite. Each is
// decomposed on one thread, however large it is.
template <class T, class F>
int64_t decompose_each(const Value& a, double ns, F&& f) {
  const Dims batch = stack_of(a.shape());
  const int64_t count = element_count(batch), size = a.dim(a.ndim() - 2) * a.dim(a.ndim() - 1);
  if (count == 0) return -1;
  return over_stack(count, std::min(ns, shared_out), [&](int64_t from, int64_t to, int64_t& first) {
    const PooledArray<T> matrix(static_cast<size_t>(std::max<int64_t>(size, 1)));
    Matrices<T> matrices(a, batch);
    matrices.seek(from);
    for (int64_t i = from; i < to; ++i, matrices.next()) {
      matrices.pack_columns_into(matrix.get());
      if (f(i, matrix.get())) continue;
      first = std::min(first, i);
      return;
    }
  });
}

}  // namespace

int64_t eigh_values(const Value& a, bool is_lower, Value& w, Value* v) {
  const Dims batch = stack_of(a.shape());
  const int64_t n = a.dim(a.ndim() - 1);
  w = empty_stack(a, batch, {n});
  if (v) *v = empty_stack(a, batch, {n, n});
  return visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    return decompose_each<T>(a, 8 * cube(n) + 2000, [&](int64_t i, T* matrix) {
      if (!symmetric_eigen(is_lower, v != nullptr, n, matrix, w.data<T>() + i * n)) return false;
      if (v) unpack(n, n, matrix, v->data<T>() + i * n * n);
      return true;
    });
  });
}

int64_t svd_values(const Value& a, Value& s, Value* u, Value* vt) {
  const Dims batch = stack_of(a.shape());
  const int64_t m = a.dim(a.ndim() - 2), n = a.dim(a.ndim() - 1), k = std::min(m, n);
  s = empty_stack(a, batch, {k});
  if (u) *u = empty_stack(a, batch, {m, k});
  if (vt) *vt = empty_stack(a, batch, {k, n});
  const double ns = 12 * static_cast<double>(k * k) * static_cast<double>(std::max(m, n)) + 4000;
  return visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    return decompose_each<T>(a, ns, [&](int64_t i, T* matrix) {
      const PooledArray<T> left(static_cast<size_t>(u ? m * k : 1)),
          right(static_cast<size_t>(u ? k * n : 1));
      if (!singular_decomposition(u != nullptr, m, n, matrix, s.data<T>() + i * k, left.get(),
                                  right.get()))
        return false;
      if (u) unpack(m, k, left.get(), u->data<T>() + i * m * k);
      if (vt) unpack(k, n, right.get(), vt->data<T>() + i * k * n);
      return true;
    });
  });
}

int64_t svd_rest_values(const Value& a, Value& u, Value& vt) {
  const Dims batch = stack_of(a.shape());
  const int64_t m = a.dim(a.ndim() - 2), n = a.dim(a.ndim() - 1), k = std::min(m, n);
  u = empty_stack(a, batch, {m, m - k});
  vt = empty_stack(a, batch, {n - k, n});
  return visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    return decompose_each<T>(a, 12 * cube(std::max(m, n)) + 4000, [&](int64_t i, T* matrix) {
      const PooledArray<T> numbers(static_cast<size_t>(std::max<int64_t>(k, 1))),
          left(static_cast<size_t>(m * m)), right(static_cast<size_t>(n * n));
      if (k == 0) {
        for (int64_t j = 0; j < m * m; ++j) left.get()[j] = j % (m + 1) == 0 ? 1 : 0;
        for (int64_t j = 0; j < n * n; ++j) right.get()[j] = j % (n + 1) == 0 ? 1 : 0;
      } else if (!singular_decomposition(true, m, n, matrix, numbers.get(), left.get(), right.get(),
                                         true)) {
        return false;
      }
      unpack(m, m - k, left.get() + m * k, u.data<T>() + i * m * (m - k));
      T* const rest = vt.data<T>() + i * (n - k) * n;
      for (int64_t r = k; r < n; ++r)
        for (int64_t c = 0; c < n; ++c) rest[(r - k) * n + c] = right.get()[c * n + r];
      return true;
    });
  });
}

Value qr_rest_values(const Value& a) {
  const Dims batch = stack_of(a.shape());
  const int64_t m = a.dim(a.ndim() - 2), n = a.dim(a.ndim() - 1);
  Value rest = empty_stack(a, batch, {m, m - n});
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    return decompose_each<T>(a, 4 * cube(m) + 1000, [&](int64_t i, T* matrix) {
      const PooledArray<T> basis(static_cast<size_t>(m * m));
      orthogonal_basis(m, n, matrix, basis.get());
      unpack(m, m - n, basis.get() + m * n, rest.data<T>() + i * m * (m - n));
      return true;
    });
  });
  return rest;
}

void qr_values(const Value& a, Value& q, Value& r) {
  const Dims batch = stack_of(a.shape());
  const int64_t m = a.dim(a.ndim() - 2), n = a.dim(a.ndim() - 1);
  q = empty_stack(a, batch, {m, n});
  r = empty_stack(a, batch, {n, n});
  if (n == 0) return;
  const double ns = 2 * static_cast<double>(n * n) * static_cast<double>(m) + 1000;
  visit_floating(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    return decompose_each<T>(a, ns, [&](int64_t i, T* matrix) {
      const PooledArray<T> triangle(static_cast<size_t>(n * n));
      orthogonal_triangular(m, n, matrix, triangle.get());
      unpack(m, n, matrix, q.data<T>() + i * m * n);
      unpack(n, n, triangle.get(), r.data<T>() + i * n * n);
      return true;
    });
  });
}

}  // namespace tapegrad
