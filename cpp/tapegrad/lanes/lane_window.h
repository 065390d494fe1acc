// Kernels whose arrays do not all lie alike. An input may stand anywhere beside the index space: at
// `offset`, so that lane p reads its element p - offset (both packed, counted through), or fill a
// box of the space, with its first element there. Lanes beside it read -0.0. And one operand
// may be added to another, or take its place, within a box of the space alone:
// LaneKernel::window_add and window_set.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tapegrad/rows/lane_steps.h"

namespace tapegrad {

constexpr int64_t no_offset = std::numeric_limits<int64_t>::min();  // an input that broadcasts

// The lanes p for which begin <= p % period < end, in each of the ranges: one for each axis that
// the box does not take whole, the outermost first.
struct LaneWindow {
  struct Range {
    int64_t period, begin, end;
    friend bool operator==(const Range&, const Range&) = default;
  };
  std::vector<Range> ranges;
  friend bool operator==(const LaneWindow&, const LaneWindow&) = default;

  // Calls f(from, to) for the runs of lanes within, counted from `first`, of the n lanes there.
  template <class F>
  void for_runs(int64_t first, int64_t n, F&& f) const {
    if (ranges.empty()) return f(int64_t{0}, n);
    const Range& inner = ranges.back();
    for (int64_t at = first / inner.period * inner.period; at < first + n; at += inner.period) {
      bool within = true;
      for (size_t k = 0; within && k + 1 < ranges.size(); ++k) {
        const int64_t p = at % ranges[k].period;
        within = ranges[k].begin <= p && p < ranges[k].end;
      }
      if (!within) continue;
      const int64_t from = std::max(at + inner.begin - first, int64_t{0});
      const int64_t to = std::min(at + inner.end - first, n);
      if (from < to) f(from, to);
    }
  }
};

// The box [starts, starts + lengths) of a space.
LaneWindow window_of_box(std::span<const int64_t> space, std::span<const int64_t> starts,
                         std::span<const int64_t> lengths);

// out = a, and within frame.windows[step.d] a + b or b. `out` may be a or b.
template <class T, bool adds>
void run_window(const LaneStep<T>& step, T* const* at, int64_t n, LaneFrame<T>& frame);

}  // namespace tapegrad
