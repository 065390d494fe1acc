#include "tapegrad/kernels/fused/lane_ahead.h"

#include <vector>

#include "check.h"
#include "kernels/fused/lane_maker.h"
#include "kernels/random_values.h"

using namespace tapegrad;

TEST(arrays_that_lie_close_to_each_other_are_one_stream) {
  const std::vector<double> far(100'000);
  LaneAhead ahead;
  CHECK(ahead.count() == 0);
  ahead.add(far.data(), 8, false);
  ahead.add(far.data() + 1, 8, false);
  ahead.add(far.data() + 1000, 8, true);
  CHECK(ahead.count() == 1);
  for (int k = 1; k < 20; ++k) ahead.add(far.data() + 5000 * k, 8, k % 2 == 0);
  CHECK(ahead.count() == LaneAhead::most_streams);
}

TEST(small_arrays_and_short_kernels_are_left_to_the_processor) {
  const std::vector<double> far(10'000);
  LaneAhead ahead;
  ahead.add(far.data(), 8, false);
  CHECK(!ahead.pays(250'000, 10));
  CHECK(ahead.pays(500'000, 10));
  CHECK(!ahead.pays(500'000, 2));
  CHECK(ahead.pays(10'000'000, 2));
  ahead.add(far.data() + 9000, 8, true);
  CHECK(ahead.pays(250'000, 10));
}

// Long enough for that, from an address on that no line begins with, and with an end of their own:
// the same as in parts that are too short.
TEST(long_arrays_give_what_short_ones_do) {
  constexpr int64_t n = 700'001, part = 4096;
  for (const DType dtype : {DType::float64, DType::float32}) {
    Maker m(3, dtype);
    const uint32_t one = m.constant(1.0);
    const uint32_t a = m.call<Subtract>(m.call<Square>(0), 1);
    const uint32_t b = m.call<Tanh>(m.call<Multiply>(a, 2));
    m.store(m.call<Multiply>(m.call<Tanh>(m.call<Subtract>(one, a)), b));
    m.store(b);
    const Value base = random_array(Dims{n + 1}, 5, dtype), z = random_array(Dims{n}, 6, dtype);
    const Value x = base.view(Dims{n}, Dims{1}, 0);
    LaneKernel shifted = m.k;
    shifted.offsets = {0, -1, no_offset};
    shifted.boxes.resize(3);
    const LaneProgram whole(shifted), pieces(m.k);
    std::vector<Value> expected{Value::empty(dtype, Dims{n}), Value::empty(dtype, Dims{n})};
    for (int64_t at = 0; at < n; at += part) {
      const int64_t length = std::min(part, n - at);
      const auto cut = [&](const Value& v, int64_t from) {
        return v.view(Dims{length}, Dims{1}, from);
      };
      std::vector<Value> out(2);
      pieces.run(std::vector<Value>{cut(base, at), cut(base, at + 1), cut(z, at)}, Dims{length},
                 out);
      for (size_t k = 0; k < 2; ++k) copy_into(cut(expected[k], at), out[k]);
    }
    for (int threads : {1, 2, 3}) {
      const UseThreads use(threads);
      std::vector<Value> out(2);
      whole.run(std::vector<Value>{x, base, z}, Dims{n}, out);
      for (size_t k = 0; k < 2; ++k) CHECK(same_numbers(out[k], expected[k]));
    }
  }
}
