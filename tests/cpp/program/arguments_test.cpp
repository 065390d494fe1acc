#include "tapegrad/program/arguments.h"

#include "program/recorded.h"
#include "tapegrad/autodiff/variable.h"
#include "tapegrad/ops/elementwise.h"

using namespace programs;
using namespace tapegrad;

TEST(an_argument_of_its_own_is_a_copy) {
  register_all_ops();
  Tracer tracer;
  const Value x = Value::full(DType::float64, Dims({3}), 2.0);
  const Ref argument = own_argument(tracer, x, false);
  CHECK(argument.value().buffer() != x.buffer());
  CHECK(same_numbers(argument.value(), x));
  CHECK(!tracer.is_weak(argument));
  CHECK(tracer.is_weak(own_argument(tracer, Value(1.0), true)));
}

TEST(the_argument_of_one_lane_is_the_first) {
  register_all_ops();
  Tracer tracer;
  Value lanes = Value::zeros(DType::float64, Dims({2, 3}));
  for (int64_t i = 0; i < 6; ++i) lanes.data<double>()[i] = static_cast<double>(i);
  const Ref first = lane_argument(tracer, Ref(lanes));
  CHECK(first.value().shape() == Dims({3}));
  CHECK(first.value().data<double>()[2] == 2);
  const Ref none = lane_argument(tracer, Ref(Value::zeros(DType::float64, Dims({0, 3}))));
  CHECK(none.value().shape() == Dims({3}));
  CHECK(none.value().data<double>()[0] == 0);
}

TEST(derivatives_lead_on_from_the_argument_of_a_lane) {
  register_all_ops();
  const Variable w(Value::full(DType::float64, Dims({2, 3}), 2.0));
  const Ref lanes = w.ref();
  Tracer tracer;
  const Ref first = lane_argument(tracer, lanes);
  CHECK(first.value().shape() == Dims({3}));
  CHECK(tracer.applications().empty());
  const Node& entry = tracer.tape().node(tracer.tape().node(first.slot()).in[0]);
  CHECK(entry.inputs()[0] == lanes.slot());
  CHECK(tracer.tape().tracer() == &tracer);
}

TEST(what_depends_on_others_is_told) {
  register_all_ops();
  const Variable w(2.0);
  Tracer tracer;
  const Ref own = multiply(own_argument(tracer, Value(3.0), false), Ref(Value(2.0)));
  CHECK(!used_outside(tracer, std::vector<Ref>{own}));
  CHECK(used_outside(tracer, std::vector<Ref>{multiply(own, w.ref())}));
}

TEST(derivatives_lead_on_from_a_linked_argument) {
  register_all_ops();
  Tracer tracer;
  const Value x = Value::full(DType::float64, Dims({2}), 1.0);
  const Ref argument = linked_own_argument(tracer, Ref(x));
  CHECK(argument.value().buffer() != x.buffer());
  const Ref next = linked_own_argument(tracer, argument);
  CHECK(tracer.tape().node(next.slot()).in[0] == argument.slot());
}
