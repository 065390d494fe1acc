#include "tapegrad/kernels/fourier/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <list>
#include <mutex>
#include <numbers>

#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

struct Root {
  double re, im;
};

// exp(-2 pi i k / n), from an angle of at most pi / 4.
Root unit_root(int64_t k, int64_t n) {
  int64_t quarter = 4 * (k % n);  // of a turn of 4 n
  const bool is_lower = quarter > 2 * n;
  if (is_lower) quarter = 4 * n - quarter;
  const bool is_left = quarter > n;
  if (is_left) quarter = 2 * n - quarter;
  const bool is_steep = 2 * quarter > n;
  if (is_steep) quarter = n - quarter;
  const double angle = std::numbers::pi / 2 * static_cast<double>(quarter) / static_cast<double>(n);
  double re = std::cos(angle), im = std::sin(angle);
  if (is_steep) std::swap(re, im);
  return {is_left ? -re : re, is_lower ? im : -im};
}

template <class T, class F>
FourierScratch<T> table(int64_t n, F&& root) {
  FourierScratch<T> all(1, n);
  const Split<T> to = all[0];
  for (int64_t i = 0; i < n; ++i) {
    const Root r = root(i);
    to.re[i] = static_cast<T>(r.re);
    to.im[i] = static_cast<T>(r.im);
  }
  return all;
}

// Radices in the order of their passes, or none where a prime factor has no pass. Powers of two
// come first: after an 8 the passes of a single lane run along whole vectors.
std::vector<int64_t> factors_of(int64_t n) {
  std::vector<int64_t> factors;
  int twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  int fours = twos % 3 == 1 && twos > 1 ? 2 : twos % 3 == 2 ? 1 : 0;
  for (int left = twos - 2 * fours; left >= 3; left -= 3) factors.push_back(8);
  for (; fours > 0; --fours) factors.push_back(4);
  if (twos == 1) factors.push_back(2);
  for (const int64_t r : {5, 3, 7, 11, 13, 17, 19, 23, 29, 31})
    for (; n % r == 0; n /= r) factors.push_back(r);
  if (n > 1) factors.clear();
  return factors;
}

double cost_of(int64_t n, const std::vector<int64_t>& factors) {
  double each = 1;
  for (const int64_t r : factors) {
    const auto radix = static_cast<double>(r);
    each += r == 8 ? 1.3 : r < 6 ? 0.8 + 0.1 * radix : 0.4 * radix;
  }
  return static_cast<double>(n) * each;
}

// At least this long, and the cheapest to transform.
int64_t convenient_length(int64_t least) {
  int64_t best = 8;
  while (best < least) best *= 2;
  double best_cost = cost_of(best, factors_of(best));
  const int64_t limit = best;
  for (int64_t fives = 1; fives < limit; fives *= 5)
    for (int64_t threes = fives; threes < limit; threes *= 3) {
      int64_t n = 8 * threes;
      while (n < least) n *= 2;
      const double cost = n < limit ? cost_of(n, factors_of(n)) : best_cost;
      if (cost < best_cost) {
        best = n;
        best_cost = cost;
      }
    }
  return best;
}

// Longer ones leave the caches near the processor.
constexpr int64_t longest_in_cache = 1 << 14;

}  // namespace

template <class T>
FourierPlan<T>::FourierPlan(int64_t n) : n_(n) {
  half_roots_ = table<T>(n + 1, [&](int64_t k) { return unit_root(k, 2 * n); });
  const std::vector<int64_t> factors = factors_of(n);
  if (n > 1 && factors.empty()) {
    plan_convolution();
  } else if (n <= longest_in_cache || !plan_square()) {
    plan_passes(factors);
  }
}

template <class T>
void FourierPlan<T>::plan_passes(const std::vector<int64_t>& factors) {
  int64_t length = n_;
  for (const int64_t r : factors) {
    const int64_t m = length / r;
    Pass pass{r, m, {}, {}};
    pass.w =
        table<T>((r - 1) * m, [&](int64_t i) { return unit_root((i / m + 1) * (i % m), length); });
    pass.roots = table<T>(r, [&](int64_t k) { return unit_root(k, r); });
    passes_.push_back(std::move(pass));
    length = m;
  }
}

template <class T>
void FourierPlan<T>::run_passes(int64_t lanes, ConstSplit<T> x, Split<T> work, Split<T> y) const {
  if (passes_.empty()) {
    std::copy_n(x.re, lanes, y.re);
    std::copy_n(x.im, lanes, y.im);
    return;
  }
  // The last of them writes to y.
  Split<T> to = passes_.size() % 2 == 0 ? work : y, next = passes_.size() % 2 == 0 ? y : work;
  int64_t s = lanes;
  for (const Pass& pass : passes_) {
    fourier_loops<T>().pass(pass.radix, pass.m, s, pass.w[0], pass.roots[0], x, to);
    x = to;
    std::swap(to, next);
    s *= pass.radix;
  }
}

