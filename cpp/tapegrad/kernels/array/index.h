#pragma once

#include <cstdint>
#include <vector>

#include "tapegrad/base/value.h"

// These loops read and write parts of arrays. Each destination is written by one thread, in the
// order of the indices, so that the bits do not depend on the number of threads.

namespace tapegrad {

// A strided region of an array, by its shape, its strides and its offset in elements.
struct RegionView {
  std::span<const int64_t> shape, strides;
  int64_t offset;
};

// Returns a packed copy of the region.
Value copy_region(const Value& from, const RegionView& region);
// Sets base[region] = update, which has base's dtype and broadcasts to the region's shape.
void set_region(const Value& base, const RegionView& region, const Value& update);
// Adds update, of base's (floating) dtype and the region's shape, to base[region].
void add_region(const Value& base, const RegionView& region, const Value& update);

// Returns the flat position of each index tuple, the sum over k of indices[k] * strides[k], for the
// index arrays broadcast to `shape`, as a flat int64 array. Negative indices count from the end; an
// IndexError names axes[k] where one is out of range for lengths[k].
Value index_offsets(std::span<const Value> indices, std::span<const int64_t> shape,
                    std::span<const int64_t> axes, std::span<const int64_t> lengths,
                    std::span<const int64_t> strides);

// A GatherView names the elements base[offset + before + offsets[b] + after] for all of before x b
// x after.
struct GatherView {
  std::span<const int64_t> before, before_strides, after, after_strides;
  int64_t offset;
  const Value* offsets;
};

// A gather writes the elements into `out` (packed, of base's dtype); a scatter writes `update`
// (packed) into base[...] or adds it there.
void gather_elements(const Value& out, const Value& base, const GatherView& view);
void scatter_set(const Value& base, const GatherView& view, const Value& update);
void scatter_add(const Value& base, const GatherView& view, const Value& update);

// Returns one bool for each offset: whether no later one equals it. Sets *all where that holds for
// every one.
Value last_occurrences(const Value& offsets, bool* all);

// Returns one int64 array for each axis: the positions where a packed mask is true, in C order.
std::vector<Value> nonzero(const void* mask, std::span<const int64_t> shape);

}  // namespace tapegrad
