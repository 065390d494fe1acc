#include "tapegrad/ops/reduce/reduce.h"

#include <cmath>
#include <limits>

#include "ops/run_op.h"

using namespace tapegrad;
using namespace cases;

namespace {

const double inf = std::numeric_limits<double>::infinity();

}  // namespace

TEST(values_along_axes) {
  const Value x = numbers({1, 5, 2, 4, 3, 6}, {2, 3});
  CHECK(equals(run_op("sum", x, {Attr{}, false}), {21}, {}));
  CHECK(equals(run_op("sum", x, {Ints{0}, false}), {5, 8, 8}, {3}));
  CHECK(equals(run_op("sum", x, {int64_t{-1}, true}), {8, 13}, {2, 1}));
  CHECK(equals(run_op("sum", x, {Ints{1, 0}, true}), {21}, {1, 1}));
  CHECK(equals(run_op("mean", x, {Ints{0}, false}), {2.5, 4, 4}, {3}));
  CHECK(equals(run_op("prod", x, {Ints{1}, false}), {10, 72}, {2}));
  CHECK(equals(run_op("max", x, {Ints{0}, true}), {4, 5, 6}, {1, 3}));
  CHECK(equals(run_op("min", x, {Attr{}, false}), {1}, {}));
  CHECK(equals(run_op("var", x, {Ints{1}, false, 1.0}), {13.0 / 3, 7.0 / 3}, {2}));
  CHECK(equals(run_op("std", x, {Ints{0}, false, int64_t{0}}), {1.5, 1, 2}, {3}));
  CHECK(equals(run_op("logsumexp", x, {Ints{0}, false}),
               {std::log(std::exp(1) + std::exp(4)), std::log(std::exp(5) + std::exp(3)),
                std::log(std::exp(2) + std::exp(6))},
               {3}));
  CHECK(equals(run_op("sum", x, {Ints{}, false}), {1, 5, 2, 4, 3, 6}, {2, 3}));
}

TEST(scalars_reduce_to_themselves) {
  const Value x = Value::scalar(3);
  for (const char* name : {"sum", "mean", "prod", "max", "min", "logsumexp"}) {
    CHECK(equals(run_op(name, x, {Attr{}, false}), {3}, {}));
    CHECK(equals(run_op(name, x, {Ints{}, true}), {3}, {}));
    CHECK_THROWS_SAYING(AxisError, "axis -1 is out of bounds for array of dimension 0",
                        run_op(name, x, {Ints{-1}, true}));
  }
  for (const char* name : {"sum", "prod", "max", "min", "logsumexp"})
    CHECK(equals(run_op(name, x, {int64_t{-1}, true}), {3}, {}));
  CHECK_THROWS_SAYING(AxisError, "axis 0 is out of bounds for array of dimension 0",
                      run_op("mean", x, {int64_t{0}, false}));
  CHECK(equals(run_op("var", x, {Attr{}, false, 0.0}), {0}, {}));
  CHECK(std::isnan(run_op("var", x, {Attr{}, false, 1.0}).at(0)));
  CHECK(equals(run_op("cumsum", x, {Attr{}}), {3}, {1}));
  CHECK(equals(run_op("cumprod", x, {int64_t{0}}), {3}, {1}));
}

TEST(dtypes_follow_numpy) {
  const Value f = Value::full(DType::float32, Dims{3}, 2),
              i = Value::full(DType::int16, Dims{3}, 2);
  const Value u = Value::full(DType::uint8, Dims{3}, 200),
              b = Value::full(DType::bool_, Dims{3}, 1);
  for (const char* name : {"sum", "mean", "prod", "max", "min", "logsumexp"})
    CHECK(run_op(name, f, {Attr{}, false}).dtype() == DType::float32);
  CHECK(run_op("std", f, {Attr{}, false, 0.0}).dtype() == DType::float32);
  CHECK(run_op("sum", i, {Attr{}, false}).dtype() == DType::int64);
  CHECK(run_op("sum", b, {Attr{}, false}).as_int64() == 3);
  CHECK(run_op("sum", u, {Attr{}, false}).dtype() == DType::uint64);
  CHECK(run_op("sum", u, {Attr{}, false}).as_int64() == 600);
  CHECK(run_op("mean", i, {Attr{}, false}).dtype() == DType::float64);
  CHECK(run_op("max", u, {Ints{0}, true}).dtype() == DType::uint8);
  CHECK(run_op("max", u, {Ints{0}, true}).at(0) == 200);
  CHECK(run_op("cumsum", b, {Attr{}}).dtype() == DType::int64);
  CHECK(run_op("cumprod", f, {Attr{}}).dtype() == DType::float32);
}

