#include "tapegrad/tape/data_values.h"

#include "check.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/tracer.h"

using namespace tapegrad;

namespace {

Value vector() {
  register_all_ops();
  return Value::from(std::vector<double>{1, -2, 3}, Dims{3});
}

}  // namespace

TEST(data_is_recorded_by_a_tracer_alone) {
  const Value v = vector();
  const Ref leaf = Ref::adopt(&Tape::current(), Tape::current().argument(0, v));
  CHECK(!less(leaf, Ref(0.0)).tracked());
  CHECK(!is_recorded_data(DType::bool_));
  Tracer tracer;
  CHECK(is_recorded_data(DType::bool_) && is_recorded_data(DType::int64));
  CHECK(!is_recorded_data(DType::float32));
  const Ref mask = less(tracer.argument(v), Ref(0.0));
  CHECK(mask.tracked() && is_bool(mask.dtype()));
}

TEST(what_plain_code_learns_is_guarded) {
  const Value v = vector();
  CHECK(learn(Ref(v)).size() == 3);  // nobody records
  Tracer tracer;
  const Ref mask = less(tracer.argument(v), Ref(0.0));
  const Value plain = learn(mask);
  CHECK(tracer.guards().size() == 1);
  CHECK(tracer.guards()[0].value.slot() == mask.slot());
  CHECK(same_bits(tracer.guards()[0].expected, plain));
  learn(Ref(v));  // a constant stays what it is
  CHECK(tracer.guards().size() == 1);
}

TEST(a_number_is_learned_with_what_is_computed_of_it) {
  register_all_ops();
  Tracer tracer;
  const Ref n = tracer.number_argument(Value::integer_scalar(2), true);
  const Ref k = tracer.argument(Value::integer_scalar(3));
  CHECK(tracer.is_weak(n) && !tracer.is_weak(k) && tracer.arguments().size() == 2);
  learn(k);
  learn(cast(n, DType::float64));  // a branch on a float
  learn_distance(cast(n, DType::int32));
  CHECK(tracer.guards().size() == 3 && !tracer.learned_number());
  learn(cast(n, DType::int32));
  CHECK(tracer.learned_number());
}

TEST(lengths_are_free_until_they_are_learned) {
  learn_lengths();
  Tracer tracer;
  CHECK(tracer.length_read().empty());
  learn_lengths();
  CHECK(!tracer.length_read().empty());
}

TEST(floats_of_data_alone_are_told_from_others) {
  const Value v = vector();
  Tracer tracer;
  const Ref x = tracer.argument(v);
  const Ref share = mean(cast(less(x, Ref(0.0)), DType::float64));
  CHECK(is_computed_from_data(share));
  CHECK(!is_computed_from_data(x));
  CHECK(!is_computed_from_data(multiply(share, sum(x))));
  CHECK(!is_computed_from_data(Ref(1.0)));
}
