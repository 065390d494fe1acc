#include "tapegrad/kernels/signals/correlate.h"

#include "check.h"
#include "kernels/matrix_cases.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

Value random_array(const Dims& shape, unsigned seed, DType d) {
  return Value::from(random_matrix<double>(element_count(shape), seed), shape).cast(d);
}

double by_definition(const Value& a, const Value& v, int64_t s, int64_t left, int64_t i) {
  const int64_t n = a.shape().back(), m = v.shape().back();
  double sum = 0;
  for (int64_t j = 0; j < m; ++j) {
    const int64_t at = i + j - left;
    if (at >= 0 && at < n) sum += a.at(s * n + at) * v.at(s * m + j);
  }
  return sum;
}

}  // namespace

TEST(correlations_are_the_sums_of_their_definition) {
  for (const DType d : {DType::float64, DType::float32})
    for (const int64_t n : {1, 2, 7, 8, 40, 1500})
      for (const int64_t m : {1, 2, 3, 8, 9, 17, 1490})
        for (const int64_t left : {int64_t{0}, int64_t{1}, m - 1, m + 3})
          for (const int64_t right : {int64_t{0}, m - 1, m + 2}) {
            if (n + left + right < m || n * m > 100000) continue;
            const Value a = random_array({2, n}, 1, d), v = random_array({2, m}, 2, d);
            const Value out = correlate_values(a, v, left, right);
            const int64_t outputs = n + left + right - m + 1;
            CHECK((out.shape() == Dims{2, outputs}));
            for (int64_t k = 0; k < out.size(); ++k)
              CHECK_CLOSE(out.at(k), by_definition(a, v, k / outputs, left, k % outputs),
                          d == DType::float32 ? 2e-5 : 1e-13);
          }
}

TEST(bits_do_not_depend_on_threads) {
  const Value a = random_array({5000}, 3, DType::float64),
              v = random_array({37}, 4, DType::float64);
  const Value once = correlate_values(a, v, 36, 36);
  const double threshold = work_threshold_ns();
  set_work_threshold_ns(0);
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    CHECK(same_bits(correlate_values(a, v, 36, 36), once));
  }
  set_num_threads(0);
  set_work_threshold_ns(threshold);
}

}  // namespace tapegrad
