#include "tapegrad/kernels/fused/lane_shifted.h"

#include <algorithm>

#include "tapegrad/base/shape.h"

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

template float* lanes_at(const LaneInput<float>&, std::span<const int64_t>, int64_t, int64_t,
                         int64_t, float*);
template double* lanes_at(const LaneInput<double>&, std::span<const int64_t>, int64_t, int64_t,
                          int64_t, double*);

template void lanes_of_box(const LaneInput<float>&, std::span<const int64_t>, int64_t,
                           const LaneWindow&, std::span<const int64_t>, int64_t, int64_t, float*);
template void lanes_of_box(const LaneInput<double>&, std::span<const int64_t>, int64_t,
                           const LaneWindow&, std::span<const int64_t>, int64_t, int64_t, double*);

}  // namespace tapegrad
