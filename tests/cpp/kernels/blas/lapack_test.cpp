#include "tapegrad/kernels/blas/lapack.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/matrix_cases.h"
#include "tapegrad/kernels/blas/blas.h"

using namespace tapegrad;

constexpr int64_t orders[] = {0, 1, 2, 3, 4, 5, 64, 257};
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class T>
static T largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
  T largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const T difference = std::abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

template <class T>
static std::vector<T> product(bool ta, int64_t m, int64_t n, int64_t k, const std::vector<T>& a,
                              const std::vector<T>& b, bool tb = false) {
  std::vector<T> c(m * n);
  gemm(ta, tb, m, n, k, T(1), a.data(), ta ? m : k, b.data(), tb ? k : n, T(0), c.data(), n);
  return c;
}

template <class T>
static T tolerance(int64_t n) {
  return std::numeric_limits<T>::epsilon() * static_cast<T>(20 * (n + 1));
}

// A random matrix whose condition number stays small, yet one that needs pivoting.
template <class T>
static std::vector<T> well_conditioned(int64_t n, unsigned seed) {
  auto a = random_matrix<T>(n * n, seed);
  for (T& value : a) value /= static_cast<T>(n);
  for (int64_t i = 0; i < n; ++i) a[i * n + (i + n / 2) % n] += T(2);
  return a;
}

template <class T>
static void check_lu() {
  for (const int64_t n : orders) {
    const auto a = well_conditioned<T>(n, 1);
    auto lu = a;
    std::vector<int32_t> pivots(n);
    CHECK(getrf(n, lu.data(), n, pivots.data()) == 0);
    std::vector<T> lower(n * n), upper(n * n), swapped = a;
    for (int64_t i = 0; i < n; ++i) {
      CHECK(pivots[i] >= i && pivots[i] < n);
      for (int64_t j = 0; j < n; ++j) {
        (j < i ? lower : upper)[i * n + j] = lu[i * n + j];
        if (j < i) CHECK(std::abs(lu[i * n + j]) <= T(1));
        if (pivots[i] != i) std::swap(swapped[i * n + j], swapped[pivots[i] * n + j]);
      }
      lower[i * n + i] = T(1);
    }
    CHECK(largest_difference(product(false, n, n, n, lower, upper), swapped) <= tolerance<T>(n));
    for (const int64_t nrhs : {0, 1, 3, 150}) {
      const auto x = random_matrix<T>(n * nrhs, 2);
      for (const bool is_trans : {false, true}) {
        auto b = product(is_trans, n, nrhs, n, a, x);
        getrs(is_trans, n, nrhs, lu.data(), n, pivots.data(), b.data(), nrhs);
        CHECK(largest_difference(b, x) <= tolerance<T>(n));
      }
    }
    std::vector<T> inverted(n * n, T(not_a_number)), identity(n * n, T(0));
    for (int64_t i = 0; i < n; ++i) identity[i * n + i] = T(1);
    CHECK(inverse(n, a.data(), n, inverted.data(), n) == 0);
    CHECK(largest_difference(product(false, n, n, n, a, inverted), identity) <= tolerance<T>(n));
  }
}

TEST(lu_factors_solves_and_inverses) {
  on_each_library([] {
    check_lu<double>();
    check_lu<float>();
  });
}

TEST(a_singular_matrix_is_reported) {
  on_each_library([] {
    for (const int64_t n : {1, 2, 5, 300}) {
      // Row 0 repeated in the last row would leave rounding; zero columns are exact.
      for (const int64_t zero : {int64_t{0}, n / 2, n - 1}) {
        auto a = well_conditioned<double>(n, 3);
        for (int64_t i = 0; i < n; ++i) a[i * n + zero] = 0;
        std::vector<double> out(n * n);
        CHECK(inverse(n, a.data(), n, out.data(), n) == zero + 1);
        std::vector<int32_t> pivots(n);
        CHECK(getrf(n, a.data(), n, pivots.data()) == zero + 1);
        double determinant = 1;
        for (int64_t i = 0; i < n; ++i) determinant *= a[i * n + i];
        CHECK(determinant == 0);
      }
    }
    double a[] = {1, 2, 2, 4};
    int32_t pivots[2];
    CHECK(getrf(2, a, 2, pivots) == 2);
  });
}

