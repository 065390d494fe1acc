#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

constexpr int64_t rows = 20;

// x[t, k] for an array k; x[k, t]; x[t, :2, k].
Attrs row_key(int64_t t) { return {Ints{0, t, 0, 0, 3, 0, 0, 0}, int64_t{0}}; }
Attrs column_key(int64_t t) { return {Ints{3, 0, 0, 0, 0, t, 0, 0}, int64_t{0}}; }
Attrs middle_key(int64_t t) { return {Ints{0, t, 0, 0, 1, 0, 1, 2, 3, 0, 0, 0}, int64_t{1}}; }

size_t steps_of(const Program& p, const char* name) {
  size_t n = 0;
  for (const Program::Step& s : p.steps) n += s.kernel < 0 && s.op == op_named(name).id;
  return n;
}

Value counted(const Dims& shape) {
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, 0.1 * static_cast<double>(i * i) - 1.0);
  return v;
}
Value positions(std::vector<int64_t> list, const Dims& shape) {
  return Value::from_int64(list, shape);
}

Program joined(const Program& p, const std::vector<Value>& inputs) {
  const Program q = drop_dead(join_row_lookups(p));
  check_program(q);
  const std::vector<Value> expected = run(p, inputs), found = run(q, inputs);
  for (size_t k = 0; k < expected.size(); ++k) CHECK(same_numbers(found[k], expected[k]));
  return q;
}

}  // namespace

TEST(rows_at_the_same_positions_are_taken_at_once) {
  for (const auto& [key, shape] :
       {std::pair{&row_key, Dims{rows, 6}}, std::pair{&column_key, Dims{6, rows}},
        std::pair{&middle_key, Dims{rows, 2, 6}}}) {
    Draft d;
    const ValueId x = d.input(shape), k = d.constant(positions({3, 0, 3, -1}, Dims{4}));
    ValueId y = d.constant(0.25);
    for (int64_t t = rows; t-- > 0;)
      y = d.op("add", {d.op("tanh", {y}), d.op("gather", {x, k}, key(t))});
    const Program q = joined(d.returning({y}), {counted(shape)});
    CHECK(steps_of(q, "gather") == 1);
  }
}

TEST(every_other_row_and_positions_from_data) {
  Draft d;
  const ValueId x = d.input({2 * rows, 6}), k = d.input({DType::int64, {2, 2}});
  ValueId y = d.constant(0.0);
  for (int64_t t = 0; t < rows; ++t)
    y = d.op("add", {d.op("sin", {y}), d.op("gather", {x, k}, row_key(2 * t + 1))});
  const Program p = d.returning({y});
  const Program q = joined(p, {counted({2 * rows, 6}), positions({0, 5, 5, 1}, Dims{2, 2})});
  CHECK(steps_of(q, "gather") == 1);
}

TEST(rows_are_added_to_at_once) {
  for (const auto& [key, shape] :
       {std::pair{&row_key, Dims{rows, 6}}, std::pair{&column_key, Dims{6, rows}},
        std::pair{&middle_key, Dims{rows, 2, 6}}}) {
    Draft d;
    const bool is_middle = shape.size() == 3;
    const ValueId base = d.input(shape), k = d.constant(positions({3, 0, 3, 3}, Dims{4}));
    const ValueId u = d.input(is_middle ? Dims{2, 4} : Dims{4});
    ValueId y = base, update = u;
    for (int64_t t = rows; t-- > 0;) {
      update = d.op("sin", {update});
      y = d.op("gather_add", {y, update, k}, key(t));
    }
    const Program q =
        joined(d.returning({y}), {counted(shape), counted(is_middle ? Dims{2, 4} : Dims{4})});
    CHECK(steps_of(q, "gather_add") == 1);
  }
}

TEST(other_lookups_stay_what_they_are) {
  Draft d;
  const ValueId x = d.input({rows, 6}), k = d.constant(positions({1, 2}, Dims{2}));
  ValueId y = d.constant(0.0), sum = x;
  for (int64_t t : {0, 1, 2, 4, 8, 16, 5, 7, 3})  // no range takes them
    y = d.op("add", {d.op("sin", {y}), d.op("gather", {x, k}, row_key(t))});
  std::vector<ValueId> versions;
  for (int64_t t = 0; t < 9; ++t) {
    sum = d.op("gather_add", {sum, y, k}, row_key(t));
    versions.push_back(sum);
  }
  const ValueId both = d.op("add", {versions[3], versions[8]});  // a version is read
  const Program q = joined(d.returning({y, both}), {counted({rows, 6})});
  CHECK(steps_of(q, "gather") == 9 && steps_of(q, "gather_add") == 9);
}

TEST(guards_keep_positions_from_data_apart) {
  for (const bool is_constant : {false, true}) {
    Draft d;
    const ValueId x = d.input({rows, 6}), w = d.input({DType::int64, {2}});
    const ValueId k = is_constant ? d.constant(positions({1, 5}, Dims{2})) : w;
    ValueId y = d.constant(0.0);
    for (int64_t t = 0; t < rows; ++t)
      y = d.op("add", {d.op("sin", {y}), d.op("gather", {x, k}, row_key(t))});
    d.guard(d.op("less", {d.op("sum", {x}, {std::monostate{}, false}), d.constant(1e9)}),
            Value::integer_scalar(1, DType::bool_));
    const Program q = joined(d.returning({y}), {counted({rows, 6}), positions({0, 5}, Dims{2})});
    CHECK(steps_of(q, "gather") == (is_constant ? 1 : rows));
  }
}
