#include "tapegrad/program/body/body.h"

#include <sstream>

#include "program/same_function.h"

using namespace programs;
using namespace tapegrad;

namespace {

// a, b -> a * k + 1, exp(b)
BodyPtr body_with(double k) {
  register_all_ops();
  return record_body(std::vector<Value>{Value(1.0), Value(2.0)}, [k](std::span<const Ref> in) {
    return Refs{add(multiply(in[0], Ref(k)), Ref(1.0)), exp(in[1])};
  });
}

Value run_body(const BodyPtr& body, std::initializer_list<double> in, size_t output = 0) {
  const auto executor = body->executor(1);
  Executor::Session session(*executor);
  size_t i = 0;
  for (double x : in) session.set(i++, Value(x));
  session.run();
  return session.take(output);
}

}  // namespace

TEST(bodies_are_compared_by_content) {
  const BodyPtr a = body_with(3), b = body_with(3), c = body_with(4);
  CHECK(a->equals(*a));
  CHECK(a->equals(*b));
  CHECK(a->hash() == b->hash());
  CHECK(!a->equals(*c));
  CHECK(Attrs{AttrRef(a)} == Attrs{AttrRef(b)});
  CHECK(!(Attrs{AttrRef(a)} == Attrs{AttrRef(c)}));
  std::ostringstream text;
  a->print(text);
  CHECK(text.str() == "body of 3 steps");
}

TEST(it_runs_optimised_from_the_second_run_on) {
  const BodyPtr body = body_with(3);
  CHECK(run_body(body, {2, 0}).as_double() == 7);
  const auto first = body->executor(0);
  CHECK(run_body(body, {5, 0}).as_double() == 16);
  const auto then = body->executor(1);
  CHECK(count_kernels(first->program()) == 0);
  CHECK(count_kernels(then->program()) > 0);
  CHECK(body->executor(1) == then);
}

TEST(fewer_outputs_and_inputs) {
  const BodyPtr body = body_with(3), second = body->keeping_outputs({0, 1});
  CHECK(second->n_out() == 1);
  CHECK(second->program().steps.size() == 1);
  CHECK(!second->reads(0));
  CHECK(second->reads(1));
  const BodyPtr alone = second->keeping_inputs({0, 1});
  CHECK(alone->n_in() == 1);
  CHECK_CLOSE(run_body(alone, {0.5}).as_double(), std::exp(0.5), 1e-15);
  CHECK(body->keeping_outputs({0, 1}) == second);
}

TEST(captures_become_inputs_and_guards_outputs) {
  register_all_ops();
  const Variable w(3.0);
  Tracer tracer;
  const Ref x = tracer.argument(Value(2.0));
  const Ref positive = less(Ref(0.0), x);
  tracer.guard(positive);
  const Ref y = multiply(x, w.ref());
  const Recording r = freeze(tracer, {&y, 1});
  const BodyPtr body = body_from(r);
  CHECK(body->n_in() == 2);
  CHECK(body->n_out() == 2);
  CHECK(run_body(body, {5, 7}).as_double() == 35);
  CHECK(run_body(body, {-5, 7}, 1).as_double() == 0);
}
