#include "tapegrad/kernels/array/integers.h"

#include <limits>

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

Value integers(std::initializer_list<int64_t> items) {
  return Value::from_int64(std::vector<int64_t>(items), Dims{static_cast<int64_t>(items.size())});
}

bool holds(const Value& v, DType d, std::initializer_list<int64_t> items) {
  const Value wide = v.cast(DType::int64);
  return v.dtype() == d && v.size() == static_cast<int64_t>(items.size()) &&
         std::equal(items.begin(), items.end(), wide.data<int64_t>());
}

constexpr int64_t least = std::numeric_limits<int64_t>::min();

}  // namespace

TEST(quotients_round_down) {
  const Value a = integers({7, -7, 7, -7, 6, -6, 5, least}),
              b = integers({2, 2, -2, -2, 3, 3, 0, -1});
  CHECK(holds(eval_integers(IntegerFn::floor_divide, DType::int64, a, b), DType::int64,
              {3, -4, -4, 3, 2, -2, 0, least}));
  CHECK(holds(eval_integers(IntegerFn::remainder, DType::int64, a, b), DType::int64,
              {1, 1, -1, -1, 0, 0, 0, 0}));
}

TEST(results_wrap_around) {
  const Value a = integers({120, -128, 5}).cast(DType::int8),
              b = integers({10, -1, 3}).cast(DType::int8);
  CHECK(holds(eval_integers(IntegerFn::add, DType::int8, a, b), DType::int8, {-126, 127, 8}));
  CHECK(holds(eval_integers(IntegerFn::subtract, DType::int8, a, b), DType::int8, {110, -127, 2}));
  CHECK(holds(eval_integers(IntegerFn::multiply, DType::int8, a, b), DType::int8, {-80, -128, 15}));
  CHECK(
      holds(eval_integers(IntegerFn::floor_divide, DType::int8, a, b), DType::int8, {12, -128, 1}));
  CHECK(
      holds(eval_integers(IntegerFn::negative, DType::int8, a, a), DType::int8, {-120, -128, -5}));
  CHECK(holds(eval_integers(IntegerFn::absolute, DType::int8, a, a), DType::int8, {120, -128, 5}));
  const Value u = integers({0, 200}).cast(DType::uint8);
  CHECK(holds(eval_integers(IntegerFn::subtract, DType::uint8, u, Value::integer_scalar(1)),
              DType::uint8, {255, 199}));
  CHECK(holds(eval_integers(IntegerFn::positive, DType::int8, u, u), DType::int8, {0, -56}));
}

TEST(unsigned_numbers_keep_their_highest_bit) {
  Value a = Value::empty(DType::uint64, Dims{1});
  a.data<uint64_t>()[0] = ~uint64_t{0};
  const Value three = integers({3}).cast(DType::uint64);
  CHECK(eval_integers(IntegerFn::floor_divide, DType::uint64, a, three).data<uint64_t>()[0] ==
        ~uint64_t{0} / 3);
  CHECK(eval_integers(IntegerFn::maximum, DType::uint64, a, three).data<uint64_t>()[0] ==
        ~uint64_t{0});
}

TEST(single_numbers_do_not_wrap_around) {
  const auto single = [](IntegerFn f, int64_t a, int64_t b) {
    return eval_integers(f, DType::int64, Value::integer_scalar(a), Value::integer_scalar(b))
        .as_int64();
  };
  CHECK(single(IntegerFn::multiply, int64_t{1} << 31, -(int64_t{1} << 32)) == least);
  CHECK(single(IntegerFn::add, -(least + 1), least) == -1);
  CHECK(single(IntegerFn::floor_divide, least, 3) == least / 3 - 1);
  CHECK(single(IntegerFn::remainder, least, -1) == 0);
  CHECK_THROWS(ValueError, single(IntegerFn::multiply, int64_t{1} << 32, int64_t{1} << 31));
  CHECK_THROWS(ValueError, single(IntegerFn::multiply, -1, least));
  CHECK_THROWS(ValueError, single(IntegerFn::add, least, -1));
  CHECK_THROWS(ValueError, single(IntegerFn::subtract, least, 1));
  CHECK_THROWS(ValueError, single(IntegerFn::negative, least, 0));
  CHECK_THROWS(ValueError, single(IntegerFn::floor_divide, 1, 0));
  CHECK_THROWS(ValueError, single(IntegerFn::remainder, 1, 0));
}

TEST(operands_broadcast) {
  const Value column = integers({10, 20}).reshaped(Dims{2, 1}), row = integers({1, 2, 3});
  const Value table = eval_integers(IntegerFn::add, DType::int64, column, row);
  CHECK(table.shape() == (Dims{2, 3}));
  CHECK(holds(table, DType::int64, {11, 12, 13, 21, 22, 23}));
  const Value one = eval_integers(IntegerFn::minimum, DType::int32, Value::integer_scalar(4),
                                  Value::integer_scalar(-4));
  CHECK(one.is_scalar() && one.as_int64() == -4 && one.dtype() == DType::int32);
  CHECK(eval_integers(IntegerFn::add, DType::int64, integers({}), column).shape() == (Dims{2, 0}));
}

TEST(threads_do_not_change_results) {
  const Value a = laid_out({300, 40}, 1).cast(DType::int64);
  CHECK(
      same_for_any_threads([&] { return eval_integers(IntegerFn::multiply, DType::int32, a, a); }));
}
