// Basic keys of parts of arrays: how parts of one array lie to one another, where each axis has one
// item, a single position or a range; and parts of parts.
#pragma once

#include <cstdint>
#include <optional>
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

// The key that takes of x what `inner` takes of x[outer], every axis of both having its item;
// nothing where none does.
std::optional<std::vector<int64_t>> key_of_both(std::span<const int64_t> outer,
                                                std::span<const int64_t> inner);

}  // namespace tapegrad
