// Steps that only move elements, as runs of elements that are copied.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tapegrad/tape/op.h"

namespace tapegrad {

// Elements source, source + stride ... of an input go to `at`, `at + 1` ... of the result; or a
// number does. In grouped() runs the same happens again and again, from a step further on to a step
// further on; or they go from listed places.
struct MoveRun {
  static constexpr uint32_t none = ~uint32_t{0};
  uint32_t input = none;
  int64_t source = 0, stride = 1, at = 0, count = 0;
  double fill = 0;
  int64_t times = 1, source_step = 0, at_step = 0;
  std::vector<int32_t> listed{};

  // Calls f(source, stride, at, count) for the parts of a run that is not listed.
  template <class F>
  void for_parts(F&& f) const {
    for (int64_t k = 0; k < times; ++k)
      f(source + k * source_step, stride, at + k * at_step, count);
  }
};
using MoveRuns = std::vector<MoveRun>;

// By output, for packed inputs. Nothing where the op computes or converts, or where an input that
// says which elements are moved is not among the constants (null: it is none).
std::optional<std::vector<MoveRuns>> runs_of_step(const Op& op, const Attrs& attrs,
                                                  std::span<const TensorType> in,
                                                  std::span<const Value* const> constants,
                                                  size_t n_out);
MoveRuns runs_of_broadcast(const Dims& from, const Dims& to);
// x taken along an axis, as the op gather does; nothing where an index is out of bounds.
std::optional<MoveRuns> runs_of_take(const Dims& shape, int axis, const Value& index);

// Whether the result is the input's elements from `source` on, as they lie.
bool is_alias(const MoveRuns& runs, int64_t size);

// The same moves in fewer runs; in their order unless any will do.
MoveRuns grouped(const MoveRuns& runs, bool in_any_order);

void run_moves(const MoveRuns& runs, DType dtype, char* const* in, char* out);
// Adds elements at, at + 1 ... of the update to the places that the runs would read; in order.
void run_additions(const MoveRuns& runs, DType dtype, char* array, const char* update);

}  // namespace tapegrad
