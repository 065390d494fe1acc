#include "tapegrad/kernels/reduce/reduce_finish.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Value numbers(std::initializer_list<double> items, DType d = DType::float64) {
  return Value::from({items.begin(), items.size()}, Dims{static_cast<int64_t>(items.size())})
      .cast(d);
}

}  // namespace

TEST(quotients_are_rounded_in_the_arrays_dtype) {
  CHECK(divided_by(Value(1.0), 3).as_double() == 1.0 / 3);
  const double third = static_cast<double>(1.0f / 3.0f);
  CHECK(divided_by(Value::scalar(1, DType::float32), 3).as_double() == third);
  CHECK(divided_by(numbers({1, 2}, DType::float32), 3).at(0) == third);
  CHECK(divided_by(numbers({1, -2}), 0).at(1) == -inf);
  CHECK(divided_by(Value::empty(DType::float64, Dims{0, 2}), 5).shape() == (Dims{0, 2}));
}

TEST(an_array_that_nobody_shares_is_overwritten) {
  Value mine = numbers({2, 4});
  const void* place = mine.raw();
  mine = divided_by(std::move(mine), 2);
  CHECK(mine.raw() == place && mine.at(1) == 2);
  const Value shared = mine;
  const Value half = divided_by(shared, 2);
  CHECK(half.raw() != place && half.at(1) == 1 && shared.at(1) == 2);
  CHECK(divided_by(shared, 1).raw() == place);
}

TEST(views_of_every_layout) {
  for (int layout = 0; layout < layouts; ++layout) {
    const Value v = laid_out({3, 5}, layout), half = divided_by(v, 2);
    for (int64_t i = 0; i < 15; ++i) CHECK(half.at(i) == v.at(i) / 2);
  }
}

TEST(what_is_not_finite_becomes_zero) {
  for (const DType d : {DType::float64, DType::float32}) {
    const Value v = finite_or_zero(numbers({inf, -inf, not_a_number, -0.0, 1.5}, d));
    for (int64_t i = 0; i < 3; ++i) CHECK(v.at(i) == 0 && !std::signbit(v.at(i)));
    CHECK(v.at(3) == 0 && std::signbit(v.at(3)));
    CHECK(v.at(4) == 1.5);
    CHECK(finite_or_zero(Value::scalar(-inf, d)).as_double() == 0);
  }
}

TEST(logarithms_are_added_to) {
  const Value sum = log_plus(numbers({1, 0, not_a_number}), numbers({5, 5, 5}));
  CHECK(sum.at(0) == 5 && sum.at(1) == -inf && std::isnan(sum.at(2)));
  CHECK_CLOSE(log_plus(Value(2.0), Value(-1.0)).as_double(), std::log(2.0) - 1, 1e-15);
  const Value f = log_plus(numbers({2}, DType::float32), numbers({-1}, DType::float32));
  CHECK(f.dtype() == DType::float32);
  CHECK_CLOSE(f.at(0), std::log(2.0) - 1, 1e-7);
}

TEST(square_roots_of_numbers_below_zero_are_nan) {
  const Value v = square_roots(numbers({4, -1, -0.0, inf}));
  CHECK(v.at(0) == 2 && std::isnan(v.at(1)) && v.at(3) == inf);
  CHECK(v.at(2) == 0 && std::signbit(v.at(2)));
  CHECK(square_roots(Value::scalar(2, DType::float32)).as_double() ==
        static_cast<double>(std::sqrt(2.0f)));
}

TEST(same_bits_for_any_number_of_threads) {
  const Value v = laid_out({3 * 4096 + 1}, 3);
  CHECK(same_for_any_threads([&] { return divided_by(v, 7); }));
  CHECK(same_for_any_threads([&] { return finite_or_zero(v); }));
  CHECK(same_for_any_threads([&] { return square_roots(v); }));
  CHECK(same_for_any_threads([&] { return log_plus(v, v); }));
}
