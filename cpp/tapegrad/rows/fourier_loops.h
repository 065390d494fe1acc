// The innermost loops of discrete Fourier transforms, compiled for each instruction-set level.
// Complex numbers are two arrays, one of real and one of imaginary parts. Several lanes are
// transformed side by side: element j of lane l stands at [j * lanes + l]. The bits of a lane do
// not depend on how many there are.
#pragma once

#include <cstdint>

namespace tapegrad {

template <class T>
struct Split {
  T *re, *im;
};
template <class T>
struct ConstSplit {
  const T *re, *im;
  ConstSplit(const T* r, const T* i) : re(r), im(i) {}
  ConstSplit(Split<T> s) : re(s.re), im(s.im) {}
};

// Radices up to this one have a pass; prime factors beyond it are transformed as convolutions.
constexpr int64_t largest_radix = 31;

template <class T>
struct FourierLoops {
  // One pass of Stockham's transform (decimation in frequency): with x_j = x[(p + m j) s + q],
  //   y[(r p + k) s + q] = w[(k - 1) m + p] sum_j x_j exp(-2 pi i j k / r)
  // for p < m, q < s, k < r; w of k = 0 is 1. `roots` are exp(-2 pi i k / r), k < r.
  void (*pass)(int64_t r, int64_t m, int64_t s, ConstSplit<T> w, ConstSplit<T> roots,
               ConstSplit<T> x, Split<T> y);
  // y[j * lanes + l] = w[j] x[j * lanes + l]; y may be x.
  void (*multiply)(int64_t n, int64_t lanes, ConstSplit<T> w, ConstSplit<T> x, Split<T> y);
  // x[k * lanes + l] *= far[k] near[k * lanes + l]
  void (*turn)(int64_t n, int64_t lanes, ConstSplit<T> far, ConstSplit<T> near, Split<T> x);
  // Of z_j = x_2j + i x_2j+1, transformed, the first h + 1 elements of the transform of the 2 h
  // real x. w[k] = exp(-pi i k / h). z and y are different memory.
  void (*untangle)(int64_t h, int64_t lanes, ConstSplit<T> w, ConstSplit<T> z, Split<T> y);
  // The way back: from h + 1 elements of a real array's transform to that of z, which the inverse
  // transform makes 2 h times the array; what is imaginary in the first and the last is 0.
  void (*tangle)(int64_t h, int64_t lanes, ConstSplit<T> w, ConstSplit<T> y, Split<T> z);
  // How numbers come and go: to[j] = scale from[j]; alternate ones into two arrays, and back; n
  // rows of one vector's width.
  void (*copy)(int64_t n, T scale, const T* from, T* to);
  void (*deal)(int64_t n, const T* from, T* even, T* odd);
  void (*interleave)(int64_t n, T scale, const T* even, const T* odd, T* to);
  void (*copy_rows)(int64_t n, int64_t width, T scale, const T* from, int64_t from_stride, T* to,
                    int64_t to_stride);
  // to[j * to_stride + l] = from[l * from_stride + j] for j < n and the lanes l of one vector.
  void (*transpose)(int64_t n, const T* from, int64_t from_stride, T* to, int64_t to_stride);
};

// As many lanes as fill the widest vector.
template <class T>
constexpr int64_t fourier_lanes = 64 / sizeof(T);

template <class T>
const FourierLoops<T>& fourier_loops();

}  // namespace tapegrad
