#include "tapegrad/program/run/captured_program.h"

#include <atomic>
#include <thread>

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

Recording guarded_square() {
  return record(
      [](Tracer& tracer, const Refs& in) -> Refs {
        tracer.guard(in[1], "here");
        return {multiply(in[0], in[0])};
      },
      {Value(3.0), Value(1.0)});
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
  const CapturedProgram p(guarded_square(), {}, PassOptions());
  std::vector<Value> out;
  CHECK(p.run(std::vector<Value>{Value(2.0), Value(1.0)}, {}, out));
  CHECK(p.guard_failed().empty());
  CHECK(out[0].as_double() == 4);
  CHECK(!p.run(std::vector<Value>{Value(2.0), Value(0.0)}, {}, out));
  CHECK(p.guard_failed() == "here");
}

namespace {

// x -> x + 1 + ... + 1, of short arrays: passes take longer than a few runs.
Recording chain(const Value& x) {
  return record(
      [](Tracer&, const Refs& in) -> Refs {
        Ref y = in[0];
        for (int k = 0; k < 20; ++k) y = add(multiply(y, y), in[0]);
        return {y};
      },
      {x});
}

}  // namespace

// While it is there.
struct FirstRuns {
  int before;
  explicit FirstRuns(int n) : before(CapturedProgram::set_runs_as_recorded(n)) {}
  FirstRuns(const FirstRuns&) = delete;
  FirstRuns& operator=(const FirstRuns&) = delete;
  ~FirstRuns() { CapturedProgram::set_runs_as_recorded(before); }
};

TEST(passes_come_at_once_unless_asked_otherwise) {
  CHECK(!CapturedProgram(chain(Value(0.25)), {}, PassOptions()).runs_as_recorded());
}

TEST(the_first_runs_of_a_short_program_come_before_passes) {
  const FirstRuns two(2);
  const CapturedProgram p(chain(Value(0.25)), {}, PassOptions());
  const double expected = run(p, Value(0.5))[0].as_double();
  CHECK(p.runs_as_recorded());
  CHECK(run(p, Value(0.5))[0].as_double() == expected);
  CHECK(p.runs_as_recorded());
  CHECK(run(p, Value(0.5))[0].as_double() == expected);
  CHECK(!p.runs_as_recorded());
  CHECK(p.program().steps.size() < 5);
}

TEST(who_looks_at_a_program_sees_it_after_the_passes) {
  const FirstRuns three(3);
  const CapturedProgram p(chain(Value(0.25)), {}, PassOptions());
  CHECK(p.runs_as_recorded());
  CHECK(p.program().steps.size() < 5);
  CHECK(!p.runs_as_recorded());
}

TEST(passes_come_at_once_where_runs_cost_more) {
  const FirstRuns three(3);
  const Recording r = chain(Value::zeros(DType::float64, Dims{200000}));
  CHECK(!CapturedProgram(r, {}, PassOptions()).runs_as_recorded());
}

TEST(a_guard_is_named_before_and_after_the_passes) {
  const FirstRuns three(3);
  const CapturedProgram p(guarded_square(), {}, PassOptions());
  std::vector<Value> out;
  for (int k = 0; k < 6; ++k) {
    CHECK(!p.run(std::vector<Value>{Value(2.0), Value(0.0)}, {}, out));
    CHECK(p.guard_failed() == "here");
    CHECK(p.run(std::vector<Value>{Value(2.0), Value(1.0)}, {}, out));
    CHECK(out[0].as_double() == 4);
  }
}

TEST(threads_may_run_a_program_while_passes_work_on_it) {
  const CapturedProgram at_once(chain(Value(0.25)), {}, PassOptions());
  const FirstRuns three(3);
  const CapturedProgram p(chain(Value(0.25)), {}, PassOptions());
  const double expected = run(at_once, Value(0.5))[0].as_double();
  std::atomic<int> right{0};
  std::vector<std::thread> all;
  for (int t = 0; t < 4; ++t)
    all.emplace_back([&] {
      for (int k = 0; k < 5; ++k) {
        std::vector<Value> out;
        if (p.run(std::vector<Value>{Value(0.5)}, {}, out) && out[0].as_double() == expected)
          ++right;
      }
    });
  for (std::thread& t : all) t.join();
  CHECK(right == 20);
  CHECK(!p.runs_as_recorded());
}
