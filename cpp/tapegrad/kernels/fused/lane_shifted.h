// Reads inputs that stand anywhere beside the index space of a kernel (lanes/lane_window.h).
#pragma once

#include "tapegrad/kernels/fused/lane_inputs.h"
#include "tapegrad/lanes/lane_window.h"

namespace tapegrad {

// Gives lanes [begin, begin + n) of an input of `shape`, where they lie or packed into `row`.
template <class T>
T* lanes_at(const LaneInput<T>& input, std::span<const int64_t> shape, int64_t offset,
            int64_t begin, int64_t n, T* row);
// Does the same for an input that fills a box.
template <class T>
void lanes_of_box(const LaneInput<T>& input, std::span<const int64_t> shape, int64_t offset,
                  const LaneWindow& box, std::span<const int64_t> space, int64_t begin, int64_t n,
                  T* row);

}  // namespace tapegrad
