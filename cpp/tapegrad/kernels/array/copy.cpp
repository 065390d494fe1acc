#include "tapegrad/kernels/array/copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/strided.h"

namespace tapegrad {
namespace {

constexpr int64_t tile = 32;

// Elements are copied by their bits, whatever their type.
struct [[gnu::may_alias]] Bits1 {
  uint8_t bits;
};
struct [[gnu::may_alias]] Bits2 {
  uint16_t bits;
};
struct [[gnu::may_alias]] Bits4 {
  uint32_t bits;
};
struct [[gnu::may_alias]] Bits8 {
  uint64_t bits;
};

template <class T>
void copy_row(T* to, int64_t to_step, const T* from, int64_t from_step, int64_t n) {
  if (to_step == 1 && from_step == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  } else if (to_step == 1 && from_step == 0) {
    std::fill_n(to, n, *from);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_step] = from[i * from_step];
  }
}

template <class T>
void transpose_tile(T* to, int64_t to_row, int64_t to_column, const T* from, int64_t from_row,
                    int64_t from_column, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      to[r * to_row + c * to_column] = from[r * from_row + c * from_column];
}

struct CopyPlan {
  Dims shape;
  std::array<Dims, 2> strides;  // to, from
};

size_t smallest_stride(const Dims& strides) {
  size_t best = strides.size() - 1;
  for (size_t i = strides.size(); i-- > 0;)
    if (std::abs(strides[i]) < std::abs(strides[best])) best = i;
  return best;
}

void move_to(Dims& d, size_t from, size_t to) {
  if (from < to) std::rotate(d.begin() + from, d.begin() + from + 1, d.begin() + to + 1);
  if (from > to) std::rotate(d.begin() + to, d.begin() + from, d.begin() + from + 1);
}

void move_axis(CopyPlan& p, size_t from, size_t to) {
  move_to(p.shape, from, to);
  move_to(p.strides[0], from, to);
  move_to(p.strides[1], from, to);
}

template <class T>
void copy_tiles(const CopyPlan& p, T* to, const T* from) {
  const size_t last = p.shape.size() - 1;
  const int64_t rows = p.shape[last - 1], columns = p.shape[last];
  const int64_t row_tiles = (rows + tile - 1) / tile, column_tiles = (columns + tile - 1) / tile;
  CopyPlan outer = p;
  outer.shape.resize(last - 1);
  for (Dims& s : outer.strides) s.resize(last - 1);
  const int64_t tr = p.strides[0][last - 1], tc = p.strides[0][last];
  const int64_t fr = p.strides[1][last - 1], fc = p.strides[1][last];
  parallel_for(element_count(outer.shape) * row_tiles, 1,
               1.5 * static_cast<double>(std::min(tile, rows) * columns),
               [&](int64_t begin, int64_t end) {
                 Odometer<2> at(outer.shape, outer.strides);
                 at.seek(begin / row_tiles);
                 for (int64_t t = begin; t < end; ++t) {
                   const int64_t r = t % row_tiles * tile;
                   if (t != begin && r == 0) at.next();
                   for (int64_t k = 0; k < column_tiles; ++k) {
                     const int64_t c = k * tile;
                     transpose_tile(to + at.offset(0) + r * tr + c * tc, tr, tc,
                                    from + at.offset(1) + r * fr + c * fc, fr, fc,
                                    std::min(tile, rows - r), std::min(tile, columns - c));
                   }
                 }
               });
}

template <class T>
void copy_rows(const CopyPlan& p, T* to, const T* from) {
  const int64_t n = p.shape.back(), ts = p.strides[0].back(), fs = p.strides[1].back();
  CopyPlan outer = p;
  outer.shape.resize(p.shape.size() - 1);
  for (Dims& s : outer.strides) s.resize(p.shape.size() - 1);
  const int64_t rows = element_count(outer.shape);
  const double ns = (ts == 1 && fs == 1 ? 0.06 : 0.3) * static_cast<double>(sizeof(T));
  if (rows == 1) {
    parallel_for(n, 4096, ns, [&](int64_t begin, int64_t end) {
      copy_row(to + begin * ts, ts, from + begin * fs, fs, end - begin);
    });
    return;
  }
  parallel_for(rows, std::max<int64_t>(1, 4096 / n), ns * static_cast<double>(n) + 3,
               [&](int64_t begin, int64_t end) {
                 Odometer<2> at(outer.shape, outer.strides);
                 at.seek(begin);
                 for (int64_t r = begin; r < end; ++r, at.next())
                   copy_row(to + at.offset(0), ts, from + at.offset(1), fs, n);
               });
}

template <class T>
void copy_typed(CopyPlan p, T* to, const T* from) {
  coalesce_axes<2>(p.shape, p.strides);
  if (p.shape.empty()) {
    *to = *from;
    return;
  }
  const size_t last = p.shape.size() - 1;
  move_axis(p, smallest_stride(p.strides[0]), last);
  const size_t read = smallest_stride(p.strides[1]);
  const bool crossed = read != last && p.strides[1][read] != 0 &&
                       std::abs(p.strides[1][read]) < std::abs(p.strides[1][last]) &&
                       p.shape[read] >= 4 && p.shape[last] >= 4;
  if (crossed) {
    move_axis(p, read, last - 1);
    copy_tiles(p, to, from);
  } else {
    copy_rows(p, to, from);
  }
}

// Calls f with the BitsN of the element's size.
template <class F>
void visit_size(DType d, F&& f) {
  switch (item_size(d)) {
    case 1:
      return f(Bits1{});
    case 2:
      return f(Bits2{});
    case 4:
      return f(Bits4{});
    default:
      return f(Bits8{});
  }
}

struct AxisLengths {
  int64_t outer = 1, n = 1, inner = 1;
  AxisLengths(const Value& v, int axis) : n(v.dim(axis)) {
    for (int i = 0; i < axis; ++i) outer *= v.dim(i);
    for (int i = axis + 1; i < v.ndim(); ++i) inner *= v.dim(i);
  }
};

template <class T>
void scatter_typed(const Value& x, const Value& y, const AxisLengths& from,
                   std::span<const int64_t> indices, int64_t n) {
  const T* in = x.data<T>();
  T* out = y.data<T>();
  const int64_t lines = from.outer * from.inner;
  const int64_t grain = from.inner == 1 ? 1 : std::min<int64_t>(from.inner, 64);
  const double line_ns = static_cast<double>(from.n + n);
  parallel_for(lines, grain, line_ns, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin, next; line < end; line = next) {
      const int64_t column = line % from.inner;
      next = std::min(end, line - column + from.inner);
      const int64_t width = next - line;
      const T* source = in + line / from.inner * from.n * from.inner + column;
      T* target = out + line / from.inner * n * from.inner + column;
      for (int64_t i = 0; i < n; ++i) std::fill_n(target + i * from.inner, width, T{0});
      for (size_t j = 0; j < indices.size(); ++j, source += from.inner) {
        T* to = target + indices[j] * from.inner;
#pragma omp simd
        for (int64_t k = 0; k < width; ++k) to[k] += source[k];
      }
    }
  });
}

}  // namespace

