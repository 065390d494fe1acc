#include "tapegrad/kernels/blas/blas_builtin.h"

#include <cmath>
#include <limits>
#include <vector>

#include "check.h"

// The products and solves of the other BLAS tests run on these kernels too; here are the borders of
// their blocks, which the callers' tiles do not reach, and what they leave alone. The numbers are
// small integers, so that every order of the operations gives the same bits.

using namespace tapegrad;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> integers(int64_t n, uint32_t seed) {
  std::vector<T> x;
  for (int64_t i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    x.push_back(static_cast<T>(static_cast<int>(seed >> 16) % 7 - 3));
  }
  return x;
}

template <class T>
void check_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k) {
  constexpr int64_t gap = 2;
  const int64_t lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
  const auto a = integers<T>((ta ? k : m) * lda, 1), b = integers<T>((tb ? n : k) * ldb, 2);
  const auto old = integers<T>(m * ldc, 3);
  auto c = old;
  builtin::gemm(ta, tb, m, n, k, T(2), a.data(), lda, b.data(), ldb, T(-1), c.data(), ldc);
  int64_t wrong = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < ldc; ++j) {
      const auto at = static_cast<size_t>(i * ldc + j);
      T expected = old[at];
      if (j < n) {
        T sum = 0;
        for (int64_t l = 0; l < k; ++l)
          sum += a[static_cast<size_t>(ta ? l * lda + i : i * lda + l)] *
                 b[static_cast<size_t>(tb ? j * ldb + l : l * ldb + j)];
        expected = 2 * sum - old[at];
      }
      wrong += c[at] != expected;
    }
  CHECK(wrong == 0);
}

struct Kind {
  bool is_lower, is_trans, is_unit;
};

// Element (i, j) of op(A), where A is a triangle whose other half (and unit diagonal) holds NaN.
template <class T>
std::vector<T> triangle(const Kind& kind, int64_t n, int64_t lda) {
  auto a = integers<T>(n * lda, 4);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      T& x = a[static_cast<size_t>(i * lda + j)];
      if (i == j) {
        x = kind.is_unit ? static_cast<T>(not_a_number) : static_cast<T>(i % 2 ? -2 : 4);
      } else if ((i > j) != kind.is_lower) {
        x = static_cast<T>(not_a_number);
      }
    }
  return a;
}

template <class T>
void check_triangular_solve(const Kind& kind, int64_t n, int64_t nrhs) {
  const int64_t lda = n + 1, ldb = nrhs + 2;
  const auto a = triangle<T>(kind, n, lda), x = integers<T>(n * ldb, 5);
  auto b = x;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t r = 0; r < nrhs; ++r) {
      T sum = 0;
      for (int64_t j = 0; j < n; ++j) {
        const int64_t row = kind.is_trans ? j : i, column = kind.is_trans ? i : j;
        if (row != column && (row > column) != kind.is_lower) continue;
        const T factor = kind.is_unit && i == j ? T(1) : a[static_cast<size_t>(row * lda + column)];
        sum += factor * x[static_cast<size_t>(j * ldb + r)];
      }
      b[static_cast<size_t>(i * ldb + r)] = sum;
    }
  builtin::trsm(kind.is_lower, kind.is_trans, kind.is_unit, n, nrhs, a.data(), lda, b.data(), ldb);
  CHECK(b == x);
}

}  // namespace

TEST(products_at_the_borders_of_blocks) {
  const int64_t shapes[][3] = {{64, 512, 256}, {65, 513, 257}, {63, 511, 255}, {4, 8, 1},
                               {5, 9, 2},      {1, 1, 600},    {130, 1, 1},    {1, 1030, 3}};
  for (const auto& [m, n, k] : shapes)
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        check_product<double>(ta, tb, m, n, k);
        check_product<float>(ta, tb, m, n, k);
      }
}

TEST(an_empty_depth_scales_the_result) {
  double c[] = {1, 2, 3, not_a_number};
  builtin::gemm(false, false, 1, 3, 0, 5.0, c, 1, c, 1, 2.0, c, 3);
  CHECK(c[0] == 2 && c[1] == 4 && c[2] == 6);
  builtin::gemm(false, false, 1, 4, 0, 5.0, c, 1, c, 1, 0.0, c, 4);
  for (const double x : c) CHECK(x == 0);
}

TEST(triangular_solves_read_one_triangle) {
  for (const bool is_lower : {false, true})
    for (const bool is_trans : {false, true})
      for (const bool is_unit : {false, true})
        for (const int64_t n : {0, 1, 2, 7})
          for (const int64_t nrhs : {0, 1, 3, 20}) {
            check_triangular_solve<double>({is_lower, is_trans, is_unit}, n, nrhs);
            check_triangular_solve<float>({is_lower, is_trans, is_unit}, n, nrhs);
          }
}

// X (2 .; 3 4)' = B
TEST(a_triangle_on_the_right) {
  const double l[] = {2, not_a_number, 9, 3, 4, 9};
  double b[] = {2, 11, 7, -4, 2, 7};
  builtin::trsm_right(2, 2, l, 3, b, 3);
  const double expected[] = {1, 2, 7, -2, 2, 7};
  for (size_t i = 0; i < 6; ++i) CHECK(b[i] == expected[i]);
}

// Column by column with one element between the columns.
TEST(lu_of_a_tall_matrix) {
  double a[] = {0, 2, 4, -7, 1, 3, 5, -7};
  int pivots[2] = {};
  CHECK(builtin::getrf(3, 2, a, 4, pivots) == 0);
  const double expected[] = {4, 0, 0.5, -7, 5, 1, 0.5, -7};
  for (size_t i = 0; i < 8; ++i) CHECK(a[i] == expected[i]);
  CHECK(pivots[0] == 3 && pivots[1] == 3);
}

TEST(lu_reports_the_first_zero_pivot_and_goes_on) {
  float a[] = {0, 0, 1, 2};
  int pivots[2] = {};
  CHECK(builtin::getrf(2, 2, a, 2, pivots) == 1);
  CHECK(pivots[0] == 1 && pivots[1] == 2);
  CHECK(a[2] == 1 && a[3] == 2);
}

TEST(lu_takes_nan_for_the_largest_pivot) {
  double a[] = {1, not_a_number, 3, 1, 1, 1, 2, 0, 5};
  int pivots[3] = {};
  CHECK(builtin::getrf(3, 3, a, 3, pivots) == 0);
  CHECK(pivots[0] == 2);
  CHECK(std::isnan(a[0]) && std::isnan(a[8]));
}

TEST(cholesky_leaves_the_upper_triangle_alone) {
  double a[] = {4, not_a_number, not_a_number, 2, 5, not_a_number, -6, 1, 26};
  CHECK(builtin::potrf(3, a, 3) == 0);
  const double expected[] = {2, not_a_number,   not_a_number, 1, 2, not_a_number, -3,
                             2, std::sqrt(13.0)};
  for (size_t i = 0; i < 9; ++i)
    CHECK(a[i] == expected[i] || (std::isnan(a[i]) && std::isnan(expected[i])));
}

TEST(cholesky_names_the_first_minor_that_is_not_positive) {
  double zero[] = {0}, indefinite[] = {1, not_a_number, 2, 4}, unknown[] = {not_a_number};
  CHECK(builtin::potrf(1, zero, 1) == 1);
  CHECK(builtin::potrf(2, indefinite, 2) == 2);
  CHECK(builtin::potrf(1, unknown, 1) == 0);  // NaN goes through
  CHECK(std::isnan(unknown[0]));
  CHECK(builtin::potrf(0, zero, 1) == 0);
}
