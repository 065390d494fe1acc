#pragma once

#include <cstdint>
#include <vector>

#include "tapegrad/base/value.h"

// Loops that read and write parts of arrays. Each destination is written by one thread, in the
// order of the indices, so that the bits do not depend on the number of threads.

namespace tapegrad {

// Where a strided region lies in an array: shape, and strides and offset in elements.
struct RegionView {
  std::span<const int64_t> shape, strides;
  int64_t offset;
};

// A packed copy of the region.
Value copy_region(const Value& from, const RegionView& region);
// base[region] = update, of base's dtype, its shape broadcast to the region's.
void set_region(const Value& base, const RegionView& region, const Value& update);
// base[region] += update, of base's (floating) dtype and the region's shape.
void add_region(const Value& base, const RegionView& region, const Value& update);

// Flat position of each index tuple: sum over k of indices[k] * strides[k], for the index arrays
// broadcast to `shape`. Negative indices count from the end; IndexError names axes[k] where one is
// out of range for lengths[k]. An int64 array of `shape` flattened.
Value index_offsets(std::span<const Value> indices, std::span<const int64_t> shape,
                    std::span<const int64_t> axes, std::span<const int64_t> lengths,
                    std::span<const int64_t> strides);

// Elements base[offset + before + offsets[b] + after] for all of before x b x after.
struct GatherView {
  std::span<const int64_t> before, before_strides, after, after_strides;
  int64_t offset;
  const Value* offsets;
};

// out (packed, of base's dtype) gets the elements; base[...] gets or accumulates `update` (packed).
void gather_elements(const Value& out, const Value& base, const GatherView& view);
void scatter_set(const Value& base, const GatherView& view, const Value& update);
void scatter_add(const Value& base, const GatherView& view, const Value& update);

// One bool for each offset: no later one equals it. Sets *all where that holds for every one.
Value last_occurrences(const Value& offsets, bool* all);

// One int64 array for each axis: the positions where a packed mask is true, in C order.
std::vector<Value> nonzero(const void* mask, std::span<const int64_t> shape);

}  // namespace tapegrad
