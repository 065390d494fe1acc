#include <cstdint>
#include <limits>
#include <vector>

#include "check.h"
#include "tapegrad/base/value.h"

using namespace tapegrad;

namespace {

Value counted(const Dims& shape, DType d = DType::float64) {
  Value v = Value::empty(d, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, static_cast<double>(i));
  return v;
}

}  // namespace

TEST(copying_broadcasts_and_converts) {
  const Value to = Value::zeros(DType::float32, Dims{2, 3});
  copy_into(to.view(Dims{3, 2}, Dims{1, 3}, 0), counted({2}));
  for (int64_t i = 0; i < 6; ++i) CHECK(to.at(i) == static_cast<double>(i / 3));
  copy_into(to.view(Dims{2}, Dims{3}, 1), Value(0.1));
  CHECK(to.at(1) == static_cast<double>(0.1f) && to.at(4) == static_cast<double>(0.1f) &&
        to.at(0) == 0);
  const Value masks = Value::zeros(DType::bool_, Dims{2});
  copy_into(masks, Value::from(std::vector<double>{0.5, 0}, Dims{2}));
  CHECK(masks.at(0) == 1 && masks.at(1) == 0);
  copy_into(Value::zeros(DType::float64, Dims{0, 3}), Value(1.0));
  const Value ints =
      Value::from_int64(std::vector<int64_t>{1, -2, 3}, Dims{3}).cast(DType::float32);
  CHECK(ints.dtype() == DType::float32 && ints.at(1) == -2);
  CHECK(Value::full(DType::int16, Dims{2}, 7).at(1) == 7);
}

// The part of a larger array with every axis walked backwards, or every second element of it.
TEST(copies_go_through_strides_on_both_sides) {
  const Value from = counted({3, 4, 5});
  for (const int64_t step : {1, 2, -1, -2}) {
    Value wide = Value::full(DType::float64, Dims{6, 8, 10}, -1);
    const int64_t s = std::abs(step);
    const Dims strides{80 * step, 10 * step, step};
    const int64_t last = 80 * 2 * s + 10 * 3 * s + 4 * s;
    const Value to = wide.view(Dims{3, 4, 5}, strides, step < 0 ? last : 0);
    copy_into(to, from);
    for (int64_t i = 0; i < 60; ++i) CHECK(to.at(i) == static_cast<double>(i));
    const Value back = to.copy();
    CHECK(back.is_contiguous() && same_bits(back, from));
    int64_t untouched = 0;
    for (int64_t i = 0; i < wide.size(); ++i) untouched += wide.at(i) == -1;
    CHECK(untouched == wide.size() - 60);
  }
}

TEST(every_dtype_is_converted_to_every_other) {
  const DType all[] = {DType::bool_,  DType::int8,    DType::int16,  DType::int32,
                       DType::int64,  DType::uint8,   DType::uint16, DType::uint32,
                       DType::uint64, DType::float32, DType::float64};
  for (const DType from : all)
    for (const DType to : all) {
      const Value v = counted({3}, from).cast(to);
      CHECK(v.dtype() == to && v.at(0) == 0 && v.at(1) == 1);
      CHECK(v.at(2) == (is_bool(from) || is_bool(to) ? 1 : 2));
      Value filled = Value::zeros(to, Dims{2, 2});
      copy_into(filled.view(Dims{2}, Dims{2}, 0),
                is_floating(from) ? Value::scalar(1, from) : Value::integer_scalar(1, from));
      CHECK(filled.at(0) == 1 && filled.at(1) == 0 && filled.at(2) == 1);
    }
}

TEST(truth_is_what_is_not_zero) {
  const double items[] = {0.0, -0.0, 5e-324, std::numeric_limits<double>::quiet_NaN(), -0.5, 256};
  const Value v = Value::from(items, Dims{6}).cast(DType::bool_);
  const double expected[] = {0, 0, 1, 1, 1, 1};
  for (int64_t i = 0; i < 6; ++i) CHECK(v.at(i) == expected[i]);
}

TEST(large_integers_keep_all_their_bits) {
  const int64_t items[] = {(int64_t{1} << 53) + 1, -1, std::numeric_limits<int64_t>::min()};
  const Value v = Value::from_int64(items, Dims{3}), u = v.cast(DType::uint64);
  for (int64_t i = 0; i < 3; ++i) CHECK(u.data<uint64_t>()[i] == static_cast<uint64_t>(items[i]));
  CHECK(same_bits(u.cast(DType::int64), v));
  Value one = Value::zeros(DType::int64, Dims{2});
  copy_into(one, Value::integer_scalar(items[0]));
  CHECK(one.data<int64_t>()[1] == items[0]);
}

TEST(nothing_is_copied_into_nothing) {
  const Value empty = Value::empty(DType::float64, Dims{2, 0});
  copy_into(empty, Value(1.0));
  copy_into(empty, Value::empty(DType::float32, Dims{0}));
  CHECK(empty.copy().shape() == (Dims{2, 0}));
}
