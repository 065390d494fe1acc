#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

constexpr int64_t turns = 40;

Ints at(int64_t i) { return {0, i, 0, 0}; }
Ints at(int64_t i, int64_t j) { return {0, i, 0, 0, 0, j, 0, 0}; }
// The key of a row of a matrix of three columns, by a number.
Attrs row_key() { return {Ints{3, 0, 0, 0, 1, 0, 1, 3}, int64_t{0}}; }
Attrs element_key() { return {Ints{3, 0, 0, 0}, int64_t{0}}; }

size_t steps_of(const Program& p, const char* name) {
  size_t n = 0;
  for (const Program::Step& s : p.steps) n += s.kernel < 0 && s.op == op_named(name).id;
  return n;
}

Value positions(DType d, const Dims& shape, int64_t length) {
  Value v = Value::empty(DType::int64, shape);
  for (int64_t i = 0; i < v.size(); ++i)
    v.data<int64_t>()[i] = (i * 7 + 3) % (2 * length) - length;  // from both ends
  return v.cast(d);
}
Value counted(const Dims& shape) {
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, 0.1 * static_cast<double>(i * i) - 1.0);
  return v;
}

Program joined(const Program& p, const std::vector<Value>& inputs) {
  Program q = drop_dead(join_lookups(p));
  check_program(q);
  const std::vector<Value> expected = run(p, inputs), found = run(q, inputs);
  for (size_t k = 0; k < expected.size(); ++k) CHECK(same_numbers(found[k], expected[k]));
  return q;
}

}  // namespace

TEST(rows_that_turns_look_up_are_taken_at_once) {
  Draft d;
  const ValueId x = d.input({5, 3}), k = d.input({DType::int64, {turns}});
  ValueId y = d.constant(Value::full(DType::float64, Dims{3}, 0.0));
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId index = d.op("slice", {k}, {at(t)});
    y = d.op("add", {d.op("tanh", {y}), d.op("gather", {x, index}, row_key())});
  }
  const Program q =
      joined(d.returning({y}), {counted({5, 3}), positions(DType::int64, Dims{turns}, 5)});
  CHECK(steps_of(q, "gather") == 1);
  CHECK(steps_of(q, "slice") == turns + 1);
}

TEST(pairs_of_numbers_in_any_order_and_dtype) {
  Draft d;
  const ValueId x = d.input({6}), pairs = d.input({DType::int32, {turns, 2}});
  ValueId y = d.constant(0.0);
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId pair = d.op("slice", {pairs}, {Ints{0, turns - 1 - t, 0, 0, 1, 1, -1, 2}});
    for (int64_t j = 0; j < 2; ++j) {
      const ValueId index =
          d.op("cast", {d.op("slice", {pair}, {at(j)})}, {static_cast<int64_t>(DType::int64)});
      y = d.op("add", {y, d.op("gather", {x, index}, element_key())});
    }
  }
  const Program q =
      joined(d.returning({y}), {counted({6}), positions(DType::int32, Dims{turns, 2}, 6)});
  CHECK(steps_of(q, "gather") == 1 && steps_of(q, "cast") == 1);
}

TEST(additions_keep_their_order) {
  Draft d;
  const ValueId base = d.input({5, 3}), u = d.input({turns, 3}),
                k = d.input({DType::int64, {turns}});
  ValueId y = base;
  for (int64_t t = turns; t-- > 0;)
    y = d.op("gather_add",
             {y, d.op("slice", {u}, {Ints{0, t, 0, 0, 1, 0, 1, 3}}), d.op("slice", {k}, {at(t)})},
             row_key());
  const Program q = joined(d.returning({y}), {counted({5, 3}), counted({turns, 3}),
                                              positions(DType::int64, Dims{turns}, 5)});
  CHECK(steps_of(q, "gather_add") == 1 && steps_of(q, "stack") == 1);
}

TEST(additions_that_somebody_reads_in_between_stay) {
  Draft d;
  const ValueId base = d.input({5}), u = d.input(Dims{}), k = d.input({DType::int64, {turns, 2}});
  ValueId y = base, seen = base;
  for (int64_t t = 0; t < turns; ++t) {
    y = d.op("gather_add", {y, u, d.op("slice", {k}, {at(t, 1)})}, element_key());
    if (t == turns / 2) seen = y;
  }
  const Program q = joined(d.returning({y, seen}),
                           {counted({5}), Value(0.3), positions(DType::int64, Dims{turns, 2}, 5)});
  CHECK(steps_of(q, "gather_add") == turns);
}

TEST(few_lookups_and_guarded_ones_stay) {
  for (const bool guarded : {false, true}) {
    Draft d;
    const ValueId x = d.input({5}), k = d.input({DType::int64, {turns}});
    ValueId y = d.constant(0.0);
    for (int64_t t = 0; t < (guarded ? turns : 5); ++t)
      y = d.op("add", {y, d.op("gather", {x, d.op("slice", {k}, {at(t)})}, element_key())});
    if (guarded) d.guard(k, positions(DType::int64, Dims{turns}, 5));
    const Program p = d.returning({y});
    CHECK(same_program(join_lookups(p), p));
  }
}
