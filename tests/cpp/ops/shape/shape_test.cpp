#include "tapegrad/ops/shape/shape.h"

#include "ops/run_op.h"

using namespace tapegrad;
using namespace cases;

TEST(reshape_and_ravel) {
  const Value x = counting({2, 3});
  CHECK(equals(run_op("reshape", x, {Ints{3, -1}}), {0, 1, 2, 3, 4, 5}, {3, 2}));
  CHECK(run_op("reshape", x, {int64_t{6}}).raw() == x.raw());
  CHECK(equals(run_op("reshape", Value::scalar(4), {Ints{1, 1}}), {4}, {1, 1}));
  CHECK(equals(run_op("reshape", counting({1}), {Ints{}}), {0}, {}));
  CHECK(run_op("reshape", Value::empty(DType::float64, Dims{0, 3}), {Ints{-1, 3}}).shape() ==
        (Dims{0, 3}));
  CHECK(run_op("ravel", x).shape() == Dims{6});
  CHECK_THROWS_SAYING(ValueError, "cannot reshape array of size 6 into shape (4,)",
                      run_op("reshape", x, {Ints{4}}));
  CHECK_THROWS_SAYING(ValueError, "only specify one unknown", run_op("reshape", x, {Ints{-1, -1}}));
  CHECK_THROWS_SAYING(ValueError, "negative", run_op("reshape", x, {Ints{-2, 3}}));
  CHECK_THROWS(ValueError,
               run_op("reshape", Value::empty(DType::float64, Dims{0, 3}), {Ints{0, -1}}));
}

TEST(axes_in_another_order_are_views) {
  const Value x = counting({2, 3, 4});
  const Value t = run_op("transpose", x, {Attr{}});
  CHECK(t.shape() == (Dims{4, 3, 2}) && t.raw() == x.raw() && t.at(1) == 12);
  CHECK(run_op("transpose", x, {Ints{1, -1, 0}}).shape() == (Dims{3, 4, 2}));
  CHECK(run_op("swapaxes", x, {int64_t{0}, int64_t{-1}}).shape() == (Dims{4, 3, 2}));
  CHECK(run_op("moveaxis", x, {Ints{0}, Ints{-1}}).shape() == (Dims{3, 4, 2}));
  CHECK(run_op("moveaxis", x, {Ints{2, 0}, Ints{0, 1}}).shape() == (Dims{4, 2, 3}));
  CHECK(run_op("transpose", Value::scalar(2), {Attr{}}).at(0) == 2);
  CHECK_THROWS_SAYING(ValueError, "axes don't match array", run_op("transpose", x, {Ints{0, 1}}));
  CHECK_THROWS_SAYING(ValueError, "repeated axis", run_op("transpose", x, {Ints{0, 1, -2}}));
  CHECK_THROWS_SAYING(ValueError, "same number of elements",
                      run_op("moveaxis", x, {Ints{0}, Ints{1, 2}}));
  CHECK_THROWS_SAYING(ValueError, "repeated axis", run_op("moveaxis", x, {Ints{0, 0}, Ints{1, 2}}));
}

TEST(the_last_two_axes_are_swapped_where_there_are_two) {
  CHECK(swap_last_axes(Ref(Value::empty(DType::float64, Dims{2, 3, 4}))).shape() ==
        (Dims{2, 4, 3}));
  CHECK_THROWS_SAYING(ValueError, "a matrix is needed",
                      swap_last_axes(Ref(Value::empty(DType::float64, Dims{3}))));
  CHECK_THROWS(ValueError, swap_last_axes(Ref(1.0)));
}

TEST(axes_of_length_one) {
  const Value x = counting({2, 3});
  CHECK(run_op("expand_dims", x, {Ints{0, -1}}).shape() == (Dims{1, 2, 3, 1}));
  CHECK(run_op("expand_dims", Value::scalar(2), {Ints{0}}).shape() == Dims{1});
  const Value turned = run_op("transpose", x, {Attr{}});
  CHECK(equals(run_op("expand_dims", turned, {Ints{1}}), {0, 3, 1, 4, 2, 5}, {3, 1, 2}));
  const Value thin = counting({1, 3, 1});
  CHECK(run_op("squeeze", thin, {Attr{}}).shape() == Dims{3});
  CHECK(run_op("squeeze", thin, {Ints{-1}}).shape() == (Dims{1, 3}));
  CHECK(equals(run_op("squeeze", counting({1, 1}), {Attr{}}), {0}, {}));
  CHECK_THROWS_SAYING(ValueError, "size not equal to one", run_op("squeeze", thin, {Ints{1}}));
  CHECK_THROWS_SAYING(ValueError, "duplicate", run_op("expand_dims", x, {Ints{0, 0}}));
}

