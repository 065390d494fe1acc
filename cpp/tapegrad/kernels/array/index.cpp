#include "tapegrad/kernels/array/index.h"

#include <cstring>

#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/index_walk.h"

namespace tapegrad {

using index_walk::for_each_run;
using index_walk::make_walk;
using index_walk::visit_width;
using index_walk::Walk;

namespace {

constexpr int64_t grain = 4096;
constexpr double copy_ns = 0.6, add_ns = 0.8, offset_ns = 0.8;

template <class F>
void visit_floating(DType d, F&& f) {
  if (d == DType::float32) return f(float{});
  if (d == DType::float64) return f(double{});
  throw_error<TypeError>("an index update adds to float32 or float64 arrays, not to ",
                         dtype_name(d));
}

template <class T>
void copy_run(T* to, int64_t to_stride, const T* from, int64_t from_stride, int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

template <class T>
void add_run(T* to, int64_t to_stride, const T* from, int64_t from_stride, int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] += from[i];
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_stride] += from[i * from_stride];
  }
}

// Finds the strides and the first element of an update read with the region's shape; a scalar is
// put into `item`.
template <class T>
const T* update_data(const Value& update, std::span<const int64_t> shape, T* item, Dims* strides) {
  if (!update.is_scalar()) {
    *strides = broadcast_strides(update.shape(), update.strides(), shape);
    return update.data<T>();
  }
  *strides = Dims(shape.size(), 0);
  visit_dtype(update.dtype(), [&](auto tag) {
    using From = decltype(tag);
    if constexpr (sizeof(From) == sizeof(T)) {
      const auto number = std::is_floating_point_v<From> ? static_cast<From>(update.as_double())
                                                         : static_cast<From>(update.as_int64());
      std::memcpy(item, &number, sizeof(T));
    }
  });
  return item;
}

}  // namespace

Value copy_region(const Value& from, const RegionView& region) {
  Value out = Value::empty(from.dtype(), region.shape);
  if (region.shape.empty()) return from.view(region.shape, region.strides, region.offset);
  if (out.size() == 0) return out;
  const size_t axes = region.shape.size();
  if (axes <= 2 && out.size() < grain) {  // rows, without a plan of how to walk
    const int64_t n = region.shape[axes - 1], rows = axes == 2 ? region.shape[0] : 1;
    visit_width(from.dtype(), [&](auto tag) {
      using T = decltype(tag);
      const T* source = from.data<T>() + region.offset;
      for (int64_t row = 0; row < rows; ++row)
        copy_run(out.data<T>() + row * n, int64_t{1}, source + row * region.strides[0],
                 region.strides[axes - 1], n);
    });
    return out;
  }
  const Walk w = make_walk(region.shape, out.strides(), region.strides);
  visit_width(from.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T* to = out.data<T>();
    const T* source = from.data<T>() + region.offset;
    parallel_for(w.size, grain, copy_ns, [&](int64_t begin, int64_t end) {
      for_each_run(w, begin, end, [&](int64_t a, int64_t b, int64_t n) {
        copy_run(to + a, w.a.back(), source + b, w.b.back(), n);
      });
    });
  });
  return out;
}

void set_region(const Value& base, const RegionView& region, const Value& update) {
  visit_width(base.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T item{};
    Dims strides;
    const T* from = update_data<T>(update, region.shape, &item, &strides);
    T* to = base.data<T>() + region.offset;
    if (region.shape.empty()) {
      *to = *from;
      return;
    }
    const Walk w = make_walk(region.shape, region.strides, strides);
    parallel_for(w.size, grain, copy_ns, [&](int64_t begin, int64_t end) {
      for_each_run(w, begin, end, [&](int64_t a, int64_t b, int64_t n) {
        copy_run(to + a, w.a.back(), from + b, w.b.back(), n);
      });
    });
  });
}

void add_region(const Value& base, const RegionView& region, const Value& update) {
  visit_floating(base.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T item{};
    Dims strides;
    const T* from = update_data<T>(update, region.shape, &item, &strides);
    T* to = base.data<T>() + region.offset;
    if (region.shape.empty()) {
      *to += *from;
      return;
    }
    const Walk w = make_walk(region.shape, region.strides, strides);
    parallel_for(w.size, grain, add_ns, [&](int64_t begin, int64_t end) {
      for_each_run(w, begin, end, [&](int64_t a, int64_t b, int64_t n) {
        add_run(to + a, w.a.back(), from + b, w.b.back(), n);
      });
    });
  });
}

namespace {

struct IndexAxis {
  int64_t axis, length, stride;

