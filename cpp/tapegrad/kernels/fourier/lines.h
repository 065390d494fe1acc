// How transforms walk the lines of packed arrays, one or a vector's width of lanes at a time, and
// read and write them.
#pragma once

#include <algorithm>

#include "tapegrad/base/value.h"
#include "tapegrad/kernels/fourier/plan.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {

// Arrays of (outer, length, inner): a line is one pair of outer and inner.
struct Lines {
  int64_t outer = 1, inner = 1;
  Lines(const Dims& shape, int axis) {
    for (size_t i = 0; i < shape.size(); ++i) {
      if (i < static_cast<size_t>(axis)) outer *= shape[i];
      if (i > static_cast<size_t>(axis)) inner *= shape[i];
    }
  }
};

// Some neighbouring lines that are transformed side by side: `count` of `lanes`; the other lanes
// hold zeros.
struct Bundle {
  int64_t outer, inner;  // the first line
  int64_t lanes, count;
};

// A row of at least as many vectors is transformed alone.
constexpr int64_t shortest_row = 8;
constexpr int64_t cache_bytes = 1 << 19;

// Calls f(bundle, scratch) for all lines, n points each, with `arrays` of `length` numbers per lane
// as scratch. Lines whose elements lie side by side and that fill vectors by themselves go one by
// one, and so do those whose transform takes one lane.
template <class T, class F>
void over_lines(const Lines& lines, const FourierPlan<T>& plan, int arrays, int64_t length, F&& f) {
  constexpr int64_t width = fourier_lanes<T>;
  const bool is_row = lines.inner == 1;
  const int64_t along = is_row ? lines.outer : lines.inner, others = is_row ? 1 : lines.outer;
  const bool is_single = plan.is_square() || (is_row && plan.size() >= shortest_row * width) ||
                         (along < width / 2 && plan.size() >= width);
  // Columns are read and written in longer pieces as long as the scratch stays in the cache.
  int64_t lanes = is_single ? 1 : width;
  while (!is_single && !is_row && lanes < 8 * width && 2 * lanes <= along &&
         4 * arrays * length * lanes * static_cast<int64_t>(sizeof(T)) <= cache_bytes)
    lanes *= 2;
  const int64_t bundles = (along + lanes - 1) / lanes;
  const auto part = [&](int64_t begin, int64_t end) {
    const FourierScratch<T> scratch(arrays, length * lanes);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % bundles * lanes, count = std::min(lanes, along - first);
      f(is_row ? Bundle{first, 0, lanes, count} : Bundle{i / bundles, first, lanes, count},
        scratch);
    }
  };
  if (others * bundles == 1) return part(0, 1);
  parallel_for(others * bundles, 1, static_cast<double>(lanes) * plan.cost(), part);
}

// The lines of one bundle in an array with `length` elements along the axis.
template <class T>
struct Strands {
  T* data;
  int64_t step, lane_step;
  Strands(T* all, int64_t length, const Lines& lines, const Bundle& b)
      : data(all + b.outer * length * lines.inner + b.inner),
        step(lines.inner),
        lane_step(lines.inner == 1 ? length : 1) {}
  Strands(T* rows, int64_t lanes) : data(rows), step(lanes), lane_step(1) {}  // side by side
};

// to[j * lanes + l] = element start + j * stride of lane l, for j < n; the lanes that hold none are
// filled with zeros.
template <class T>
void read_lines(const Strands<const T>& from, const Bundle& b, int64_t start, int64_t stride,
                int64_t n, T* to) {
  const FourierLoops<T>& loops = fourier_loops<T>();
  const T* data = from.data + start * from.step;
  const int64_t step = from.step * stride;
  if (b.lanes == 1 && step == 1) {
    std::copy(data, data + n, to);
  } else if (b.lanes == 1) {
    for (int64_t j = 0; j < n; ++j) to[j] = data[j * step];
  } else if (from.lane_step == 1 && b.count == b.lanes) {
    loops.copy_rows(n, b.lanes, T{1}, data, step, to, b.lanes);
  } else if (step == 1 && b.count == b.lanes) {
    loops.transpose(n, data, from.lane_step, to, b.lanes);
  } else {
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < b.lanes; ++l)
        to[j * b.lanes + l] = l < b.count ? data[j * step + l * from.lane_step] : T{0};
  }
}

// Element start + j * stride of lane l = scale * from[j * lanes + l].
template <class T>
void write_lines(const Strands<T>& to, const Bundle& b, int64_t start, int64_t stride, int64_t n,
                 T scale, const T* from) {
  const FourierLoops<T>& loops = fourier_loops<T>();
  T* data = to.data + start * to.step;
  const int64_t step = to.step * stride;
  if (b.lanes == 1 && step == 1) return loops.copy(n, scale, from, data);
  if (to.lane_step == 1 && b.count == b.lanes && b.lanes > 1)
    return loops.copy_rows(n, b.lanes, scale, from, b.lanes, data, step);
  int64_t done = 0;
  if (step == 1 && scale == 1 && b.count == b.lanes)
    for (; done + b.lanes <= n; done += b.lanes)
      loops.transpose(b.lanes, from + done * b.lanes, b.lanes, data + done, to.lane_step);
  for (int64_t l = 0; l < b.count; ++l)
    for (int64_t j = done; j < n; ++j)
      data[l * to.lane_step + j * step] = scale * from[j * b.lanes + l];
}

}  // namespace tapegrad
