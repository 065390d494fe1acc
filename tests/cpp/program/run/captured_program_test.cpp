#include "tapegrad/program/run/captured_program.h"

#include "program/recorded.h"
#include "tapegrad/ops/elementwise.h"

using namespace programs;
using namespace tapegrad;

namespace {

std::vector<Value> run(const CapturedProgram& p, const Value& x) {
  std::vector<Value> captured, out;
  p.read_captures(captured);
  CHECK(p.run(std::vector<Value>{x}, captured, out));
  return out;
}

}  // namespace

TEST(captures_are_read_again_at_each_run) {
  Variable w(2.0);
  const Recording r = record(
      [&](Tracer&, const Refs& in) -> Refs { return {multiply(in[0], w.ref())}; }, {Value(3.0)});
  const CapturedProgram p(r, {}, PassOptions());
  CHECK(run(p, Value(5.0))[0].as_double() == 10);
  w.set_value(Value(4.0));
  CHECK(run(p, Value(5.0))[0].as_double() == 20);
}

TEST(the_guard_that_failed_is_named) {
  const Recording r = record(
      [](Tracer& tracer, const Refs& in) -> Refs {
        tracer.guard(in[1], "here");
        return {multiply(in[0], in[0])};
      },
      {Value(3.0), Value(1.0)});
  const CapturedProgram p(r, {}, PassOptions());
  std::vector<Value> out;
  CHECK(p.run(std::vector<Value>{Value(2.0), Value(1.0)}, {}, out));
  CHECK(p.guard_failed().empty());
  CHECK(out[0].as_double() == 4);
  CHECK(!p.run(std::vector<Value>{Value(2.0), Value(0.0)}, {}, out));
  CHECK(p.guard_failed() == "here");
}
