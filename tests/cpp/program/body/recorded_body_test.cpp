#include "tapegrad/program/body/recorded_body.h"

#include "program/recorded.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"

using namespace programs;
using namespace tapegrad;

namespace {

// x, c -> x c, c c
Recording products() {
  return record(
      [](Tracer&, const Refs& in) -> Refs {
        return {multiply(in[0], in[1]), multiply(in[1], in[1])};
      },
      {Value(2.0), Value(3.0)});
}

}  // namespace

TEST(outputs_that_no_derivative_reaches_are_plain) {
  const Recording r = products();
  const RecordedBody body(r);
  const Variable x(5.0);
  const RecordedBody::Results found = body.call({x.ref(), Ref(Value(7.0))});
  CHECK(found.recorded == Flags({1, 0}));
  CHECK(found.outputs[0].value().as_double() == 35);
  CHECK(found.outputs[1].value().as_double() == 49);
  CHECK(body.call({Ref(Value(5.0)), Ref(Value(7.0))}).recorded == Flags({0, 0}));
}

TEST(known_outputs_are_taken_and_get_the_body_s_dtype) {
  const Recording r = products();
  const RecordedBody body(r);
  const Variable x(5.0);
  const RecordedBody::Results found =
      body.call_with({x.ref(), Ref(Value(7.0))}, r, {Value::integer_scalar(1), Value(2.0)});
  CHECK(found.outputs[0].value().dtype() == DType::float64);
  CHECK(found.outputs[0].value().as_double() == 1);
}

TEST(a_tracer_gets_everything_and_the_guards) {
  const Recording r = record(
      [](Tracer& tracer, const Refs& in) -> Refs {
        const Ref y = multiply(in[0], in[0]);
        tracer.guard(y, "there");
        return {y};
      },
      {Value(2.0)});
  const RecordedBody body(r);
  Tracer tracer;
  const Ref x = tracer.argument(Value(2.0));
  const RecordedBody::Results found = body.call({x});
  CHECK(found.recorded == Flags({1}));
  CHECK(tracer.guards().size() == 1);
  CHECK(tracer.guards()[0].where == "there");
  CHECK_THROWS(RuntimeError, body.scan({x}, 3, 1, 0, false, 0));
}

TEST(a_scan_applies_the_body_step_by_step) {
  const Recording r = record(  // c, x -> c x, c + x
      [](Tracer&, const Refs& in) -> Refs { return {multiply(in[0], in[1]), add(in[0], in[1])}; },
      {Value(1.0), Value(1.0)});
  const RecordedBody body(r);
  Value xs = Value::zeros(DType::float64, Dims({3}));
  for (int64_t i = 0; i < 3; ++i) xs.data<double>()[i] = static_cast<double>(i + 2);
  const Variable c(1.0);
  for (const int64_t checkpoints : {int64_t{0}, int64_t{1}, int64_t{5}}) {
    const RecordedBody::Results found = body.scan({c.ref(), Ref(xs)}, 3, 1, 1, false, checkpoints);
    CHECK(found.outputs.size() == 2);
    CHECK(found.recorded == Flags({1, 1}));
    CHECK(found.outputs[0].value().as_double() == 24);
    CHECK(found.outputs[1].value().at(2) == 10);
  }
}
