#include "tapegrad/kernels/linalg/matmul_scaled.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "kernels/random_values.h"
#include "tapegrad/kernels/blas/blas.h"

using namespace tapegrad;

namespace {

struct Sizes {
  bool ta, tb;
  int64_t m, n, k;
};

// Every third row of numbers is multiplied by `tiny`.
template <class T>
std::vector<T> numbers(int64_t rows, int64_t columns, uint64_t seed, T tiny) {
  Random random(seed);
  std::vector<T> x;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      x.push_back(static_cast<T>(random.uniform(-1, 1)) * (i % 3 == 1 ? tiny : T{1}));
  return x;
}

template <class T>
void check_product(const Sizes& s, const std::vector<T>& a, const std::vector<T>& b) {
  const int64_t lda = s.ta ? s.m : s.k, ldb = s.tb ? s.k : s.n;
  std::vector<T> c(static_cast<size_t>(s.m * s.n), T{9});
  scaled_gemm(s.ta, s.tb, s.m, s.n, s.k, a.data(), lda, b.data(), ldb, c.data(), s.n);
  const auto at = [](const std::vector<T>& x, bool turned, int64_t ld, int64_t i, int64_t j) {
    return static_cast<long double>(x[static_cast<size_t>(turned ? j * ld + i : i * ld + j)]);
  };
  const long double eps = std::numeric_limits<T>::epsilon();
  const long double least = std::numeric_limits<T>::denorm_min();
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t j = 0; j < s.n; ++j) {
      long double sum = 0, size = 0;
      for (int64_t p = 0; p < s.k; ++p) {
        const long double term = at(a, s.ta, lda, i, p) * at(b, s.tb, ldb, p, j);
        sum += term;
        size += std::abs(term);
      }
      const long double got = c[static_cast<size_t>(i * s.n + j)];
      if (std::isnan(sum)) {
        CHECK(std::isnan(got));
      } else if (std::isinf(sum)) {
        CHECK(got == sum);
      } else if (size < static_cast<long double>(std::numeric_limits<T>::max())) {
        CHECK(std::abs(got - sum) <= 8 * eps * size + static_cast<long double>(s.k) * least);
      }
    }
}

template <class T>
void check_range(T tiny, T huge) {
  for (const Sizes& s : {Sizes{false, false, 70, 30, 40}, Sizes{true, false, 64, 50, 33},
                         Sizes{false, true, 33, 47, 90}, Sizes{true, true, 40, 40, 40}}) {
    const int64_t a_rows = s.ta ? s.k : s.m, a_columns = s.ta ? s.m : s.k;
    const int64_t b_rows = s.tb ? s.n : s.k, b_columns = s.tb ? s.k : s.n;
    for (T left : {T{1}, tiny, huge})
      for (T right : {T{1}, tiny, huge})
        check_product(s, numbers<T>(a_rows, a_columns, 1, left),
                      numbers<T>(b_rows, b_columns, 2, right));
  }
}

}  // namespace

TEST(products_of_subnormal_numbers_keep_what_they_can) {
  check_range<double>(1e-309, 1e150);
  check_range<double>(1e-300, 1e300);
  check_range<float>(1e-39f, 1e17f);
  check_range<float>(1e-35f, 1e30f);
}

TEST(infinities_and_nans_come_through_beside_subnormal_numbers) {
  for (const float odd : {INFINITY, -INFINITY, NAN}) {
    std::vector<double> a = numbers<double>(60, 50, 3, 1e-310), b = numbers<double>(50, 40, 4, 1.0);
    a[5] = static_cast<double>(odd);
    check_product(Sizes{false, false, 60, 40, 50}, a, b);
    std::swap(a[5], b[7]);
    check_product(Sizes{false, false, 60, 40, 50}, a, b);
  }
}

TEST(other_products_have_the_bits_of_gemm) {
  const std::vector<double> a = numbers<double>(65, 80, 5, 1e-200),
                            b = numbers<double>(80, 33, 6, 1.0);
  std::vector<double> c(65 * 33), d(65 * 33);
  scaled_gemm(false, false, 65, 33, 80, a.data(), 80, b.data(), 33, c.data(), 33);
  gemm(false, false, 65, 33, 80, 1.0, a.data(), 80, b.data(), 33, 0.0, d.data(), 33);
  CHECK(c == d);
}
