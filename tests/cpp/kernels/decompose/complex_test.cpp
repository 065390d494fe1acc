#include "tapegrad/kernels/decompose/complex.h"

#include <cmath>
#include <complex>

#include "check.h"
#include "kernels/array_cases.h"
#include "kernels/matrix_cases.h"

namespace tapegrad {
namespace {

using Z = std::complex<double>;

ComplexValue random_stack(int64_t count, int64_t m, int64_t n) {
  const std::vector<double> re = random_matrix<double>(count * m * n, 5),
                            im = random_matrix<double>(count * m * n, 6);
  return {Value::from(re, Dims{count, m, n}), Value::from(im, Dims{count, m, n})};
}

Z at(const ComplexValue& v, int64_t s, int64_t i, int64_t j) {
  const int64_t rows = v.re.dim(1), columns = v.re.dim(2), k = (s * rows + i) * columns + j;
  return {v.re.at(k), v.im.at(k)};
}

Z number(const ComplexValue& v, int64_t k) { return {v.re.at(k), v.im.at(k)}; }

// The largest entry of a v - v diag(w), and how far the norms of v are from 1.
double off_eigen(const ComplexValue& a, const ComplexValue& w, const ComplexValue& v) {
  const int64_t n = a.re.dim(2);
  double worst = 0;
  for (int64_t s = 0; s < a.re.dim(0); ++s)
    for (int64_t j = 0; j < n; ++j) {
      double norm = 0;
      for (int64_t i = 0; i < n; ++i) {
        Z sum = -number(w, s * n + j) * at(v, s, i, j);
        for (int64_t k = 0; k < n; ++k) sum += at(a, s, i, k) * at(v, s, k, j);
        worst = std::max(worst, std::abs(sum));
        norm += std::norm(at(v, s, i, j));
      }
      worst = std::max(worst, std::abs(norm - 1));
    }
  return worst;
}

ComplexValue real_numbers(const Value& w) { return {w, Value::zeros(w.dtype(), w.shape())}; }

}  // namespace

TEST(eigenvalues_of_complex_and_real_matrices) {
  on_each_library([] {
    for (const int64_t n : {1, 2, 5, 20}) {
      const ComplexValue a = random_stack(3, n, n);
      ComplexValue w, v, u;
      CHECK(eig_values(a, w, v, u) == -1);
      CHECK(off_eigen(a, w, v) < 1e-11);
      const ComplexValue real{a.re, Value::zeros(DType::float64, a.re.shape())};
      CHECK(eig_values(a.re, w, v, u) == -1);
      CHECK(off_eigen(real, w, v) < 1e-11);
      for (int64_t s = 0; s < 3; ++s)
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = 0; j < n; ++j) {
            Z sum = i == j ? -1 : 0;
            for (int64_t k = 0; k < n; ++k) sum += at(u, s, i, k) * at(v, s, k, j);
            CHECK(std::abs(sum) < 1e-10);
          }
      const Value places = real_places(v);
      for (int64_t s = 0; s < 3; ++s)
        for (int64_t j = 0; j < n; ++j) {
          double count = 0;
          for (int64_t i = 0; i < n; ++i) {
            const double here = places.at((s * n + i) * n + j);
            count += here;
            if (here == 1) CHECK(std::abs(at(v, s, i, j).imag()) < 1e-14);
          }
          CHECK(count == 1);
        }
    }
  });
}

TEST(vectors_that_span_no_space_have_no_inverse) {
  on_each_library([] {
    const Value a = Value::from(std::vector<double>{2, 1, 0, 2}, Dims{1, 2, 2});
    ComplexValue w, v, u;
    CHECK(eig_values(a, w, v, u) == -1);
    CHECK(std::abs(w.re.at(0) - 2) < 1e-7 && std::isnan(u.re.at(0)) && std::isnan(u.im.at(3)));
  });
}

TEST(hermitian_eigenvalues_of_either_triangle) {
  on_each_library([] {
    for (const int64_t n : {1, 2, 5, 20})
      for (const bool is_lower : {true, false}) {
        const ComplexValue a = random_stack(2, n, n);
        ComplexValue full{a.re.copy(), a.im.copy()};
        for (int64_t s = 0; s < 2; ++s)
          for (int64_t i = 0; i < n; ++i)
            for (int64_t j = 0; j < n; ++j) {
              const int64_t k = (s * n + i) * n + j;
              if (i == j) full.im.set_at(k, 0);
              if (is_lower ? j <= i : j >= i) continue;
              full.re.set_at(k, at(a, s, j, i).real());
              full.im.set_at(k, -at(a, s, j, i).imag());
            }
        Value w;
        ComplexValue v;
        CHECK(hermitian_values(a, is_lower, w, v) == -1);
        CHECK(off_eigen(full, real_numbers(w), v) < 1e-11);
        for (int64_t i = 1; i < w.size(); ++i) CHECK(i % n == 0 || w.at(i - 1) <= w.at(i));
      }
  });
}

