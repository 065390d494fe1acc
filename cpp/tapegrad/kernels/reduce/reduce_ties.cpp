#include "tapegrad/kernels/reduce/reduce_ties.h"

#include <algorithm>

#include "tapegrad/kernels/reduce/reduce_axis.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/strided.h"

namespace tapegrad {
namespace {

template <class T>
T share(T x, T top, T ties) {
  const bool equal = (x == top) | ((x != x) & (top != top));
  return equal ? T{1} / ties : T{0};
}

// The extreme is the same for all, and a number.
template <class T>
void share_with_one(const T* x, int64_t n, T top, T share, T* to) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = x[i] == top ? share : T{0};
}

template <class T>
void share_with_each(const T* x, int64_t n, const T* top, const T* ties, T* to) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = share(x[i], top[i], ties[i]);
}

template <class T>
void share_typed(const Value& v, const Value& extreme, const Value& counts, const Dims& reduced,
                 Value& out) {
  // These are the strides of the kept axes' arrays as if they had v's shape.
  const Dims kept_strides = extreme.strides();
  Dims strides(reduced.size(), 0);
  for (size_t i = 0, k = 0; i < reduced.size(); ++i)
    if (!reduced[i]) strides[i] = kept_strides[k++];
  const T scalar_extreme = extreme.is_scalar() ? static_cast<T>(extreme.as_double()) : T{};
  const T scalar_count = counts.is_scalar() ? static_cast<T>(counts.as_double()) : T{};
  const T* tops = extreme.is_scalar() ? &scalar_extreme : extreme.data<T>();
  const T* ties = counts.is_scalar() ? &scalar_count : counts.data<T>();
  Dims shape = v.shape();
  std::array<Dims, 3> all{v.strides(), strides, contiguous_strides(shape)};
  coalesce_axes<3>(shape, all);
  int64_t n = 1, step = 1, top_step = 0;
  if (!shape.empty()) {
    n = shape.back();
    step = all[0].back();
    top_step = all[1].back();
    shape.resize(shape.size() - 1);
    for (Dims& s : all) s.resize(shape.size());
  }
  const T* in = v.data<T>();
  T* to = out.data<T>();
  const int64_t rows = element_count(shape);
  parallel_for(rows, std::max<int64_t>(1, 4096 / n), 0.7 * static_cast<double>(n),
               [&](int64_t begin, int64_t end) {
                 Odometer<3> at(shape, all);
                 at.seek(begin);
                 for (int64_t r = begin; r < end; ++r, at.next()) {
                   const T* x = in + at.offset(0);
                   const T* top = tops + at.offset(1);
                   const T* tie = ties + at.offset(1);
                   T* y = to + at.offset(2);
                   if (step == 1 && top_step == 0 && *top == *top) {
                     share_with_one(x, n, *top, T{1} / *tie, y);
                   } else if (step == 1 && top_step == 1) {
                     share_with_each(x, n, top, tie, y);
                   } else {
                     for (int64_t i = 0; i < n; ++i)
                       y[i] = share(x[i * step], top[i * top_step], tie[i * top_step]);
                   }
                 }
               });
}

}  // namespace

Value share_ties(const Value& v, const Value& extreme, const Dims& reduced) {
  if (v.is_scalar()) return Value::scalar(1, v.dtype());
  Value out = Value::empty(v.dtype(), v.shape());
  if (v.size() == 0) return out;
  const Value tops = extreme.contiguous();
  const Value counts = fold_axes(Fold::count_equal, v, reduced, &tops);
  if (v.dtype() == DType::float32) {
    share_typed<float>(v, tops, counts, reduced, out);
  } else {
    share_typed<double>(v, tops, counts, reduced, out);
  }
  return out;
}

}  // namespace tapegrad
