// Loops in a program that was recorded step by step: a stretch of steps that repeats, each time
// reading what the time before made.
#pragma once

#include <cstdint>
#include <vector>

#include "tapegrad/program/program.h"

namespace tapegrad {

struct RolledLoop {
  enum class Role : uint8_t {
    computed,
    hoisted,  // the same at every turn
    varying,  // by attributes alone, of what is the same at every turn: x[t]
    scatter,  // writes part t of an array that nothing but the next of such steps reads
    straight  // made turn by turn, in a loop that is distributed
  };
  enum class Kind : uint8_t {
    local,      // made in the same turn
    carry,      // made in the turn before
    invariant,  // the same at every turn
    series      // something else at every turn, made outside
  };
  struct Operand {
    Kind kind = Kind::local;
    uint32_t index = 0;  // into carries or series
  };
  // What step `step` of the body made as its output `out`, `age` turns before. A carry of a higher
  // age stands behind the one of the next lower age, whose old value is its new one.
  struct Carry {
    uint32_t step, out, age;
    ValueId initial;
  };
  // Steps of the body: those that are made turn by turn, then those that are made at once for all
  // turns, as arrays, then those that only add up such arrays. Terms that are too large to be kept
  // for all turns are made where they are added.
  struct Stage {
    std::vector<uint32_t> straight, at_once, sums;
  };
  static constexpr uint32_t most_age = 6;
  struct Series {
    uint32_t step, operand;  // of the body: where it is read
  };

  uint32_t first = 0;                   // step of the program
  uint32_t period = 0;                  // steps of a turn
  uint32_t count = 0;                   // turns
  std::vector<Role> roles;              // by step of the body
  std::vector<bool> is_anywhere;        // scatters that add to parts at any positions
  std::vector<uint32_t> first_operand;  // by step of the body, into operands
  std::vector<Operand> operands;
  std::vector<Carry> carries;
  std::vector<Series> series;
  std::vector<Stage> stages;  // where it is distributed; else it becomes a scan
  std::vector<bool> is_term;  // by step of the body, of a loop that is distributed
  // Steps of a turn that add to one sum, one after the other, where there are several; among the
  // sums of a stage the last stands for them.
  std::vector<std::vector<uint32_t>> chains;
  // Scatters of one array whose additions keep their order only where all are made by one step,
  // turn by turn.
  std::vector<std::vector<uint32_t>> together;

  uint32_t end() const { return first + period * count; }
  uint32_t step(uint32_t turn, uint32_t k) const { return first + turn * period + k; }
  const Operand& operand(uint32_t k, uint32_t a) const { return operands[first_operand[k] + a]; }
  // Whether its turns are writes of something else each time.
  bool only_writes() const;
};

// Loops over small arrays of so many turns are rolled; of fewer, they may stay step by step.
constexpr uint32_t many_turns_of_arrays = 64;
constexpr uint32_t least_steps_of_loop = 256;  // of all turns together, of one that is rolled

// What a loop is found for: a scan; or to be distributed, where rows of a nest may be one loop, of
// which a row's own value is a series, and each turn may write to any part of an array.
enum class LoopKind : uint8_t { scan, distributed };
// The loops, in order and apart from one another, each of at least `least_turns` turns.
std::vector<RolledLoop> find_loops(const Program& p, uint32_t least_turns,
                                   LoopKind kind = LoopKind::scan);
// Those that are faster as scans.
std::vector<RolledLoop> loops_to_roll(const Program& p);
// Loops that are faster distributed.
std::vector<RolledLoop> loops_to_distribute(const Program& p);

}  // namespace tapegrad
