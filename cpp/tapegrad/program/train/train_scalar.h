// A training step whose values are single numbers: a scalar tape that keeps them in registers of
// its own from step to step. The bits are those of the program's ops.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tapegrad/lanes/interpreter.h"
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
  // Inputs: the carried numbers, then a number of each column. Outputs: the loss, the next carried
  // numbers, then one for each entry of `expected`, which it must be equal to.
  ScalarStep(RegisterCode<T> code, std::vector<T> expected)
      : code_(std::move(code)), expected_(std::move(expected)) {}

  // Runs up to n steps, each with the row that `rows` names (null: first, first + 1, ...); adds the
  // losses to total, and gives the number of steps made. It stops, with the carried numbers as
  // they were before the step, at a loss that is not finite and where a guard does not hold.
  int64_t run(std::span<T> carried, std::span<const ScalarColumn> columns, const int64_t* rows,
              int64_t first, int64_t n, double& total, bool& finite) const;

 private:
  RegisterCode<T> code_;
  std::vector<T> expected_;
};

// The program as such a step; null where it has arrays of more than one element, ops of other kinds
// or other dtypes than T and bool.
template <class T>
std::unique_ptr<ScalarStep<T>> make_scalar_step(const Program& p);

}  // namespace tapegrad
