#include "tapegrad/base/value.h"

#include <cmath>
#include <limits>
#include <vector>

#include "check.h"

using namespace tapegrad;

namespace {

Value counted(Dims shape) {
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, static_cast<double>(i));
  return v;
}

}  // namespace

TEST(arrays_without_axes_are_scalars) {
  for (const Value& v : {Value::zeros(DType::float64, Dims{}), Value::empty(DType::int32, Dims{}),
                         counted({3}).view({}, {}, 2), counted({1, 1}).reshaped(Dims{})}) {
    CHECK(v.is_scalar());
    CHECK(v.ndim() == 0 && v.size() == 1 && v.shape() == Dims{} && v.has_data());
  }
  CHECK(counted({3}).view({}, {}, 2).as_double() == 2);
  CHECK(Value().as_double() == 0);
}

TEST(scalars_are_rounded_to_their_dtype) {
  CHECK(Value::scalar(0.1, DType::float32).as_double() == static_cast<double>(0.1f));
  Value v = Value::scalar(0, DType::float32);
  v.set_scalar(0.1);
  CHECK(v.as_double() == static_cast<double>(0.1f));
  CHECK(Value(2.75).cast(DType::int64).as_int64() == 2);
  CHECK(Value(0.25).cast(DType::bool_).as_int64() == 1);
  CHECK(Value::integer_scalar(-3).cast(DType::float64).as_double() == -3);
  CHECK(Value::integer_scalar(1, DType::bool_).at(0) == 1);
}

TEST(copies_share_and_owners_know) {
  Value a = counted({2, 3});
  CHECK(a.owns_buffer());
  Value b = a;
  CHECK(!a.owns_buffer() && !b.owns_buffer());
  CHECK(a.raw() == b.raw());
  b.ensure_owned();
  CHECK(a.raw() != b.raw() && a.owns_buffer() && b.owns_buffer());
  b.set_at(0, 9);
  CHECK(a.at(0) == 0);
  Value moved = std::move(a);
  CHECK(moved.owns_buffer());
  void* const kept = moved.raw();
  moved.ensure_owned();
  CHECK(moved.raw() == kept);
}

TEST(views_read_through_strides) {
  const Value a = counted({3, 4});
  const Value t = a.view(Dims{4, 3}, Dims{1, 4}, 0);
  CHECK(!t.is_contiguous() && t.buffer() == a.buffer());
  CHECK(t.at(1) == 4 && t.at(3) == 1);
  const Value backwards = a.view(Dims{2}, Dims{-4}, 11);
  CHECK(backwards.at(0) == 11 && backwards.at(1) == 7);
  const Value packed = t.contiguous();
  CHECK(packed.is_contiguous() && packed.buffer() != a.buffer());
  for (int64_t i = 0; i < 12; ++i) CHECK(packed.at(i) == t.at(i));
  const Value repeated = a.view(Dims{2, 4}, Dims{0, 1}, 4);
  CHECK(!repeated.is_contiguous() && repeated.at(0) == 4 && repeated.at(4) == 4);
  Value own = repeated;
  own.ensure_owned();
  CHECK(own.is_contiguous() && own.at(7) == 7);
  CHECK(a.view(Dims{1, 4}, Dims{77, 1}, 0).is_contiguous());  // a stride that is never taken
}

TEST(dropped_data_leaves_the_type) {
  Value v = counted({2, 3});
  const size_t before = pool_stats().bytes_in_use;
  v.drop_data();
  CHECK(pool_stats().bytes_in_use < before);
  CHECK(!v.has_data() && v.shape() == Dims({2, 3}) && v.dtype() == DType::float64);
  Value scalar(3.0);
  scalar.drop_data();
  CHECK(scalar.has_data() && scalar.as_double() == 3);
}

TEST(reshapes_are_views_where_they_can_be) {
  const Value a = counted({2, 6});
  CHECK(a.reshaped(Dims{3, 4}).buffer() == a.buffer());
  const Value t = a.view(Dims{6, 2}, Dims{1, 6}, 0).reshaped(Dims{12});
  CHECK(t.buffer() != a.buffer() && t.at(1) == 6 && t.at(2) == 1);
  CHECK(Value(2.0).reshaped(Dims{1, 1}).at(0) == 2);
  CHECK_THROWS_SAYING(ValueError, "size 12", a.reshaped(Dims{5}));
}

TEST(bits_are_compared) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(same_bits(Value(nan), Value(nan)));
  CHECK(!same_bits(Value(0.0), Value(-0.0)));
  CHECK(!same_bits(Value(1.0), Value::scalar(1.0, DType::float32)));
  const Value a = counted({2, 2});
  CHECK(same_bits(a.view(Dims{2, 2}, Dims{1, 2}, 0).view(Dims{2, 2}, Dims{2, 1}, 0), a));
  CHECK(!same_bits(a.view(Dims{2, 2}, Dims{1, 2}, 0), a));
  CHECK(!same_bits(counted({4}), a));
  CHECK(same_bits(Value::zeros(DType::float64, Dims{0}), Value::empty(DType::float64, Dims{0})));
}

TEST(shapes_too_large_raise_before_memory_is_asked_for) {
  const int64_t large = int64_t{1} << 40;
  CHECK_THROWS_SAYING(ValueError, "(1099511627776, 1099511627776)",
                      Value::empty(DType::float64, Dims{large, large}));
  CHECK_THROWS(ValueError, Value::empty(DType::float64, Dims{0, large, large}));
  CHECK_THROWS(ValueError, counted({1}).view(Dims{large, large}, Dims{0, 0}, 0));
  CHECK_THROWS_SAYING(ValueError, "negative", Value::empty(DType::float64, Dims{2, -1}));
  CHECK_THROWS_SAYING(ValueError, "64 axes", Value::empty(DType::float64, Dims(65, 1)));
}

TEST(values_print) {
  CHECK(join_text(counted({2, 2})) == "[[0, 1], [2, 3]]");
  CHECK(join_text(Value(0.5)) == "0.5");
  CHECK(join_text(Value::zeros(DType::float64, Dims{0})) == "[]");
  CHECK(describe(counted({3, 4})) == "float64 array of shape (3, 4)");
  CHECK(describe(Value::integer_scalar(7)) == "int64 scalar 7");
  const std::string text = join_text(counted({100}));
  CHECK(text.find("...") != std::string::npos && text.size() < 80);
  Value v = counted({3});
  v.drop_data();
  CHECK(join_text(v) == "<released>");
}
