#include "tapegrad/kernels/linalg/einsum.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "tapegrad/kernels/linalg/matmul.h"
#include "tapegrad/kernels/reduce/reduce_axis.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/strided.h"

namespace tapegrad {
namespace {

size_t axis_of(const EinsumTerm& t, int label) {
  return static_cast<size_t>(std::find(t.labels.begin(), t.labels.end(), label) - t.labels.begin());
}

// The lengths and strides of some labels in a term; the stride is 0 for those that it lacks.
struct Axes {
  Dims shape, strides;
};

Axes pick(const EinsumTerm& t, const std::vector<int>& labels) {
  Axes axes;
  for (int label : labels) {
    const size_t axis = axis_of(t, label);
    axes.shape.push_back(axis < t.labels.size() ? t.value.dim(static_cast<int>(axis)) : 1);
    axes.strides.push_back(axis < t.labels.size() ? t.value.layout()->strides()[axis] : 0);
  }
  return axes;
}

// Finds the one axis that walks all of these in order, where there is one.
bool merge(const Axes& axes, int64_t& length, int64_t& stride) {
  length = 1;
  stride = 1;
  for (size_t i = axes.shape.size(); i-- > 0;) {
    if (axes.shape[i] == 1) continue;
    if (length == 1) {
      stride = axes.strides[i];
    } else if (axes.strides[i] != stride * length) {
      return false;
    }
    length *= axes.shape[i];
  }
  return true;
}

void append(Dims& to, const Dims& from) {
  for (int64_t x : from) to.push_back(x);
}

Dims joined(const Dims& a, const Dims& b) {
  Dims all = a;
  append(all, b);
  return all;
}

// Returns the term as a stack (batch..., rows, columns) of matrices that GEMM reads: a view, or a
// copy where strides forbid it.
Value as_matrices(const EinsumTerm& t, const std::vector<int>& batch, const std::vector<int>& rows,
                  const std::vector<int>& columns) {
  const Axes b = pick(t, batch), r = pick(t, rows), c = pick(t, columns);
  int64_t m = 1, n = 1, row_stride = 1, column_stride = 1;
  const bool merges = merge(r, m, row_stride) & merge(c, n, column_stride);
  if (m == 1) row_stride = std::max<int64_t>(1, n * column_stride);
  if (merges && gemm_readable(m, n, row_stride, column_stride))
    return t.value.view(joined(b.shape, Dims{m, n}),
                        joined(b.strides, Dims{row_stride, column_stride}), 0);
  const Value ordered = t.value.view(joined(joined(b.shape, r.shape), c.shape),
                                     joined(joined(b.strides, r.strides), c.strides), 0);
  const Dims shape = joined(b.shape, Dims{element_count(r.shape), element_count(c.shape)});
  return ordered.copy().view(shape, contiguous_strides(shape), 0);
}

Value with_shape(const Value& packed, const Dims& shape) {
  if (!shape.empty()) return packed.view(shape, contiguous_strides(shape), 0);
  return is_floating(packed.dtype())
             ? Value::scalar(packed.at(0), packed.dtype())
             : visit_dtype(packed.dtype(), [&](auto tag) {
                 using T = decltype(tag);
                 const T item = *packed.data<T>();
                 return Value::integer_scalar(static_cast<int64_t>(item), packed.dtype());
               });
}

template <class T>
T times(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a && b;
  } else if constexpr (std::is_floating_point_v<T>) {
    return a * b;
  } else {
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
}

template <class T>
void multiply_rows(const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* out, int64_t n) {
  if (a_stride == 1 && b_stride == 1) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) out[i] = times(a[i], b[i]);
  } else if (a_stride == 1 && b_stride == 0) {
    const T y = *b;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) out[i] = times(a[i], y);
  } else if (a_stride == 0 && b_stride == 1) {
    const T x = *a;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) out[i] = times(x, b[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = times(a[i * a_stride], b[i * b_stride]);
  }
}