TEST(nan_goes_through_a_solve) {
  on_each_library([] {
    std::vector<double> a = {0, not_a_number, 1, 1}, b = {1, 1};
    std::vector<int32_t> pivots(2);
    CHECK(getrf<double>(2, a.data(), 2, pivots.data()) == 0);
    getrs(false, 2, 1, a.data(), 2, pivots.data(), b.data(), 1);
    CHECK(std::isnan(b[0]) && std::isnan(b[1]));
  });
}

template <class T>
static void check_cholesky() {
  for (const int64_t n : orders) {
    const int64_t ld = n + 3;
    auto base = random_matrix<T>(n * n, 4);
    for (T& value : base) value /= std::sqrt(static_cast<T>(n));
    auto spd = product(false, n, n, n, base, base, true);
    for (int64_t i = 0; i < n; ++i) spd[i * n + i] += T(1);
    std::vector<T> a(n * ld,
                     T(not_a_number));  // NaN in the upper triangle: it is neither read nor written
    for (int64_t i = 0; i < n; ++i) std::copy_n(&spd[i * n], i + 1, &a[i * ld]);
    CHECK(potrf(n, a.data(), ld) == 0);
    std::vector<T> lower(n * n);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < ld; ++j) {
        if (j > i) CHECK(std::isnan(a[i * ld + j]));
        if (j <= i) lower[i * n + j] = a[i * ld + j];
      }
    CHECK(largest_difference(product(false, n, n, n, lower, lower, true), spd) <= tolerance<T>(n));
    for (const int64_t bad : {int64_t{0}, n / 2, n - 1}) {
      if (n == 0) continue;
      auto indefinite = spd;
      indefinite[bad * n + bad] = T(-1);
      CHECK(potrf(n, indefinite.data(), n) == bad + 1);
    }
  }
}

TEST(cholesky_factors) {
  on_each_library([] {
    check_cholesky<double>();
    check_cholesky<float>();
  });
}

template <class T>
static void check_triangular() {
  for (const int64_t n : orders)
    for (const int64_t nrhs : {int64_t{0}, int64_t{1}, int64_t{3}, n / 2 + 5})
      for (const bool is_lower : {false, true})
        for (const bool is_trans : {false, true})
          for (const bool is_unit : {false, true}) {
            const auto x = random_matrix<T>(n * nrhs, 5);
            std::vector<T> read = random_matrix<T>(n * n, 6), full(n * n);
            for (int64_t i = 0; i < n; ++i)
              for (int64_t j = 0; j < n; ++j) {
                T& value = read[i * n + j];
                value = i == j ? T(2) + value : value / static_cast<T>(n);
                const bool is_outside = is_lower ? j > i : j < i;
                full[i * n + j] = is_outside ? T(0) : i == j && is_unit ? T(1) : value;
                if (is_outside || (i == j && is_unit)) value = T(not_a_number);
              }
            auto b = product(is_trans, n, nrhs, n, full, x);
            CHECK(trtrs(is_lower, is_trans, is_unit, n, nrhs, read.data(), n, b.data(), nrhs) == 0);
            CHECK(largest_difference(b, x) <= tolerance<T>(n));
          }
  const T singular[] = {1, 0, 5, 0};
  T b[] = {7, 8};
  CHECK(trtrs(true, false, false, 2, 1, singular, 2, b, 1) == 2);
  CHECK(b[0] == T(7) && b[1] == T(8));
}

TEST(triangular_solves) {
  on_each_library([] {
    check_triangular<double>();
    check_triangular<float>();
  });
}

TEST(large_factorizations_have_the_same_bits_for_any_number_of_threads) {
  on_each_library([] {
    const int64_t n = 390;
    check_same_bits_for_any_threads([&] {
      auto a = well_conditioned<double>(n, 7), b = random_matrix<double>(n * n, 8);
      std::vector<int32_t> pivots(n);
      getrf(n, a.data(), n, pivots.data());
      getrs(false, n, n, a.data(), n, pivots.data(), b.data(), n);
      return b;
    });
    auto base = random_matrix<double>(n * n, 9);
    auto spd = product(false, n, n, n, base, base, true);
    for (int64_t i = 0; i < n; ++i) spd[i * n + i] += 1;
    check_same_bits_for_any_threads([&] {
      auto a = spd;
      CHECK(potrf(n, a.data(), n) == 0);
      return a;
    });
  });
}
