#include "program/passes/roll/rolled.h"
#include "program/same_function.h"

using namespace rolled_loops;

namespace {

// The reverse part of a recurrent network: the weight's gradient is a sum of products over the
// turns.
Program weight_gradient(int64_t cells, bool is_read_each_turn) {
  Draft d;
  const ValueId w = d.input({cells, cells}), states = d.input({40, cells});
  ValueId g = d.input({cells}), of_w = d.input({cells, cells}), seen = d.constant(0.0);
  for (int64_t t = 39; t >= 0; --t) {
    const ValueId state = d.op("slice", {states}, Attrs{Ints{0, t, 0, 0, 1, 0, 1, cells}});
    g = d.op("tanh", {d.op("multiply", {g, state})});
    of_w = d.op("add", {of_w, d.op("multiply", {d.op("expand_dims", {g}, {Ints{-1}}), state})});
    if (is_read_each_turn)
      seen = d.op("add", {seen, d.op("sum", {of_w}, {std::monostate{}, false})});
    g = d.op("matmul", {g, w});
  }
  return d.returning({of_w, g, seen});
}

}  // namespace

TEST(sums_of_products_over_the_turns_do_not_keep_a_loop_of_vectors_apart) {
  const Program p = weight_gradient(70, false), rolled = roll_loops(p);
  tapegrad::check_program(rolled);
  CHECK(scans(rolled) == 1);
  CHECK(rolled.steps.size() < 24);
  const std::vector<Value> in = inputs_of(p), want = run(p, in), got = run(rolled, in);
  check_close(got, want, 1e-12, "after the loop");
  CHECK(scans(roll_loops(weight_gradient(70, true))) == 0);
}

TEST(what_a_loop_made_and_others_write_down_later_is_written_at_once) {
  Draft d;
  const ValueId w = d.input({n});
  ValueId h = d.input({n}), table = d.constant(Value::zeros(DType::float64, Dims{80, n}));
  std::vector<ValueId> made;
  for (int t = 0; t < 80; ++t) {
    h = d.op("tanh", {d.op("add", {d.op("multiply", {w, h}), d.op("sin", {h})})});
    made.push_back(h);
  }
  for (int64_t t = 79; t >= 0; --t)
    table = d.op("slice_add", {table, made[static_cast<size_t>(t)]}, at(79 - t));
  check_rolled(d.returning({table, h}), 1, 12);
}
