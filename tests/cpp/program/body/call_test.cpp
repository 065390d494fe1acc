#include "tapegrad/program/body/call.h"

#include "program/same_function.h"
#include "tapegrad/ops/linalg/matmul.h"

using namespace programs;
using namespace tapegrad;

namespace {

// x, W, n -> tanh(W x), sum(x) * n
Refs layer(std::span<const Ref> in) {
  return {elementwise(scalar_fn_of<Tanh>(), {matmul(in[1], in[0])}), multiply(sum(in[0]), in[2])};
}

std::vector<Value> inputs(uint64_t seed) {
  return {numbers({3}, seed), numbers({3, 3}, seed + 1), Value::integer_scalar(2)};
}

BodyPtr layer_body() {
  register_all_ops();
  return record_body(inputs(1), layer);
}

}  // namespace

TEST(a_call_is_its_body) {
  const BodyPtr body = layer_body();
  check_same_function([&](const Refs& in) { return call(body, in); },
                      [](const Refs& in) { return layer(in); }, inputs(2), inputs(4));
}

TEST(calls_of_calls) {
  const BodyPtr body = layer_body();
  const BodyPtr twice = record_body(inputs(1), [&](std::span<const Ref> in) -> Refs {
    const Refs once = call(body, {in[0], in[1], in[2]});
    return {add(call(body, {once[0], in[1], in[2]})[0], once[1])};
  });
  check_same_function([&](const Refs& in) { return call(twice, in); },
                      [](const Refs& in) -> Refs {
                        const Refs once = layer(in);
                        const Ref again[] = {once[0], in[1], in[2]};
                        return {add(layer(again)[0], once[1])};
                      },
                      inputs(2), inputs(4));
}

TEST(only_the_inputs_are_kept) {
  const BodyPtr body = record_body(std::vector<Value>{numbers({64})}, [](std::span<const Ref> in) {
    Ref x = in[0];
    for (int k = 0; k < 50; ++k) x = elementwise(scalar_fn_of<Sin>(), {x});
    return Refs{x};
  });
  Scope scope;
  const Ref x = scope.argument(Ref(numbers({64}))).ref();
  const int64_t before = Tape::current().live_nodes();
  const Refs y = call(body, {x});
  CHECK(Tape::current().live_nodes() - before == 2);
  const Ref total = sum(y[0]);
  CHECK(scope.grad({&total, 1}, {&x, 1}, {})[0].value().at(0) != 0);
}

TEST(outputs_that_are_known_are_not_computed) {
  const BodyPtr body = layer_body();
  Scope scope;
  const Ref x = scope.argument(Ref(inputs(1)[0])).ref();
  const Value first = numbers({3}, 9), second(4.0);
  const Refs y = call_with(body, {x, Ref(inputs(1)[1]), Ref(inputs(1)[2])}, {first, second});
  CHECK(same_numbers(y[0].value(), first));
  CHECK(y[1].tracked());
  const Ref wrt[] = {x};
  CHECK(scope.grad({&y[1], 1}, wrt, {})[0].value().at(1) == 2);
}

TEST(what_does_not_fit_is_refused) {
  const BodyPtr body = layer_body();
  CHECK_THROWS_SAYING(TypeError, "takes 3 inputs, got 1", call(body, {Ref(1.0)}));
  CHECK_THROWS_SAYING(ValueError, "input 0 of the body is float64 (3,)",
                      call(body, {Ref(1.0), Ref(1.0), Ref(1.0)}));
}
