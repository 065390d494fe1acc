// How parts of one array lie to one another, by their basic keys: one item for each axis, a single
// position or a range.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tapegrad {

enum class Overlap : uint8_t {
  none,
  same,
  inside,   // the second is within the first
  around,   // the first is within the second
  unclear,  // partly, or not told
};
Overlap overlap_of(std::span<const int64_t> first, std::span<const int64_t> second);

// The key of `inner` in what `outer`, which is around it, takes.
std::vector<int64_t> key_within(std::span<const int64_t> inner, std::span<const int64_t> outer);

}  // namespace tapegrad
