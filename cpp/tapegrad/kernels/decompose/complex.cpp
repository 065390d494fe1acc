#include "tapegrad/kernels/decompose/complex.h"

#include <limits>
#include <vector>

#include "tapegrad/kernels/decompose/complex_matrix.h"
#include "tapegrad/kernels/linalg/stack.h"

namespace tapegrad {
namespace {

using Z = std::complex<double>;

Value empty_stack(const Dims& batch, std::initializer_list<int64_t> last) {
  Dims shape = batch;
  for (const int64_t n : last) shape.push_back(n);
  return Value::empty(DType::float64, shape);
}

ComplexValue empty_pair(const Dims& batch, std::initializer_list<int64_t> last) {
  return {empty_stack(batch, last), empty_stack(batch, last)};
}

// Packed column-major numbers, in C order, as matrix i of a stack.
void unpack(int64_t m, int64_t n, const Z* from, const ComplexValue& to, int64_t i) {
  double *re = to.re.data<double>() + i * m * n, *im = to.im.data<double>() + i * m * n;
  for (int64_t r = 0; r < m; ++r)
    for (int64_t c = 0; c < n; ++c) {
      re[r * n + c] = from[c * m + r].real();
      im[r * n + c] = from[c * m + r].imag();
    }
}

// Calls f(position, matrix), the matrix packed in columns, its to overwrite; it says whether it
// went well.
template <class F>
int64_t decompose_each(const ComplexValue& a, double ns, F&& f) {
  const Dims batch = stack_of(a.re.shape());
  const int64_t count = element_count(batch), n = a.re.dim(a.re.ndim() - 1);
  const int64_t size = a.re.dim(a.re.ndim() - 2) * n;
  if (count == 0) return -1;
  return over_stack(count, std::min(ns, shared_out), [&](int64_t from, int64_t to, int64_t& first) {
    const PooledArray<Z> matrix(static_cast<size_t>(std::max<int64_t>(size, 1)));
    const PooledArray<double> part(static_cast<size_t>(std::max<int64_t>(size, 1)));
    Matrices<double> re(a.re, batch), im(a.im, batch);
    re.seek(from);
    im.seek(from);
    for (int64_t i = from; i < to; ++i, re.next(), im.next()) {
      re.pack_columns_into(part.get());
      for (int64_t k = 0; k < size; ++k) matrix.get()[k] = part.get()[k];
      im.pack_columns_into(part.get());
      for (int64_t k = 0; k < size; ++k) matrix.get()[k].imag(part.get()[k]);
      if (f(i, matrix.get())) continue;
      first = std::min(first, i);
      return;
    }
  });
}

template <class F>
int64_t decompose_each_real(const Value& a, double ns, F&& f) {
  const Dims batch = stack_of(a.shape());
  const int64_t count = element_count(batch), n = a.dim(a.ndim() - 1);
  if (count == 0) return -1;
  return over_stack(count, std::min(ns, shared_out), [&](int64_t from, int64_t to, int64_t& first) {
    const PooledArray<double> matrix(static_cast<size_t>(std::max<int64_t>(n * n, 1)));
    Matrices<double> matrices(a, batch);
    matrices.seek(from);
    for (int64_t i = from; i < to; ++i, matrices.next()) {
      matrices.pack_columns_into(matrix.get());
      if (f(i, matrix.get())) continue;
      first = std::min(first, i);
      return;
    }
  });
}

// Where the eigenvalues and vectors of a stack go, and one matrix of it.
struct Eigenvalues {
  const int64_t n;
  ComplexValue &w, &v, &u;

  Eigenvalues(const Dims& shape, ComplexValue& w, ComplexValue& v, ComplexValue& u)
      : n(shape.back()), w(w), v(v), u(u) {
    const Dims batch = stack_of(shape);
    w = empty_pair(batch, {n});
    v = empty_pair(batch, {n, n});
    u = empty_pair(batch, {n, n});
  }

