#include "tapegrad/kernels/linalg/linalg.h"

#include "kernels/array_cases.h"
#include "kernels/matrix_cases.h"
#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

// A stack of well-conditioned matrices in a layout of array_cases.h.
Value regular_stack(const Dims& shape, int layout = 0, DType d = DType::float64) {
  Value v = cases::laid_out(shape, layout, d).copy();
  const int64_t n = shape.back();
  for (int64_t i = 0; i < v.size(); ++i) {
    if (i % (n * n) / n == i % n) v.set_at(i, v.at(i) + 2 * static_cast<double>(n));
  }
  if (layout != 1) return v;
  Dims strides = v.strides();
  std::swap(strides[strides.size() - 1], strides[strides.size() - 2]);
  return v.view(shape, strides, 0);
}

double entry(const Value& v, int64_t item, int64_t i, int64_t j) {
  const int64_t rows = v.dim(v.ndim() - 2), columns = v.dim(v.ndim() - 1);
  return v.at((item * rows + i) * columns + j);
}

// The largest entry of a x - b over the stack.
double residual(const Value& a, const Value& x, const Value& b, bool transposed = false) {
  const int64_t n = a.dim(a.ndim() - 1), k = x.dim(x.ndim() - 1), count = x.size() / (n * k);
  double worst = 0;
  for (int64_t s = 0; s < count; ++s) {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < k; ++j) {
        double sum = -entry(b, b.ndim() == 2 ? 0 : s, i, j);
        for (int64_t p = 0; p < n; ++p)
          sum += (transposed ? entry(a, s, p, i) : entry(a, s, i, p)) * entry(x, s, p, j);
        if (!(std::abs(sum) <= worst)) worst = std::abs(sum);
      }
    }
  }
  return worst;
}

Value unit(int64_t n) {
  const Value v = Value::zeros(DType::float64, Dims{n, n});
  for (int64_t i = 0; i < n; ++i) v.data<double>()[i * (n + 1)] = 1;
  return v;
}

TEST(inverse_and_solve_of_every_order) {
  on_each_library([] {
    for (int64_t n : {1, 2, 3, 8, 16, 17, 40, 300}) {
      for (int layout : {0, 1}) {
        const Dims shape = n < 100 ? Dims{3, n, n} : Dims{1, n, n};
        const Value a = regular_stack(shape, layout);
        int64_t failed = 0;
        CHECK(residual(a, inverse_values(a, failed), unit(n)) < 1e-11);
        CHECK(failed == -1);
        const Value b = cases::random_array({n, 5});
        const Value x = solve_values(a, b, Dims{shape[0]}, failed);
        CHECK(failed == -1 && residual(a, x, b) < 1e-11);
      }
      const Value f = regular_stack({2, n, n}, 0, DType::float32);
      int64_t failed = 0;
      CHECK(residual(f, inverse_values(f, failed), unit(n)) < 1e-4);
    }
  });
}

TEST(pivoting) {
  const Value a = Value::from(std::vector<double>{0, 1, 2, 1, 1, 0, 3, 0, 1}, Dims{3, 3});
  int64_t failed = 0;
  CHECK(residual(a, inverse_values(a, failed), unit(3)) < 1e-14);
  CHECK_CLOSE(det_values(a).as_double(), -7, 1e-15);
}

TEST(the_first_singular_matrix_is_named) {
  const Value a = regular_stack({9, 3, 3});
  for (int64_t item : {4, 7}) {
    for (int64_t j = 0; j < 3; ++j) a.data<double>()[item * 9 + 3 + j] = 0;
  }
  int64_t failed = -1;
  inverse_values(a, failed);
  CHECK(failed == 4);
  solve_values(a, unit(3), Dims{9}, failed);
  CHECK(failed == 4);
  cholesky_values(a, failed);
  CHECK(failed == 4);
  const Value det = det_values(a);
  CHECK(det.at(4) == 0 && det.at(7) == 0 && det.at(5) != 0);
  Value sign, logarithm;
  slogdet_values(a, sign, logarithm);
  CHECK(sign.at(4) == 0 && logarithm.at(4) == -INFINITY && sign.at(5) == 1);
  CHECK_CLOSE(std::exp(logarithm.at(5)), det.at(5), 1e-13);
}

