#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "tapegrad/base/dtype.h"
#include "tapegrad/base/shape.h"

// Walks over two strided operands of one shape by flat position, so that any part of the range can
// be given to any thread.

namespace tapegrad::index_walk {

// An item that is moved and never computed with: copies need to know no more of a dtype than its
// size.
template <size_t Size>
struct alignas(Size) Item {
  unsigned char bytes[Size];
};

template <class F>
void visit_width(DType d, F&& f) {
  switch (item_size(d)) {
    case 1:
      return f(Item<1>{});
    case 2:
      return f(Item<2>{});
    case 4:
      return f(Item<4>{});
    default:
      return f(Item<8>{});
  }
}

struct Walk {
  Dims shape, a, b;
  int64_t size = 1;
};

// Drops axes of length 1 and merges axes that both operands walk as one; at least one axis is left.
inline Walk make_walk(std::span<const int64_t> shape, std::span<const int64_t> a,
                      std::span<const int64_t> b) {
  Walk w;
  for (size_t i = 0; i < shape.size(); ++i) {
    w.size *= shape[i];
    if (shape[i] == 1) continue;
    if (!w.shape.empty() && w.a.back() == a[i] * shape[i] && w.b.back() == b[i] * shape[i]) {
      w.shape[w.shape.size() - 1] *= shape[i];
      w.a[w.a.size() - 1] = a[i];
      w.b[w.b.size() - 1] = b[i];
    } else {
      w.shape.push_back(shape[i]);
      w.a.push_back(a[i]);
      w.b.push_back(b[i]);
    }
  }
  if (w.shape.empty()) {
    w.shape.push_back(1);
    w.a.push_back(1);
    w.b.push_back(1);
  }
  return w;
}

// Calls f(a, b, n) for the runs along the last axis that cover the flat positions [begin, end); a
// and b are element offsets of the run's first element.
template <class F>
void for_each_run(const Walk& w, int64_t begin, int64_t end, F&& f) {
  if (begin >= end) return;
  const int last = w.shape.ndim() - 1;
  const auto back = static_cast<size_t>(last);
  Dims index(w.shape.size());
  int64_t a = 0, b = 0, rest = begin;
  for (int i = last; i >= 0; --i) {
    const auto axis = static_cast<size_t>(i);
    index[axis] = rest % w.shape[axis];
    rest /= w.shape[axis];
    a += index[axis] * w.a[axis];
    b += index[axis] * w.b[axis];
  }
  for (int64_t at = begin;;) {
    const int64_t n = std::min(w.shape[back] - index[back], end - at);
    f(a, b, n);
    at += n;
    if (at >= end) return;
    a -= index[back] * w.a[back];
    b -= index[back] * w.b[back];
    index[back] = 0;
    for (int i = last - 1; i >= 0; --i) {
      const auto axis = static_cast<size_t>(i);
      a += w.a[axis];
      b += w.b[axis];
      if (++index[axis] < w.shape[axis]) break;
      a -= w.a[axis] * w.shape[axis];
      b -= w.b[axis] * w.shape[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace tapegrad::index_walk
