#include "tapegrad/kernels/linalg/matmul.h"

#include "kernels/array_cases.h"
#include "kernels/matrix_cases.h"

namespace tapegrad {
namespace {

template <class T>
MatrixStack<T> stack_of(const Value& v, const Dims& batch_strides) {
  const Dims strides = v.strides();
  const size_t n = strides.size();
  return {v.data<T>(), strides[n - 2], strides[n - 1], batch_strides};
}

template <class T>
Value multiply(const Dims& batch, const Value& a, const Dims& a_steps, const Value& b,
               const Dims& b_steps) {
  const int64_t m = a.dim(a.ndim() - 2), k = a.dim(a.ndim() - 1), n = b.dim(b.ndim() - 1);
  Dims shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  const Value out = Value::empty(dtype_of<T>(), shape);
  multiply_stacks<T>(batch, m, n, k, stack_of<T>(a, a_steps), stack_of<T>(b, b_steps),
                     out.data<T>());
  return out;
}

// The products of item i of a and of b by three loops.
template <class T>
void check_item(const Value& a, int64_t a_offset, const Value& b, int64_t b_offset,
                const Value& out, int64_t i, double tol) {
  const int64_t m = a.dim(a.ndim() - 2), k = a.dim(a.ndim() - 1), n = b.dim(b.ndim() - 1);
  const Dims x = a.strides(), y = b.strides();
  double worst = 0;
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t c = 0; c < n; ++c) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum +=
            static_cast<double>(a.data<T>()[a_offset + r * x[x.size() - 2] + p * x[x.size() - 1]]) *
            static_cast<double>(b.data<T>()[b_offset + p * y[y.size() - 2] + c * y[y.size() - 1]]);
      const double got = static_cast<double>(out.data<T>()[i * m * n + r * n + c]);
      worst = std::max(worst, std::abs(got - sum));
      if (std::isnan(got)) worst = got;
    }
  }
  CHECK(worst <= tol * static_cast<double>(k + 1));
}

template <class T>
void check_shape(int64_t m, int64_t n, int64_t k, double tol) {
  for (int left = 0; left < 2; ++left) {
    for (int right = 0; right < 2; ++right) {
      const Value a = cases::laid_out({m, k}, left, dtype_of<T>());
      const Value b = cases::laid_out({k, n}, right, dtype_of<T>());
      const Value out = multiply<T>({}, a, {}, b, {});
      check_item<T>(a, 0, b, 0, out, 0, tol);
    }
  }
}

TEST(products_of_every_size_and_order) {
  on_each_library([] {
    for (int64_t m : {1, 2, 4, 5, 9, 33, 300}) {
      for (int64_t n : {1, 3, 4, 8, 40}) {
        for (int64_t k : {1, 2, 4, 7, 8, 65}) {
          check_shape<double>(m, n, k, 1e-15);
          check_shape<float>(m, n, k, 1e-6);
        }
      }
    }
    check_shape<double>(1, 1, 100000, 1e-14);
    check_shape<double>(3, 2, 20000, 1e-15);
  });
}

TEST(tiny_products_take_any_strides) {
  for (int left = 0; left < cases::layouts; ++left) {
    for (int right = 0; right < cases::layouts; ++right) {
      const Value a = cases::laid_out({700, 3}, left), b = cases::laid_out({3, 4}, right);
      CHECK(is_tiny_product(700, 4, 3));
      check_item<double>(a, 0, b, 0, multiply<double>({}, a, {}, b, {}), 0, 1e-15);
    }
  }
}

// A row times a matrix adds in the order that the transposed matrix times a column does, one by one
// and again and again.
TEST(tiny_rows_are_tiny_columns_transposed) {
  for (int64_t k = 1; k <= 9; ++k)
    for (int64_t n = 1; n <= 9; ++n) {
      CHECK(is_tiny_product(1, n, k) == (k <= 8 && n <= 8));
      if (!is_tiny_product(1, n, k)) continue;
      const Value row = cases::laid_out({1, k}, 1), matrix = cases::laid_out({k, n}, 2);
      const Value turned =
          matrix.view(Dims{n, k}, Dims{matrix.strides()[1], matrix.strides()[0]}, 0);
      const Value column = row.view(Dims{k, 1}, Dims{row.strides()[1], row.strides()[0]}, 0);
      const Value by_row = multiply<double>({}, row, {}, matrix, {});
      const Value by_column = multiply<double>({}, turned, {}, column, {});
      RepeatedProduct<double> again(1, n, k, stack_of<double>(row, {}),
                                    stack_of<double>(matrix, {}));
      const Value repeated = Value::empty(DType::float64, Dims{1, n});
      again.run(row.data<double>(), matrix.data<double>(), repeated.data<double>());
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p) {
          const double term = row.at(p) * matrix.at(p * n + j);
          sum = p == 0 ? term : sum + term;
        }
        CHECK(by_row.at(j) == sum);
        CHECK(by_column.at(j) == sum);
        CHECK(repeated.at(j) == sum);
      }
    }
}

