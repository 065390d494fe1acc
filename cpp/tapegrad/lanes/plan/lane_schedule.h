#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tapegrad {

// An order of items 0 .. n-1 in which each comes after those that it depends on, and items of one
// kind stand together: where an interpreter goes from one kind to the next, the processor guesses
// wrong. depends(i) are items before i (repeats allowed): dependencies[first[i] .. first[i + 1]).
// No item moves further ahead than `window`: what is computed early must be kept longer.
std::vector<uint32_t> group_by_kind(std::span<const uint16_t> kinds,
                                    std::span<const uint32_t> first,
                                    std::span<const uint32_t> dependencies, uint32_t window);

}  // namespace tapegrad
