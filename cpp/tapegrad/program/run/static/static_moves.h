// Steps that only move elements, as runs of elements that are copied.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tapegrad/tape/op.h"

namespace tapegrad {

// Elements source, source + stride ... of an input go to `at`, `at + 1` ... of the result; or a
// number does.
struct MoveRun {
  static constexpr uint32_t none = ~uint32_t{0};
  uint32_t input = none;
  int64_t source = 0, stride = 1, at = 0, count = 0;
  double fill = 0;
};
using MoveRuns = std::vector<MoveRun>;

// By output, for packed inputs. Nothing where the op computes or converts, or where an input that
// says which elements are moved is not among the constants (null: it is none).
std::optional<std::vector<MoveRuns>> runs_of_step(const Op& op, const Attrs& attrs,
                                                  std::span<const TensorType> in,
                                                  std::span<const Value* const> constants,
                                                  size_t n_out);
MoveRuns runs_of_broadcast(const Dims& from, const Dims& to);

// Whether the result is the input's elements from `source` on, as they lie.
bool is_alias(const MoveRuns& runs, int64_t size);

void run_moves(const MoveRuns& runs, DType dtype, char* const* in, char* out);

}  // namespace tapegrad