TEST(broadcast_to_repeats_without_copying) {
  const Value x = counting({2, 1});
  const Value y = run_op("broadcast_to", x, {Ints{3, 2, 2}});
  CHECK(y.raw() == x.raw());
  CHECK(equals(y, {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}, {3, 2, 2}));
  CHECK(equals(run_op("broadcast_to", Value::scalar(7), {Ints{2}}), {7, 7}, {2}));
  CHECK(run_op("broadcast_to", x, {Ints{2, 0}}).size() == 0);
  CHECK_THROWS_SAYING(ValueError, "cannot be broadcast", run_op("broadcast_to", x, {Ints{3, 2}}));
  CHECK_THROWS_SAYING(ValueError, "cannot be broadcast", run_op("broadcast_to", x, {Ints{2}}));
}

TEST(joining) {
  const Value a = counting({2, 2}), b = numbers({7, 8}, {1, 2});
  CHECK(equals(run_op_many("concatenate", {a, b}, {int64_t{0}})[0], {0, 1, 2, 3, 7, 8}, {3, 2}));
  CHECK(equals(run_op_many("concatenate", {a, a}, {int64_t{-1}})[0], {0, 1, 0, 1, 2, 3, 2, 3},
               {2, 4}));
  CHECK(equals(run_op_many("concatenate", {a, b, Value::scalar(5)}, {Attr{}})[0],
               {0, 1, 2, 3, 7, 8, 5}, {7}));
  CHECK(equals(run_op_many("stack", {b, b}, {int64_t{0}})[0], {7, 8, 7, 8}, {2, 1, 2}));
  CHECK(
      equals(run_op_many("stack", {a, a}, {int64_t{-1}})[0], {0, 0, 1, 1, 2, 2, 3, 3}, {2, 2, 2}));
  CHECK(equals(run_op_many("stack", {Value::scalar(1), Value::scalar(2)}, {int64_t{0}})[0], {1, 2},
               {2}));
  const Value f = Value::full(DType::float32, Dims{2}, 0.5),
              i = Value::full(DType::int64, Dims{1}, 3);
  CHECK(run_op_many("concatenate", {f, f}, {int64_t{0}})[0].dtype() == DType::float32);
  CHECK(equals(run_op_many("concatenate", {f, i}, {int64_t{0}})[0], {0.5, 0.5, 3}, {3}));
  CHECK_THROWS_SAYING(ValueError, "need at least one array",
                      run_op_many("concatenate", {}, {int64_t{0}}));
  CHECK_THROWS_SAYING(ValueError, "zero-dimensional arrays cannot be concatenated",
                      run_op_many("concatenate", {Value::scalar(1)}, {int64_t{0}}));
  CHECK_THROWS_SAYING(ValueError, "array at index 1 has 1 dimension",
                      run_op_many("concatenate", {a, f}, {int64_t{0}}));
  CHECK_THROWS_SAYING(
      ValueError,
      "along dimension 0, the array at index 0 has size 2 and the array at index 1 has size 1",
      run_op_many("concatenate", {a, b}, {int64_t{1}}));
  CHECK_THROWS_SAYING(ValueError, "must have the same shape",
                      run_op_many("stack", {a, b}, {int64_t{0}}));
}