template <class T>
struct Reader {
  explicit Reader(const Value& v) {
    if (v.is_scalar()) {
      item = is_floating(v.dtype()) ? static_cast<T>(v.as_double()) : static_cast<T>(v.as_int64());
      data = &item;
    } else {
      data = v.data<T>();
    }
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  T item{};
  const T* data;
};

// Where no label is summed, the result is an elementwise product, broadcast.
EinsumTerm multiply_terms(const EinsumTerm& a, const EinsumTerm& b, std::vector<int> labels) {
  const Axes x = pick(a, labels), y = pick(b, labels);
  Dims shape;
  for (size_t i = 0; i < labels.size(); ++i) shape.push_back(std::max(x.shape[i], y.shape[i]));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (x.shape[i] == 0 || y.shape[i] == 0) shape[i] = 0;
  }
  Dims walk = shape;
  std::array<Dims, 2> strides{x.strides, y.strides};
  coalesce_axes<2>(walk, strides);
  const size_t depth = walk.size();
  const int64_t n = depth == 0 ? 1 : walk.back(), rows = n == 0 ? 0 : element_count(shape) / n;
  const int64_t a_stride = depth == 0 ? 0 : strides[0].back();
  const int64_t b_stride = depth == 0 ? 0 : strides[1].back();
  if (depth > 0) {
    walk.resize(depth - 1);
    for (Dims& s : strides) s.resize(depth - 1);
  }
  const int64_t grain = std::max<int64_t>(1, 1024 / std::max<int64_t>(1, n));
  return visit_dtype(a.value.dtype(), [&](auto tag) -> EinsumTerm {
    using T = decltype(tag);
    const Reader<T> left(a.value), right(b.value);
    const Value out = Value::empty(dtype_of<T>(), shape.empty() ? Dims{1} : shape);
    parallel_for(rows, grain, static_cast<double>(n) + 3, [&](int64_t from, int64_t to) {
      Odometer<2> at(walk, strides);
      at.seek(from);
      for (int64_t row = from; row < to; ++row, at.next())
        multiply_rows(left.data + at.offset(0), a_stride, right.data + at.offset(1), b_stride,
                      out.data<T>() + row * n, n);
    });
    return {with_shape(out, shape), std::move(labels)};
  });
}

size_t position(const std::vector<int>& order, int label) {
  return static_cast<size_t>(std::find(order.begin(), order.end(), label) - order.begin());
}

}  // namespace

EinsumTerm sum_labels(const EinsumTerm& a, const std::vector<int>& summed) {
  EinsumTerm out;
  Dims reduced;
  for (int label : a.labels) {
    reduced.push_back(has_label(summed, label));
    if (!has_label(summed, label)) out.labels.push_back(label);
  }
  const DType dtype = a.value.dtype();
  const bool direct = is_floating(dtype) || dtype == DType::int64 || dtype == DType::uint64;
  const Value& v = a.value;
  out.value = direct ? fold_axes(Fold::sum, v, reduced)
                     : fold_axes(Fold::sum, v.cast(DType::int64), reduced).cast(dtype);
  return out;
}

EinsumPair pair_labels(const std::vector<int>& a, const std::vector<int>& b,
                       const std::vector<int>& kept, const std::vector<int>& order) {
  EinsumPair p;
  for (int label : a)
    (!has_label(b, label)     ? p.a_only
     : has_label(kept, label) ? p.batch
                              : p.summed)
        .push_back(label);
  for (int label : b)
    if (!has_label(a, label)) p.b_only.push_back(label);
  const auto wanted = [&](int x, int y) { return position(order, x) < position(order, y); };
  if (p.summed.empty()) {
    p.batch.insert(p.batch.end(), p.a_only.begin(), p.a_only.end());
    p.batch.insert(p.batch.end(), p.b_only.begin(), p.b_only.end());
  }
  std::stable_sort(p.batch.begin(), p.batch.end(), wanted);
  if (!p.summed.empty() && !p.a_only.empty() && !p.b_only.empty() &&
      wanted(p.b_only[0], p.a_only[0])) {
    p = pair_labels(b, a, kept, order);
    p.swapped = true;
  }
  return p;
}

EinsumTerm contract(const EinsumTerm& first, const EinsumTerm& second, const std::vector<int>& kept,
                    const std::vector<int>& order) {
  auto [batch, summed, a_only, b_only, swapped] =
      pair_labels(first.labels, second.labels, kept, order);
  const EinsumTerm &a = swapped ? second : first, &b = swapped ? first : second;
  if (summed.empty()) return multiply_terms(a, b, std::move(batch));

  const Value product = [&] {
    const Value left = as_matrices(a, batch, a_only, summed),
                right = as_matrices(b, batch, summed, b_only);
    Dims stack;
    for (int i = 0; i + 2 < left.ndim(); ++i) stack.push_back(left.dim(i));
    const size_t depth = stack.size();
    const int64_t m = left.dim(left.ndim() - 2), k = left.dim(left.ndim() - 1);
    const int64_t n = right.dim(right.ndim() - 1);
    const Dims left_strides = left.strides(), right_strides = right.strides();
    const Value out = Value::empty(left.dtype(), joined(stack, Dims{m, n}));
    visit_dtype(left.dtype(), [&](auto tag) {
      using T = decltype(tag);
      multiply_stacks<T>(stack, m, n, k,
                         {left.data<T>(), left_strides[depth], left_strides[depth + 1],
                          Dims(left_strides.data(), depth)},
                         {right.data<T>(), right_strides[depth], right_strides[depth + 1],
                          Dims(right_strides.data(), depth)},
                         out.data<T>());
    });
    return out;
  }();
  EinsumTerm out;
  Dims shape = pick(a, batch).shape;
  append(shape, pick(a, a_only).shape);
  append(shape, pick(b, b_only).shape);
  out.labels = batch;
  out.labels.insert(out.labels.end(), a_only.begin(), a_only.end());
  out.labels.insert(out.labels.end(), b_only.begin(), b_only.end());
  out.value = with_shape(product, shape);
  return out;
}

}  // namespace tapegrad
