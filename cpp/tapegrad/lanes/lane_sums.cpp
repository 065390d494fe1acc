#include "tapegrad/lanes/lane_sums.h"

#include <algorithm>

#include "tapegrad/base/buffer.h"
#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

// The balanced tree of reduce_axis.cpp over count rows of `width`, in place; the result is in the
// row returned.
template <class T>
T* combine_tree(const FoldLoops<T>& fold, T* rows, int64_t count, int64_t width) {
  T* waiting[64];  // the sum of 2^level rows
  for (int64_t i = 0; i < count; ++i) {
    T* x = rows + i * width;
    int level = 0;
    for (; i >> level & 1; ++level) fold.merge(waiting[level], x, width);
    waiting[level] = x;
  }
  T* x = nullptr;
  for (int level = 0; count >> level; ++level) {
    if (!(count >> level & 1)) continue;
    if (x) fold.merge(waiting[level], x, width);
    if (!x) x = waiting[level];
  }
  return x;
}

}  // namespace

int64_t SumGeometry::grain() const { return (outer == 1 && n > chunk() ? chunk() : n) * width; }

SumGeometry sum_geometry(std::span<const int64_t> space, std::span<const int64_t> shape) {
  bool fits = shape.size() <= space.size();
  const size_t lead = fits ? space.size() - shape.size() : 0;
  int64_t kept[2] = {1, 1}, reduced = 1;  // before and after the reduced axes
  bool general = false;
  for (size_t i = 0; i < space.size() && fits; ++i) {
    const int64_t from = space[i], to = i < lead ? 1 : shape[i - lead];
    fits = to == from || to == 1;
    if (from == 1) continue;
    if (to == from) {
      kept[reduced == 1 ? 0 : 1] *= from;
    } else {
      general |= kept[1] != 1;
      reduced *= from;
    }
  }
  if (!fits)
    throw_error<ValueError>("LaneProgram: a sum over the space ", Dims(space),
                            " can't have the shape ", Dims(shape),
                            "; each length must be equal or 1, counted from the last axis");
  using Kind = SumGeometry::Kind;
  if (reduced == 1) return {Kind::none, 1, 1, 1};
  const Kind kind = general ? Kind::general : kept[1] == 1 ? Kind::rows : Kind::columns;
  return {kind, kept[0], reduced, kept[1]};
}

template <class T>
void LaneSink<T>::take(const T* x, int64_t begin, int64_t count) {
  switch (sum.kind) {
    case SumGeometry::Kind::rows:
      return take_rows(x, begin, count);
    case SumGeometry::Kind::columns:
      return take_columns(x, begin, count);
    default:
      std::copy_n(x, count, partials + begin);
  }
}

template <class T>
void LaneSink<T>::take_rows(const T* x, int64_t begin, int64_t count) {
  const int64_t n = sum.n, parts = sum.parts();
  int64_t row = sum.outer == 1 ? 0 : begin / n, at = begin - row * n;
  while (count > 0) {
    if (at == 0 && n <= fold_chunk && count >= n) {  // whole rows
      const int64_t rows = count / n;
      fold->rows(x, n, rows, 1, n, nullptr, partials + row);
      row += rows, x += rows * n, count -= rows * n;
      continue;
    }
    const int64_t part = at / fold_chunk, first = at - part * fold_chunk;
    const int64_t length = std::min(fold_chunk, n - part * fold_chunk);
    const int64_t here = std::min(count, length - first);
    T& result = partials[row * parts + part];
    if (here == length) {
      result = fold->row(x, 1, length, T{});
    } else {
      lanes->accumulate(sums, x, first, here);
      if (first + here == length) result = lanes->finish(sums, length);
    }
    x += here, count -= here, at += here;
    if (at == n) ++row, at = 0;
  }
}

template <class T>
void LaneSink<T>::take_columns(const T* x, int64_t begin, int64_t count) {
  const int64_t n = sum.n, width = sum.width, chunk = sum.chunk(), parts = sum.parts();
  int64_t outer = begin / (n * width), rest = begin - outer * n * width;
  int64_t row = rest / width, column = rest - row * width;
  while (count > 0) {
    T* to = partials + (outer * parts + row / chunk) * width + column;
    const bool fresh = row % chunk == 0;
    if (column == 0 && count >= width) {
      const int64_t rows = std::min({count / width, chunk - row % chunk, n - row});
      if (fresh) std::fill_n(to, width, fold->identity);
      fold->columns(to, x, width, rows, width, nullptr);
      row += rows, x += rows * width, count -= rows * width;
    } else {
      const int64_t here = std::min(count, width - column);
      if (fresh) {
        std::copy_n(x, here, to);
      } else {
        fold->columns(to, x, 0, 1, here, nullptr);
      }
      x += here, count -= here, column += here;
      if (column == width) ++row, column = 0;
    }
    if (row == n) ++outer, row = 0;
  }
}

template <class T>
void finish_sums(const FoldLoops<T>& fold, const SumGeometry& sum, T* partials, T* out) {
  const int64_t parts = sum.parts();
  if (parts == 1) {
    if (partials != out) std::copy_n(partials, sum.outer * sum.width, out);
    return;
  }
  for (int64_t i = 0; i < sum.outer; ++i)
    std::copy_n(combine_tree(fold, partials + i * parts * sum.width, parts, sum.width), sum.width,
                out + i * sum.width);
}

template <class T>
T sum_of_uniform(const FoldLoops<T>& fold, const SumGeometry& sum, T x) {
  if (sum.kind == SumGeometry::Kind::none) return x;
  const auto chunk_of = [&](int64_t length) {
    T row[fold_chunk];
    std::fill_n(row, length, x);
    if (sum.kind == SumGeometry::Kind::rows) return fold.row(row, 1, length, T{});
    T result = fold.identity;
    fold.columns(&result, row, 1, length, 1, nullptr);
    return result;
  };
  const int64_t parts = sum.parts(), chunk = sum.chunk();
  if (parts == 1) return chunk_of(sum.n);
  Buffer* buffer = Buffer::allocate(static_cast<size_t>(parts) * sizeof(T));
  T* partials = static_cast<T*>(static_cast<void*>(buffer->data()));
  std::fill_n(partials, parts - 1, chunk_of(chunk));
  partials[parts - 1] = chunk_of(sum.n - (parts - 1) * chunk);
  const T result = *combine_tree(fold, partials, parts, int64_t{1});
  buffer->drop();
  return result;
}

template struct LaneSink<float>;
template struct LaneSink<double>;
template void finish_sums(const FoldLoops<float>&, const SumGeometry&, float*, float*);
template void finish_sums(const FoldLoops<double>&, const SumGeometry&, double*, double*);
template float sum_of_uniform(const FoldLoops<float>&, const SumGeometry&, float);
template double sum_of_uniform(const FoldLoops<double>&, const SumGeometry&, double);

}  // namespace tapegrad
