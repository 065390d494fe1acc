#include "tapegrad/kernels/decompose/decompose.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "kernels/array_cases.h"
#include "kernels/matrix_cases.h"

namespace tapegrad {
namespace {

double at(const Value& v, int64_t s, int64_t i, int64_t j) {
  const int64_t rows = v.dim(v.ndim() - 2), columns = v.dim(v.ndim() - 1);
  return v.at((s * rows + i) * columns + j);
}

Value random_stack(int64_t count, int64_t m, int64_t n, DType d) {
  const std::vector<double> numbers = random_matrix<double>(count * m * n, 5);
  return Value::from(numbers, Dims{count, m, n}).cast(d);
}

double tolerance(DType d) { return d == DType::float32 ? 2e-5 : 1e-12; }

// The largest entry of u' u - 1; `rows` where the vectors are rows.
double off_orthogonal(const Value& u, bool rows) {
  if (u.size() == 0) return 0;
  const int64_t m = u.dim(u.ndim() - 2), n = u.dim(u.ndim() - 1), count = u.size() / (m * n);
  double worst = 0;
  for (int64_t s = 0; s < count; ++s)
    for (int64_t i = 0; i < (rows ? m : n); ++i)
      for (int64_t j = 0; j < (rows ? m : n); ++j) {
        double sum = i == j ? -1 : 0;
        for (int64_t k = 0; k < (rows ? n : m); ++k)
          sum += rows ? at(u, s, i, k) * at(u, s, j, k) : at(u, s, k, i) * at(u, s, k, j);
        worst = std::max(worst, std::abs(sum));
      }
  return worst;
}

// The largest entry of a - u diag(s) vt.
double off_product(const Value& a, const Value& u, const Value* s, const Value& vt) {
  if (a.size() == 0) return 0;
  const int64_t m = a.dim(a.ndim() - 2), n = a.dim(a.ndim() - 1), k = u.dim(u.ndim() - 1);
  double worst = 0;
  for (int64_t p = 0; p < a.size() / (m * n); ++p)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = -at(a, p, i, j);
        for (int64_t l = 0; l < k; ++l)
          sum += at(u, p, i, l) * (s ? s->at(p * k + l) : 1) * at(vt, p, l, j);
        worst = std::max(worst, std::abs(sum));
      }
  return worst;
}

void check_order(const Value& numbers, int64_t n, bool descending) {
  for (int64_t i = 0; i < numbers.size(); ++i) {
    if (i % n == 0) continue;
    CHECK(descending ? numbers.at(i) <= numbers.at(i - 1) : numbers.at(i) >= numbers.at(i - 1));
  }
}

void check_svd(const Value& a, double size = 1) {
  Value s, u, vt, alone;
  CHECK(svd_values(a, s, &u, &vt) == -1);
  CHECK(svd_values(a, alone, nullptr, nullptr) == -1);
  const double most = tolerance(a.dtype());
  CHECK(off_product(a, u, &s, vt) < most * size);
  CHECK(off_orthogonal(u, false) < most && off_orthogonal(vt, true) < most);
  check_order(s, s.shape().back(), true);
  for (int64_t i = 0; i < s.size(); ++i) {
    CHECK(s.at(i) >= 0);
    CHECK(std::abs(s.at(i) - alone.at(i)) < most * size);
  }
}

Value transposed(const Value& v) {
  Dims shape = v.shape(), strides = v.strides();
  std::swap(shape[1], shape[2]);
  std::swap(strides[1], strides[2]);
  return v.view(shape, strides, 0);
}

}  // namespace

TEST(eigenvalues_and_vectors_of_either_triangle) {
  on_each_library([] {
    for (const DType d : {DType::float64, DType::float32})
      for (const int64_t n : {1, 2, 5, 33}) {
        const Value a = random_stack(3, n, n, d);
        for (const bool is_lower : {true, false}) {
          Value w, v, alone;
          CHECK(eigh_values(a, is_lower, w, &v) == -1);
          CHECK(eigh_values(a, is_lower, alone, nullptr) == -1);
          Value full = a.copy();
          for (int64_t s = 0; s < 3; ++s)
            for (int64_t i = 0; i < n; ++i)
              for (int64_t j = 0; j < n; ++j)
                if (is_lower ? j > i : j < i) full.set_at((s * n + i) * n + j, at(a, s, j, i));
          CHECK(off_product(full, v, &w, transposed(v).copy()) < tolerance(d) * 4);
          CHECK(off_orthogonal(v, false) < tolerance(d));
          check_order(w, n, false);
          for (int64_t i = 0; i < w.size(); ++i)
            CHECK(std::abs(w.at(i) - alone.at(i)) < tolerance(d));
        }
      }
  });
}

