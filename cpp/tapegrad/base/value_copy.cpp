#include <cstring>

#include "tapegrad/base/value.h"

namespace tapegrad {
namespace {

template <class To, class From>
void copy_row(char* to_bytes, int64_t to_stride, const char* from_bytes, int64_t from_stride,
              int64_t n) {
  auto* to = reinterpret_cast<To*>(to_bytes);
  const auto* from = reinterpret_cast<const From*>(from_bytes);
  if constexpr (std::is_same_v<To, From>) {
    if (to_stride == 1 && from_stride == 1) {
      std::memcpy(to, from, static_cast<size_t>(n) * sizeof(To));
      return;
    }
  }
  if (to_stride == 1 && from_stride == 1) {
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<To>(from[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_stride] = static_cast<To>(from[i * from_stride]);
  }
}

using CopyRow = void (*)(char* to, int64_t to_stride, const char* from, int64_t from_stride,
                         int64_t n);

CopyRow copy_row_for(DType to, DType from) {
  return visit_dtype(to, [&](auto to_tag) {
    return visit_dtype(from, [&](auto from_tag) -> CopyRow {
      return copy_row<decltype(to_tag), decltype(from_tag)>;
    });
  });
}

// Walks all but the last axis with an odometer and calls row(to_offset, from_offset).
template <class Row>
void for_each_row(const Dims& shape, const Dims& to, const Dims& from, Row&& row) {
  const int outer = shape.ndim() - 1;
  Dims index(static_cast<size_t>(outer), 0);
  int64_t a = 0, b = 0;
  while (true) {
    row(a, b);
    int axis = outer - 1;
    for (; axis >= 0; --axis) {
      const auto i = static_cast<size_t>(axis);
      a += to[i];
      b += from[i];
      if (++index[i] < shape[i]) break;
      a -= to[i] * shape[i];
      b -= from[i] * shape[i];
      index[i] = 0;
    }
    if (axis < 0) return;
  }
}

void fill_row(DType d, char* to, int64_t stride, const char* item, int64_t n) {
  visit_dtype(d, [&](auto tag) {
    using T = decltype(tag);
    T x;
    std::memcpy(&x, item, sizeof x);
    auto* out = reinterpret_cast<T*>(to);
    for (int64_t i = 0; i < n; ++i) out[i * stride] = x;
  });
}

// Drops axes of length 1 and merges axes that both operands walk as one.
void coalesce(Dims& shape, Dims& a, Dims& b) {
  Dims s2, a2, b2;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (!s2.empty() && a2.back() == a[i] * shape[i] && b2.back() == b[i] * shape[i]) {
      s2[s2.size() - 1] *= shape[i];
      a2[a2.size() - 1] = a[i];
      b2[b2.size() - 1] = b[i];
    } else {
      s2.push_back(shape[i]);
      a2.push_back(a[i]);
      b2.push_back(b[i]);
    }
  }
  if (s2.empty()) {
    s2.push_back(1);
    a2.push_back(1);
    b2.push_back(1);
  }
  shape = s2;
  a = a2;
  b = b2;
}

}  // namespace

void copy_into(const Value& to, const Value& from) {
  if (to.size() == 0) return;
  if (from.is_scalar()) {
    const Value one = from.cast(to.dtype());
    char item[8];
    visit_dtype(to.dtype(), [&](auto tag) {
      using T = decltype(tag);
      const T x = is_floating(to.dtype()) ? static_cast<T>(one.as_double())
                                          : static_cast<T>(one.as_int64());
      std::memcpy(item, &x, sizeof x);
    });
    if (to.is_contiguous()) return fill_row(to.dtype(), to.data<char>(), 1, item, to.size());
    Dims shape = to.shape(), ts = to.strides(), fs(shape.size(), 0);
    coalesce(shape, ts, fs);
    const auto size = static_cast<int64_t>(item_size(to.dtype()));
    for_each_row(shape, ts, fs, [&](int64_t a, int64_t) {
      fill_row(to.dtype(), to.data<char>() + a * size, ts.back(), item, shape.back());
    });
    return;
  }
  Dims shape = to.shape(), ts = to.strides(),
       fs = broadcast_strides(from.shape(), from.strides(), shape);
  coalesce(shape, ts, fs);
  const CopyRow row = copy_row_for(to.dtype(), from.dtype());
  const auto to_size = static_cast<int64_t>(item_size(to.dtype()));
  const auto from_size = static_cast<int64_t>(item_size(from.dtype()));
  for_each_row(shape, ts, fs, [&](int64_t a, int64_t b) {
    row(to.data<char>() + a * to_size, ts.back(), from.data<char>() + b * from_size, fs.back(),
        shape.back());
  });
}

}  // namespace tapegrad
