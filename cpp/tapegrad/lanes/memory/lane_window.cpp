#include "tapegrad/lanes/memory/lane_window.h"

#include "tapegrad/base/shape.h"
#include "tapegrad/lanes/memory/lane_inputs.h"
#include "tapegrad/rows/lane_steps.h"
#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {
namespace {

// The element of an array of `shape` at a lane, its first being at lane `start`.
int64_t element_at(int64_t lane, int64_t start, std::span<const int64_t> shape,
                   std::span<const int64_t> space) {
  int64_t element = 0, stride = 1;
  for (size_t axis = space.size(); axis-- > 0; stride *= shape[axis]) {
    element += (lane % space[axis] - start % space[axis]) * stride;
    lane /= space[axis];
    start /= space[axis];
  }
  return element;
}

}  // namespace

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
  // Whole vectors by the loop of the level, then the rest.
  const LaneLoops<T>& loops = lane_loops<T>();
  const LaneHandler<T> add = loops.single[index_of(scalar_fn_of<Add>())][mask];
  const auto add_run = [&](int64_t from, int64_t to) {
    const int64_t whole = add ? (to - from) / loops.width * loops.width : 0;
    T* const run[] = {out + from, const_cast<T*>(a) + a_step * from,
                      const_cast<T*>(b) + b_step * from};
    if (whole > 0) add({add, 0, 1, 2, 0, 0, 0, step.mask}, run, whole, frame);
    for (int64_t i = whole; i < to - from; ++i) run[0][i] = run[1][i * a_step] + run[2][i * b_step];
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
      add_run(from, to);
    }
  });
  outside(n);
}

template <class T>
T* lanes_at(const LaneInput<T>& input, std::span<const int64_t> shape, int64_t offset,
            int64_t begin, int64_t n, T* row) {
  const int64_t size = element_count(shape), first = begin - offset, end = first + n;
  if (const T* in_place = input.in_place(); in_place && first >= 0 && end <= size)
    return const_cast<T*>(in_place) + first;
  const int64_t from = std::clamp<int64_t>(-first, 0, n), to = std::clamp(size - first, from, n);
  std::fill(row, row + from, -T{0});
  if (from < to) input.pack(shape, first + from, to - from, to - from, row + from);
  std::fill(row + to, row + n, -T{0});
  return row;
}

template <class T>
void lanes_of_box(const LaneInput<T>& input, std::span<const int64_t> shape, int64_t offset,
                  const LaneWindow& box, std::span<const int64_t> space, int64_t begin, int64_t n,
                  T* row) {
  int64_t done = 0;
  int64_t element = -1;  // the input is walked through in its own order
  const int64_t there = std::min(n, element_count(space) - begin);  // the rest is padding
  box.for_runs(begin, there, [&](int64_t from, int64_t to) {
    std::fill(row + done, row + from, -T{0});
    if (element < 0) element = element_at(begin + from, offset, shape, space);
    input.pack(shape, element, to - from, to - from, row + from);
    element += to - from;
    done = to;
  });
  std::fill(row + done, row + n, -T{0});
}

template void run_window<float, true>(const LaneStep<float>&, float* const*, int64_t,
                                      LaneFrame<float>&);
template void run_window<float, false>(const LaneStep<float>&, float* const*, int64_t,
                                       LaneFrame<float>&);
template void run_window<double, true>(const LaneStep<double>&, double* const*, int64_t,
                                       LaneFrame<double>&);
template void run_window<double, false>(const LaneStep<double>&, double* const*, int64_t,
                                        LaneFrame<double>&);
template float* lanes_at(const LaneInput<float>&, std::span<const int64_t>, int64_t, int64_t,
                         int64_t, float*);
template double* lanes_at(const LaneInput<double>&, std::span<const int64_t>, int64_t, int64_t,
                          int64_t, double*);

template void lanes_of_box(const LaneInput<float>&, std::span<const int64_t>, int64_t,
                           const LaneWindow&, std::span<const int64_t>, int64_t, int64_t, float*);
template void lanes_of_box(const LaneInput<double>&, std::span<const int64_t>, int64_t,
                           const LaneWindow&, std::span<const int64_t>, int64_t, int64_t, double*);

}  // namespace tapegrad