TEST(cutting_gives_views) {
  const Value x = counting({2, 5});
  std::vector<Value> parts = run_op_many("split", {x}, {int64_t{1}, Ints{2, 3}});
  CHECK(parts.size() == 3 && parts[0].raw() == x.raw());
  CHECK(equals(parts[0], {0, 1, 5, 6}, {2, 2}));
  CHECK(equals(parts[2], {3, 4, 8, 9}, {2, 2}));
  parts = run_op_many("split", {x}, {int64_t{-1}, Ints{-1, 9}});
  CHECK(parts[0].shape() == (Dims{2, 4}) && parts[1].shape() == (Dims{2, 1}) &&
        parts[2].size() == 0);
  parts = run_op_many("unstack", {x}, {int64_t{0}});
  CHECK(parts.size() == 2 && equals(parts[1], {5, 6, 7, 8, 9}, {5}));
  CHECK(equals(run_op("crop", x, {Ints{1, 2}, Ints{1, 2}}), {7, 8}, {1, 2}));
  CHECK_THROWS_SAYING(ValueError, "0-d", run_op("split", Value::scalar(1), {int64_t{0}, Ints{1}}));
  CHECK_THROWS(ValueError, run_op("crop", x, {Ints{1, 2}, Ints{1, 4}}));
}

TEST(flip_and_roll) {
  const Value x = counting({2, 3});
  CHECK(equals(run_op("flip", x, {Attr{}}), {5, 4, 3, 2, 1, 0}, {2, 3}));
  CHECK(equals(run_op("flip", x, {Ints{1}}), {2, 1, 0, 5, 4, 3}, {2, 3}));
  CHECK(run_op("flip", Value::empty(DType::float64, Dims{0, 3}), {Attr{}}).size() == 0);
  CHECK(equals(run_op("roll", x, {Ints{1}, Attr{}}), {5, 0, 1, 2, 3, 4}, {2, 3}));
  CHECK(equals(run_op("roll", x, {Ints{-1}, Ints{1}}), {1, 2, 0, 4, 5, 3}, {2, 3}));
  CHECK(equals(run_op("roll", x, {Ints{1, 4}, Ints{0, 1}}), {5, 3, 4, 2, 0, 1}, {2, 3}));
  CHECK(equals(run_op("roll", x, {Ints{1}, Ints{1, 1}}), {1, 2, 0, 4, 5, 3}, {2, 3}));
  CHECK(equals(run_op("roll", run_op("transpose", x, {Attr{}}), {Ints{2}, Attr{}}),
               {2, 5, 0, 3, 1, 4}, {3, 2}));
  CHECK(run_op("roll", Value::scalar(3), {Ints{1}, Attr{}}).at(0) == 3);
  CHECK_THROWS_SAYING(ValueError, "one length", run_op("roll", x, {Ints{1, 2, 3}, Ints{0, 1}}));
}

TEST(tile_and_repeat) {
  const Value x = counting({2, 2});
  CHECK(equals(run_op("tile", x, {Ints{2}}), {0, 1, 0, 1, 2, 3, 2, 3}, {2, 4}));
  CHECK(equals(run_op("tile", counting({2}), {Ints{2, 2}}), {0, 1, 0, 1, 0, 1, 0, 1}, {2, 4}));
  CHECK(equals(run_op("tile", Value::scalar(3), {Ints{2}}), {3, 3}, {2}));
  CHECK(run_op("tile", x, {Ints{0, 1}}).shape() == (Dims{0, 2}));
  CHECK(equals(run_op("repeat", x, {Ints{2}, Attr{}}), {0, 0, 1, 1, 2, 2, 3, 3}, {8}));
  CHECK(equals(run_op("repeat", x, {Ints{2}, int64_t{0}}), {0, 1, 0, 1, 2, 3, 2, 3}, {4, 2}));
  CHECK(equals(run_op("repeat", x, {Ints{0, 3}, int64_t{-1}}), {1, 1, 1, 3, 3, 3}, {2, 3}));
  CHECK(equals(run_op("repeat", Value::scalar(3), {Ints{2}, Attr{}}), {3, 3}, {2}));
  CHECK_THROWS_SAYING(ValueError, "negative", run_op("repeat", x, {Ints{-1}, Attr{}}));
  CHECK_THROWS_SAYING(ValueError, "could not be broadcast",
                      run_op("repeat", x, {Ints{1, 2, 3}, int64_t{0}}));
}

