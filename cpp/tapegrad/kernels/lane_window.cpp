#include "tapegrad/kernels/lane_window.h"

#include "tapegrad/base/shape.h"
#include "tapegrad/kernels/lane_inputs.h"
#include "tapegrad/kernels/lane_steps.h"
#include "tapegrad/scalar/functions.h"

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
    } else if (const LaneHandler<T> add =
                   lane_loops<T>().single[index_of(scalar_fn_of<Add>())][mask];
               add && to - from == n) {
      add(step, at, n, frame);
    } else {
      const T x = *a, y = *b;
#pragma omp simd
      for (int64_t i = from; i < to; ++i) out[i] = (a_step ? a[i] : x) + (b_step ? b[i] : y);
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
  const int64_t from = std::clamp<int64_t>(first, 0, size - 1);
  const int64_t to = std::clamp<int64_t>(end, from + 1, size);
  const int64_t before = std::clamp<int64_t>(-first, 0, n - 1);
  input.pack(shape, from, to - from, n - before, row + before);
  std::fill_n(row, before, row[before]);
  return row;
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

}  // namespace tapegrad
