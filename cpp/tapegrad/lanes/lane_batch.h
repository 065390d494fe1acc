// A kernel over a batch runs along one long axis of arrays that have others too: what the arrays
// hold for one lane is taken apart into scalars, each an input or output of its own, that all lanes
// have or that is the same for them all. Thousands of them are read from a few arrays, and written
// to a few.
//
// Products that are added run as fused multiply-adds where the machine has them, and sums over the
// lanes are taken in chunks whose length depends on the number of lanes alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tapegrad/base/value.h"

namespace tapegrad {

struct LaneBatch {
  static constexpr int no_axis = -1;

  struct Array {
    Dims shape;
    DType dtype;
    int axis;  // the lanes run along it; no_axis: the same for all, or summed over them
  };
  // Element `at`, in C order, of what an array holds for one lane.
  struct Part {
    uint32_t array;
    uint32_t at;
  };

  // Where an output array lies: in a result, from that element on, in C order.
  struct Place {
    uint32_t result;
    int64_t first;
  };

  std::vector<Array> in, out;
  std::vector<Part> inputs, outputs;  // by input and output of the kernel
  // By output array; empty: each is a result of its own.
  std::vector<Place> places;
  std::vector<TensorType> joined;  // then these are the results

  size_t n_results() const { return places.empty() ? out.size() : joined.size(); }
  Place place(uint32_t array) const { return places.empty() ? Place{array, 0} : places[array]; }
};

}  // namespace tapegrad
