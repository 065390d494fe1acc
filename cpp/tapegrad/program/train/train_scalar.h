// A training step whose values are single numbers, as a scalar tape that keeps them in registers of
// its own from step to step. The bits are those of the program's ops.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "tapegrad/program/program.h"
#include "tapegrad/scalar/scalar_fn.h"

namespace tapegrad {

// One column of the data for steps of a row each: n numbers one after the other.
struct ScalarColumn {
  const void* first = nullptr;
};

template <class T>
class ScalarStep {
 public:
  // The common functions are told apart by operands too: `left` and `right` take that operand from
  // the register that holds the last result, which saves the way through memory.
  enum class Code : uint8_t {
    add,
    add_left,
    add_right,
    subtract,
    subtract_left,
    subtract_right,
    multiply,
    multiply_left,
    multiply_right,
    divide,
    divide_left,
    divide_right,
    zmul,
    zmul_left,
    zmul_right,
    square,
    square_left,
    negative,
    negative_left,
    call
  };
  struct Instruction {
    Code code;
    uint32_t out;
    std::array<uint32_t, 3> args;
    T (*function)(T, T, T);
  };
  struct Guard {
    uint32_t place;
    T expected;
  };

  // Runs up to n steps, each with the row that `rows` names (null: first, first + 1, ...); adds the
  // losses to total, and gives the number of steps made. It stops, with the carried numbers as
  // they were before the step, at a loss that is not finite and where a guard does not hold.
  int64_t run(std::span<T> carried, std::span<const ScalarColumn> columns, const int64_t* rows,
              int64_t first, int64_t n, double& total, bool& finite) const;

  void add(ScalarFn fn, uint32_t out, std::array<uint32_t, 3> args, size_t arity);

  std::vector<T> start;  // the places: inputs, constants, then results
  std::vector<Instruction> code;
  std::vector<uint32_t> outputs;  // loss, carried...
  std::vector<Guard> guards;
};

// The program as such a tape; null where it has arrays of more than one element, ops of other kinds
// or other dtypes than T and bool.
template <class T>
std::unique_ptr<ScalarStep<T>> make_scalar_step(const Program& p);

}  // namespace tapegrad