void copy_parallel(const Value& to, const Value& from) {
  if (to.size() == 0) return;
  if (from.is_scalar() || from.dtype() != to.dtype()) return copy_into(to, from);
  CopyPlan p{to.shape(),
             {to.strides(), broadcast_strides(from.shape(), from.strides(), to.shape())}};
  visit_size(to.dtype(), [&](auto tag) {
    using T = decltype(tag);
    copy_typed<T>(std::move(p), to.data<T>(), from.data<T>());
  });
}

Value packed(const Value& v) { return v.is_contiguous() ? v : packed_copy(v); }

Value packed_copy(const Value& v) {
  if (v.is_scalar()) return v;
  Value out = Value::empty_like(v);
  copy_parallel(out, v);
  return out;
}

// Walks groups of axes of equal size: each axis of `shape` must get by with one stride.
bool view_strides(const Dims& whole, const Dims& whole_strides, const Dims& shape, Dims& strides) {
  if (element_count(whole) == 0) {
    strides = contiguous_strides(shape);
    return true;
  }
  Dims from, from_strides;
  for (size_t k = 0; k < whole.size(); ++k) {
    if (whole[k] == 1) continue;
    from.push_back(whole[k]);
    from_strides.push_back(whole_strides[k]);
  }
  strides = Dims(shape.size(), 0);
  size_t i = 0, j = 0;
  while (i < from.size()) {
    const size_t first_i = i, first_j = j;
    int64_t a = from[i++];
    int64_t b = shape[j++];
    while (a != b) {
      if (a < b) {
        if (from_strides[i - 1] != from_strides[i] * from[i]) return false;
        a *= from[i++];
      } else {
        b *= shape[j++];
      }
    }
    for (size_t k = first_i + 1; k < i; ++k)
      if (from_strides[k - 1] != from_strides[k] * from[k]) return false;
    int64_t step = from_strides[i - 1];
    for (size_t k = j; k-- > first_j;) {
      strides[k] = step;
      step *= shape[k];
    }
  }
  return true;
}

