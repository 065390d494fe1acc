#include <functional>
#include <optional>

#include "program/allocated.h"
#include "program/recorded.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/program/record.h"

// Outlines: of two recordings that agree in what a sweep reads, one may have left the sweep out.

using namespace programs;
using namespace tapegrad;

namespace {

constexpr int turns = 3000;  // enough to be left out

Ref sum_of_turns(const Ref& x, const Ref& y, int n = turns) {
  Ref z = x;
  for (int k = 0; k < n; ++k) z = sqrt(multiply(z, y));
  return z;
}

using Loss = std::function<Ref(const Ref& x, const Ref& y)>;

struct Outcome {
  std::optional<Recording> outline;
  bool left_out;
  size_t steps;  // of the whole recording
};

// The derivative of `loss` by its first operand (the second one where `by_second`), at two
// arguments or twice at one.
Outcome recorded(const Loss& loss, bool leave_out, bool by_second = false, bool at_one = false) {
  register_all_ops();
  Tracer tracer;
  if (leave_out) tracer.allow_leaving_out();
  const Ref a = tracer.argument(Value(0.5)), b = tracer.argument(Value(0.75));
  Ref d;
  {
    Scope scope;
    const Ref x = scope.argument(a).ref(), y = scope.argument(at_one ? a : b).ref();
    const Ref z = loss(x, y);
    const Ref wrt[] = {by_second ? y : x};
    d = scope.result(scope.grad({&z, 1}, wrt, {})[0]);
  }
  const Ref out = multiply(d, b);
  std::optional<Recording> found = outline(tracer, {&out, 1}, 0);
  return {std::move(found), tracer.left_out(), freeze(tracer, {&out, 1}).program.steps.size()};
}

Ref plain(const Ref& x, const Ref& y) { return sum_of_turns(x, y); }

}  // namespace

TEST(an_outline_is_the_same_whether_or_not_sweeps_were_left_out) {
  const Outcome brief = recorded(plain, true), whole = recorded(plain, false);
  CHECK(brief.left_out && !whole.left_out);
  CHECK(brief.outline && whole.outline);
  CHECK(same_recording(*brief.outline, *whole.outline));
  check_program(whole.outline->program);
  CHECK(whole.outline->program.steps.size() == 2 * turns + 1);
  CHECK(whole.steps > 3 * turns && brief.steps == 1);
}

TEST(outlines_differ_where_a_sweep_would) {
  const Outcome brief = recorded(plain, true);
  const Loss swapped = [](const Ref& x, const Ref& y) { return sum_of_turns(y, x); };
  const Loss longer = [](const Ref& x, const Ref& y) { return sum_of_turns(x, y, turns + 1); };
  const Loss scaled = [](const Ref& x, const Ref& y) {
    return sum_of_turns(x, multiply(y, Ref(Value(2.0))));
  };
  for (const Loss& loss : {swapped, longer, scaled}) {
    const Outcome whole = recorded(loss, false);
    CHECK(whole.outline && !same_recording(*brief.outline, *whole.outline));
  }
  // By another operand, also where both are the same argument.
  for (bool at_one : {false, true}) {
    const Outcome first = recorded(plain, true, false, at_one);
    CHECK(same_recording(*first.outline, *recorded(plain, false, false, at_one).outline));
    CHECK(!same_recording(*first.outline, *recorded(plain, false, true, at_one).outline));
  }
}

TEST(the_work_of_an_outline_grows_with_the_loop) {
  double taken[2];
  for (const int n : {4 * turns, turns, 4 * turns}) {  // at first for the pool, which keeps memory
    const int64_t start = allocated_bytes();
    const Outcome brief =
        recorded([n](const Ref& x, const Ref& y) { return sum_of_turns(x, y, n); }, true);
    CHECK(brief.outline);
    taken[n != turns] = static_cast<double>(allocated_bytes() - start);
  }
  CHECK(taken[1] <= 5 * taken[0]);
}

TEST(there_is_no_outline_where_a_sweep_makes_nothing_of_its_own) {
  const Loss apart = [](const Ref&, const Ref& y) { return sum_of_turns(y, y); };
  CHECK(!recorded(apart, false).outline);  // gives a plain zero
}
