#include "tapegrad/kernels/sparse/sparse.h"

#include "check.h"
#include "kernels/matrix_cases.h"
#include "tapegrad/base/error.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

Value random_array(const Dims& shape, unsigned seed, DType d) {
  return Value::from(random_matrix<double>(element_count(shape), seed), shape).cast(d);
}

// n places below `below`: in ascending order, or not.
Value places(int64_t n, int64_t below, int64_t step, bool sorted) {
  std::vector<int64_t> found(static_cast<size_t>(n));
  for (int64_t p = 0; p < n; ++p)
    found[static_cast<size_t>(p)] = sorted ? p * below / n : p * step % below;
  return Value::from_int64(found, Dims{n});
}

}  // namespace

TEST(products_are_the_sums_of_their_definition) {
  for (const DType d : {DType::float64, DType::float32})
    for (const bool sorted : {true, false})
      for (const int64_t k : {0, 1, 3}) {
        const int64_t n = 40, m = 7, columns = 5;
        const Dims shape = k == 0 ? Dims{columns} : Dims{columns, k};
        const Value data = random_array({n}, 1, d), x = random_array(shape, 2, d);
        const Value r = places(n, m, 3, sorted), c = places(n, columns, 2, false);
        const Value y = sparse_product_values(data, x, r, c, m);
        const int64_t width = k == 0 ? 1 : k;
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < width; ++j) {
            double sum = 0;
            for (int64_t p = 0; p < n; ++p)
              if (r.data<int64_t>()[p] == i)
                sum += data.at(p) * x.at(c.data<int64_t>()[p] * width + j);
            CHECK_CLOSE(y.at(i * width + j), sum, d == DType::float32 ? 1e-5 : 1e-13);
          }
        const Value s = sparse_sample_values(y, x, r, c);
        for (int64_t p = 0; p < n; ++p) {
          double sum = 0;
          for (int64_t j = 0; j < width; ++j)
            sum += y.at(r.data<int64_t>()[p] * width + j) * x.at(c.data<int64_t>()[p] * width + j);
          CHECK_CLOSE(s.at(p), sum, d == DType::float32 ? 1e-4 : 1e-12);
        }
      }
}

TEST(places_outside_are_refused) {
  const Value data = random_array({2}, 1, DType::float64), x = random_array({3}, 2, DType::float64);
  const Value good = Value::from_int64(std::vector<int64_t>{0, 2}, Dims{2});
  const Value bad = Value::from_int64(std::vector<int64_t>{0, 3}, Dims{2});
  CHECK_THROWS(IndexError, sparse_product_values(data, x, good, bad, 3));
  CHECK_THROWS(IndexError, sparse_product_values(data, x, bad, good, 3));
  CHECK_THROWS(IndexError, sparse_sample_values(x, x, bad, good));
}

TEST(bits_do_not_depend_on_threads) {
  const int64_t n = 30000, m = 500;
  const Value data = random_array({n}, 3, DType::float64), x = random_array({m}, 4, DType::float64);
  const Value r = places(n, m, 3, true), c = places(n, m, 7, false);
  const Value once = sparse_product_values(data, x, r, c, m);
  const Value sample = sparse_sample_values(x, x, r, c);
  const double threshold = work_threshold_ns();
  set_work_threshold_ns(0);
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    CHECK(same_bits(sparse_product_values(data, x, r, c, m), once));
    CHECK(same_bits(sparse_sample_values(x, x, r, c), sample));
  }
  set_num_threads(0);
  set_work_threshold_ns(threshold);
}

}  // namespace tapegrad