TEST(determinants_keep_their_range) {
  const Value a = Value::zeros(DType::float64, Dims{4, 4});
  const double diagonal[] = {1e200, 1e200, 1e-200, -1e-200};
  for (int64_t i = 0; i < 4; ++i) a.data<double>()[i * 5] = diagonal[i];
  CHECK_CLOSE(det_values(a).as_double(), -1, 1e-13);
  CHECK(det_values(Value::empty(DType::float64, Dims{2, 0, 0})).at(1) == 1);
  CHECK(std::isnan(det_values(Value::full(DType::float64, Dims{2, 2}, NAN)).as_double()));
  CHECK(det_values(regular_stack({20, 20}, 0, DType::float32)).dtype() == DType::float32);
}

TEST(triangular_solves) {
  on_each_library([] {
    for (int layout : {0, 1, 3}) {
      for (int flags = 0; flags < 8; ++flags) {
        const bool is_lower = flags & 1, is_trans = flags & 2, is_unit = flags & 4;
        const int64_t n = 12;
        Value a = regular_stack({2, n, n});
        if (layout == 1) a = a.view(a.shape(), Dims{n * n, 1, n}, 0);
        if (layout == 3) a = a.view(a.shape(), Dims{n * n, -n, -1}, n * n - 1);
        const Value b = cases::laid_out({n, 3}, layout);
        int64_t failed = 0;
        const Value x = solve_triangular_values(a, b, Dims{2}, is_lower, is_trans, is_unit, failed);
        CHECK(failed == -1);
        const Value triangle = a.copy();
        for (int64_t s = 0; s < 2; ++s) {
          for (int64_t i = 0; i < n; ++i) {
            for (int64_t j = 0; j < n; ++j) {
              double& t = triangle.data<double>()[(s * n + i) * n + j];
              if (i == j ? is_unit : is_lower == (j > i)) t = i == j ? 1 : 0;
            }
          }
        }
        // Unit triangles amplify: relative to the solution.
        double size = 1;
        for (int64_t i = 0; i < x.size(); ++i) size = std::max(size, std::abs(x.at(i)));
        CHECK(residual(triangle, x, b, is_trans) < 1e-12 * size);
      }
    }
  });
}

TEST(cholesky_reads_the_lower_triangle) {
  on_each_library([] {
    for (int64_t n : {1, 4, 16, 30, 200}) {
      const Value a = regular_stack({2, n, n});
      int64_t failed = 0;
      const Value l = cholesky_values(a, failed);
      CHECK(failed == -1);
      double worst = 0;
      for (int64_t s = 0; s < 2; ++s) {
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (int64_t k = 0; k < n; ++k) sum += entry(l, s, i, k) * entry(l, s, j, k);
            worst = std::max(worst, std::abs(sum - entry(a, s, std::max(i, j), std::min(i, j))));
            if (j > i) CHECK(entry(l, s, i, j) == 0);
          }
        }
      }
      CHECK(worst < 1e-12 * static_cast<double>(n));
    }
  });
}

TEST(same_bits_for_any_number_of_threads) {
  on_each_library([] {
    for (const Dims& shape : {Dims{200, 4, 4}, Dims{30, 20, 20}, Dims{1, 300, 300}}) {
      const Value a = regular_stack(shape);
      int64_t failed = 0;
      CHECK(cases::same_for_any_threads([&] { return inverse_values(a, failed); }));
      CHECK(
          cases::same_for_any_threads([&] { return solve_values(a, a, Dims{shape[0]}, failed); }));
      CHECK(cases::same_for_any_threads([&] { return cholesky_values(a, failed); }));
      CHECK(cases::same_for_any_threads([&] { return det_values(a); }));
      CHECK(cases::same_for_any_threads([&] {
        return solve_triangular_values(a, a, Dims{shape[0]}, true, false, false, failed);
      }));
    }
  });
}

}  // namespace
}  // namespace tapegrad
