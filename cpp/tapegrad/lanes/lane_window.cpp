#include "tapegrad/lanes/lane_window.h"

#include "tapegrad/lanes/interpreter.h"

namespace tapegrad {

LaneWindow window_of_box(std::span<const int64_t> space, std::span<const int64_t> starts,
                         std::span<const int64_t> lengths) {
  LaneWindow w;
  int64_t stride = 1;
  for (size_t axis = space.size(); axis-- > 0; stride *= space[axis]) {
    const int64_t begin = starts[axis], end = begin + lengths[axis];
    if (lengths[axis] != space[axis])
      w.ranges.push_back({space[axis] * stride, begin * stride, end * stride});
  }
  std::reverse(w.ranges.begin(), w.ranges.end());
  return w;
}

template <class T, bool adds>
void run_window(const LaneStep<T>& step, T* const* at, int64_t n, LaneFrame<T>& frame) {
  T* const out = at[step.out];
  const T *const a = at[step.a], *const b = at[step.b];
  const unsigned mask = step.mask & 3u;
  const int64_t a_step = mask & 1 ? 0 : 1, b_step = mask & 2 ? 0 : 1;
  int64_t done = 0;
  const auto outside = [&](int64_t to) {
    if (a_step == 0) {
      std::fill(out + done, out + to, *a);
    } else if (out != a) {
      std::copy(a + done, a + to, out + done);
    }
    done = to;
  };
  frame.windows[step.d].for_runs(frame.begin, n, [&](int64_t from, int64_t to) {
    outside(from);
    done = to;
    if (!adds) {
      if (b_step == 0) {
        std::fill(out + from, out + to, *b);
      } else if (out != b) {
        std::copy(b + from, b + to, out + from);
      }
    } else {
      add_lanes(out + from, a + a_step * from, b + b_step * from, to - from, mask);
    }
  });
  outside(n);
}

template void run_window<float, true>(const LaneStep<float>&, float* const*, int64_t,
                                      LaneFrame<float>&);
template void run_window<float, false>(const LaneStep<float>&, float* const*, int64_t,
                                       LaneFrame<float>&);
template void run_window<double, true>(const LaneStep<double>&, double* const*, int64_t,
                                       LaneFrame<double>&);
template void run_window<double, false>(const LaneStep<double>&, double* const*, int64_t,
                                        LaneFrame<double>&);

}  // namespace tapegrad