template <class T>
void FourierPlan<T>::plan_convolution() {
  // j j modulo 2 n, without overflow.
  chirp_ = table<T>(n_, [&](int64_t j) {
    const auto square = static_cast<unsigned __int128>(j) * static_cast<unsigned __int128>(j);
    return unit_root(static_cast<int64_t>(square % static_cast<unsigned __int128>(2 * n_)), 2 * n_);
  });
  const int64_t m = convenient_length(2 * n_ - 1);
  longer_ = std::make_shared<const FourierPlan>(m);
  const FourierScratch<T> scratch(2, m);
  const Split<T> wave = scratch[0], chirp = chirp_[0];
  std::fill_n(wave.re, m, T{0});
  std::fill_n(wave.im, m, T{0});
  const T scale = 1 / static_cast<T>(m);
  for (int64_t j = 0; j < n_; ++j)
    for (const int64_t at : {j, (m - j) % m}) {
      wave.re[at] = scale * chirp.re[j];
      wave.im[at] = -scale * chirp.im[j];
    }
  kernel_ = Table(1, m);
  longer_->transform(1, wave, scratch[1], kernel_[0]);
}

template <class T>
void FourierPlan<T>::run_convolution(int64_t lanes, ConstSplit<T> x, Split<T> y) const {
  const int64_t m = longer_->size(), taken = n_ * lanes;
  if (longer_->is_square() && lanes > 1) {  // which takes one lane
    const FourierScratch<T> lines(2, n_);
    const Split<T> from = lines[0], to = lines[1];
    for (int64_t l = 0; l < lanes; ++l) {
      for (int64_t j = 0; j < n_; ++j) {
        from.re[j] = x.re[j * lanes + l];
        from.im[j] = x.im[j * lanes + l];
      }
      run_convolution(1, from, to);
      for (int64_t j = 0; j < n_; ++j) {
        y.re[j * lanes + l] = to.re[j];
        y.im[j * lanes + l] = to.im[j];
      }
    }
    return;
  }
  const FourierLoops<T>& loops = fourier_loops<T>();
  const FourierScratch<T> scratch(3, m * lanes);
  const Split<T> wave = scratch[0], work = scratch[1], product = scratch[2];
  loops.multiply(n_, lanes, chirp_[0], x, wave);
  std::fill(wave.re + taken, wave.re + m * lanes, T{0});
  std::fill(wave.im + taken, wave.im + m * lanes, T{0});
  longer_->transform(lanes, wave, work, product);
  loops.multiply(m, lanes, kernel_[0], product, product);
  // The inverse: the same with real and imaginary parts exchanged.
  longer_->transform(lanes, Split<T>{product.im, product.re}, work, Split<T>{wave.im, wave.re});
  loops.multiply(n_, lanes, chirp_[0], wave, y);
}

// Rows that are far from each other are read and written in pieces of two cache lines, which come
// in pairs.
template <class T>
constexpr int64_t square_lanes = 2 * fourier_lanes<T>;

template <class T>
bool FourierPlan<T>::plan_square() {
  constexpr int64_t width = square_lanes<T>;
  if (n_ % (width * width) != 0) return false;
  const int64_t rest = n_ / (width * width);
  auto part = static_cast<int64_t>(std::sqrt(static_cast<double>(rest)));
  while (rest % part != 0) --part;
  const int64_t rows = part * width, columns = n_ / rows;
  if (rows < 8 * width) return false;
  columns_ = std::make_shared<const FourierPlan>(rows);  // n1 points of each column
  rows_ = std::make_shared<const FourierPlan>(columns);
  near_roots_ =
      table<T>(rows * width, [&](int64_t i) { return unit_root((i / width) * (i % width), n_); });
  fine_bits_ = static_cast<int>(std::bit_width(static_cast<uint64_t>(n_))) / 2;
  const int64_t fine = int64_t{1} << fine_bits_;
  fine_roots_ = table<T>(fine, [&](int64_t k) { return unit_root(k, n_); });
  coarse_roots_ = table<T>(n_ / fine + 1, [&](int64_t k) { return unit_root(k * fine % n_, n_); });
  return true;
}

