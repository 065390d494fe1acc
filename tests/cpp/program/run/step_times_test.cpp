#include "tapegrad/program/run/step_times.h"

#include "program/recorded.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using namespace tapegrad;

namespace {

Value numbers(const Dims& shape) {
  std::mt19937_64 random(1);
  return random_value(f64(shape), random);
}

Refs sum_of_squares(Tracer&, const Refs& in) { return {sum(multiply(in[0], in[0]))}; }

}  // namespace

TEST(each_step_takes_some_time) {
  const Value x = numbers({20'000});
  const Recording r = record(sum_of_squares, {x});
  const std::vector<Value> in{x};
  const std::vector<double> times = step_times(r.program, in, {}, 3);
  CHECK(times.size() == r.program.steps.size());
  for (double t : times) CHECK(t > 0 && t < 1e9);
}

TEST(kernels_and_constants_are_run_too) {
  const Value x = numbers({1000});
  const Recording r = record(
      [](Tracer&, const Refs& in) {
        return Refs{multiply(add(in[0], Ref(Value(1.0))), Ref(Value(2.0)))};
      },
      {x});
  const Program p = optimise(r.program, PassOptions());
  const std::vector<Value> in{x};
  for (int runs : {0, 1, 4}) {
    const std::vector<double> times = step_times(p, in, {}, runs);
    CHECK(times.size() == p.steps.size());
    for (double t : times) CHECK(t >= 0 && t < 1e9);
  }
}

TEST(a_wrong_number_of_inputs_is_refused) {
  const Recording r = record(sum_of_squares, {numbers({3})});
  CHECK_THROWS_SAYING(ValueError, "takes 1 inputs and 0 captures, got 0 and 0",
                      step_times(r.program, {}, {}, 1));
}
