#include "tapegrad/program/body/vmap.h"

#include "program/recorded.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"

using namespace programs;
using namespace tapegrad;

namespace {

Value numbers(const Dims& shape) {
  Value x = Value::zeros(DType::float64, shape);
  for (int64_t i = 0; i < x.size(); ++i) x.data<double>()[i] = static_cast<double>(i + 1);
  return x;
}

// x, a -> sum(x a), a a
Recording of_one_lane() {
  return record(
      [](Tracer&, const Refs& in) -> Refs {
        return {sum(multiply(in[0], in[1])), multiply(in[1], in[1])};
      },
      {numbers({3}), Value(2.0)});
}

}  // namespace

TEST(the_function_of_one_lane_is_applied_to_all) {
  const Recording r = of_one_lane();
  for (const bool of_sweep : {false, true}) {
    const uint8_t has_lanes[] = {1, 0};
    const LanesResult found =
        replay_lanes(r, {Ref(numbers({2, 3})), Ref(Value(10.0))}, has_lanes, 2, of_sweep);
    CHECK(found.has_lanes == std::vector<uint8_t>({1, 0}));
    CHECK(found.outputs[0].value().at(0) == 60);
    CHECK(found.outputs[0].value().at(1) == 150);
    CHECK(found.outputs[1].value().as_double() == 100);
  }
}

TEST(inside_a_recording_it_is_recorded_and_means_the_same) {
  const Recording r = of_one_lane();
  const uint8_t has_lanes[] = {1, 0};
  Tracer tracer;
  const Ref x = tracer.argument(numbers({2, 3})), a = tracer.argument(Value(10.0));
  const LanesResult found = replay_lanes(r, {x, a}, has_lanes, 2, false);
  CHECK(found.outputs[0].tracked());
  CHECK(found.outputs[0].value().at(1) == 150);
}

TEST(what_lanes_capture_is_read) {
  Variable w(2.0);
  const Recording r = record(
      [&](Tracer&, const Refs& in) -> Refs { return {multiply(in[0], w.ref())}; }, {Value(1.0)});
  const uint8_t has_lanes[] = {1};
  w.set_value(Value(5.0));
  const LanesResult found = replay_lanes(r, {Ref(numbers({2}))}, has_lanes, 2, false);
  CHECK(found.outputs[0].value().at(1) == 10);
}
