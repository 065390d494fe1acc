// Arrays that are written part by part (`c[i] = ...` in a loop). Such an array is a *chain* of
// versions, each made by one write from the version before.
//
// Parts of a chain are told apart by an index that is one position in all of its writes, the
// *lead*: the first, mostly (x[i], x[i, j], x[i, 1:]), or that of another axis (x[:, j]). Other
// keys end a chain. Each chain keeps its writes by part, so that looking for the last one of a part
// takes no time that grows with the chain.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/passes/local/part_keys.h"
#include "tapegrad/program/passes/local/parts/number_lists.h"

namespace tapegrad {

class PartChains {
 public:
  static constexpr uint32_t none = ~uint32_t{0};

  struct Part {
    uint32_t number = none;  // equal keys have one number
    bool is_element = false;
    bool is_known() const { return number != none; }
  };
  struct Version {
    uint32_t chain = none, writes = 0;  // how many writes of the chain it holds
  };
  struct Write {
    ValueId update;
    uint32_t part;  // its number
    bool adds;
    ValueId now;             // the array after it
    ValueId sum = no_value;  // of an addition: what the part holds after it, where that is known
  };
  struct Chain {
    ValueId root;
    size_t axis;  // of the lead
    std::vector<Write> writes;
  };
  // The last write that touches a part, counted from 1; 0 where there is none.
  struct Touch {
    uint32_t number = 0;
    Overlap how = Overlap::none;
  };

  // What a basic key with these attributes takes of an array. Equal keys may stand in the program
  // as several attributes.
  Part part_of(const Program& p, uint32_t attrs, ValueId array);
  const std::vector<int64_t>& code_of(uint32_t part) const { return codes_[part]; }
  // Its position on an axis, if it has one there.
  std::optional<uint32_t> lead_of(const Part& part, size_t axis) const;

  Version version_of(ValueId v) const { return v < versions_.size() ? versions_[v] : Version{}; }
  const Chain& chain(uint32_t k) const { return chains_[k]; }
  void set_sum(uint32_t chain, uint32_t write, ValueId sum) {
    chains_[chain].writes[write].sum = sum;
  }

  // `now` is `array` after a write of `update` to a part of it.
  void add(ValueId now, ValueId array, const Part& part, ValueId update, bool adds);

  // Among the first `end` writes of a chain.
  Touch last_touch(uint32_t chain, const Part& part, uint32_t end) const;
  // Whether a version holds a write of one element at this lead.
  bool has_element_at(const Version& v, uint32_t lead) const {
    return elements_.last_below(key(v.chain, lead), v.writes) != 0;
  }

  static uint64_t key(uint32_t chain, uint32_t x) { return uint64_t{chain} << 32 | x; }

 private:
  struct SeenPart {
    Part part;
    bool is_seen = false;
  };

  size_t first_position(const Part& part) const;

  std::vector<SeenPart> part_of_attrs_;
  FlatTable part_numbers_;
  std::deque<std::vector<int64_t>> codes_;  // by number of the part
  LongVector<Version> versions_;            // by value
  std::vector<Chain> chains_;
  NumberLists of_part_;            // by chain and part
  NumberLists elements_, others_;  // by chain and lead
};

}  // namespace tapegrad
