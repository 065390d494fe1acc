// Sums of products of columns and rows, in registers; compiled for each instruction-set level.
#pragma once

#include <cstdint>

namespace tapegrad {

template <class T>
struct OuterSums {
  int64_t width;  // columns come in multiples of it
  // sums[r * columns + c] += left[r] * right[c], `turns` times, one after the other: in turn t the
  // factors are left + t * left_step and right + t * right_step. Both roundings are kept.
  void (*add)(T* sums, int64_t rows, int64_t columns, const T* left, int64_t left_step,
              const T* right, int64_t right_step, int64_t turns);
};

template <class T>
const OuterSums<T>& outer_sums();

}  // namespace tapegrad