TEST(eigenvalues_of_what_is_not_finite_are_nan) {
  on_each_library([] {
    Value a = Value::full(DType::float64, Dims{2, 2, 2}, 1), w, v;
    a.set_at(6, std::numeric_limits<double>::infinity());
    CHECK(eigh_values(a, true, w, &v) == -1);
    CHECK(w.at(0) < w.at(1) && std::isnan(w.at(2)) && std::isnan(v.at(7)));
    CHECK(eigh_values(a, false, w, nullptr) == -1);  // the other triangle is not read
    CHECK(w.at(2) < w.at(3));
  });
}

TEST(singular_values_tall_wide_and_of_low_rank) {
  on_each_library([] {
    for (const DType d : {DType::float64, DType::float32})
      for (const auto& [m, n] : {std::pair{1, 1}, {5, 3}, {3, 5}, {20, 20}, {40, 7}})
        check_svd(random_stack(3, m, n, d));
    check_svd(Value::zeros(DType::float64, Dims{2, 4, 3}));
    check_svd(Value::full(DType::float64, Dims{1, 4, 3}, 1e200), 1e200);
    check_svd(Value::full(DType::float64, Dims{1, 3, 4}, 1e-200), 1e-200);
    check_svd(transposed(random_stack(2, 3, 6, DType::float64)));
    check_svd(Value::zeros(DType::float64, Dims{0, 3, 2}));
    check_svd(Value::zeros(DType::float64, Dims{2, 0, 2}));
  });
}

TEST(what_has_no_singular_values_is_told_by_its_position) {
  on_each_library([] {
    Value a = random_stack(30, 2, 2, DType::float64), s;
    a.set_at(4 * 17, std::nan(""));
    a.set_at(4 * 21, std::nan(""));
    CHECK(svd_values(a, s, nullptr, nullptr) == 17);
    Value b = Value::full(DType::float64, Dims{2, 2}, std::numeric_limits<double>::infinity());
    Value u, vt;
    CHECK(svd_values(b, s, &u, &vt) == -1);
    CHECK(std::isnan(s.at(0)) && std::isnan(u.at(3)) && std::isnan(vt.at(0)));
  });
}

TEST(orthogonal_columns_and_a_triangle) {
  on_each_library([] {
    for (const DType d : {DType::float64, DType::float32})
      for (const auto& [m, n] : {std::pair{1, 1}, {5, 3}, {40, 40}, {50, 7}, {4, 0}}) {
        const Value a = random_stack(3, m, n, d);
        Value q, r;
        qr_values(a, q, r);
        CHECK(q.shape() == a.shape() && r.shape() == (Dims{3, n, n}));
        if (n == 0) continue;
        CHECK(off_product(a, q, nullptr, r) < tolerance(d));
        CHECK(off_orthogonal(q, false) < tolerance(d));
        for (int64_t s = 0; s < 3; ++s)
          for (int64_t i = 0; i < n; ++i)
            for (int64_t j = 0; j < i; ++j) CHECK(at(r, s, i, j) == 0);
      }
  });
}

TEST(both_libraries_reflect_alike) {
  const Value a = random_stack(1, 6, 4, DType::float64);
  std::vector<double> found;
  on_each_library([&] {
    Value q, r;
    qr_values(a, q, r);
    for (int64_t i = 0; i < r.size(); ++i) found.push_back(r.at(i));
  });
  for (size_t i = 16; i < found.size(); ++i) CHECK(std::abs(found[i] - found[i - 16]) < 1e-12);
}

TEST(decompositions_are_the_same_on_any_number_of_threads) {
  const Value a = random_stack(40, 4, 4, DType::float64);
  on_each_library([&] {
    check_same_bits_for_any_threads([&] {
      Value s, u, vt;
      svd_values(a, s, &u, &vt);
      std::vector<double> all;
      for (const Value& v : {s, u, vt})
        for (int64_t i = 0; i < v.size(); ++i) all.push_back(v.at(i));
      return all;
    });
  });
}

}  // namespace tapegrad
