#pragma once

#include <algorithm>
#include <cstdint>

#include "tapegrad/base/value.h"

// How a reduction is cut up. A task owns `width` neighbouring outputs: one output where the reduced
// axes hold the smallest stride (rows), a block of them along the kept axis of smallest stride
// otherwise (columns). Its input is cut into chunks, which are combined in a fixed tree.

namespace tapegrad {

inline constexpr int64_t column_rows = 64;
inline constexpr int64_t column_width = 512;

template <class T>
struct ReductionPlan {
  const T* data = nullptr;
  Dims kept, kept_in, kept_out;  // tasks: all kept axes but the column axis, coalesced
  Dims red, red_in;              // all reduced axes but the innermost
  int64_t n = 1, step = 1;       // the innermost reduced axis
  int64_t columns = 1, column_step = 0, column_out = 0;  // the column axis, columns mode
  bool by_columns = false;
  int64_t blocks = 1;                        // column blocks of a row
  int64_t chunk = 1, parts = 1, chunks = 1;  // elements, chunks a row, chunks a task
  int64_t tasks = 1;

  int64_t width(int64_t block) const {
    return std::min(column_width, columns - block * column_width);
  }
};

// The plan follows from the shape and the strides alone; no axis of v has length 0.
template <class T>
ReductionPlan<T> plan_reduction(const Value& v, const Dims& reduced);

}  // namespace tapegrad
