// What a transform of n points needs: its factors and the roots of unity, computed once and kept
// for the next one. There are three kinds:
//
//   passes       n is a product of small primes: one pass of Stockham's transform for each factor
//   convolution  a large prime is in it: x_j w^(j j / 2) is convolved with w^(-j j / 2) by
//   transforms
//                of a longer, convenient length (Bluestein)
//   square       n is long and has factors enough: read as n1 rows of n2, its columns are
//                transformed, turned, and then its rows, so that each works within the cache
//
// Which one depends on n alone, so that the bits do too.
#pragma once

#include <memory>
#include <vector>

#include "tapegrad/kernels/fourier/scratch.h"

namespace tapegrad {

template <class T>
class FourierPlan {
 public:
  // n > 0.
  explicit FourierPlan(int64_t n);

  int64_t size() const { return n_; }
  // A transform of this kind shares its work out by itself, and takes one lane.
  bool is_square() const { return rows_ != nullptr; }
  // Nanoseconds for one lane, roughly.
  double cost() const;

  // y = sum_j x_j exp(-2 pi i j k / n) of each lane. All are of n * lanes elements in memory of
  // their own; work is overwritten.
  void transform(int64_t lanes, ConstSplit<T> x, Split<T> work, Split<T> y) const;

  // exp(-2 pi i k / (2 n)) for k <= n: for transforms of 2 n real numbers.
  ConstSplit<T> half_roots() const { return half_roots_[0]; }

 private:
  using Table = FourierScratch<T>;  // of one array
  struct Pass {
    int64_t radix, m;
    Table w, roots;
  };

  void plan_passes(const std::vector<int64_t>& factors);
  void plan_convolution();
  bool plan_square();
  void run_passes(int64_t lanes, ConstSplit<T> x, Split<T> work, Split<T> y) const;
  void run_convolution(int64_t lanes, ConstSplit<T> x, Split<T> y) const;
  void run_square(ConstSplit<T> x, Split<T> work, Split<T> y) const;

  int64_t n_;
  std::vector<Pass> passes_;
  Table half_roots_;

  std::shared_ptr<const FourierPlan> longer_;  // of a convolution
  Table chirp_, kernel_;

  std::shared_ptr<const FourierPlan> rows_, columns_;  // of a square
  int fine_bits_ =
      0;  // exp(-2 pi i k / n) is the product of two roots, by the low bits and the rest
  Table near_roots_, fine_roots_, coarse_roots_;
};

// The plan for n, made or found among those that were used last.
template <class T>
std::shared_ptr<const FourierPlan<T>> fourier_plan(int64_t n);

}  // namespace tapegrad
