#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/program.h"

namespace tapegrad {

// Numbers in ascending order by key; most keys have but one.
class NumberLists {
 public:
  void add(uint64_t key, uint32_t number) {
    const uint64_t hash = mix_hash(1, key);
    const uint32_t at = find(hash, key);
    if (at != FlatTable::none) {
      lists_[at].more.push_back(number);
      return;
    }
    table_.insert(hash, static_cast<uint32_t>(lists_.size()));
    lists_.push_back({key, number, {}});
  }

  // The last of the numbers below `end`, counted from 1; 0 where there is none.
  uint32_t last_below(uint64_t key, uint32_t end) const {
    const uint32_t at = find(mix_hash(1, key), key);
    if (at == FlatTable::none || lists_[at].first >= end) return 0;
    const std::vector<uint32_t>& more = lists_[at].more;
    const auto above = std::ranges::lower_bound(more, end);
    return (above == more.begin() ? lists_[at].first : *(above - 1)) + 1;
  }

 private:
  struct List {
    uint64_t key;
    uint32_t first;
    std::vector<uint32_t> more;
  };
  uint32_t find(uint64_t hash, uint64_t key) const {
    return table_.find(hash, [&](uint32_t k) { return lists_[k].key == key; });
  }

  FlatTable table_;
  LongVector<List> lists_;
};

// By key, a value, and after how many writes of what it belongs to it was that.
class KnownValues {
 public:
  struct Known {
    uint64_t key;
    uint32_t writes;
    ValueId value;
  };
  // Stays where it is until the next set().
  const Known* find(uint64_t key) const {
    const uint32_t at = place(key);
    return at == FlatTable::none ? nullptr : &all_[at];
  }
  void set(const Known& now) {
    const uint32_t at = place(now.key);
    if (at != FlatTable::none) {
      all_[at] = now;
      return;
    }
    table_.insert(mix_hash(1, now.key), static_cast<uint32_t>(all_.size()));
    all_.push_back(now);
  }

 private:
  uint32_t place(uint64_t key) const {
    return table_.find(mix_hash(1, key), [&](uint32_t k) { return all_[k].key == key; });
  }

  LongVector<Known> all_;
  FlatTable table_;
};

}  // namespace tapegrad
