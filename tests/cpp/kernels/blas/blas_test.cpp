#include "tapegrad/kernels/blas/blas.h"

#include <cmath>
#include <limits>

#include "kernels/matrix_cases.h"

using namespace tapegrad;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

// C = alpha op(A) op(B) + beta C in double, with the largest sum of magnitudes as the scale of the
// errors.
template <class T>
static void check_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, T beta,
                       int64_t gap) {
  const int64_t lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
  const auto a = random_matrix<T>((ta ? k : m) * lda, 1),
             b = random_matrix<T>((tb ? n : k) * ldb, 2);
  auto c = random_matrix<T>(m * ldc, 3);
  const auto old = c;
  gemm(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
  const double tolerance =
      std::numeric_limits<T>::epsilon() * (static_cast<double>(k) + 4) * (1 + std::abs(alpha));
  double worst = 0;
  bool gap_kept = true;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < ldc; ++j) {
      const T got = c[i * ldc + j], before = old[i * ldc + j];
      if (j >= n) {
        gap_kept &= got == before;
        continue;
      }
      double sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += static_cast<double>(ta ? a[l * lda + i] : a[i * lda + l]) *
               (tb ? b[j * ldb + l] : b[l * ldb + j]);
      worst = std::fmax(worst, std::abs(alpha * sum + static_cast<double>(beta) * before - got));
    }
  }
  CHECK(gap_kept);
  CHECK(worst <= tolerance);
  if (worst > tolerance)
    std::printf("  ta=%d tb=%d m=%ld n=%ld k=%ld: %g\n", ta, tb, (long)m, (long)n, (long)k, worst);
}

template <class T>
static void check_all_shapes() {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      for (const int64_t m : {0, 1, 3, 4, 5, 64})
        for (const int64_t n : {0, 1, 3, 4, 5, 64})
          for (const int64_t k : {0, 1, 3, 4, 5, 64})
            check_gemm<T>(ta, tb, m, n, k, T(1), T(0), m % 3);
      check_gemm<T>(ta, tb, 257, 257, 257, T(-0.5), T(1), 0);  // tiles
      check_gemm<T>(ta, tb, 257, 64, 257, T(2), T(0.5), 3);
      check_gemm<T>(ta, tb, 1, 513, 300, T(1), T(2), 1);  // vectors
      check_gemm<T>(ta, tb, 513, 1, 300, T(1), T(2), 1);
      check_gemm<T>(ta, tb, 3, 5, 70001, T(1), T(0.5), 2);  // cut in depth
      check_gemm<T>(ta, tb, 1, 1, 200003, T(1), T(0), 0);
    }
}

TEST(double_products_equal_naive_loops) { on_each_library(check_all_shapes<double>); }
TEST(float_products_equal_naive_loops) { on_each_library(check_all_shapes<float>); }

TEST(products_have_the_same_bits_for_any_number_of_threads) {
  on_each_library([] {
    const int64_t shapes[][3] = {
        {257, 300, 20}, {3, 5, 70001}, {2000, 1, 100}, {1, 2000, 100}, {1, 1, 150001}};
    for (const auto& [m, n, k] : shapes) {
      const auto a = random_matrix<double>(m * k, 4), b = random_matrix<double>(k * n, 5);
      for (const bool ta : {false, true})
        for (const bool tb : {false, true})
          check_same_bits_for_any_threads([&, m = m, n = n, k = k] {
            std::vector<double> c(m * n, not_a_number);
            gemm(ta, tb, m, n, k, 1.0, a.data(), ta ? m : k, b.data(), tb ? k : n, 0.0, c.data(),
                 n);
            return c;
          });
    }
  });
}

TEST(with_beta_zero_the_old_result_is_not_read) {
  on_each_library([] {
    const int64_t shapes[][3] = {{2, 2, 2},   {2, 2, 0},    {30, 1, 30},
                                 {1, 30, 30}, {30, 30, 30}, {2, 2, 70000}};
    for (const auto& [m, n, k] : shapes) {
      const std::vector<double> a(m * k, 1.0), b(k * n, 1.0);
      std::vector<double> c(m * n, not_a_number);
      gemm(false, false, m, n, k, 1.0, a.data(), k, b.data(), n, 0.0, c.data(), n);
      for (double value : c) CHECK(value == static_cast<double>(k));
    }
  });
}

TEST(nan_and_infinity_follow_ieee) {
  on_each_library([] {
    for (const int64_t n : {1, 2, 5, 40}) {
      for (const double special : {not_a_number, inf}) {
        std::vector<double> a(n * n, 0.0), b(n * n, 0.0), c(n * n);
        a[0] = special;  // 0 * special in the first row of the result
        gemm(false, false, n, n, n, 1.0, a.data(), n, b.data(), n, 0.0, c.data(), n);
        for (int64_t i = 0; i < n * n; ++i) CHECK(i < n ? std::isnan(c[i]) : c[i] == 0);
        gemm(false, false, n, 1, n, 1.0, b.data(), n, a.data(), n, 0.0, c.data(), 1);
        for (int64_t i = 0; i < n; ++i) CHECK(std::isnan(c[i]));
        gemm(false, false, 1, n, n, 1.0, b.data(), n, a.data(), n, 0.0, c.data(), n);
        for (int64_t i = 0; i < n; ++i) CHECK(i == 0 ? std::isnan(c[i]) : c[i] == 0);
      }
    }
  });
}

TEST(a_repeated_row_is_a_leading_dimension_of_zero) {
  on_each_library([] {
    const auto a = random_matrix<double>(30, 6), b = random_matrix<double>(30 * 20, 7);
    std::vector<double> c(10 * 20), row(20);
    gemm(false, false, 10, 20, 30, 1.0, a.data(), 0, b.data(), 20, 0.0, c.data(), 20);
    gemm(false, false, 1, 20, 30, 1.0, a.data(), 0, b.data(), 20, 0.0, row.data(), 20);
    for (int64_t i = 0; i < 200; ++i) CHECK_CLOSE(c[i], row[i % 20], 1e-14);
  });
}

template <class T>
static void check_batches() {
  for (const int64_t n : {1, 3, 20, 150}) {
    const int64_t batch = n == 150 ? 5 : 40, size = n * n;
    const auto a = random_matrix<T>(batch * size, 8), b = random_matrix<T>(size, 9);
    std::vector<int64_t> each(batch), same(batch, 0);
    for (int64_t i = 0; i < batch; ++i) each[i] = i * size;
    const auto batched = [&] {
      std::vector<T> c(batch * size, T(not_a_number));
      gemm_batched(false, true, n, n, n, T(1), a.data(), n, b.data(), n, T(0), c.data(), n, batch,
                   each.data(), same.data(), each.data());
      return c;
    };
    check_same_bits_for_any_threads(batched);
    const auto c = batched();
    std::vector<T> one(size);
    for (int64_t i = 0; i < batch; ++i) {
      gemm(false, true, n, n, n, T(1), a.data() + each[i], n, b.data(), n, T(0), one.data(), n);
      CHECK(std::equal(one.begin(), one.end(), c.begin() + each[i]));
    }
  }
}

TEST(a_batch_is_its_products) {
  on_each_library([] {
    check_batches<double>();
    check_batches<float>();
  });
}
