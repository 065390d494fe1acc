#include "tapegrad/kernels/reduce/reduce_scan.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

template <class Step>
void check_scan(const Value& got, const Value& c, const Value& x, int axis, bool reverse,
                double tol, Step step) {
  CHECK(got.shape() == x.shape());
  const Dims shape = x.shape();
  const int64_t n = shape[static_cast<size_t>(axis)];
  bool right = true;
  for (int64_t i = 0; i < x.size(); ++i) {
    Dims at = index_of(i, shape);
    int64_t& k = at[static_cast<size_t>(axis)];
    const bool first = k == (reverse ? n - 1 : 0);
    k += reverse ? 1 : -1;
    const double carry = first ? 0 : got.at(flat_of(at, shape));
    right = right && check::close(got.at(i), step(first, carry, c.at(i), x.at(i)), tol);
  }
  CHECK(right);
}

}  // namespace

TEST(matches_plain_loops_for_every_layout) {
  for (DType d : {DType::float64, DType::float32})
    for (const Dims& shape : {Dims{9}, Dims{1}, Dims{4, 6}, Dims{3, 5, 4}, Dims{2, 3, 1500}})
      for (int layout = 0; layout < layouts; ++layout)
        for (int axis = 0; axis < shape.ndim(); ++axis)
          for (bool reverse : {false, true}) {
            const double tol = d == DType::float32 ? 1e-6 : 1e-15;
            const Value x = laid_out(shape, layout, d), c = laid_out(shape, 0, d);
            check_scan(cumulative_sum(x, axis, reverse), c, x, axis, reverse, tol,
                       [](bool, double y, double, double v) { return y + v; });
            check_scan(cumulative_prod(x, axis, reverse), c, x, axis, reverse, tol,
                       [](bool first, double y, double, double v) { return first ? v : y * v; });
            check_scan(linear_recurrence(c, x, axis, reverse), c, x, axis, reverse, tol,
                       [](bool, double y, double k, double v) { return y * v + k; });
          }
}

TEST(long_lines_are_summed_in_chunks) {
  for (int64_t n : {128'000, 128'001, 143'999, 200'000})
    for (bool reverse : {false, true}) {
      const Value x = laid_out(Dims{n}, 0);
      check_scan(cumulative_sum(x, 0, reverse), x, x, 0, reverse, 1e-12,
                 [](bool, double y, double, double v) { return y + v; });
      Value whole = Value::empty(DType::int64, Dims{n});  // exact: no chunk is lost or doubled
      for (int64_t i = 0; i < n; ++i) whole.data<int64_t>()[i] = i % 7 - 2;
      check_scan(cumulative_sum(whole, 0, reverse), whole, whole, 0, reverse, 0,
                 [](bool, double y, double, double v) { return y + v; });
    }
}

TEST(sums_of_long_lines_never_fall) {
  Value x = Value::empty(DType::float64, Dims{300'000});
  for (int64_t i = 0; i < x.size(); ++i)
    x.data<double>()[i] = i % 3 == 0 ? 0.0 : 0.1 / (1.0 + static_cast<double>(i % 11));
  const Value y = cumulative_sum(x, 0, false);
  bool rises = true;
  for (int64_t i = 1; i < y.size(); ++i) rises = rises && y.at(i) >= y.at(i - 1);
  CHECK(rises);
  const Value zeros = cumulative_sum(Value::full(DType::float64, Dims{200'000}, -0.0), 0, false);
  CHECK(std::signbit(zeros.at(0)) && std::signbit(zeros.at(199'999)));
}

TEST(empty_arrays_stay_empty) {
  const Value v = Value::empty(DType::float64, Dims{0, 3});
  CHECK(cumulative_sum(v, 0, false).shape() == (Dims{0, 3}));
  CHECK(cumulative_prod(v, 1, true).shape() == (Dims{0, 3}));
}

TEST(a_zero_carry_meets_no_infinity) {
  const double inf = std::numeric_limits<double>::infinity();
  const double cs[] = {0, 0, 3}, xs[] = {1, inf, 2};
  const Value y = linear_recurrence(Value::from(cs, Dims{3}), Value::from(xs, Dims{3}), 0, false);
  CHECK(y.at(0) == 0 && y.at(1) == 0 && y.at(2) == 3);
}

TEST(integers_wrap) {
  const int64_t items[] = {std::numeric_limits<int64_t>::max(), 1, 2};
  const Value v = Value::from_int64(items, Dims{3});
  CHECK(cumulative_sum(v, 0, false).data<int64_t>()[1] == std::numeric_limits<int64_t>::min());
  CHECK_THROWS(TypeError, cumulative_sum(Value::full(DType::bool_, Dims{2}, 1), 0, false));
}

TEST(bits_do_not_depend_on_the_number_of_threads) {
  for (const Dims& shape : {Dims{50, 40}, Dims{7, 300, 90}, Dims{30, 2000}, Dims{2, 150'000}})
    for (int axis = 0; axis < shape.ndim(); ++axis) {
      const Value x = laid_out(shape, 1), c = laid_out(shape, 0);
      CHECK(same_for_any_threads([&] { return cumulative_sum(x, axis, false); }));
      CHECK(same_for_any_threads([&] { return linear_recurrence(c, x, axis, true); }));
    }
}
