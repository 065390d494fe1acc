#include "tapegrad/rows/isa/correlate_loops.h"

namespace tapegrad::TAPEGRAD_ISA_NAMESPACE {
namespace {

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// The terms go in groups, so that an output is read and written once for each of them.
constexpr int64_t group = 8;

// out[i] += x[i] w[0] + ... + x[i + terms - 1] w[terms - 1]
template <int terms, class T>
void add_shifted(const T* x, const T* w, int64_t begin, int64_t end, T* out) {
  T factor[terms > 0 ? terms : 1];
  for (int k = 0; k < terms; ++k) factor[k] = w[k];
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) {
    T sum = 0;
    if constexpr (terms > 0) sum += x[i] * factor[0];
    if constexpr (terms > 1) sum += x[i + 1] * factor[1];
    if constexpr (terms > 2) sum += x[i + 2] * factor[2];
    if constexpr (terms > 3) sum += x[i + 3] * factor[3];
    if constexpr (terms > 4) sum += x[i + 4] * factor[4];
    if constexpr (terms > 5) sum += x[i + 5] * factor[5];
    if constexpr (terms > 6) sum += x[i + 6] * factor[6];
    if constexpr (terms > 7) sum += x[i + 7] * factor[7];
    out[i] += sum;
  }
}

template <class T>
constexpr void (*add_terms[group + 1])(const T*, const T*, int64_t, int64_t, T*) = {
    add_shifted<0, T>, add_shifted<1, T>, add_shifted<2, T>, add_shifted<3, T>, add_shifted<4, T>,
    add_shifted<5, T>, add_shifted<6, T>, add_shifted<7, T>, add_shifted<8, T>};

template <class T>
void by_shifts(const T* a, int64_t n, int64_t left, const T* v, int64_t m, int64_t begin,
               int64_t end, T* __restrict out) {
  for (int64_t i = begin; i < end; ++i) out[i - begin] = 0;
  const auto border = [&](int64_t from, int64_t to, int64_t j, int64_t terms) {
    for (int64_t i = from; i < to; ++i) {
      T sum = 0;
      for (int64_t k = 0; k < terms; ++k) {
        const int64_t at = i + j + k - left;
        if (at >= 0 && at < n) sum += a[at] * v[j + k];
      }
      out[i - begin] += sum;
    }
  };
  for (int64_t j = 0; j < m; j += group) {
    const int64_t terms = smaller(group, m - j);
    // Where any of the terms is within a, and where all of them are.
    const int64_t some = larger(begin, left - j - terms + 1), none = smaller(end, n + left - j);
    const int64_t all = smaller(larger(some, left - j), none);
    const int64_t rest = larger(all, smaller(none, n + left - j - terms + 1));
    if (some >= none) continue;
    border(some, all, j, terms);
    add_terms<T>[terms](a + j - left, v + j, all, rest, out - begin);
    border(rest, none, j, terms);
  }
}

template <class T>
void by_sums(const T* a, int64_t n, int64_t left, const T* v, int64_t m, int64_t begin, int64_t end,
             T* __restrict out) {
  constexpr int64_t chunk = 1024;
  for (int64_t i = begin; i < end; ++i) {
    const T* x = a + i - left;
    const int64_t first = larger(0, left - i), last = smaller(m, n + left - i);
    T total = 0;
    for (int64_t from = first; from < last; from += chunk) {
      const int64_t to = smaller(last, from + chunk);
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t j = from; j < to; ++j) sum += x[j] * v[j];
      total += sum;
    }
    out[i - begin] = total;
  }
}

template <class T>
const CorrelateLoops<T>& loops() {
  static constexpr CorrelateLoops<T> all{by_shifts<T>, by_sums<T>};
  return all;
}

}  // namespace

CorrelateTables correlate_tables() { return {&loops<float>(), &loops<double>()}; }

}  // namespace tapegrad::TAPEGRAD_ISA_NAMESPACE
