// The passes of Fourier transforms, for the files of rows/isa only: everything is in an anonymous
// namespace, so that each instruction-set level keeps its own copies.
//
// A pass runs along its vectors in one of two ways: over q where the stride s is long, over p in
// the first pass of a single lane, where s is 1. Both compute the same, to the bit.
#pragma once

#include "tapegrad/rows/fourier_loops.h"
#include "tapegrad/rows/isa/fourier_butterflies.h"

namespace tapegrad {
namespace {

// Moves the highest bit of every index to the lowest place, `turns` times: of 2^turns rows this
// makes as many columns. Each step interleaves two halves, which is what vectors do well.
template <int64_t size, class T>
inline void turn_tile(int turns, T* tile, T* spare, T* to) {
  const T* from = tile;
  for (int turn = 0; turn < turns; ++turn) {
    T* __restrict next = turn + 1 == turns ? to : from == tile ? spare : tile;
#pragma omp simd
    for (int64_t i = 0; i < size / 2; ++i) {
      next[2 * i] = from[i];
      next[2 * i + 1] = from[i + size / 2];
    }
    from = next;
  }
}

constexpr int log2_of(int64_t n) { return n <= 1 ? 0 : 1 + log2_of(n / 2); }

// Calls one(from, y, to, step, p) for each (p, q): element j of the input is x[from + j * m * s],
// element k of the output is to be written to y[to + k * step].
template <int64_t r, class T, class F>
inline void over_points(int64_t m, int64_t s, Split<T> y, F&& one) {
  if (s > 1) {
    for (int64_t p = 0; p < m; ++p) {
#pragma omp simd
      for (int64_t q = 0; q < s; ++q) one(p * s + q, y, r * p * s + q, s, p);
    }
    return;
  }
  int64_t p = 0;
  if constexpr ((r & (r - 1)) == 0) {
    constexpr int64_t width = fourier_lanes<T>;
    alignas(64) T re[r * width], im[r * width], spare[r * width];
    for (; p + width <= m; p += width) {
#pragma omp simd
      for (int64_t v = 0; v < width; ++v) one(p + v, Split<T>{re, im}, v, width, p + v);
      turn_tile<r * width>(log2_of(r), re, spare, y.re + r * p);
      turn_tile<r * width>(log2_of(r), im, spare, y.im + r * p);
    }
  }
#pragma omp simd
  for (int64_t i = p; i < m; ++i) one(i, y, r * i, int64_t{1}, i);
}

template <class T>
inline Complex<T> read(ConstSplit<T> x, int64_t i) {
  return {x.re[i], x.im[i]};
}
// w_i a; in the last pass, where every w is 1, itself.
template <bool last, class T>
inline Complex<T> times(ConstSplit<T> w, int64_t i, Complex<T> a) {
  if constexpr (last) {
    return a;
  } else {
    return read(w, i) * a;
  }
}
template <class T>
inline void write(Split<T> y, int64_t i, Complex<T> a) {
  y.re[i] = a.re;
  y.im[i] = a.im;
}

template <bool last, class T>
void pass2(int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> x, Split<T> y) {
  over_points<2>(m, s, y,
                 [=](int64_t from, Split<T> to_y, int64_t to, int64_t step, int64_t p)
                     __attribute__((always_inline)) {
                       Complex<T> a = read(x, from), b = read(x, from + m * s);
                       transform2(a, b);
                       write(to_y, to, a);
                       write(to_y, to + step, read(w, p) * b);
                     });
}

template <bool last, class T>
void pass3(int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> x, Split<T> y) {
  over_points<3>(m, s, y,
                 [=](int64_t from, Split<T> to_y, int64_t to, int64_t step, int64_t p)
                     __attribute__((always_inline)) {
                       const int64_t apart = m * s;
                       Complex<T> a = read(x, from), b = read(x, from + apart),
                                  c = read(x, from + 2 * apart);
                       transform3(a, b, c);
                       write(to_y, to, a);
                       write(to_y, to + step, read(w, p) * b);
                       write(to_y, to + 2 * step, read(w, m + p) * c);
                     });
}

template <bool last, class T>
void pass4(int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> x, Split<T> y) {
  over_points<4>(m, s, y,
                 [=](int64_t from, Split<T> to_y, int64_t to, int64_t step, int64_t p)
                     __attribute__((always_inline)) {
                       const int64_t apart = m * s;
                       Complex<T> a = read(x, from), b = read(x, from + apart),
                                  c = read(x, from + 2 * apart), d = read(x, from + 3 * apart);
                       transform4(a, b, c, d);
                       write(to_y, to, a);
                       write(to_y, to + step, read(w, p) * b);
                       write(to_y, to + 2 * step, read(w, m + p) * c);
                       write(to_y, to + 3 * step, read(w, 2 * m + p) * d);
                     });
}

template <bool last, class T>
void pass5(int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> x, Split<T> y) {
  over_points<5>(m, s, y,
                 [=](int64_t from, Split<T> to_y, int64_t to, int64_t step, int64_t p)
                     __attribute__((always_inline)) {
                       const int64_t apart = m * s;
                       Complex<T> a = read(x, from), b = read(x, from + apart),
                                  c = read(x, from + 2 * apart), d = read(x, from + 3 * apart),
                                  e = read(x, from + 4 * apart);
                       transform5(a, b, c, d, e);
                       write(to_y, to, a);
                       write(to_y, to + step, read(w, p) * b);
                       write(to_y, to + 2 * step, read(w, m + p) * c);
                       write(to_y, to + 3 * step, read(w, 2 * m + p) * d);
                       write(to_y, to + 4 * step, read(w, 3 * m + p) * e);
                     });
}

template <bool last, class T>
void pass8(int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> x, Split<T> y) {
  over_points<8>(m, s, y,
                 [=](int64_t from, Split<T> to_y, int64_t to, int64_t step, int64_t p)
                     __attribute__((always_inline)) {
                       const int64_t apart = m * s;
                       Complex<T> a = read(x, from), b = read(x, from + apart),
                                  c = read(x, from + 2 * apart), d = read(x, from + 3 * apart),
                                  e = read(x, from + 4 * apart), f = read(x, from + 5 * apart),
                                  g = read(x, from + 6 * apart), h = read(x, from + 7 * apart);
                       transform8(a, b, c, d, e, f, g, h);
                       write(to_y, to, a);
                       write(to_y, to + step, read(w, p) * b);
                       write(to_y, to + 2 * step, read(w, m + p) * c);
                       write(to_y, to + 3 * step, read(w, 2 * m + p) * d);
                       write(to_y, to + 4 * step, read(w, 3 * m + p) * e);
                       write(to_y, to + 5 * step, read(w, 4 * m + p) * f);
                       write(to_y, to + 6 * step, read(w, 5 * m + p) * g);
                       write(to_y, to + 7 * step, read(w, 6 * m + p) * h);
                     });
}

// An odd radix. Sums and differences of the elements j and r - j halve the work: with a_j and b_j
// for them, the sum over j of a_j cos(2 pi j k / r) -+ i b_j sin(2 pi j k / r) are elements k and
// r - k.
template <bool last, class T>
void pass_odd(int64_t r, int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> roots,
              ConstSplit<T> x, Split<T> y) {
  constexpr int64_t width = fourier_lanes<T>, most = largest_radix / 2;
  T sum_re[most * width], sum_im[most * width], apart_re[most * width], apart_im[most * width];
  const int64_t half = r / 2, apart = m * s;
  const bool over_p = s == 1;
  const int64_t length = over_p ? m : s, turns = over_p ? 1 : m;
  const int64_t y_step = over_p ? r : 1, w_step = over_p ? 1 : 0;
  for (int64_t turn = 0; turn < turns; ++turn) {
    for (int64_t begin = 0; begin < length; begin += width) {
      const int64_t n = length - begin < width ? length - begin : width;
      const int64_t from = turn * s + begin, to = over_p ? r * begin : r * turn * s + begin;
      const int64_t p = over_p ? begin : turn;
      T first_re[width], first_im[width], total_re[width], total_im[width];
#pragma omp simd
      for (int64_t v = 0; v < n; ++v) {
        first_re[v] = total_re[v] = x.re[from + v];
        first_im[v] = total_im[v] = x.im[from + v];
      }
      for (int64_t j = 1; j <= half; ++j) {
        const int64_t near = from + j * apart, far = from + (r - j) * apart;
        const int64_t at = (j - 1) * width;
#pragma omp simd
        for (int64_t v = 0; v < n; ++v) {
          sum_re[at + v] = x.re[near + v] + x.re[far + v];
          sum_im[at + v] = x.im[near + v] + x.im[far + v];
          apart_re[at + v] = x.re[near + v] - x.re[far + v];
          apart_im[at + v] = x.im[near + v] - x.im[far + v];
          total_re[v] += sum_re[at + v];
          total_im[v] += sum_im[at + v];
        }
      }
#pragma omp simd
      for (int64_t v = 0; v < n; ++v) {
        y.re[to + v * y_step] = total_re[v];
        y.im[to + v * y_step] = total_im[v];
      }
      for (int64_t k = 1; k <= half; ++k) {
        T even_re[width], even_im[width], odd_re[width] = {}, odd_im[width] = {};
#pragma omp simd
        for (int64_t v = 0; v < n; ++v) {
          even_re[v] = first_re[v];
          even_im[v] = first_im[v];
        }
        for (int64_t j = 1, index = k; j <= half; ++j, index += k) {
          if (index >= r) index -= r;
          const T cosine = roots.re[index], sine = roots.im[index];  // the latter of -2 pi j k / r
          const int64_t at = (j - 1) * width;
#pragma omp simd
          for (int64_t v = 0; v < n; ++v) {
            even_re[v] += cosine * sum_re[at + v];
            even_im[v] += cosine * sum_im[at + v];
            odd_re[v] += sine * apart_re[at + v];
            odd_im[v] += sine * apart_im[at + v];
          }
        }
        const int64_t near = to + k * s, far = to + (r - k) * s;
        const int64_t w_near = (k - 1) * m + p, w_far = (r - k - 1) * m + p;
#pragma omp simd
        for (int64_t v = 0; v < n; ++v) {
          const Complex<T> even{even_re[v], even_im[v]}, odd{-odd_im[v], odd_re[v]};
          write(y, near + v * y_step, times<last>(w, w_near + v * w_step, even + odd));
          write(y, far + v * y_step, times<last>(w, w_far + v * w_step, even - odd));
        }
      }
    }
  }
}

template <bool last, class T>
void pass_of(int64_t r, int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> roots, ConstSplit<T> x,
             Split<T> y) {
  switch (r) {
    case 2:
      return pass2<last>(m, s, w, x, y);
    case 3:
      return pass3<last>(m, s, w, x, y);
    case 4:
      return pass4<last>(m, s, w, x, y);
    case 5:
      return pass5<last>(m, s, w, x, y);
    case 8:
      return pass8<last>(m, s, w, x, y);
    default:
      return pass_odd<last>(r, m, s, w, roots, x, y);
  }
}

template <class T>
void pass(int64_t r, int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> roots, ConstSplit<T> x,
          Split<T> y) {
  if (m == 1) {
    pass_of<true>(r, m, s, w, roots, x, y);
  } else {
    pass_of<false>(r, m, s, w, roots, x, y);
  }
}

}  // namespace
}  // namespace tapegrad