// x_(j1 n2 + j2): columns of n1 points, times exp(-2 pi i j2 k1 / n), rows of n2 points; element
// (k1, k2) is the transform at k1 + n1 k2.
template <class T>
void FourierPlan<T>::run_square(ConstSplit<T> x, Split<T> work, Split<T> y) const {
  constexpr int64_t width = square_lanes<T>;
  const FourierLoops<T>& loops = fourier_loops<T>();
  const int64_t n1 = columns_->size(), n2 = rows_->size();
  const Split<T> fine = fine_roots_[0], coarse = coarse_roots_[0];
  const auto transform_columns = [&](int64_t begin, int64_t end) {
    const FourierScratch<T> scratch(3, n1 * width), turns(1, n1);
    const Split<T> from = scratch[0], to = scratch[2], far = turns[0];
    for (int64_t block = begin * width; block < end * width; block += width) {
      for (int64_t j = 0; j < n1; ++j) {
        std::copy_n(x.re + j * n2 + block, width, from.re + j * width);
        std::copy_n(x.im + j * n2 + block, width, from.im + j * width);
      }
      columns_->transform(width, from, scratch[1], to);
      for (int64_t k = 0, turn = 0; k < n1; ++k, turn += block) {
        if (turn >= n_) turn -= n_;
        const int64_t high = turn >> fine_bits_, low = turn - (high << fine_bits_);
        far.re[k] = coarse.re[high] * fine.re[low] - coarse.im[high] * fine.im[low];
        far.im[k] = coarse.re[high] * fine.im[low] + coarse.im[high] * fine.re[low];
      }
      loops.turn(n1, width, far, near_roots_[0], to);
      for (int64_t k = 0; k < n1; ++k) {
        std::copy_n(to.re + k * width, width, work.re + k * n2 + block);
        std::copy_n(to.im + k * width, width, work.im + k * n2 + block);
      }
    }
  };
  const auto transform_rows = [&](int64_t begin, int64_t end) {
    const FourierScratch<T> scratch(3, n2 * width);
    const Split<T> from = scratch[0], to = scratch[2];
    for (int64_t block = begin * width; block < end * width; block += width) {
      for (int64_t l = 0; l < width; l += fourier_lanes<T>) {
        loops.transpose(n2, work.re + (block + l) * n2, n2, from.re + l, width);
        loops.transpose(n2, work.im + (block + l) * n2, n2, from.im + l, width);
      }
      rows_->transform(width, from, scratch[1], to);
      for (int64_t k = 0; k < n2; ++k) {
        std::copy_n(to.re + k * width, width, y.re + k * n1 + block);
        std::copy_n(to.im + k * width, width, y.im + k * n1 + block);
      }
    }
  };
  parallel_for(n2 / width, 1, static_cast<double>(width) * columns_->cost(), transform_columns);
  parallel_for(n1 / width, 1, static_cast<double>(width) * rows_->cost(), transform_rows);
}

template <class T>
double FourierPlan<T>::cost() const {
  if (longer_) return 2.5 * longer_->cost();
  if (rows_) return cost_of(n_, factors_of(n_));
  double each = 1;
  for (const Pass& pass : passes_) each += 1 + 0.1 * static_cast<double>(pass.radix);
  return static_cast<double>(n_) * each;
}

template <class T>
void FourierPlan<T>::transform(int64_t lanes, ConstSplit<T> x, Split<T> work, Split<T> y) const {
  if (longer_) {
    run_convolution(lanes, x, y);
  } else if (rows_) {
    run_square(x, work, y);
  } else {
    run_passes(lanes, x, work, y);
  }
}

template <class T>
std::shared_ptr<const FourierPlan<T>> fourier_plan(int64_t n) {
  using Plan = std::shared_ptr<const FourierPlan<T>>;
  constexpr size_t kept = 16;
  // Never destroyed: threads may still compute while the process ends.
  static std::mutex& mutex = *new std::mutex;
  static std::list<Plan>& plans = *new std::list<Plan>;  // the one used last in front
  {
    const std::lock_guard lock(mutex);
    const auto found =
        std::find_if(plans.begin(), plans.end(), [&](const Plan& p) { return p->size() == n; });
    if (found != plans.end()) {
      plans.splice(plans.begin(), plans, found);
      return plans.front();
    }
  }
  Plan plan = std::make_shared<const FourierPlan<T>>(n);
  const std::lock_guard lock(mutex);
  plans.push_front(plan);
  if (plans.size() > kept) plans.pop_back();
  return plan;
}

template class FourierPlan<float>;
template class FourierPlan<double>;
template std::shared_ptr<const FourierPlan<float>> fourier_plan<float>(int64_t);
template std::shared_ptr<const FourierPlan<double>> fourier_plan<double>(int64_t);

}  // namespace tapegrad