  [[noreturn]] void refuse(int64_t i) const {
    throw_error<IndexError>("index ", i, " is out of bounds for axis ", axis, " with size ",
                            length);
  }
  // Finds the first of n indices that is out of bounds, where one is.
  template <class T>
  void refuse_first(const T* from, int64_t step, int64_t n) const {
    for (int64_t i = 0; i < n; ++i) {
      const auto index = static_cast<int64_t>(from[i * step]);
      if (index < -length || index >= length) refuse(index);
    }
  }
};

// Sets or adds to to[i] the position of each index in elements, without a branch; what is out of
// bounds is looked for afterwards.
template <bool adds, class T>
void put_positions(int64_t* to, const T* from, int64_t step, int64_t n, const IndexAxis& axis) {
  const auto length = static_cast<uint64_t>(axis.length),
             stride = static_cast<uint64_t>(axis.stride);
  bool bad = false;
  for (int64_t i = 0; i < n; ++i) {
    const auto index = static_cast<int64_t>(from[i * step]);
    const uint64_t wrapped = static_cast<uint64_t>(index) + (index < 0 ? length : 0);
    bad |= wrapped >= length;
    to[i] = static_cast<int64_t>(wrapped * stride + (adds ? static_cast<uint64_t>(to[i]) : 0));
  }
  if (bad) axis.refuse_first(from, step, n);
}

template <bool adds>
void put_offsets(int64_t* to, const Value& index, std::span<const int64_t> shape, int64_t size,
                 const IndexAxis& axis) {
  if (index.is_scalar()) {
    const int64_t one = index.as_int64();
    int64_t position = 0;
    put_positions<false>(&position, &one, 1, 1, axis);
    parallel_for(size, grain, offset_ns, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = position + (adds ? to[i] : 0);
    });
    return;
  }
  const Walk w = make_walk(shape, contiguous_strides(shape),
                           broadcast_strides(index.shape(), index.strides(), shape));
  visit_dtype(index.dtype(), [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      const T* from = index.data<T>();
      parallel_for(size, grain, offset_ns, [&](int64_t begin, int64_t end) {
        for_each_run(w, begin, end, [&](int64_t a, int64_t b, int64_t n) {
          put_positions<adds>(to + a, from + b, w.b.back(), n, axis);
        });
      });
    } else {
      throw_error<IndexError>("arrays used as indices must be of integer (or boolean) type, got ",
                              dtype_name(index.dtype()));
    }
  });
}

}  // namespace

Value index_offsets(std::span<const Value> indices, std::span<const int64_t> shape,
                    std::span<const int64_t> axes, std::span<const int64_t> lengths,
                    std::span<const int64_t> strides) {
  const int64_t size = element_count(shape);
  if (indices.empty()) return Value::zeros(DType::int64, Dims{size});
  Value out = Value::empty(DType::int64, Dims{size});
  auto* const to = out.data<int64_t>();
  for (size_t k = 0; k < indices.size(); ++k) {
    const IndexAxis axis{axes[k], lengths[k], strides[k]};
    if (k == 0) {
      put_offsets<false>(to, indices[k], shape, size, axis);
    } else {
      put_offsets<true>(to, indices[k], shape, size, axis);
    }
  }
  return out;
}

namespace {

int64_t count_true(const uint8_t* mask, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += mask[i] != 0;
  return count;
}

}  // namespace

std::vector<Value> nonzero(const void* mask_data, std::span<const int64_t> shape) {
  const auto* mask = static_cast<const uint8_t*>(mask_data);
  const int64_t size = element_count(shape);
  const int64_t count = count_true(mask, size);
  std::vector<Value> out;
  std::vector<int64_t*> to;
  for (size_t k = 0; k < shape.size(); ++k) {
    out.push_back(Value::empty(DType::int64, Dims{count}));
    to.push_back(out.back().data<int64_t>());
  }
  if (count == 0) return out;
  const int64_t row = shape.back();
  const size_t outer = shape.size() - 1;
  Dims index(outer);
  int64_t found = 0;
  for (int64_t begin = 0; begin < size; begin += row) {
    const int64_t before = found;
    int64_t* last = to[outer];
    for (int64_t i = 0; i < row; ++i) {
      if (i + 8 <= row) {
        uint64_t eight;
        std::memcpy(&eight, mask + begin + i, sizeof eight);
        if (eight == 0) {
          i += 7;
          continue;
        }
      }
      if (mask[begin + i]) last[found++] = i;
    }
    for (size_t k = 0; k < outer; ++k) std::fill(to[k] + before, to[k] + found, index[k]);
    for (size_t k = outer; k-- > 0;) {
      if (++index[k] < shape[k]) break;
      index[k] = 0;
    }
  }
  return out;
}

}  // namespace tapegrad
