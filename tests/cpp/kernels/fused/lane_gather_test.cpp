#include "tapegrad/kernels/fused/lane_gather.h"

#include <vector>

#include "check.h"
#include "kernels/array_cases.h"
#include "kernels/fused/lane_maker.h"
#include "tapegrad/base/error.h"
#include "tapegrad/kernels/fused/lane_program.h"

using namespace tapegrad;
using cases::laid_out;
using cases::random_array;

namespace {

// Indices from -length to length - 1.
Value random_indices(const Dims& shape, int64_t length, DType d = DType::int64) {
  cases::Random random;
  Value v = Value::empty(d, shape);
  for (int64_t i = 0; i < v.size(); ++i)
    v.set_at(i, static_cast<double>(
                    static_cast<int64_t>(random.next() * static_cast<double>(length) * 0.999)));
  return v;
}

// x taken along an axis, element by element.
Value taken(const Value& x, const Value& index, int axis) {
  int64_t before = 1, row = 1;
  Dims shape;
  for (int k = 0; k < x.ndim(); ++k) {
    if (k < axis) before *= x.dim(k);
    if (k > axis) row *= x.dim(k);
    if (k != axis) {
      shape.push_back(x.dim(k));
    } else {
      for (int64_t n : index.shape()) shape.push_back(n);
    }
  }
  const int64_t length = x.dim(axis), count = index.size();
  Value out = Value::empty(x.dtype(), shape);
  for (int64_t i = 0; i < out.size(); ++i) {
    auto at = static_cast<int64_t>(index.at(i / row % count));
    if (at < 0) at += length;
    out.set_at(i, x.at((i / row / count * length + at) * row + i % row));
  }
  CHECK(out.size() == before * count * row);
  return out;
}

template <class T>
void check_pack(const Value& x, const Value& index, int axis) {
  const GatheredInput<T> in(x, index, axis);
  const Value expected = taken(x, index, axis);
  CHECK(in.size() == expected.size());
  for (int64_t block : {1, 5, 64, 1000000}) {
    Value out = Value::full(x.dtype(), Dims{expected.size()}, -7);
    for (int64_t i = 0; i < expected.size(); i += block)
      CHECK(in.pack(i, std::min(block, expected.size() - i), out.data<T>() + i));
    CHECK(same_bits(out, expected.reshaped(Dims{expected.size()})));
  }
}

// x0 taken through x2 along `axis`, minus x1; and its squares' sum.
LaneKernel difference(int axis, DType d = DType::float64) {
  Maker m(2, d);
  const uint32_t t = m.call<Subtract>(0, 1);
  m.store(t);
  m.sum(m.call<Square>(t));
  m.k.gathers = {{0, 0, axis}};
  m.k.n_indices = 1;
  return m.k;
}

}  // namespace

TEST(rows_of_every_length_in_blocks_of_any) {
  for (int64_t row = 1; row < 12; ++row) {
    check_pack<double>(random_array({2, 7, row}), random_indices({23}, 7), 1);
    check_pack<float>(random_array({7, row}, DType::float32), random_indices({23}, 7), 0);
  }
}

TEST(arrays_of_every_layout) {
  for (int layout = 0; layout < cases::layouts; ++layout) {
    for (const Dims& shape : {Dims{6}, Dims{4, 5}, Dims{3, 4, 5}, Dims{2, 3, 4, 5}})
      for (int axis = 0; axis < shape.ndim(); ++axis) {
        const Value x = laid_out(shape, layout);
        check_pack<double>(x, random_indices({9}, x.dim(axis)), axis);
      }
  }
}

TEST(index_arrays_of_every_kind) {
  const Value x = random_array({2, 100, 3});
  for (DType d : {DType::int8, DType::int16, DType::int32, DType::int64})
    check_pack<double>(x, random_indices({31}, 100, d), 1);
  Value bytes = Value::empty(DType::uint8, Dims{4});
  for (int64_t i = 0; i < 4; ++i) bytes.set_at(i, static_cast<double>(90 + i));
  check_pack<double>(x, bytes, 1);
  const Value pairs = random_indices({12, 2}, 100);
  check_pack<double>(x, pairs, 1);
  check_pack<double>(x, pairs.view(Dims{12}, Dims{2}, 1), 1);
  check_pack<double>(x, pairs.view(Dims{2, 12}, Dims{1, 2}, 0), 1);
}

