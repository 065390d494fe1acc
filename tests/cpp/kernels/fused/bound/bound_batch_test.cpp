#include "tapegrad/kernels/fused/bound/bound_batch.h"

#include "kernels/fused/bound/check_bound.h"

using namespace tapegrad;

namespace {

constexpr int none = LaneBatch::no_axis;

// For points x of two numbers, a mask and a weight w: w x0 + x1 and exp of it (as rows of two),
// whether the mask is true and x0 > 1, the sum of w x0 + x1 with w added, and w * w.
LaneKernel weighted(int64_t n, bool joined) {
  Maker m(4);
  const uint32_t one = m.constant(1);
  const uint32_t y = m.call<Add>(m.call<Multiply>(3, 0), 1), e = m.call<Exp>(y);
  m.store(y);
  m.store(e);
  m.test(m.call<LogicalAnd>(2, m.call<Greater>(0, one)));
  m.sum(y);
  m.k.outputs.back().once = 3;
  m.store(m.call<Multiply>(3, 3));
  m.store(m.call<Add>(3, one));  // the same in every lane, stored in each
  LaneBatch batch;
  batch.in = {
      {Dims{n, 2}, DType::float64, 0}, {Dims{n}, DType::bool_, 0}, {Dims{1}, DType::float64, none}};
  batch.inputs = {{0, 0}, {0, 1}, {1, 0}, {2, 0}};
  batch.out = {{Dims{n, 2}, DType::float64, 0},
               {Dims{n}, DType::bool_, 0},
               {Dims{1}, DType::float64, none},
               {Dims{1}, DType::float64, none},
               {Dims{n}, DType::float64, 0}};
  batch.outputs = {{0, 0}, {0, 1}, {1, 0}, {2, 0}, {3, 0}, {4, 0}};
  if (joined) {  // the last two and the sum behind one another
    batch.places = {{0, 0}, {1, 0}, {2, 0}, {2, 1}, {2, 2}};
    batch.joined = {
        {DType::float64, Dims{n, 2}}, {DType::bool_, Dims{n}}, {DType::float64, Dims{n + 2}}};
  }
  m.k.batch = std::make_shared<const LaneBatch>(std::move(batch));
  return m.k;
}

}  // namespace

TEST(lanes_sums_masks_and_what_is_the_same_in_all) {
  for (const bool joined : {false, true}) {
    for (const int64_t n : {1, 2, 8, 20, 127, 128, 300, 2048, 4096}) {
      Value mask = Value::empty(DType::bool_, Dims{n});
      for (int64_t i = 0; i < n; ++i) mask.data<bool>()[i] = i % 3 != 0;
      check_bound(weighted(n, joined), Dims{n},
                  {numbers(2 * n, 0.7).reshaped(Dims{n, 2}), mask, numbers(1, 1.5)});
    }
  }
}

TEST(arrays_of_other_dtypes_are_not_bound) {
  const LaneKernel k = weighted(9, false);
  CHECK(bind_batch(k, 9) != nullptr);
  LaneKernel other = k;
  LaneBatch batch = *k.batch;
  batch.in[0].dtype = DType::float32;
  other.batch = std::make_shared<const LaneBatch>(std::move(batch));
  CHECK(bind_batch(other, 9) == nullptr);
}