Value reshaped_view(const Value& v, const Dims& shape) {
  if (v.is_contiguous() || v.size() == 0 || element_count(shape) != v.size())
    return v.reshaped(shape);
  Dims strides;
  if (view_strides(v.shape(), v.strides(), shape, strides)) return v.view(shape, strides, 0);
  return packed(v).reshaped(shape);
}

Value slice_axis(const Value& v, int axis, int64_t start, int64_t length) {
  Dims shape = v.shape();
  const Dims strides = v.strides();
  shape[static_cast<size_t>(axis)] = length;
  return v.view(shape, strides, length ? start * strides[static_cast<size_t>(axis)] : 0);
}

void write_slice(const Value& to, int axis, int64_t start, const Value& from) {
  copy_parallel(slice_axis(to, axis, start, from.dim(axis)), from);
}

// The array is written block by block: one part after the other, it would go through the cache as
// often as there are parts.
bool interleave(const Value& to, std::span<const Value> parts) {
  for (const Value& v : parts) {
    if (v.is_scalar() || v.dtype() != to.dtype()) return false;
    const Dims strides = v.strides();
    const bool uniform =
        std::all_of(strides.begin(), strides.end(), [](int64_t s) { return s == 0; });
    if (!v.is_contiguous() && !uniform) return false;
  }
  constexpr int64_t block = 64;
  const auto count = static_cast<int64_t>(parts.size());
  visit_size(to.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T* const out = to.data<T>();
    parallel_for(parts[0].size(), block, 0.7 * static_cast<double>(count),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; i += block) {
                     const int64_t n = std::min(block, end - i);
                     for (int64_t k = 0; k < count; ++k) {
                       const Value& v = parts[static_cast<size_t>(k)];
                       const bool packed = v.is_contiguous();
                       copy_row(out + i * count + k, count, v.data<T>() + (packed ? i : 0),
                                packed ? 1 : 0, n);
                     }
                   }
                 });
  });
  return true;
}

Value gather_axis(const Value& v, int axis, std::span<const int64_t> indices) {
  const Value x = packed(v);
  Dims shape = x.shape();
  shape[static_cast<size_t>(axis)] = static_cast<int64_t>(indices.size());
  Value y = Value::empty(x.dtype(), shape);
  if (y.size() == 0) return y;
  const AxisLengths from(x, axis);
  visit_size(x.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const T* in = x.data<T>();
    T* out = y.data<T>();
    const auto m = static_cast<int64_t>(indices.size());
    const double ns = 2 + 0.1 * static_cast<double>(from.inner * static_cast<int64_t>(sizeof(T)));
    parallel_for(from.outer * m, std::max<int64_t>(1, 1024 / from.inner), ns,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row) {
                     const int64_t source =
                         row / m * from.n + indices[static_cast<size_t>(row % m)];
                     copy_row(out + row * from.inner, 1, in + source * from.inner, 1, from.inner);
                   }
                 });
  });
  return y;
}

Value scatter_axis(const Value& v, int axis, std::span<const int64_t> indices, int64_t n) {
  const Value x = packed(v);
  Dims shape = x.shape();
  shape[static_cast<size_t>(axis)] = n;
  Value y = Value::empty(x.dtype(), shape);
  if (y.size() == 0) return y;
  const AxisLengths from(x, axis);
  if (x.dtype() == DType::float32) {
    scatter_typed<float>(x, y, from, indices, n);
  } else if (x.dtype() == DType::float64) {
    scatter_typed<double>(x, y, from, indices, n);
  } else {
    throw_error<TypeError>("scatter_axis: expected floating-point numbers, got ",
                           dtype_name(x.dtype()));
  }
  return y;
}

}  // namespace tapegrad