TEST(a_kernel_reads_through_an_index_array) {
  const LaneProgram p(difference(1));
  const Value x = random_array({40, 30, 3}), y = random_array({40, 200, 3});
  const Value index = random_indices({200}, 30);
  const Dims space{40, 200, 3};
  Maker plain(2);
  const uint32_t t = plain.call<Subtract>(0, 1);
  plain.store(t);
  plain.sum(plain.call<Square>(t));
  std::vector<Value> expected(2);
  LaneProgram(plain.k).run(std::vector{taken(x, index, 1), y}, space, expected);
  for (size_t k : {0u, 1u})
    CHECK(cases::same_for_any_threads([&] {
      std::vector<Value> out(2);
      p.run(std::vector{x, y, index}, space, out);
      CHECK(same_bits(out[k], expected[k]));
      return out[k];
    }));
}

TEST(rows_are_gathered_in_one_pass) {
  const Value x = random_array({500, 3}), index = random_indices({7000}, 500);
  CHECK(cases::same_for_any_threads([&] {
    Value out = Value::empty(DType::float64, Dims{7000, 3});
    CHECK(gather_packed(out, x, index));
    CHECK(same_bits(out, taken(x, index, 0)));
    return out;
  }));
  const Value out = Value::empty(DType::float64, Dims{2, 3});
  const int64_t wrong[] = {-500, 500};
  CHECK_THROWS_SAYING(IndexError, "index 500 is out of bounds for axis 0 with size 500",
                      gather_packed(out, x, Value::from_int64(wrong, Dims{2})));
  CHECK(!gather_packed(out, laid_out({500, 3}, 1), random_indices({2}, 500)));
  CHECK(!gather_packed(out, x, Value::zeros(DType::bool_, Dims{2})));
}

TEST(a_kernel_over_one_element) {
  const int64_t last[] = {-1};
  std::vector<Value> out(2);
  const Value x = random_array({5}), index = Value::from_int64(last, Dims{1});
  LaneProgram(difference(0)).run(std::vector{x, Value(2.0), index}, Dims{1}, out);
  CHECK(out[0].at(0) == x.at(4) - 2.0);
}

TEST(indices_out_of_bounds) {
  const int64_t high[] = {0, 4, 5, 9}, low[] = {3, -5, -6, 77};
  const Value x = random_array({5}), y = random_array({4});
  std::vector<Value> out(2);
  const LaneProgram p(difference(0));
  CHECK_THROWS_SAYING(IndexError, "index 5 is out of bounds for axis 0 with size 5",
                      p.run(std::vector{x, y, Value::from_int64(high, Dims{4})}, Dims{4}, out));
  CHECK_THROWS_SAYING(IndexError, "index -6 is out of bounds for axis 0 with size 5",
                      p.run(std::vector{x, y, Value::from_int64(low, Dims{4})}, Dims{4}, out));
  CHECK_THROWS_SAYING(
      IndexError, "index 0 is out of bounds for axis 0 with size 0",
      p.run(std::vector{random_array({0}), y, Value::from_int64(high, Dims{4})}, Dims{4}, out));

  Maker two(2);
  two.store(two.call<Add>(0, 1));
  two.k.gathers = {{1, 1, 0}, {0, 0, 0}};  // the first of these complains
  two.k.n_indices = 2;
  out.resize(1);
  CHECK_THROWS_SAYING(IndexError, "index -6 is out of bounds for axis 0 with size 5",
                      LaneProgram(two.k).run(std::vector{x, x, Value::from_int64(high, Dims{4}),
                                                         Value::from_int64(low, Dims{4})},
                                             Dims{4}, out));
}

TEST(operands_that_do_not_fit) {
  std::vector<Value> out(2);
  const Value x = random_array({5}), y = random_array({4}), index = random_indices({4}, 5);
  const LaneProgram p(difference(0));
  CHECK_THROWS(ValueError, p.run(std::vector{x, y}, Dims{4}, out));
  CHECK_THROWS_SAYING(ValueError, "has 4 elements as it is gathered",
                      p.run(std::vector{x, y, index}, Dims{3, 4}, out));
  CHECK_THROWS_SAYING(ValueError, "a gathered input is of the kernel's dtype float64",
                      p.run(std::vector{x.cast(DType::float32), y, index}, Dims{4}, out));
  LaneKernel k = difference(0);
  k.n_indices = 0;
  CHECK_THROWS_SAYING(ValueError, "input 0 is gathered by index array 0", LaneProgram{k});
}
