#include "tapegrad/kernels/linalg/linalg_factor.h"

#include <cmath>
#include <limits>

#include "kernels/matrix_cases.h"

using namespace tapegrad;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The largest entry of the product of the factors minus the rows in the order of the pivots.
template <class T>
double lu_residual(int64_t n, std::vector<T> a, const std::vector<T>& lu,
                   const std::vector<int32_t>& pivots) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) std::swap(a[i * n + j], a[pivots[i] * n + j]);
  double worst = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = -static_cast<double>(a[i * n + j]);
      for (int64_t k = 0; k <= std::min(i, j); ++k)
        sum += (k == i ? 1.0 : static_cast<double>(lu[i * n + k])) * lu[k * n + j];
      worst = std::fmax(worst, std::abs(sum));
    }
  return worst;
}

template <class T>
void check_lu(int64_t n) {
  const auto a = random_matrix<T>(n * n, 7);
  auto lu = a;
  std::vector<int32_t> pivots(n);
  CHECK(factor_lu(n, lu.data(), pivots.data()));
  const double eps = std::numeric_limits<T>::epsilon() * static_cast<double>(n + 1);
  CHECK(lu_residual(n, a, lu, pivots) < 4 * eps);
  const auto x = random_matrix<T>(n * 3, 8);
  std::vector<T> b(n * 3);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < 3; ++c) {
      double sum = 0;
      for (int64_t j = 0; j < n; ++j) sum += static_cast<double>(a[i * n + j]) * x[j * 3 + c];
      b[i * 3 + c] = static_cast<T>(sum);
    }
  solve_lu(n, 3, lu.data(), pivots.data(), b.data());
  for (int64_t i = 0; i < n * 3; ++i) CHECK_CLOSE(b[i], x[i], 3e3 * eps);
}

}  // namespace

// Plain loops up to small_order, the library behind it.
TEST(both_sides_of_the_small_orders) {
  on_each_library([] {
    for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{2}, small_order, small_order + 1}) {
      check_lu<double>(n);
      check_lu<float>(n);
    }
  });
}

TEST(the_largest_element_of_a_column_is_the_pivot) {
  double a[] = {1, 2, -4, 8};
  int32_t pivots[2] = {};
  CHECK(factor_lu(2, a, pivots));
  const double expected[] = {-4, 8, -0.25, 4};
  for (size_t i = 0; i < 4; ++i) CHECK(a[i] == expected[i]);
  CHECK(pivots[0] == 1 && pivots[1] == 1);
}

TEST(nan_is_the_largest_pivot_and_no_error) {
  for (const int64_t n : {int64_t{3}, small_order + 1}) {
    auto a = random_matrix<double>(n * n, 9);
    a[n] = not_a_number;  // (1, 0)
    std::vector<int32_t> pivots(n);
    CHECK(factor_lu(n, a.data(), pivots.data()));
    if (n == 3) CHECK(pivots[0] == 1);
    CHECK(std::isnan(a[n * n - 1]));
  }
}

TEST(a_pivot_of_zero_is_reported) {
  on_each_library([] {
    for (const int64_t n : {int64_t{1}, small_order, small_order + 1}) {
      auto a = random_matrix<double>(n * n, 10);
      for (int64_t i = 0; i < n; ++i) a[i * n + n / 2] = 0;
      std::vector<int32_t> pivots(n);
      CHECK(!factor_lu(n, a.data(), pivots.data()));
    }
  });
}

TEST(no_columns_are_no_work) {
  const double lu[] = {0};
  const int32_t pivots[] = {0};
  double b[] = {5};
  solve_lu(1, 0, lu, pivots, b);
  solve_lu(0, 1, lu, pivots, b);
  CHECK(b[0] == 5);
}

// (2 .; 6 4) (x; y) = (2 4; 14 0), in memory in either order, also from the end.
TEST(small_triangles_of_any_strides) {
  const double rows[] = {2, not_a_number, 6, 4}, columns[] = {2, 6, not_a_number, 4},
               backwards[] = {4, 6, not_a_number, 2};
  const Triangle<double> lower[] = {{rows, 2, 1, true, false},
                                    {columns, 1, 2, true, false},
                                    {backwards + 3, -2, -1, true, false}};
  for (const Triangle<double>& a : lower) {
    double b[] = {2, 4, 14, 0};
    CHECK(solve_small_triangle(2, 2, a, b));
    CHECK(b[0] == 1 && b[1] == 2 && b[2] == 2 && b[3] == -3);
  }
  const double upper[] = {not_a_number, 3, not_a_number, not_a_number};
  double b[] = {7, 2};
  CHECK(solve_small_triangle(2, 1, Triangle<double>{upper, 2, 1, false, true}, b));
  CHECK(b[0] == 1 && b[1] == 2);
}

TEST(a_zero_on_the_diagonal_leaves_the_right_hand_side_alone) {
  const float a[] = {1, 0, 5, 0};
  float b[] = {3, 4};
  CHECK(!solve_small_triangle(2, 1, Triangle<float>{a, 2, 1, true, false}, b));
  CHECK(b[0] == 3 && b[1] == 4);
  CHECK(solve_small_triangle(2, 1, Triangle<float>{a, 2, 1, true, true}, b));
  CHECK(b[0] == 3 && b[1] == -11);
}

TEST(cholesky_clears_the_upper_triangle) {
  on_each_library([] {
    for (const int64_t n : {int64_t{0}, int64_t{1}, small_order, small_order + 1}) {
      std::vector<double> a(n * n, not_a_number);  // L L' of an L of ones, which is min(i, j) + 1
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j <= i; ++j) a[i * n + j] = static_cast<double>(j + 1);
      CHECK(factor_cholesky(n, a.data()));
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) CHECK(a[i * n + j] == (j <= i ? 1 : 0));
    }
  });
  double not_positive[] = {1, not_a_number, 2, 4};
  CHECK(!factor_cholesky(2, not_positive));
  CHECK(not_positive[1] == 0);
}
