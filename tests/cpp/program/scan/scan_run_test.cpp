#include "tapegrad/program/scan/scan_run.h"

#include "program/scan/scan_cases.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

TEST(rows_of_arrays_in_any_layout) {
  const Value v = numbers({4, 3, 2});
  const struct {
    Dims strides;
    int64_t offset;
  } layouts[] = {{{6, 2, 1}, 0}, {{-6, 2, 1}, 18}, {{6, -2, -1}, 5}, {{0, 2, 1}, 6}};
  for (const auto& [strides, offset] : layouts) {
    const Value stacked = v.view(Dims{4, 3, 2}, strides, offset);
    const Rows rows(stacked);
    for (int64_t t = 0; t < 4; ++t) {
      const Value row = rows.at(t);
      CHECK(row.shape() == (Dims{3, 2}) && row.is_contiguous());
      for (int64_t i = 0; i < 6; ++i) CHECK(row.at(i) == stacked.at(6 * t + i));
    }
  }
  CHECK(Rows(v).at(2).raw() == v.data<double>() + 12);  // packed rows are read where they lie
}

TEST(rows_of_numbers_and_of_nothing) {
  const Value v = numbers({5});
  const Rows backwards(v.view(Dims{5}, Dims{-1}, 4));
  CHECK(backwards.at(0).is_scalar() && backwards.at(0).as_double() == v.at(4));
  CHECK(backwards.at(4).as_double() == v.at(0));
  const int64_t counts[] = {7, -8};
  CHECK(Rows(Value::from_int64(counts, Dims{2})).at(1).as_int64() == -8);
  const Rows empty(Value::empty(DType::float64, Dims{2, 0, 3}));
  CHECK(empty.at(1).shape() == (Dims{0, 3}));
}

TEST(a_stack_takes_rows_in_any_order_and_layout) {
  const Value v = numbers({3, 2});
  Stack stack({DType::float64, Dims{2, 3}}, 3);
  stack.put(2, v.view(Dims{2, 3}, Dims{1, 2}, 0));
  stack.put(0, numbers({2, 3}, 2));
  stack.put(1, v.view(Dims{2, 3}, Dims{-1, -2}, 5));
  const Value all = stack.take();
  CHECK(all.shape() == (Dims{3, 2, 3}));
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 3; ++j) {
      CHECK(all.at(12 + i * 3 + j) == v.at(2 * j + i));
      CHECK(all.at(6 + i * 3 + j) == v.at(5 - i - 2 * j));
      CHECK(all.at(i * 3 + j) == numbers({2, 3}, 2).at(i * 3 + j));
    }
}

TEST(numbers_are_stored_in_their_dtype) {
  for (const DType d :
       {DType::float64, DType::float32, DType::int64, DType::int8, DType::uint64, DType::bool_}) {
    Stack stack({d, Dims{}}, 2);
    const Value one = is_floating(d) ? Value::scalar(1, d) : Value::integer_scalar(1, d);
    const Value zero = is_floating(d) ? Value::scalar(0, d) : Value::integer_scalar(0, d);
    stack.put(1, one);
    stack.put(0, zero);
    const Value all = stack.take();
    CHECK(all.dtype() == d && all.at(0) == 0 && all.at(1) == 1);
  }
  Stack empty({DType::float64, Dims{0}}, 2);
  empty.put(1, Value::empty(DType::float64, Dims{0}));
  CHECK(empty.take().shape() == (Dims{2, 0}));
}

// c, x, g, w -> c * w + x | c + g, where g is given at each step.
TEST(a_run_goes_step_by_step_and_takes_elements_one_by_one) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs {
        return {add(multiply(in[0], in[3]), in[2]), add(in[0], in[1])};
      },
      {Value(1.0), Value(1.0), Value(1.0), Value(1.0)}, 2, 1, 2);
  const double x[] = {10, 20};
  const std::vector<Value> in{Value(), Value(), Value::from(x, Dims{2}), Value(3.0)};
  ScanRun run(f, in, 1);
  std::vector<Value> carries{Value(2.0)};
  run.give(0, Value(100.0));
  run.step(1, carries);
  CHECK(carries[0].as_double() == 26 && run.y(0).as_double() == 102);
  run.give(0, Value(200.0));
  run.step(0, carries);
  CHECK(carries[0].as_double() == 88 && run.y(0).as_double() == 226);
  run.finish(carries);
  CHECK(carries[0].as_double() == 88);
}

// c + a b of a large carry: the products are gathered and wait for finish().
TEST(sums_of_products_are_behind_until_the_end) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs {
        return {add(in[0], multiply(expand_dims(in[1], -1), in[2])), sum(in[1])};
      },
      {numbers({70, 60}), numbers({70}), numbers({60})}, 20, 1, 2);
  CHECK(GatheredForm(f).sums.size() == 1);
  const std::vector<Value> in{Value::zeros(DType::float64, Dims{70, 60}),
                              Value::full(DType::float64, Dims{20, 70}, 2),
                              Value::full(DType::float64, Dims{20, 60}, 3)};
  ScanRun run(f, in);
  std::vector<Value> carries{in[0].copy()};
  for (int64_t t = 0; t < 20; ++t) run.step(t, carries);
  CHECK(carries[0].at(0) < 120);
  run.finish(carries);
  for (int64_t i = 0; i < 4200; ++i)
    if (carries[0].at(i) != 120) CHECK(carries[0].at(i) == 120);
}
