// A hash table in one flat vector, from what the caller knows how to hash and compare to a number.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tapegrad/base/pooled.h"

namespace tapegrad {

inline uint64_t mix_hash(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

class FlatTable {
 public:
  static constexpr uint32_t none = ~uint32_t{0};

  // The item of this hash for which same(item) holds, or none.
  template <class Same>
  uint32_t find(uint64_t hash, Same same) const {
    if (slots_.empty()) return none;
    const size_t mask = slots_.size() - 1;
    const auto h = static_cast<uint32_t>(hash >> 32);
    for (size_t at = h & mask; slots_[at].item != none; at = (at + 1) & mask)
      if (slots_[at].hash == h && same(slots_[at].item)) return slots_[at].item;
    return none;
  }

  void insert(uint64_t hash, uint32_t item) {
    if (3 * ++count_ > 2 * slots_.size()) grow();
    put({static_cast<uint32_t>(hash >> 32), item});
  }

  // Room for so many without growing.
  void reserve(size_t count) {
    while (2 * slots_.size() < 3 * count) grow();
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t item = none;
  };

  void put(Slot slot) {
    const size_t mask = slots_.size() - 1;
    size_t at = slot.hash & mask;
    while (slots_[at].item != none) at = (at + 1) & mask;
    slots_[at] = slot;
  }

  void grow() {
    LongVector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.item != none) put(slot);
  }

  LongVector<Slot> slots_;
  size_t count_ = 0;
};

}  // namespace tapegrad