TEST(empty_arrays) {
  const Value x = Value::empty(DType::float64, Dims{0, 3});
  CHECK(equals(run_op("sum", x, {Ints{0}, false}), {0, 0, 0}, {3}));
  CHECK(equals(run_op("prod", x, {Attr{}, true}), {1}, {1, 1}));
  CHECK(std::isnan(run_op("mean", x, {Attr{}, false}).at(0)));
  CHECK(run_op("logsumexp", x, {Attr{}, false}).at(0) == -inf);
  CHECK(run_op("max", x, {Ints{1}, false}).shape() == Dims{0});
  CHECK_THROWS_SAYING(ValueError,
                      "zero-size array to reduction operation maximum which has no identity",
                      run_op("max", x, {Ints{0}, false}));
  CHECK_THROWS_SAYING(ValueError, "minimum which has no identity",
                      run_op("min", x, {Attr{}, false}));
}

TEST(bad_axes_are_named) {
  const Value x = counting({2, 3});
  CHECK_THROWS_SAYING(AxisError, "axis 2 is out of bounds for array of dimension 2",
                      run_op("sum", x, {Ints{2}, false}));
  CHECK_THROWS_SAYING(ValueError, "duplicate value in 'axis'",
                      run_op("max", x, {Ints{0, -2}, false}));
  CHECK_THROWS_SAYING(AxisError, "out of bounds",
                      run_op("mean", Value::scalar(1), {Ints{1}, false}));
  CHECK_THROWS_SAYING(AxisError, "cumsum", run_op("cumsum", x, {int64_t{5}}));
}

TEST(logsumexp_does_not_overflow) {
  CHECK_CLOSE(run_op("logsumexp", numbers({1000, 1000}, {2}), {Attr{}, false}).at(0),
              1000 + std::log(2.0), 1e-15);
  CHECK(run_op("logsumexp", numbers({-inf, -inf}, {2}), {Attr{}, false}).at(0) == -inf);
  CHECK(run_op("logsumexp", numbers({inf, 0}, {2}), {Attr{}, false}).at(0) == inf);
  CHECK(std::isnan(run_op("logsumexp", numbers({std::nan(""), 0}, {2}), {Attr{}, false}).at(0)));
}

TEST(scans) {
  const Value x = numbers({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(equals(run_op("cumsum", x, {Attr{}}), {1, 3, 6, 10, 15, 21}, {6}));
  CHECK(equals(run_op("cumsum", x, {int64_t{0}}), {1, 2, 3, 5, 7, 9}, {2, 3}));
  CHECK(equals(run_op("cumprod", x, {int64_t{1}}), {1, 2, 6, 4, 20, 120}, {2, 3}));
  CHECK(equals(run_op("cumsum", x, {int64_t{-1}, true}), {6, 5, 3, 15, 11, 6}, {2, 3}));
  CHECK(equals(run_op("shift", x, {int64_t{1}, int64_t{1}, 9.0}), {9, 1, 2, 9, 4, 5}, {2, 3}));
  CHECK(equals(run_op("shift", x, {int64_t{0}, int64_t{-1}, 0.0}), {4, 5, 6, 0, 0, 0}, {2, 3}));
  CHECK(equals(run_op("shift", x, {int64_t{0}, int64_t{7}, 1.0}), {1, 1, 1, 1, 1, 1}, {2, 3}));
  CHECK_THROWS_SAYING(ValueError, "one shape",
                      run_op_many("linear_recurrence", {x, counting({3})}, {int64_t{0}, false}));
}

TEST(exclusive_products_need_no_division) {
  register_all_ops();
  const Value x = numbers({2, 0, 3, 4, 0, 0}, {2, 3});
  CHECK(equals(exclusive_prod(x, 1).value(), {0, 6, 0, 0, 0, 0}, {2, 3}));
  CHECK(equals(exclusive_prod(x, 0).value(), {4, 0, 0, 2, 0, 3}, {2, 3}));
}

TEST(sum_to_shape_undoes_broadcasts) {
  const Value x = counting({2, 3, 4});
  CHECK(equals(run_op("sum_to_shape", x, {Ints{3, 1}}), {60, 92, 124}, {3, 1}));
  CHECK(equals(run_op("sum_to_shape", x, {Ints{}}), {276}, {}));
  CHECK(equals(run_op("sum_to_shape", x, {Ints{4}}), {60, 66, 72, 78}, {4}));
  CHECK_THROWS(ValueError, run_op("sum_to_shape", x, {Ints{2}}));
  register_all_ops();
  CHECK(sum_to_shape(Ref(x), Dims{2, 3, 4}).value().raw() == x.raw());
}

TEST(an_input_is_never_overwritten) {
  for (const char* name : {"sum", "mean", "prod", "max", "min", "logsumexp"}) {
    const Value x = numbers({4, 9, 16}, {3, 1});
    const Value y = run_op(name, x, {Ints{1}, false});
    CHECK(equals(y, {4, 9, 16}, {3}));
    CHECK(equals(x, {4, 9, 16}, {3, 1}));
  }
  const Value x = numbers({4, 9, 16}, {3, 1});
  run_op("std", x, {Ints{1}, false, 0.0});
  CHECK(equals(x, {4, 9, 16}, {3, 1}));
}
