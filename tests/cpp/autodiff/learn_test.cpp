#include "tapegrad/autodiff/learn.h"

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/tape/tracer.h"

using namespace tapegrad;

namespace {

Variable recorded(Tracer& tracer, Value v) { return Variable::from(tracer.argument(v)); }

}  // namespace

TEST(without_a_tracer_values_are_read_as_they_are) {
  const Variable v(2.5);
  CHECK(learn_value(v.cell()).as_double() == 2.5);
  CHECK(learn_truth(v.cell()));
  CHECK(learn_integer_part(v.cell(), "int(v)") == 2.5);
  CHECK(!is_recorded_data(v.cell()) && !is_float_of_data(v.cell()) && !is_weak(v.cell()));
  CHECK(!stop_gradient(v.cell()).tracked());
  const Variable two(Value::zeros(DType::float64, Dims{2}));
  CHECK_THROWS_SAYING(ValueError, "ambiguous", learn_truth(two.cell()));
  CHECK_THROWS_SAYING(TypeError, "int(v)", learn_integer_part(two.cell(), "int(v)"));
}

TEST(a_branch_learns_whether_a_number_is_zero_and_no_more) {
  const Variable warm(1.0);
  Tracer tracer;
  const Variable v = recorded(tracer, Value(2.5));
  CHECK(learn_truth(v.cell()));
  CHECK(learn_integer_part(v.cell(), "int(v)") == 2.5);
  CHECK(tracer.guards().size() == 2);
  CHECK(is_bool(tracer.guards()[0].expected.dtype()));
  CHECK(tracer.guards()[1].expected.as_double() == 2.0);
  learn_value(v.cell());
  CHECK(tracer.guards()[2].expected.as_double() == 2.5);
}

TEST(recorded_masks_and_integers_are_data) {
  const Variable warm(1.0);
  Tracer tracer;
  const Variable number = recorded(tracer, Value::integer_scalar(3));
  const Variable mask = recorded(tracer, Value::full(DType::bool_, Dims{2}, 1));
  const Variable x = recorded(tracer, Value(1.0));
  CHECK(is_recorded_number(number.cell()) && is_recorded_data(mask.cell()));
  CHECK(!is_recorded_number(mask.cell()) && !is_recorded_data(x.cell()));
}

TEST(lengths_of_leaves_are_their_own) {
  const Variable leaf(Value::zeros(DType::float64, Dims{4}));
  Tracer tracer;
  learn_lengths(leaf.cell());
  learn_lengths(recorded(tracer, Value(1.0)).cell());
  CHECK(tracer.length_read().empty());
  learn_lengths(recorded(tracer, Value::zeros(DType::float64, Dims{4})).cell());
  CHECK(!tracer.length_read().empty());
}

TEST(results_that_leave_tell_lengths_or_pass_for_numbers) {
  const Variable warm(1.0);
  {
    Tracer tracer;
    learn_result(Ref(1.0));
    CHECK(tracer.length_read().empty() && !tracer.lost_weakness());
    learn_result(Ref(Value::zeros(DType::float64, Dims{2})));
    CHECK(!tracer.length_read().empty());
  }
  Tracer tracer;
  learn_result(tracer.argument(Value::zeros(DType::float64, Dims{2})));
  CHECK(tracer.length_read().empty() && !tracer.lost_weakness());
  const Ref x = tracer.argument(Value(1.0));
  learn_result(x);
  CHECK(tracer.is_weak(x) && !tracer.lost_weakness());
}

TEST(a_result_within_another_derivative_may_be_a_number) {
  const Variable warm(1.0);
  Tracer tracer;
  const Ref x = tracer.argument(Value(1.0));
  const Scope outer, inner;
  learn_result(x, Tape::current().innermost_scope());
  CHECK(!tracer.is_weak(x) && tracer.lost_weakness());
}

TEST(weak_numbers_are_lost_where_they_are_seen) {
  const Variable warm(1.0);
  Tracer tracer;
  const Variable x = recorded(tracer, Value(1.0)), weak = recorded(tracer, Value(1.0));
  tracer.mark_weak(weak.ref());
  CHECK(is_weak(weak.cell()) && !is_weak(x.cell()));
  lose_weakness(x.cell());
  CHECK(!tracer.lost_weakness());
  lose_weakness(weak.cell());
  CHECK(tracer.lost_weakness());
}

TEST(a_program_goes_on_computing_what_has_no_derivative) {
  const Variable warm(1.0);
  Tracer tracer;
  const Variable x = recorded(tracer, Value(3.0));
  const Ref held = stop_gradient(x.cell());
  CHECK(held.tracked() && held.slot() != x.ref().slot());
  CHECK(Tape::current().node(held.slot()).flags & Node::held_constant);
}
