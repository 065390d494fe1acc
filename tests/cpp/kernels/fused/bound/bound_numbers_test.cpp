#include "tapegrad/kernels/fused/bound/bound_numbers.h"

#include "check.h"
#include "kernels/fused/lane_maker.h"

using namespace tapegrad;

namespace {

// out[0] = in[1] * in[0], out[1] = in[0] > 1; over the elements of one array.
LaneKernel swapped() {
  Maker m(2);
  const uint32_t one = m.constant(1);
  const uint32_t product = m.call<Multiply>(0, 1), mask = m.call<Greater>(0, one);
  m.store(product);
  m.test(mask);
  LaneBatch batch;
  batch.in = {{Dims{3}, DType::float64, LaneBatch::no_axis}};
  batch.out = {{Dims{2}, DType::float64, LaneBatch::no_axis},
               {Dims{1}, DType::bool_, LaneBatch::no_axis}};
  batch.inputs = {{0, 2}, {0, 0}};
  batch.outputs = {{0, 1}, {1, 0}};
  m.k.batch = std::make_shared<const LaneBatch>(batch);
  return m.k;
}

template <class U>
char* bytes(U* p) {
  return static_cast<char*>(static_cast<void*>(p));
}

}  // namespace

TEST(elements_are_read_and_written_where_they_lie) {
  const auto bound = bind_numbers(swapped());
  CHECK(bound != nullptr);
  alignas(64) double scratch[64];
  CHECK(bound->scratch_bytes() <= sizeof scratch);
  bound->set_up(bytes(scratch));
  double in[] = {3, 5, 7}, out[] = {-1, -1};
  bool mask[] = {false};
  char *const inputs[] = {bytes(in)}, *const outputs[] = {bytes(out), bytes(mask)};
  for (int round = 0; round < 2; ++round) {
    bound->run(inputs, outputs, bytes(scratch));
    CHECK(out[0] == -1 && out[1] == 21 && mask[0]);
  }
  in[2] = 0.5;
  bound->run(inputs, outputs, bytes(scratch));
  CHECK(out[1] == 1.5 && !mask[0]);
}

TEST(lanes_and_other_dtypes_are_refused) {
  LaneKernel k = swapped();
  LaneBatch batch = *k.batch;
  batch.in[0].axis = 0;
  k.batch = std::make_shared<const LaneBatch>(batch);
  CHECK(bind_numbers(k) == nullptr);
  batch.in[0].axis = LaneBatch::no_axis;
  batch.in[0].dtype = DType::int64;
  k.batch = std::make_shared<const LaneBatch>(batch);
  CHECK(bind_numbers(k) == nullptr);
}
