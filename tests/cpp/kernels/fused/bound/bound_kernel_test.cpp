#include "kernels/fused/bound/check_bound.h"

using namespace tapegrad;

namespace {

LaneKernel mixed() {
  Maker m(3);
  const uint32_t half = m.constant(0.5);
  const uint32_t a = m.call<Multiply>(0, 1), b = m.call<Add>(a, half);
  const uint32_t c = m.call<Tanh>(b), d = m.call<Multiply>(c, 2);
  m.store(d);
  m.test(m.call<Greater>(c, half));
  m.sum(d);
  m.store(m.call<Sqrt>(2));  // the same in every lane
  return m.k;
}

}  // namespace

TEST(rows_numbers_sums_and_masks) {
  for (int64_t n : {2, 7, 8, 64, 65, 500, 512, 513, 1500, 4096})
    check_bound(mixed(), Dims{n}, {numbers(n, 0.1), numbers(n, -0.3), Value(2.0)});
}

TEST(a_space_of_one_is_a_scalar_tape) {
  check_bound(mixed(), Dims{1}, {numbers(1, 0.1), numbers(1, -0.3), Value(2.0)});
}

TEST(sums_over_an_axis) {
  Maker m(2);
  const uint32_t a = m.call<Multiply>(0, 1);
  m.sum(a, Dims{30, 1});
  m.sum(a, Dims{1, 40});
  Value x = numbers(1200, 0.2), y = numbers(1200, -0.1);
  x = x.view(Dims{30, 40}, Dims{40, 1}, 0);
  y = y.view(Dims{30, 40}, Dims{40, 1}, 0);
  check_bound(m.k, Dims{30, 40}, {x, y});
}

TEST(inputs_that_stand_beside_the_space) {
  for (int64_t n : {9, 700}) {
    Maker m(3);
    const uint32_t t = m.call<Add>(0, 1);
    m.k.offsets = {no_offset, 1, -2};
    m.k.boxes.resize(3);
    m.k.windows.push_back(window_of_box(Dims{n}, Dims{1}, Dims{n - 3}));
    m.store(m.call(window_add, t, 2, 0));
    check_bound(m.k, Dims{n}, {numbers(n, 0), numbers(n - 1, 1), numbers(n, 2)});
  }
}

// Rows of a box lie closer together than those of the space; blocks begin within some of them.
TEST(inputs_that_fill_a_box) {
  for (const int64_t rows : {3, 40}) {
    const Dims space{rows, 30}, box{rows - 2, 25};
    for (const DType dtype : {DType::float64, DType::bool_}) {
      Maker m(2);
      m.k.offsets = {no_offset, 2 * 30 + 4};
      m.k.boxes = {{}, window_of_box(space, Dims{2, 4}, box)};
      m.store(m.call<Add>(0, 1));
      Value x = numbers(rows * 30, 1).reshaped(space);
      Value in_box = numbers((rows - 2) * 25, 3).reshaped(box);
      if (dtype == DType::bool_) {
        in_box = Value::empty(dtype, box);
        for (int64_t i = 0; i < in_box.size(); ++i) in_box.data<bool>()[i] = i % 5 < 2;
      }
      check_bound(m.k, space, {x, in_box});
    }
  }
}

// The ends, that some of them lack, are blocks of their own.
TEST(several_inputs_beside_the_space) {
  for (const int64_t n : {127, 128, 200, 501, 1764}) {
    for (const int64_t by : {1, 7, 40, 100}) {
      Maker m(4);
      m.k.offsets = {no_offset, by, -by, 0};
      m.k.boxes.resize(4);
      const uint32_t t = m.call<Add>(m.call<Multiply>(1, 2), 3);
      m.store(m.call<Subtract>(t, 0));
      m.sum(t);
      check_bound(m.k, Dims{n},
                  {numbers(n, 0), numbers(n - 5, 1), numbers(n, 2), numbers(n - by, 3)});
    }
  }
}

TEST(masks_that_stand_beside_the_space) {
  for (const int64_t n : {9, 700}) {
    Maker m(2);
    m.k.offsets = {no_offset, 3};
    m.k.boxes.resize(2);
    m.store(m.call<Select>(1, 0, 1));
    Value mask = Value::empty(DType::bool_, Dims{n});
    for (int64_t i = 0; i < n; ++i) mask.data<bool>()[i] = i % 3 == 0;
    check_bound(m.k, Dims{n}, {numbers(n, 1), mask});
  }
}

TEST(masks_are_read_as_numbers) {
  Maker m(2);
  m.store(m.call<Multiply>(0, 1));
  Value mask = Value::empty(DType::bool_, Dims{600});
  for (int64_t i = 0; i < 600; ++i) mask.data<bool>()[i] = i % 3 == 0;
  check_bound(m.k, Dims{600}, {mask, numbers(600, 1)});
}

TEST(what_can_not_be_bound) {
  Maker m(2);
  m.store(m.call<Multiply>(0, 1));
  const TensorType row{DType::float64, Dims{6}}, other{DType::float64, Dims{3}};
  const TensorType single{DType::float32, Dims{6}};
  const auto bound = [&](const Dims& space, const TensorType& a, const TensorType& b) {
    const TensorType types[] = {a, b};
    return BoundKernel::of(m.k, space, types) != nullptr;
  };
  CHECK(bound(Dims{6}, row, row));
  CHECK(!bound(Dims{6}, row, other));
  CHECK(!bound(Dims{6}, row, single));
  CHECK(!bound(Dims{5000}, {DType::float64, Dims{5000}}, {DType::float64, Dims{5000}}));
}
