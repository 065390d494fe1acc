#include "tapegrad/program/run/tiles.h"

#include "program/programs.h"
#include "tapegrad/parallel/parallel.h"

using namespace programs;
using tapegrad::Tiles;

TEST(sums_of_tiles_have_one_order) {
  // Of 37 tiles, in 16 groups.
  Draft whole, last;
  const auto sum = [](Draft& d, int64_t n) {
    return d.returning({d.op("sum", {d.input({n, 3})}, {Ints{0}, false})});
  };
  Tiles::Form form;
  form.n = 181;
  form.length = 5;
  form.body = sum(whole, 5);
  form.last = sum(last, 1);
  form.in_axes = {0};
  form.out_axes = {Tiles::whole};
  form.out = {f64(Dims{3})};
  const Tiles tiles(form);
  CHECK(tiles.count() == 37);
  std::mt19937_64 random(5);
  const std::vector<Value> in{random_value(f64(Dims{181, 3}), random)};
  const Value expected = tapegrad::sum_to_shape(in[0], Dims{3});
  std::vector<Value> first(1), out(1);
  tiles.run(in, first);
  CHECK(distance(first[0], expected) < 1e-13);
  for (int threads : {1, 2, 3, 20}) {
    tapegrad::set_num_threads(threads);
    tiles.run(in, out);
    CHECK(same_numbers(out[0], first[0]));
  }
  tapegrad::set_num_threads(0);
}

TEST(any_axis_of_any_array_is_cut) {
  // Of a turned array, read and written in columns.
  Draft whole, last;
  const auto twice = [](Draft& d, int64_t n) {
    const ValueId x = d.input({2, n}), factor = d.input({2, 1});
    const ValueId y = d.op("multiply", {x, factor});
    return d.returning({y, d.op("transpose", {y}, {Ints{1, 0}}), d.op("greater", {y, x})});
  };
  Tiles::Form form;
  form.n = 7;
  form.length = 3;
  form.body = twice(whole, 3);
  form.last = twice(last, 1);
  form.in_axes = {1, Tiles::whole};
  form.out_axes = {1, 0, 1};
  form.out = {f64(Dims{2, 7}), f64(Dims{7, 2}), {DType::bool_, Dims{2, 7}}};
  const Tiles tiles(form);
  std::vector<double> numbers(14);
  for (size_t i = 0; i < 14; ++i) numbers[i] = static_cast<double>(i) - 6.0;
  const Value stored = Value::from(numbers, Dims{7, 2});
  const Value x = stored.view(Dims{2, 7}, Dims{1, 2}, 0);
  const std::vector<Value> in{x, Value::from(std::vector{2.0, -3.0}, Dims{2, 1})};
  std::vector<Value> out(3);
  tiles.run(in, out);
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 7; ++j) {
      const double before = x.at(7 * i + j), after = before * (i == 0 ? 2.0 : -3.0);
      CHECK(out[0].at(7 * i + j) == after);
      CHECK(out[1].at(2 * j + i) == after);
      CHECK((out[2].at(7 * i + j) != 0) == (after > before));
    }
}

TEST(the_first_error_of_the_tiles_is_raised) {
  // Not only what the pass would put into a tile.
  Draft d;
  const ValueId x = d.input({5}), index = d.input({DType::int64, Dims{2}});
  Tiles::Form form;
  form.n = 8;
  form.length = 2;
  form.body = d.returning({d.op("gather", {x, index}, {Ints{3, 0, 0, 0}, int64_t{0}})});
  form.in_axes = {Tiles::whole, 0};
  form.out_axes = {0};
  form.out = {f64(Dims{8})};
  const Tiles tiles(form);
  const std::vector<int64_t> wrong{0, 1, 7, 0, 2, 8, 9, 1};
  for (int threads : {1, 3}) {
    tapegrad::set_num_threads(threads);
    const std::vector<Value> in{Value::from(std::vector<double>(5, 1.0), Dims{5}),
                                Value::from_int64(wrong, Dims{8})};
    std::vector<Value> out(1);
    CHECK_THROWS_SAYING(tapegrad::IndexError, "7", tiles.run(in, out));
  }
  tapegrad::set_num_threads(0);
}
