#include "tapegrad/rows/isa/fourier_loops.h"

#include "tapegrad/rows/isa/fourier_passes.h"

namespace tapegrad::TAPEGRAD_ISA_NAMESPACE {
namespace {

template <class T>
void multiply(int64_t n, int64_t lanes, ConstSplit<T> w, ConstSplit<T> x, Split<T> y) {
  if (lanes == 1) {
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) write(y, j, read(w, j) * read(x, j));
    return;
  }
  for (int64_t j = 0; j < n; ++j) {
    const Complex<T> factor = read(w, j);
#pragma omp simd
    for (int64_t at = j * lanes; at < (j + 1) * lanes; ++at) write(y, at, factor * read(x, at));
  }
}

template <class T>
inline Complex<T> conjugate(Complex<T> a) {
  return {a.re, -a.im};
}

template <class T>
inline Complex<T> untangled(Complex<T> near, Complex<T> far, Complex<T> w) {
  constexpr T half = static_cast<T>(0.5);
  const Complex<T> even = half * (near + conjugate(far));
  const Complex<T> odd = turned(half * (near - conjugate(far)));
  return even + w * odd;
}

template <class T>
void untangle(int64_t h, int64_t lanes, ConstSplit<T> w, ConstSplit<T> z, Split<T> y) {
  for (int64_t l = 0; l < lanes; ++l) {
    write(y, l, Complex<T>{z.re[l] + z.im[l], 0});
    write(y, h * lanes + l, Complex<T>{z.re[l] - z.im[l], 0});
  }
  if (lanes == 1) {
#pragma omp simd
    for (int64_t k = 1; k < h; ++k) write(y, k, untangled(read(z, k), read(z, h - k), read(w, k)));
    return;
  }
  for (int64_t k = 1; k < h; ++k) {
#pragma omp simd
    for (int64_t l = 0; l < lanes; ++l)
      write(y, k * lanes + l,
            untangled(read(z, k * lanes + l), read(z, (h - k) * lanes + l), read(w, k)));
  }
}

template <class T>
inline Complex<T> tangled(Complex<T> near, Complex<T> far, Complex<T> w) {
  const Complex<T> even = near + conjugate(far);
  const Complex<T> odd = conjugate(w) * (near - conjugate(far));
  return even - turned(odd);
}

template <class T>
void tangle(int64_t h, int64_t lanes, ConstSplit<T> w, ConstSplit<T> y, Split<T> z) {
  for (int64_t l = 0; l < lanes; ++l) {
    const T first = y.re[l], last = y.re[h * lanes + l];
    write(z, l, Complex<T>{first + last, first - last});
  }
  if (lanes == 1) {
#pragma omp simd
    for (int64_t k = 1; k < h; ++k) write(z, k, tangled(read(y, k), read(y, h - k), read(w, k)));
    return;
  }
  for (int64_t k = 1; k < h; ++k) {
#pragma omp simd
    for (int64_t l = 0; l < lanes; ++l)
      write(z, k * lanes + l,
            tangled(read(y, k * lanes + l), read(y, (h - k) * lanes + l), read(w, k)));
  }
}

template <class T>
void turn(int64_t n, int64_t lanes, ConstSplit<T> far, ConstSplit<T> near, Split<T> x) {
  for (int64_t k = 0; k < n; ++k) {
    const Complex<T> common = read(far, k);
#pragma omp simd
    for (int64_t l = 0; l < lanes; ++l) {
      const int64_t at = k * lanes + l;
      write(x, at, common * read(near, at) * read(ConstSplit<T>(x), at));
    }
  }
}

template <class T>
void copy(int64_t n, T scale, const T* from, T* to) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) to[j] = scale * from[j];
}

template <class T>
void deal(int64_t n, const T* from, T* even, T* odd) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) {
    even[j] = from[2 * j];
    odd[j] = from[2 * j + 1];
  }
}

template <class T>
void interleave(int64_t n, T scale, const T* even, const T* odd, T* to) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) {
    to[2 * j] = scale * even[j];
    to[2 * j + 1] = scale * odd[j];
  }
}

template <class T>
void copy_rows(int64_t n, int64_t width, T scale, const T* from, int64_t from_stride, T* to,
               int64_t to_stride) {
  constexpr int64_t vector = fourier_lanes<T>;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t begin = 0; begin < width; begin += vector) {
#pragma omp simd
      for (int64_t l = begin; l < begin + vector; ++l)
        to[j * to_stride + l] = scale * from[j * from_stride + l];
    }
}

template <class T>
void transpose(int64_t n, const T* from, int64_t from_stride, T* to, int64_t to_stride) {
  constexpr int64_t width = fourier_lanes<T>;
  alignas(64) T tile[width * width], spare[width * width], turned_tile[width * width];
  int64_t j = 0;
  for (; j + width <= n; j += width) {
    for (int64_t l = 0; l < width; ++l) {
#pragma omp simd
      for (int64_t v = 0; v < width; ++v) tile[l * width + v] = from[l * from_stride + j + v];
    }
    turn_tile<width * width>(log2_of(width), tile, spare, turned_tile);
    for (int64_t v = 0; v < width; ++v) {
#pragma omp simd
      for (int64_t l = 0; l < width; ++l) to[(j + v) * to_stride + l] = turned_tile[v * width + l];
    }
  }
  for (; j < n; ++j)
    for (int64_t l = 0; l < width; ++l) to[j * to_stride + l] = from[l * from_stride + j];
}

template <class T>
const FourierLoops<T>& loops() {
  static constexpr FourierLoops<T> all{.pass = pass<T>,
                                       .multiply = multiply<T>,
                                       .turn = turn<T>,
                                       .untangle = untangle<T>,
                                       .tangle = tangle<T>,
                                       .copy = copy<T>,
                                       .deal = deal<T>,
                                       .interleave = interleave<T>,
                                       .copy_rows = copy_rows<T>,
                                       .transpose = transpose<T>};
  return all;
}

}  // namespace

FourierTables fourier_tables() { return {&loops<float>(), &loops<double>()}; }

}  // namespace tapegrad::TAPEGRAD_ISA_NAMESPACE
