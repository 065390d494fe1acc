// Sums a kernel's operand over some axes of the index space, block by block, with the bits of
// sum_to_shape applied to the whole array (see reduce_axis.cpp for the order).
#pragma once

#include <span>

#include "tapegrad/base/shape.h"
#include "tapegrad/rows/lane_steps.h"
#include "tapegrad/rows/reduce_loops.h"

namespace tapegrad {

// The index space is seen as (outer, n, width) and summed along n. `general`: it can't be seen so.
struct SumGeometry {
  enum class Kind : uint8_t { none, rows, columns, general };
  Kind kind = Kind::none;
  int64_t outer = 1, n = 1, width = 1;

  int64_t chunk() const { return kind == Kind::columns ? 64 : fold_chunk; }
  int64_t parts() const { return (n + chunk() - 1) / chunk(); }
  int64_t partials() const { return outer * parts() * width; }
  // Threads may cut the space at multiples of this without cutting a chunk.
  int64_t grain() const;
};

// Throws ValueError where `shape` is none that broadcasts to `space`.
SumGeometry sum_geometry(std::span<const int64_t> space, std::span<const int64_t> shape);

// Takes the lanes of one output, block by block in ascending order.
template <class T>
struct LaneSink {
  const LaneLoops<T>* lanes = nullptr;
  const FoldLoops<T>* fold = nullptr;
  SumGeometry sum;
  T* partials = nullptr;  // results of chunks; with `general` the operand itself
  T* sums = nullptr;      // of the chunk that the last block ended in; a thread's own

  void take(const T* x, int64_t begin, int64_t count);

 private:
  void take_rows(const T* x, int64_t begin, int64_t count);
  void take_columns(const T* x, int64_t begin, int64_t count);
};

// Combines the chunks' results, which are destroyed.
template <class T>
void finish_sums(const FoldLoops<T>& fold, const SumGeometry& sum, T* partials, T* out);

// Gives what every element of the sum is where the array holds x everywhere (not `general`).
template <class T>
T sum_of_uniform(const FoldLoops<T>& fold, const SumGeometry& sum, T x);

}  // namespace tapegrad
