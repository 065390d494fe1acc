// A LaneKernel is a scalar tape (scalar/tape.h) that runs over the elements of an index space: what
// a fused expression, forward and reverse in one, is compiled to.
//
// The index space is a shape; an input is an array (or scalar) that broadcasts to it, of any dtype
// and strides, or one that is read through an index array (LaneGather). An output is an operand
// stored as an array of the space's shape, or summed down to a shape that broadcasts to it
// (sum_to_shape: () gives the sum of all). Blocks of lanes stay in the first-level cache; threads
// share out the blocks. The bits depend on kernel, shapes and instruction-set level alone; sums are
// those of kernels/reduce/reduce_sum.h, except in a kernel over a batch (lane_batch.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/lanes/lane_batch.h"
#include "tapegrad/lanes/lane_window.h"
#include "tapegrad/scalar/tape.h"

namespace tapegrad {

// These functions of a whole row give one. Kernels of loops alone have them (kernels/fused/loop).
constexpr ScalarFn row_sum = static_cast<ScalarFn>(scalar_fn_limit);  // of all lanes, in each
constexpr ScalarFn row_copy = static_cast<ScalarFn>(scalar_fn_limit + 1);
// These functions see where their lanes are (lane_window.h); the third operand is the number of a
// window.
constexpr ScalarFn window_add = static_cast<ScalarFn>(scalar_fn_limit + 2);
constexpr ScalarFn window_set = static_cast<ScalarFn>(scalar_fn_limit + 3);
constexpr bool is_window_fn(ScalarFn fn) { return index_of(fn) >= scalar_fn_limit + 2; }
constexpr bool is_row_fn(ScalarFn fn) {
  return index_of(fn) >= scalar_fn_limit && !is_window_fn(fn);
}

// An input that is read through an index array: x taken along one axis, as the op gather does,
// without the array that it would make.
struct LaneGather {
  uint32_t input;  // of the kernel: the array
  uint32_t index;  // which of the index arrays, that come after the inputs
  int axis;        // of the array; the index array's axes stand in its place
  friend bool operator==(const LaneGather&, const LaneGather&) = default;
};

struct LaneKernel : ScalarTape {
  struct Output {
    uint32_t operand;
    bool summed = false;
    Dims shape{};                  // of a summed output
    DType dtype = DType::float64;  // bool_ for a stored comparison, else the kernel's dtype
    uint32_t once = ~uint32_t{0};  // in a batch: a uniform operand that is added to the sum
  };

  DType dtype = DType::float64;  // what is computed in: float64 or float32
  std::vector<Output> outputs{};
  // Inputs that are taken through index arrays, which are given after the inputs. Where several
  // have an index out of bounds, the first of them says so.
  std::vector<LaneGather> gathers{};
  uint32_t n_indices = 0;
  std::vector<LaneWindow> windows{};
  std::vector<int64_t> offsets{};   // where each input lies, or no_offset; empty: all broadcast
  std::vector<LaneWindow> boxes{};  // and in which part of the space, where it is no wider
  // A kernel over a batch says here where its inputs and outputs lie; its space has one axis.
  std::shared_ptr<const LaneBatch> batch{};

  const LaneGather* gather_of(uint32_t input) const {
    for (const LaneGather& g : gathers)
      if (g.input == input) return &g;
    return nullptr;
  }
  int64_t offset(size_t input) const { return offsets.empty() ? no_offset : offsets[input]; }
};

int lane_arity(ScalarFn fn);
double lane_ns(ScalarFn fn);  // rough cost per lane

// Throws ValueError where the operands are not numbered as they should be.
void check_lane_kernel(const LaneKernel& kernel);

// Prints one instruction a line, for tests and inspection.
std::string to_string(const LaneKernel& kernel);

}  // namespace tapegrad
