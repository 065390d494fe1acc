// Loops that only add up series: the way of their own gives what additions one by one give.
#include "tapegrad/kernels/fused/loop/lane_loop_sums.h"

#include "check.h"
#include "kernels/fused/lane_maker.h"
#include "kernels/random_values.h"

using namespace tapegrad;

namespace {

// Carry k is the sum of the series number n - 1 - k; every other addition has its operands turned.
LaneLoop sums(uint32_t n, Dims space, DType d, bool rows) {
  Maker m(2 * n, d);
  std::vector<uint32_t> made;
  for (uint32_t k = 0; k < n; ++k) {
    const uint32_t series = n + (n - 1 - k);
    made.push_back(k % 2 == 0 ? m.call<Add>(k, series) : m.call<Add>(series, k));
  }
  for (uint32_t k : made) m.store(k);
  return {m.k, space, n, n, std::vector<uint8_t>(3 * n, rows)};
}

template <class T>
void check_sums(uint32_t n, int64_t lanes, int64_t length, bool reverse, bool rows) {
  const DType d = sizeof(T) == 4 ? DType::float32 : DType::float64;
  const LaneLoop loop = sums(n, Dims{lanes}, d, rows);
  CHECK(summed_series(loop).size() == n);
  std::vector<Value> in, out(n);
  for (uint32_t k = 0; k < n; ++k)
    in.push_back(rows ? random_array({lanes}, k + 1, d) : Value::scalar(0.25 + k, d));
  for (uint32_t k = 0; k < n; ++k)
    in.push_back(rows ? random_array({length, lanes}, n + k, d) : random_array({length}, n + k, d));
  LaneLoopProgram(loop).run(in, length, reverse, out);
  for (uint32_t k = 0; k < n; ++k) {
    const Value& x = in[n + (n - 1 - k)];
    for (int64_t l = 0; l < (rows ? lanes : 1); ++l) {
      T sum = static_cast<T>(rows ? in[k].at(l) : in[k].as_double());
      for (int64_t i = 0; i < length; ++i) {
        const int64_t t = reverse ? length - 1 - i : i;
        sum += static_cast<T>(x.at(rows ? t * lanes + l : t));
      }
      CHECK((rows ? out[k].at(l) : out[k].as_double()) == static_cast<double>(sum));
    }
  }
}

}  // namespace

TEST(sums_are_taken_in_the_order_of_the_steps) {
  for (uint32_t n : {1u, 2u, 3u, 5u, 8u, 15u})
    for (int64_t length : {0, 1, 2, 100})
      for (bool reverse : {false, true}) {
        check_sums<double>(n, 1, length, reverse, false);
        check_sums<float>(n, 1, length, reverse, false);
      }
  for (int64_t lanes : {1, 3, 6, 16, 23, 100})
    for (int64_t length : {0, 1, 50})
      for (bool reverse : {false, true}) {
        check_sums<double>(2, lanes, length, reverse, true);
        check_sums<float>(2, lanes, length, reverse, true);
      }
}

TEST(other_loops_are_none_of_sums) {
  LaneLoop loop = sums(2, Dims{4}, DType::float64, true);
  loop.body.code[0].fn = scalar_fn_of<Multiply>();
  CHECK(summed_series(loop).empty());
  loop = sums(2, Dims{4}, DType::float64, true);
  loop.body.code[1].args[0] = loop.body.code[1].args[1] = 1;  // twice itself
  CHECK(summed_series(loop).empty());
  loop = sums(2, Dims{4}, DType::float64, true);
  std::swap(loop.body.outputs[0], loop.body.outputs[1]);  // each goes to the other
  CHECK(summed_series(loop).empty());
}

// Series of another dtype, or whose rows are not packed, go the usual way.
TEST(series_that_are_not_packed_rows) {
  const LaneLoop loop = sums(1, Dims{3}, DType::float64, true);
  const int64_t length = 7;
  const Value wide = random_array({3, length}, 1, DType::float64);
  const int64_t strides[] = {1, length};
  const Value turned = wide.view(Dims{length, 3}, strides, 0);
  const Value in[] = {random_array({3}, 2, DType::float64), turned};
  Value out[1];
  LaneLoopProgram(loop).run(in, length, false, out);
  for (int64_t l = 0; l < 3; ++l) {
    double sum = in[0].at(l);
    for (int64_t t = 0; t < length; ++t) sum += wide.at(l * length + t);
    CHECK(out[0].at(l) == sum);
  }
}