TEST(pad_in_every_mode) {
  const Value x = numbers({1, 2, 3}, {3});
  const auto pad = [&](const char* mode) { return run_op("pad", x, {Ints{4, 5}, mode, 0.0}); };
  CHECK(equals(run_op("pad", x, {Ints{1, 2}, "constant", 9.0}), {9, 1, 2, 3, 9, 9}, {6}));
  CHECK(equals(pad("edge"), {1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3}, {12}));
  CHECK(equals(pad("wrap"), {3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2}, {12}));
  CHECK(equals(pad("reflect"), {1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2}, {12}));
  CHECK(equals(pad("symmetric"), {3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2}, {12}));
  CHECK(equals(run_op("pad", numbers({5}, {1}), {Ints{1, 2}, "reflect", 0.0}), {5, 5, 5, 5}, {4}));
  CHECK(equals(run_op("pad", counting({2, 2}), {Ints{1, 0, 0, 1}, "edge", 0.0}),
               {0, 1, 1, 0, 1, 1, 2, 3, 3}, {3, 3}));
  CHECK(equals(run_op("pad", counting({1, 2}), {Ints{1, 1, 1, 0}, "constant", -1.0}),
               {-1, -1, -1, -1, 0, 1, -1, -1, -1}, {3, 3}));
  CHECK_THROWS_SAYING(ValueError, "can't contain negative values",
                      run_op("pad", x, {Ints{-1, 0}, "edge", 0.0}));
  CHECK_THROWS_SAYING(ValueError, "not supported", run_op("pad", x, {Ints{1, 0}, "median", 0.0}));
  CHECK_THROWS_SAYING(
      ValueError, "can't extend empty axis 0",
      run_op("pad", Value::empty(DType::float64, Dims{0}), {Ints{1, 0}, "wrap", 0.0}));
}

TEST(diagonals_and_triangles) {
  const Value x = counting({3, 4});
  const auto diagonal = [&](int64_t offset) {
    return run_op("diagonal", x, {offset, int64_t{0}, int64_t{1}});
  };
  CHECK(equals(diagonal(0), {0, 5, 10}, {3}));
  CHECK(equals(diagonal(2), {2, 7}, {2}));
  CHECK(equals(diagonal(-2), {8}, {1}));
  CHECK(diagonal(9).size() == 0);
  CHECK(run_op("diagonal", counting({2, 3, 4}), {int64_t{0}, int64_t{0}, int64_t{2}}).shape() ==
        (Dims{3, 2}));
  CHECK(equals(run_op("trace", x, {int64_t{1}, int64_t{0}, int64_t{1}}), {1 + 6 + 11}, {}));
  CHECK(equals(run_op("diagonal_scatter", numbers({1, 2}, {2}),
                      {Ints{3, 3}, int64_t{-1}, int64_t{0}, int64_t{1}}),
               {0, 0, 0, 1, 0, 0, 0, 2, 0}, {3, 3}));
  CHECK(equals(run_op("tril", x, {int64_t{0}}), {0, 0, 0, 0, 4, 5, 0, 0, 8, 9, 10, 0}, {3, 4}));
  CHECK(equals(run_op("triu", x, {int64_t{1}}), {0, 1, 2, 3, 0, 0, 6, 7, 0, 0, 0, 11}, {3, 4}));
  CHECK(equals(run_op("tril", counting({2}), {int64_t{0}}), {0, 0, 0, 1}, {2, 2}));
  CHECK(equals(run_op("triu", counting({2, 1, 2}), {int64_t{-5}}), {0, 1, 2, 3}, {2, 1, 2}));
  CHECK_THROWS_SAYING(ValueError, "at least two dimensions",
                      run_op("diagonal", counting({3}), {int64_t{0}, int64_t{0}, int64_t{1}}));
  CHECK_THROWS_SAYING(ValueError, "cannot be the same",
                      run_op("diagonal", x, {int64_t{0}, int64_t{1}, int64_t{-1}}));
}

TEST(data_keeps_its_dtype) {
  const Value x = Value::full(DType::int32, Dims{2, 2}, 3),
              b = Value::full(DType::bool_, Dims{2, 2}, 1);
  for (const Value& v : {x, b}) {
    CHECK(run_op("transpose", v, {Attr{}}).dtype() == v.dtype());
    CHECK(run_op("tril", v, {int64_t{0}}).dtype() == v.dtype());
    CHECK(run_op("roll", v, {Ints{1}, Attr{}}).at(0) == v.at(0));
    CHECK(run_op("pad", v, {Ints{1, 0, 0, 0}, "constant", 0.0}).at(3) == v.at(0));
    CHECK(run_op("repeat", v, {Ints{1, 2}, int64_t{0}}).at(4) == v.at(0));
  }
}
