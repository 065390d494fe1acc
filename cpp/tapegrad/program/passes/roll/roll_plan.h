// What rolling a program's loops takes: where each value was made, which single turns are read from
// outside, and what a series that a loop reads is made of.
#pragma once

#include <optional>
#include <span>

#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"
#include "tapegrad/program/passes/roll/find/roll_keys.h"

namespace tapegrad {

class RollPlan {
 public:
  RollPlan(const Program& p, std::vector<RolledLoop> loops);

 protected:
  using Role = RolledLoop::Role;
  using Kind = RolledLoop::Kind;
  static constexpr uint32_t none = ~uint32_t{0};
  static constexpr uint32_t long_stack = 8;

  struct State {
    bool reverse = false;             // the scan runs from the last element to the first
    std::vector<uint32_t> first_key;  // by step of the body: the number of its first output
    // These are by key.
    std::vector<bool> wanted;                // stacked over the turns
    std::vector<uint32_t> ages;              // how many carries there are of it, of ages from 1 on
    std::vector<ValueId> stacked;            // new values
    std::vector<std::vector<ValueId>> last;  // of carries, by age - 1, and of scatters
  };

  // The place where an old value of a loop was made.
  struct Place {
    uint32_t loop, turn, k, key;
  };

  // An element of a series as element `index` of something stacked, or as a part of an array.
  struct Element {
    enum class From : uint8_t { other, loop, slice, unstack } from = From::other;
    uint64_t source = 0;  // what it is an element of
    ValueId base = 0;     // of slices and unstacks: old
    int64_t index = 0;    // slices have their keys
    uint32_t step = 0;
  };

  std::optional<Place> place_of(ValueId v) const;
  Role role_of(const Place& at) const { return loops_[at.loop].roles[at.k]; }
  // Whether a carry holds behind the last turn what was made there.
  bool is_left_over(const Place& at) const {
    return at.turn + states_[at.loop].ages[at.key] >= loops_[at.loop].count;
  }
  // The index of a turn in stacked results, and back.
  uint32_t index_of_turn(uint32_t i, uint32_t turn) const {
    return states_[i].reverse ? loops_[i].count - 1 - turn : turn;
  }
  ValueId read(uint32_t i, uint32_t turn, uint32_t k, uint32_t a) const {
    return p_.in(p_.steps[loops_[i].step(turn, k)])[a];
  }
  // What operand a, or the output, of a step of the body is at each turn, by index.
  std::vector<ValueId> turns_of(uint32_t i, uint32_t k, uint32_t a, bool output) const;

  Element element_of(ValueId v) const;
  std::span<const int64_t> code_of(const Element& slice) const {
    return p_.attrs_of(p_.steps[slice.step]).integers(index_attrs::code);
  }
  // How one element follows another of the same thing: for stacks the only item is the index.
  std::optional<KeyMove> move_between(const Element& a, const Element& b) const;
  // How many of the first values are elements of one thing, at equal distances.
  size_t run_length(std::span<const ValueId> list) const;
  // The positions at which many values are parts of one array whose keys differ in these items
  // alone; nothing where they are not.
  struct Positions {
    std::vector<size_t> items;             // in order
    std::vector<std::vector<int64_t>> at;  // by item
  };
  std::optional<Positions> scattered(std::span<const ValueId> list) const;
  // Those of steps of the body at each turn, turn by turn.
  Positions positions_of(uint32_t i, std::span<const uint32_t> steps) const;
  // A stack that a series of its own may stand for.
  bool is_long_stack(const Program::Step& s) const;

  const Program& p_;
  const std::vector<RolledLoop> loops_;
  std::vector<State> states_;
  std::vector<uint32_t> at_;  // by step: its loop

 private:
  static std::optional<Positions> positions_in(std::span<const std::span<const int64_t>> codes);
  bool runs_backwards(uint32_t i) const;
  void want(ValueId v);
  void want_list(std::span<const ValueId> list);
  void find_wanted();
};

}  // namespace tapegrad