  template <class T>
  bool operator()(int64_t i, T* matrix) const {
    const auto size = static_cast<size_t>(std::max<int64_t>(n, 1));
    const PooledArray<Z> values(size), vectors(size * size), inverse(size * size);
    if (!general_eigen(n, matrix, values.get(), vectors.get())) return false;
    inverse_of_vectors(n, vectors.get(), inverse.get());
    for (int64_t k = 0; k < n; ++k) {
      w.re.data<double>()[i * n + k] = values.get()[k].real();
      w.im.data<double>()[i * n + k] = values.get()[k].imag();
    }
    unpack(n, n, vectors.get(), v, i);
    unpack(n, n, inverse.get(), u, i);
    return true;
  }
};

std::vector<Z> numbers_of(const ComplexValue& w, int64_t first, int64_t n) {
  std::vector<Z> found(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    found[static_cast<size_t>(i)] = {w.re.at(first + i), w.im.at(first + i)};
  return found;
}

double tolerance(DType dtype, const std::vector<Z>& w) {
  double largest = 0;
  for (const Z x : w) largest = std::max(largest, std::abs(x));
  const double eps = dtype == DType::float32 ? std::numeric_limits<float>::epsilon()
                                             : std::numeric_limits<double>::epsilon();
  return 4 * static_cast<double>(w.size()) * eps * largest;
}

ComplexValue packed(const ComplexValue& v) {
  return {v.re.cast(DType::float64).contiguous(), v.im.cast(DType::float64).contiguous()};
}

}  // namespace

int64_t hermitian_values(const ComplexValue& a, bool is_lower, Value& w, ComplexValue& v) {
  const Dims batch = stack_of(a.re.shape());
  const int64_t n = a.re.dim(a.re.ndim() - 1);
  w = empty_stack(batch, {n});
  v = empty_pair(batch, {n, n});
  return decompose_each(a, 30 * cube(n) + 3000, [&](int64_t i, Z* matrix) {
    if (!hermitian_eigen(is_lower, n, matrix, w.data<double>() + i * n)) return false;
    unpack(n, n, matrix, v, i);
    return true;
  });
}

int64_t svd_values(const ComplexValue& a, Value& s, ComplexValue& u, ComplexValue& vt) {
  const Dims batch = stack_of(a.re.shape());
  const int64_t m = a.re.dim(a.re.ndim() - 2), n = a.re.dim(a.re.ndim() - 1), k = std::min(m, n);
  s = empty_stack(batch, {k});
  u = empty_pair(batch, {m, k});
  vt = empty_pair(batch, {k, n});
  const double ns = 40 * static_cast<double>(k * k) * static_cast<double>(std::max(m, n)) + 5000;
  return decompose_each(a, ns, [&](int64_t i, Z* matrix) {
    const PooledArray<Z> left(static_cast<size_t>(std::max<int64_t>(m * k, 1))),
        right(static_cast<size_t>(std::max<int64_t>(k * n, 1)));
    if (!singular_decomposition(m, n, matrix, s.data<double>() + i * k, left.get(), right.get()))
      return false;
    unpack(m, k, left.get(), u, i);
    unpack(k, n, right.get(), vt, i);
    return true;
  });
}

int64_t svd_rest_values(const ComplexValue& a, ComplexValue& u, ComplexValue& vt) {
  const Dims batch = stack_of(a.re.shape());
  const int64_t m = a.re.dim(a.re.ndim() - 2), n = a.re.dim(a.re.ndim() - 1), k = std::min(m, n);
  u = empty_pair(batch, {m, m - k});
  vt = empty_pair(batch, {n - k, n});
  return decompose_each(a, 40 * cube(std::max(m, n)) + 5000, [&](int64_t i, Z* matrix) {
    const PooledArray<double> numbers(static_cast<size_t>(std::max<int64_t>(k, 1)));
    const PooledArray<Z> left(static_cast<size_t>(m * m)), right(static_cast<size_t>(n * n));
    if (k == 0) {
      for (int64_t j = 0; j < m * m; ++j) left.get()[j] = j % (m + 1) == 0 ? 1 : 0;
      for (int64_t j = 0; j < n * n; ++j) right.get()[j] = j % (n + 1) == 0 ? 1 : 0;
    } else if (!singular_decomposition(m, n, matrix, numbers.get(), left.get(), right.get(),
                                       true)) {
      return false;
    }
    unpack(m, m - k, left.get() + m * k, u, i);
    for (int64_t r = k; r < n; ++r)
      for (int64_t c = 0; c < n; ++c) {
        const int64_t at = (i * (n - k) + r - k) * n + c;
        vt.re.data<double>()[at] = right.get()[c * n + r].real();
        vt.im.data<double>()[at] = right.get()[c * n + r].imag();
      }
    return true;
  });
}

int64_t eigvals_values(const ComplexValue& a, bool is_real, ComplexValue& w) {
  const int64_t n = a.re.shape().back();
  w = empty_pair(stack_of(a.re.shape()), {n});
  const auto each = [&](int64_t i, auto* matrix) {
    const PooledArray<Z> values(static_cast<size_t>(std::max<int64_t>(n, 1)));
    if (!general_eigen(n, matrix, values.get(), nullptr)) return false;
    for (int64_t k = 0; k < n; ++k) {
      w.re.data<double>()[i * n + k] = values.get()[k].real();
      w.im.data<double>()[i * n + k] = values.get()[k].imag();
    }
    return true;
  };
  const double ns = 20 * cube(n) + 2000;
  return is_real ? decompose_each_real(a.re, ns, each) : decompose_each(a, 2 * ns, each);
}

void slogdet_values(const ComplexValue& a, ComplexValue& sign, Value& logarithm, Value& share) {
  const Dims batch = stack_of(a.re.shape());
  const int64_t n = a.re.shape().back();
  const Value numbers = Value::empty(DType::float64, Dims{4, element_count(batch)});
  const auto row = [&](int64_t k) { return numbers.data<double>() + k * element_count(batch); };
  decompose_each(a, 3 * cube(n) + 300, [&](int64_t i, Z* matrix) {
    const PooledArray<Z> pivots(static_cast<size_t>(std::max<int64_t>(n, 1)));
    Z turn = elimination(n, matrix, pivots.get()) ? -1 : 1;
    double sum = 0, least = std::numeric_limits<double>::infinity(), most = 0;
    for (int64_t k = 0; k < n; ++k) {
      const double size = std::abs(pivots.get()[k]);
      turn = size == 0 ? Z(0) : turn * (pivots.get()[k] / size);
      sum += std::log(size);
      least = std::min(least, size);
      most = std::max(most, size);
    }
    row(0)[i] = turn.real();
    row(1)[i] = turn.imag();
    row(2)[i] = sum;
    row(3)[i] = n == 0 ? 1 : most == 0 ? 0 : least / most;
    return true;
  });
  // A number of no axes stands in no array.
  const auto of = [&](int64_t k) {
    if (batch.empty()) return Value::scalar(row(k)[0], DType::float64);
    const Value found = Value::empty(DType::float64, batch);
    std::copy_n(row(k), element_count(batch), found.data<double>());
    return found;
  };
  sign = {of(0), of(1)};
  logarithm = of(2);
  share = of(3);
}

int64_t roots_values(const ComplexValue& p, bool is_real, ComplexValue& roots) {
  const Dims& shape = p.re.shape();
  const Dims batch(shape.data(), shape.size() - 1);
  const int64_t n = shape.back() - 1, count = p.re.size() / (n + 1);
  roots = empty_pair(batch, {n});
  const ComplexValue given = packed(p);
  const auto size = static_cast<size_t>(std::max<int64_t>(n, 1));
  const PooledArray<Z> values(size), vectors(size * size), matrix(size * size);
  const PooledArray<double> part(size * size);
  for (int64_t s = 0; s < count && n > 0; ++s) {
    const std::vector<Z> c = numbers_of(given, s * (n + 1), n + 1);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < n; ++i)
        matrix.get()[j * n + i] = i == 0       ? -c[static_cast<size_t>(j + 1)] / c[0]
                                  : i == j + 1 ? Z(1)
                                               : Z(0);
    for (int64_t k = 0; k < n * n; ++k) part.get()[k] = matrix.get()[k].real();
    if (!(is_real ? general_eigen(n, part.get(), values.get(), vectors.get())
                  : general_eigen(n, matrix.get(), values.get(), vectors.get())))
      return s;
    for (int64_t k = 0; k < n; ++k) {
      roots.re.data<double>()[s * n + k] = values.get()[k].real();
      roots.im.data<double>()[s * n + k] = values.get()[k].imag();
    }
  }
  return -1;
}

int64_t eig_values(const ComplexValue& a, ComplexValue& w, ComplexValue& v, ComplexValue& u) {
  const Eigenvalues found(a.re.shape(), w, v, u);
  return decompose_each(a, 80 * cube(found.n) + 3000, found);
}

int64_t eig_values(const Value& a, ComplexValue& w, ComplexValue& v, ComplexValue& u) {
  const Eigenvalues found(a.shape(), w, v, u);
  return decompose_each_real(a, 40 * cube(found.n) + 3000, found);
}

ComplexValue divide_by_gaps_values(const ComplexValue& w, const ComplexValue& k) {
  const DType dtype = w.re.dtype();
  const ComplexValue numbers = packed(w), above = packed(k);
  const ComplexValue out{Value::empty(DType::float64, k.re.shape()),
                         Value::empty(DType::float64, k.re.shape())};
  const int64_t n = w.re.shape().back();
  if (out.re.size() == 0) return out;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (int64_t s = 0; s < w.re.size() / n; ++s) {
    const std::vector<Z> x = numbers_of(numbers, s * n, n);
    const double most = tolerance(dtype, x);
    const double *re = above.re.data<double>() + s * n * n,
                 *im = above.im.data<double>() + s * n * n;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const int64_t at = i * n + j, across = j * n + i;
        const Z gap = x[static_cast<size_t>(j)] - x[static_cast<size_t>(i)];
        Z found = 0;
        if (i != j && std::abs(gap) > most) {
          found = Z(re[at], im[at]) / gap;
        } else if (i != j && !(re[at] == 0 && im[at] == 0 && re[across] == 0 && im[across] == 0)) {
          found = Z(nan, nan);
        }
        out.re.data<double>()[s * n * n + at] = found.real();
        out.im.data<double>()[s * n * n + at] = found.imag();
      }
  }
  return {out.re.cast(dtype), out.im.cast(dtype)};
}

