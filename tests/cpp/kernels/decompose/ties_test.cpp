#include "tapegrad/kernels/decompose/ties.h"

#include <cmath>
#include <limits>

#include "check.h"

namespace tapegrad {
namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();

Value vector(const std::vector<double>& numbers) {
  return Value::from(numbers, Dims{static_cast<int64_t>(numbers.size())});
}

}  // namespace

TEST(quotients_of_differences_that_are_no_ties) {
  const Value w = vector({1, 2, 4}), k = Value::full(DType::float64, Dims{3, 3}, 6);
  const Value out = divide_by_gaps_values(w, k, vector({1, 1, 1}));
  const std::vector<double> expected = {0, 6, 2, -6, 0, 3, -2, -3, 0};
  for (int64_t i = 0; i < 9; ++i) CHECK(out.at(i) == expected[static_cast<size_t>(i)]);
}

TEST(ties_are_zero_where_nothing_is_asked_and_else_nan) {
  const Value w = vector({1, 2, 2 + 4 * eps});
  const Value none = Value::zeros(DType::float64, Dims{3, 3});
  CHECK(divide_by_gaps_values(w, none, vector({5, 0, 0})).at(5) == 0);
  CHECK(std::isnan(divide_by_gaps_values(w, none, vector({0, 0, 1})).at(5)));
  CHECK(std::isnan(divide_by_gaps_values(w, none, vector({0, 1, 0})).at(5)));
  Value k = none.copy();
  k.set_at(7, 1e-300);  // said of the pair the other way round
  const Value out = divide_by_gaps_values(w, k, vector({0, 0, 0}));
  CHECK(std::isnan(out.at(5)) && std::isnan(out.at(7)) && out.at(1) == 0 && out.at(8) == 0);
}

TEST(zeros_of_ties_are_counted) {
  const Value w = vector({1, 2, 2}), none = Value::zeros(DType::float64, Dims{3, 3});
  const uint64_t before = silent_ties();
  divide_by_gaps_values(vector({1, 2, 3}), none, vector({0, 0, 0}));
  divide_by_gaps_values(w, none, vector({0, 1, 0}));  // NaN
  CHECK(silent_ties() == before);
  divide_by_gaps_values(w, none, vector({5, 0, 0}));
  CHECK(silent_ties() == before + 1);
  const Value mask = mask_of_ties(w);
  CHECK(mask.at(0) == 0 && mask.at(1) == 1 && mask.at(2) == 1);
}

TEST(ties_share_and_tips_get_nothing) {
  const Value w = vector({3, 2, 2, eps, 0}), d = vector({7, 1, 2, 4, 6});
  const auto shared = [&](Tip tip, int64_t i) { return share_ties_values(w, d, tip).at(i); };
  CHECK(shared(Tip::none, 0) == 7 && shared(Tip::none, 1) == 1.5 && shared(Tip::none, 2) == 1.5);
  CHECK(shared(Tip::none, 3) == 5 && shared(Tip::none, 4) == 5);
  CHECK(shared(Tip::at_zero, 3) == 5 && shared(Tip::at_zero, 4) == 0);
  CHECK(shared(Tip::up_to_rounding, 3) == 0 && shared(Tip::up_to_rounding, 4) == 0);
  CHECK(shared(Tip::up_to_rounding, 2) == 1.5);
}

TEST(each_of_a_stack_has_ties_of_its_own) {
  const Value w = Value::from(std::vector<double>{1, 1, 0, 9}, Dims{2, 2});
  const Value d = Value::from(std::vector<double>{2, 4, 2, 4}, Dims{2, 2});
  const Value out = share_ties_values(w, d, Tip::none);
  CHECK(out.at(0) == 3 && out.at(1) == 3 && out.at(2) == 2 && out.at(3) == 4);
}

}  // namespace tapegrad
