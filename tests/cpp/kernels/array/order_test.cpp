#include "tapegrad/kernels/array/order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

const double NaN = std::nan("");
const double inf = std::numeric_limits<double>::infinity();

Value of(std::initializer_list<double> items, const Dims& shape) {
  return Value::from(std::vector<double>(items), shape);
}

bool holds(const Value& v, std::initializer_list<int64_t> items, const Dims& shape) {
  return v.dtype() == DType::int64 && v.shape() == shape &&
         std::equal(items.begin(), items.end(), v.data<int64_t>());
}

}  // namespace

TEST(equal_elements_stay_in_their_order) {
  const Value x = of({2, NaN, -1, 2, 0.0, -0.0, NaN, -inf, inf}, {9});
  CHECK(holds(sorting_positions(x, 0), {7, 2, 4, 5, 0, 3, 8, 1, 6}, {9}));
  CHECK(holds(sorting_positions(x.cast(DType::float32), 0), {7, 2, 4, 5, 0, 3, 8, 1, 6}, {9}));
  const Value rows = of({3, 1, 2, 1, 1, 0}, {2, 3});
  CHECK(holds(sorting_positions(rows, 1), {1, 2, 0, 2, 0, 1}, {2, 3}));
  CHECK(holds(sorting_positions(rows, 0), {1, 0, 1, 0, 1, 0}, {2, 3}));
  CHECK(holds(sorting_positions(of({}, {0}), 0), {}, {0}));
}

TEST(long_vectors_are_sorted_as_short_ones) {
  std::mt19937_64 random(1);
  for (const int64_t n : {511, 512, 5000}) {
    Value x = Value::empty(DType::float64, Dims{n});
    for (int64_t i = 0; i < n; ++i)
      x.set_at(i, std::ldexp(static_cast<double>(random() % 97) - 48, static_cast<int>(i % 7)));
    std::vector<int64_t> expected(static_cast<size_t>(n));
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(expected.begin(), expected.end(),
                     [&](int64_t a, int64_t b) { return x.at(a) < x.at(b); });
    const Value found = sorting_positions(x, 0);
    CHECK(std::equal(expected.begin(), expected.end(), found.data<int64_t>()));
    const Value whole = x.cast(DType::int64);  // x itself: all its elements are whole
    const Value same = sorting_positions(whole, 0);
    CHECK(std::equal(expected.begin(), expected.end(), same.data<int64_t>()));
  }
}

TEST(unsigned_numbers_are_not_negative) {
  Value x = Value::empty(DType::uint64, Dims{3});
  x.data<uint64_t>()[0] = ~uint64_t{0};
  x.data<uint64_t>()[1] = 5;
  x.data<uint64_t>()[2] = uint64_t{1} << 63;
  CHECK(holds(sorting_positions(x, 0), {1, 2, 0}, {3}));
  CHECK(extreme_positions(x, 0, true).as_int64() == 0);
}

TEST(the_first_of_several_extremes_counts) {
  const Value x = of({1, 7, 7, 2, -3, NaN, -3, NaN}, {2, 4});
  CHECK(holds(extreme_positions(x, 1, true), {1, 1}, {2}));
  CHECK(holds(extreme_positions(x, 1, false), {0, 1}, {2}));
  CHECK(holds(extreme_positions(x, 0, true), {0, 1, 0, 1}, {4}));
  CHECK(extreme_positions(of({1, 7, 7, 2}, {4}), 0, true).as_int64() == 1);
}

TEST(counts_below_a_number) {
  const Value sorted = of({0, 1, 1, 4, NaN}, {5});
  const Value v = of({-1, 1, 2, 4, 9, NaN}, {2, 3});
  CHECK(holds(counts_below(sorted, v, false), {0, 1, 3, 3, 4, 4}, {2, 3}));
  CHECK(holds(counts_below(sorted, v, true), {0, 3, 3, 4, 4, 5}, {2, 3}));
  CHECK(counts_below(sorted, Value::scalar(1), true).as_int64() == 3);
}

TEST(positions_do_not_depend_on_threads) {
  const Value x = laid_out({40, 600}, 1);
  CHECK(same_for_any_threads([&] { return sorting_positions(x, 1); }));
  CHECK(same_for_any_threads([&] { return extreme_positions(x, 0, true); }));
  CHECK(same_for_any_threads([&] { return counts_below(of({-1, 0, 1}, {3}), x, false); }));
}