ComplexValue share_ties_values(const ComplexValue& w, const ComplexValue& d) {
  const DType dtype = w.re.dtype();
  const ComplexValue numbers = packed(w), given = packed(d);
  const ComplexValue out{Value::empty(DType::float64, d.re.shape()),
                         Value::empty(DType::float64, d.re.shape())};
  const int64_t n = w.re.shape().back();
  if (out.re.size() == 0) return out;
  for (int64_t s = 0; s < w.re.size() / n; ++s) {
    const std::vector<Z> x = numbers_of(numbers, s * n, n), from = numbers_of(given, s * n, n);
    const double most = tolerance(dtype, x);
    for (int64_t i = 0; i < n; ++i) {
      Z sum = 0;
      double count = 0;
      for (size_t j = 0; j < x.size(); ++j) {
        if (std::abs(x[j] - x[static_cast<size_t>(i)]) > most) continue;
        sum += from[j];
        ++count;
      }
      out.re.data<double>()[s * n + i] = sum.real() / count;
      out.im.data<double>()[s * n + i] = sum.imag() / count;
    }
  }
  return {out.re.cast(dtype), out.im.cast(dtype)};
}

Value real_places(const ComplexValue& v) {
  const ComplexValue numbers = packed(v);
  const Value out = Value::zeros(DType::float64, v.re.shape());
  const int64_t n = v.re.shape().back();
  if (out.size() == 0) return out;
  for (int64_t s = 0; s < out.size() / (n * n); ++s)
    for (int64_t j = 0; j < n; ++j) {
      int64_t best = 0;
      double largest = -1;
      for (int64_t i = 0; i < n; ++i) {
        const int64_t at = (s * n + i) * n + j;
        const double re = numbers.re.at(at), im = numbers.im.at(at);
        // The one that is real wins over its equals, of which rounding makes some larger.
        const double size = std::hypot(re, im) * (im == 0 ? 1 + 1e-9 : 1);
        if (!(size > largest)) continue;
        largest = size;
        best = at;
      }
      out.data<double>()[best] = 1;
    }
  return out.cast(v.re.dtype());
}

}  // namespace tapegrad
