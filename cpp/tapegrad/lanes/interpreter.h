// The one interpreter of scalar tapes (scalar/tape.h), and the interface that it and machine code
// (machine.h, block_machine.h) fill.
//
// What an implementation receives is a planned tape, in one or both of two forms:
//  (a) RegisterCode: one element. Steps over a file of registers, which begins with the constants;
//      inputs that the tape needs have a register each that no step overwrites; registers of
//      results are reused. run_registers() runs it.
//  (b) BlockCode: a block of lanes. Steps over *places*, numbers of a table of pointers: to the
//      first lane of a row, or to the one number of an operand that all lanes share (its bit is set
//      in the step's mask). rows/lane_steps.h says what each form of step computes. A row may be an
//      array where it lies. run_block() runs all steps on `n` lanes, a multiple of
//      LaneLoops::width; lanes past frame.count are copies that no output may show.
// The steps stand in an order that may be kept.
//
// What bits it must give: for each function those of elementwise_table.h at the level of
// isa_level(), each instruction rounded alone. Sums of products keep their order and are contracted
// only in the form contracted_products. A lane's bits depend on the lane's operands alone, never on
// n, on its neighbours or on the thread. Sums over lanes are those of lane_sums.h. (a) and (b)
// agree.
//
// Who uses it: kernels (a for what is the same in all lanes, b for the rest), loops (b, or a over a
// single number), training steps and partials at a point (a), partials over arrays (b).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tapegrad/lanes/block/block_machine.h"
#include "tapegrad/lanes/machine.h"
#include "tapegrad/rows/lane_steps.h"
#include "tapegrad/scalar/tape.h"

namespace tapegrad {

struct RegisterStep {
  uint16_t code;  // what the interpreter switches on
  uint16_t fn;
  uint32_t out, a, b, c;  // registers
};

template <class T>
struct RegisterCode {
  struct Port {
    uint32_t number, reg;  // of an input or an output
  };

  std::vector<T> constants;
  std::vector<Port> inputs;
  std::vector<RegisterStep> steps;  // the last one is the end
  uint32_t registers = 0;
  std::vector<Port> outputs;
  RegisterMachine<T> machine{};  // steps must not change once the code was run
};

template <class T>
struct BlockCode {
  std::vector<LaneStep<T>> steps;
  std::vector<uint32_t> lists;  // operands of the steps that have many
  // Operands that all lanes share have the places from first_number on; they point to these
  // registers of one file. Rows from first_slot on are not wanted after the block.
  uint32_t first_number = 0, first_slot = 0;
  uint32_t places = 0;  // so many
  std::vector<uint32_t> numbers;
  BlockMachine<T> machine{};  // nothing must change once the code was run
};

// Interprets the code, or runs what it was compiled to.
template <class T>
void run_registers(const RegisterCode<T>& code, T* registers);

// Interprets the code on n > 0 lanes, or runs what it was compiled to. `at` has the places, and the
// frame what frame_for() gives, and whatever else the forms of the steps read.
template <class T>
inline void run_block(const BlockCode<T>& code, T* const* at, int64_t n, LaneFrame<T>& frame) {
  const BlockCode<T>& runs = code.machine.get(code, n);
  frame.lists = runs.lists.data();
  for (const LaneStep<T>& step : runs.steps) step.run(step, at, n, frame);
}

// The same, with ahead.begin_block() before and ahead.after_step() after each step.
template <class T, class Ahead>
inline void run_block(const BlockCode<T>& code, T* const* at, int64_t n, LaneFrame<T>& frame,
                      Ahead& ahead) {
  const BlockCode<T>& runs = code.machine.get(code, n);
  frame.lists = runs.lists.data();
  ahead.begin_block(frame.count, runs.steps.size());
  for (const LaneStep<T>& step : runs.steps) {
    step.run(step, at, n, frame);
    ahead.after_step();
  }
}

// A frame for the steps of `code`.
template <class T>
LaneFrame<T> frame_for(const BlockCode<T>& code) {
  LaneFrame<T> frame;
  frame.kernels = whole_row_loops<T>();
  frame.lists = code.lists.data();
  return frame;
}

// out = a + b for any number of lanes; an operand whose bit is set in uniform_mask is one number.
// `out` may be a or b.
template <class T>
void add_lanes(T* out, const T* a, const T* b, int64_t n, unsigned uniform_mask);

// For the planner. Where a step's first or second operand is the result of the step before, it is
// taken from there and not through memory: chains of dependent steps then take an operation's
// latency and no more.
RegisterStep make_register_step(ScalarFn fn, uint32_t out, const uint32_t* args,
                                uint32_t previous_out);
RegisterStep end_step();

}  // namespace tapegrad