TEST(readable_by_gemm) {
  CHECK(gemm_readable(3, 4, 4, 1));
  CHECK(gemm_readable(3, 4, 9, 1));
  CHECK(gemm_readable(3, 4, 1, 3));
  CHECK(gemm_readable(1, 4, 0, 5));
  CHECK(gemm_readable(4, 1, 7, 0));
  CHECK(!gemm_readable(3, 4, 8, 2));
  CHECK(!gemm_readable(3, 4, -4, 1));
  CHECK(!gemm_readable(3, 4, 0, 1));
  CHECK(!gemm_readable(1, 4, 4, -1));
}

TEST(stacks_broadcast_and_merge) {
  for (int64_t m : {1, 3, 20}) {
    const Value a = cases::random_array({2, 3, m, 6}), b = cases::random_array({3, 6, 5});
    const Dims all = a.strides();
    const Value out = multiply<double>({2, 3}, a, {all[0], all[1]}, b, {0, 30});
    for (int64_t i = 0; i < 6; ++i) check_item<double>(a, i * m * 6, b, i % 3 * 30, out, i, 1e-15);
    // One right factor: a tall product.
    const Value tall = multiply<double>({2, 3}, a, {all[0], all[1]}, b, {0, 0});
    for (int64_t i = 0; i < 6; ++i) check_item<double>(a, i * m * 6, b, 0, tall, i, 1e-15);
    // Rows that repeat, and rows in the reverse order.
    const Value repeated = multiply<double>({6}, a, {0}, b, {0});
    for (int64_t i = 0; i < 6; ++i) check_item<double>(a, 0, b, 0, repeated, i, 1e-15);
    const Value end = a.view(Dims{m, 6}, Dims{6, 1}, 5 * m * 6);
    const Value backwards = multiply<double>({6}, end, {-m * 6}, b, {0});
    for (int64_t i = 0; i < 6; ++i) check_item<double>(end, -i * m * 6, b, 0, backwards, i, 1e-15);
  }
}

TEST(empty_sums_are_zero) {
  const Value a = Value::empty(DType::float64, Dims{3, 0}),
              b = Value::empty(DType::float64, Dims{0, 2});
  const Value out = multiply<double>({}, a, {}, b, {});
  for (int64_t i = 0; i < 6; ++i) CHECK(out.at(i) == 0);
}

TEST(integers_wrap_and_bools_are_or_of_ands) {
  const Value a = Value::full(DType::int8, Dims{2, 3}, 100),
              b = Value::full(DType::int8, Dims{3, 2}, 3);
  CHECK(multiply<int8_t>({}, a, {}, b, {}).at(0) == static_cast<int8_t>(900));
  const Value p = Value::full(DType::bool_, Dims{2, 3}, 1),
              q = Value::zeros(DType::bool_, Dims{3, 2});
  q.data<bool>()[5] = true;
  const Value r = multiply<bool>({}, p, {}, q, {});
  CHECK(r.at(0) == 0 && r.at(1) == 1 && r.at(2) == 0 && r.at(3) == 1);
}

TEST(same_bits_for_any_number_of_threads) {
  const auto check = [](const Dims& batch, int64_t m, int64_t n, int64_t k) {
    Dims left = batch, right = batch;
    for (int64_t x : {m, k}) left.push_back(x);
    for (int64_t x : {k, n}) right.push_back(x);
    const Value a = cases::random_array(left), b = cases::random_array(right);
    const Dims a_steps(a.strides().data(), batch.size()), b_steps(b.strides().data(), batch.size());
    CHECK(cases::same_for_any_threads(
        [&] { return multiply<double>(batch, a, a_steps, b, b_steps); }));
  };
  on_each_library([&] {
    check({}, 300, 200, 150);
    check({}, 2, 3, 200000);
    check({}, 5000, 1, 40);
    check({}, 5000, 3, 3);
    check({}, 900, 70, 1);
    check({50}, 6, 7, 8);
    check({70, 5}, 3, 1, 8);
  });
}

}  // namespace
}  // namespace tapegrad
