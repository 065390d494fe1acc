#include "tapegrad/rows/outer_sums.h"

#include "tapegrad/rows/isa/lane_vectors.h"

namespace tapegrad::TAPEGRAD_ISA_NAMESPACE {
namespace {

// A tile of some rows by some vectors stays in registers for all turns.
template <int rows, int vectors, class T>
[[gnu::always_inline]] inline void add_tile(T* sums, int64_t columns, const T* left,
                                            int64_t left_step, const T* right, int64_t right_step,
                                            int64_t turns) {
  constexpr int64_t width = vector_width<T>;
  Vector<T> all[rows][vectors];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) load_vector<T>(all[r][v], sums + r * columns + v * width);
  for (int64_t t = 0; t < turns; ++t) {
    Vector<T> b[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) load_vector<T>(b[v], right + v * width);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const T a = left[r];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) all[r][v] = all[r][v] + a * b[v];
    }
    left += left_step;
    right += right_step;
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) store_vector<T>(sums + r * columns + v * width, all[r][v]);
}

template <int vectors, class T>
void add_strip(T* sums, int64_t rows, int64_t columns, const T* left, int64_t left_step,
               const T* right, int64_t right_step, int64_t turns) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    add_tile<4, vectors>(sums + r * columns, columns, left + r, left_step, right, right_step,
                         turns);
  for (; r + 2 <= rows; r += 2)
    add_tile<2, vectors>(sums + r * columns, columns, left + r, left_step, right, right_step,
                         turns);
  for (; r < rows; ++r)
    add_tile<1, vectors>(sums + r * columns, columns, left + r, left_step, right, right_step,
                         turns);
}

template <class T>
void add(T* sums, int64_t rows, int64_t columns, const T* left, int64_t left_step, const T* right,
         int64_t right_step, int64_t turns) {
  constexpr int64_t width = vector_width<T>;
  int64_t c = 0;
  for (; c + 2 * width <= columns; c += 2 * width)
    add_strip<2>(sums + c, rows, columns, left, left_step, right + c, right_step, turns);
  for (; c < columns; c += width)
    add_strip<1>(sums + c, rows, columns, left, left_step, right + c, right_step, turns);
}

}  // namespace

void fill_outer_sums(OuterSums<double>& f64, OuterSums<float>& f32) {
  f64 = {vector_width<double>, add<double>};
  f32 = {vector_width<float>, add<float>};
}

}  // namespace tapegrad::TAPEGRAD_ISA_NAMESPACE