TEST(singular_values_and_whole_bases) {
  on_each_library([] {
    for (const auto& [m, n] : {std::pair{1, 1}, {5, 3}, {3, 5}, {20, 20}, {40, 7}, {3, 0}}) {
      const ComplexValue a = random_stack(2, m, n);
      const int64_t k = std::min(m, n);
      Value s;
      ComplexValue u, vt, left, right;
      CHECK(svd_values(a, s, u, vt) == -1);
      CHECK(svd_rest_values(a, left, right) == -1);
      for (int64_t p = 0; p < 2; ++p)
        for (int64_t i = 0; i < m; ++i) {
          for (int64_t j = 0; j < n; ++j) {
            Z sum = -at(a, p, i, j);
            for (int64_t l = 0; l < k; ++l)
              sum += at(u, p, i, l) * s.at(p * k + l) * at(vt, p, l, j);
            CHECK(std::abs(sum) < 1e-12);
          }
          for (int64_t j = 0; j < m; ++j) {
            Z sum = i == j ? -1 : 0;
            for (int64_t l = 0; l < k; ++l) sum += at(u, p, i, l) * std::conj(at(u, p, j, l));
            for (int64_t l = 0; l < m - k; ++l)
              sum += at(left, p, i, l) * std::conj(at(left, p, j, l));
            CHECK(std::abs(sum) < 1e-12);
          }
        }
      CHECK(right.re.shape() == (Dims{2, n - k, n}));
    }
  });
}

TEST(determinants_and_eigenvalues_alone) {
  on_each_library([] {
    for (const int64_t n : {1, 2, 5, 20}) {
      const ComplexValue a = random_stack(3, n, n);
      ComplexValue w, v, u, alone, sign;
      Value logarithm, share;
      for (const bool is_real : {true, false}) {
        const ComplexValue given{a.re, is_real ? Value::zeros(DType::float64, a.re.shape()) : a.im};
        CHECK((is_real ? eig_values(a.re, w, v, u) : eig_values(a, w, v, u)) == -1);
        CHECK(eigvals_values(given, is_real, alone) == -1);
        slogdet_values(given, sign, logarithm, share);
        for (int64_t s = 0; s < 3; ++s) {
          Z product = 1, same = 1;
          for (int64_t i = 0; i < n; ++i) {
            product *= number(w, s * n + i);
            same *= number(alone, s * n + i);
          }
          const Z found = number(sign, s) * std::exp(logarithm.at(s));
          CHECK(std::abs(found - product) < 1e-9 * std::abs(product));
          CHECK(std::abs(same - product) < 1e-9 * std::abs(product));
          CHECK(share.at(s) > 0 && share.at(s) <= 1);
        }
      }
    }
    const Value zeros = Value::zeros(DType::float64, Dims{3, 3});
    ComplexValue sign;
    Value logarithm, share;
    slogdet_values({zeros, zeros}, sign, logarithm, share);
    CHECK(sign.re.as_double() == 0 && std::isinf(logarithm.as_double()) && share.as_double() == 0);
  });
}

TEST(ties_of_complex_numbers) {
  const ComplexValue w{Value::from(std::vector<double>{1, 2, 1}, Dims{3}),
                       Value::from(std::vector<double>{1, 0, 1}, Dims{3})};
  const ComplexValue d{Value::from(std::vector<double>{1, 2, 3}, Dims{3}),
                       Value::from(std::vector<double>{0, 0, 4}, Dims{3})};
  const ComplexValue shared = share_ties_values(w, d);
  CHECK(number(shared, 0) == Z(2, 2) && number(shared, 2) == Z(2, 2) && number(shared, 1) == Z(2));
  const Value ones = Value::full(DType::float64, Dims{3, 3}, 1);
  const Value zeros = Value::zeros(DType::float64, Dims{3, 3});
  ComplexValue found = divide_by_gaps_values(w, {ones, zeros});
  CHECK(std::isnan(found.re.at(2)) && std::isnan(found.im.at(6)) && found.re.at(4) == 0);
  CHECK(std::abs(number(found, 1) - 1.0 / Z(1, -1)) < 1e-15);
  found = divide_by_gaps_values(w, {zeros, zeros});
  CHECK(found.re.at(2) == 0 && found.im.at(6) == 0);
}

TEST(roots_of_polynomials) {
  on_each_library([] {
    const ComplexValue p{Value::from(std::vector<double>{1, -6, 11, -6, 2, 0, 0, 2}, Dims{2, 4}),
                         Value::zeros(DType::float64, Dims{2, 4})};
    for (const bool is_real : {true, false}) {
      ComplexValue r;
      CHECK(roots_values(p, is_real, r) == -1);
      for (int64_t s = 0; s < 2; ++s)
        for (int64_t i = 0; i < 3; ++i) {
          Z value = 0;
          for (int64_t k = 0; k < 4; ++k)
            value = value * number(r, s * 3 + i) + number(p, s * 4 + k);
          CHECK(std::abs(value) < 1e-12);
        }
    }
  });
}

}  // namespace tapegrad
