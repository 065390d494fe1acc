#include <cmath>
#include <random>

#include "program/programs.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

Ints at(int64_t i) { return {0, i, 0, 0}; }
Ints at(int64_t i, int64_t j) { return {0, i, 0, 0, 0, j, 0, 0}; }

Program joined(const Program& p) {
  const Program q = drop_dead(join_writes(p));
  check_same(p, q);
  return q;
}

size_t steps_of(const Program& p, const char* name) {
  size_t n = 0;
  for (const Program::Step& s : p.steps) n += s.kernel < 0 && s.op == op_named(name).id;
  return n;
}
size_t writes_of(const Program& p) { return steps_of(p, "slice_set") + steps_of(p, "slice_add"); }

}  // namespace

TEST(an_array_that_is_written_whole_is_stacked) {
  Draft d;
  const ValueId x = d.input({4}), u = d.input(Dims{}), v = d.input(Dims{});
  ValueId y = d.op("slice_set", {x, u}, {at(3)});
  y = d.op("slice_set", {y, v}, {at(0)});
  y = d.op("slice_set", {y, u}, {at(2)});
  y = d.op("slice_set", {y, v}, {at(2)});  // again: the last write counts
  y = d.op("slice_set", {y, v}, {at(1)});
  check_text(joined(d.returning({y})),
             "program(in0: float64(4,), in1: float64(), in2: float64())\n"
             "  %3: float64(4,) = stack(in2, in2, in2, in1) {axis=0}\n"
             "  return %3");
}

TEST(additions_go_on_from_what_was_there) {
  Draft d;
  const ValueId zeros = d.constant(Value::full(DType::float64, Dims{3}, 0.0));
  const ValueId u = d.input(Dims{}), v = d.input(Dims{});
  ValueId y = d.op("slice_add", {zeros, u}, {at(0)});
  y = d.op("slice_add", {y, v}, {at(0)});
  y = d.op("slice_set", {y, v}, {at(1)});
  y = d.op("slice_add", {y, u}, {at(1)});
  const Program q = joined(d.returning({y}));
  CHECK(writes_of(q) == 0);
  CHECK(steps_of(q, "stack") == 1);  // with a zero that nothing was written to
  CHECK(steps_of(q, "add") == 3);
}

TEST(the_rest_of_an_array_stays) {
  Draft d;
  const ValueId x = d.input({9}), u = d.input(Dims{});
  ValueId y = x;
  for (int64_t i : {7, 1, 4}) y = d.op("slice_set", {y, u}, {at(i)});
  y = d.op("slice_add", {y, u}, {at(8)});
  const Program q = joined(d.returning({y}));
  CHECK(writes_of(q) == 0);
  CHECK(steps_of(q, "gather_set") == 1);
  CHECK(steps_of(q, "slice") == 1);  // x[8], which is added to
}

TEST(tables) {
  Draft d;
  const ValueId u = d.input(Dims{}), v = d.input(Dims{});
  const ValueId zeros = d.constant(Value::full(DType::float64, Dims{2, 3}, 0.0));
  ValueId y = zeros, z = zeros;
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 3; ++j) y = d.op("slice_set", {y, (i + j) % 2 ? u : v}, {at(i, j)});
  for (int64_t j = 0; j < 3; ++j) z = d.op("slice_add", {z, u}, {at(1, j)});
  z = d.op("slice_add", {z, v}, {at(1, 0)});
  const Program q = joined(d.returning({y, z}));
  CHECK(writes_of(q) == 0);
  CHECK(steps_of(q, "reshape") == 2);
}

// Rows in any order, one of them a number, one added to again, one never written.
TEST(rows_of_zeros_are_stacked) {
  Draft d;
  const ValueId u = d.input({3}), v = d.input({3}), number = d.input(Dims{});
  const ValueId zeros = d.constant(Value::full(DType::float64, Dims{6, 3}, 0.0));
  const auto row = [](int64_t i) { return Attrs{Ints{0, i, 0, 0, 1, 0, 1, 3}}; };
  ValueId y = d.op("slice_set", {zeros, u}, row(5));
  y = d.op("slice_set", {y, v}, row(0));
  y = d.op("slice_add", {y, u}, row(3));
  y = d.op("slice_add", {y, v}, row(3));
  y = d.op("slice_set", {y, number}, row(1));
  y = d.op("slice_set", {y, v}, row(2));
  const Program q = joined(d.returning({y, d.op("sum", {y}, {Ints{1}, false})}));
  CHECK(writes_of(q) == 0);
  CHECK(steps_of(q, "stack") == 1);
  CHECK(steps_of(q, "add") == 2);
}

TEST(columns_of_zeros_are_stacked) {
  Draft d;
  const ValueId zeros = d.constant(Value::full(DType::float64, Dims{2, 3, 2}, 0.0));
  const ValueId u = d.input({2, 2});
  ValueId y = zeros;
  for (int64_t i : {2, 0, 1, 2})
    y = d.op("slice_set", {y, u}, {Ints{1, 0, 1, 2, 0, i, 0, 0, 1, 0, 1, 2}});
  y = d.op("slice_add", {y, u}, {Ints{1, 0, 1, 2, 0, 1, 0, 0, 1, 0, 1, 2}});
  check_text(joined(d.returning({y})),
             "program(in0: float64(2, 2))\n"
             "  %1: float64(2, 2) = add(in0, in0)\n"
             "  %2: float64(2, 3, 2) = stack(in0, %1, in0) {axis=1}\n"
             "  return %2");
}

TEST(few_rows_of_many_and_rows_of_an_input_stay) {
  for (const bool is_constant : {false, true}) {
    Draft d;
    const ValueId u = d.input({3}), x = d.input({12, 3});
    ValueId y = is_constant ? d.constant(Value::full(DType::float64, Dims{12, 3}, 0.0)) : x;
    for (int64_t i = 0; i < (is_constant ? 5 : 12); ++i)
      y = d.op("slice_set", {y, u}, {Ints{0, i, 0, 0, 1, 0, 1, 3}});
    CHECK(writes_of(joined(d.returning({y}))) == (is_constant ? 5 : 12));
  }
}

TEST(versions_that_are_read_stay) {
  Draft d;
  const ValueId x = d.input({6}), u = d.input(Dims{});
  ValueId y = x, middle = x;
  for (int64_t i = 0; i < 6; ++i) {
    y = d.op("slice_set", {y, u}, {at(i)});
    if (i == 2) middle = y;
  }
  const Program p = d.returning({y, d.op("sum", {middle}, {Attr{}, false})});
  CHECK(writes_of(joined(p)) == 6);  // three and three: few
  Draft e;
  const ValueId a = e.input({8}), b = e.input(Dims{});
  ValueId w = a, early = a;
  for (int64_t i = 0; i < 8; ++i) {
    w = e.op("slice_set", {w, b}, {at(i)});
    if (i == 3) early = w;
  }
  const Program q = joined(e.returning({w, early}));
  CHECK(writes_of(q) == 0);
  CHECK(steps_of(q, "gather_set") == 2);
}

TEST(a_table_goes_on_behind_a_version_that_is_read) {
  for (const bool is_packed : {true, false}) {
    Draft d;
    const ValueId x = d.input({3, 4}), u = d.input(Dims{});
    ValueId y = is_packed ? d.op("exp", {x}) : x, early = y;
    for (int64_t i = 0; i < 8; ++i) {
      y = d.op("slice_set", {y, u}, {at(i % 3, i % 4)});
      if (i == 1) early = y;
    }
    // Two are too few to join. How an input lies in memory is not known; what was written does.
    CHECK(writes_of(joined(d.returning({y, early}))) == 2);
  }
}

TEST(what_is_written_again_goes) {
  Draft d;
  const ValueId x = d.input({9, 2}), row = d.input({2});
  const Ints whole{0, 1, 0, 0, 1, 0, 1, 2};
  ValueId y = d.op("exp", {x});
  for (int64_t i = 0; i < 6; ++i) y = d.op("slice_set", {y, row}, {whole});
  y = d.op("slice_add", {y, row}, {whole});
  CHECK(writes_of(joined(d.returning({y}))) == 2);
  Draft e;
  const ValueId u = e.input(Dims{});
  ValueId z = e.op("exp", {e.input({9, 2})}), early = z;
  for (int64_t i = 0; i < 5; ++i) {
    z = e.op(i < 4 ? "slice_add" : "slice_set", {z, u}, {at(2, 0)});
    if (i == 1) early = z;
  }
  // Both of those before the version that is read count, and the last.
  CHECK(writes_of(joined(e.returning({z, early}))) == 3);
}

TEST(rows_other_dtypes_and_few_writes_stay_what_they_are) {
  Draft d;
  const ValueId x = d.input({4, 2}), row = d.input({2}), u = d.input(Dims{});
  const ValueId single = d.input(f32());
  ValueId y = x, z = d.input({5}), few = d.input({5});
  for (int64_t i = 0; i < 4; ++i) y = d.op("slice_set", {y, row}, {Ints{0, i, 0, 0, 1, 0, 1, 2}});
  for (int64_t i = 0; i < 5; ++i) z = d.op("slice_set", {z, single}, {at(i)});
  for (int64_t i = 0; i < 3; ++i) few = d.op("slice_set", {few, u}, {at(i)});
  const Program p = d.returning({y, z, few});
  check_text(joined(p), to_string(p));
}

namespace {

// The gradients of a table of two weights, as a loop leaves them: in each turn something is made
// and added to one element after the other, in this order.
Program turns_that_add(int turns, const std::vector<int64_t>& order) {
  Draft d;
  const ValueId zeros = d.constant(Value::full(DType::float64, Dims{2}, 0.0));
  ValueId x = d.input(Dims{}), sums = zeros;
  for (int t = 0; t < turns; ++t)
    for (size_t k = 0; k < 2; ++k) {
      x = d.op("sin", {x});
      const size_t n = 2 * static_cast<size_t>(t) + k;
      sums = d.op("slice_add", {sums, x}, {at(order[n % order.size()])});
    }
  return d.returning({sums});
}

// How many additions stand before the last sine.
size_t additions_among_turns(const Program& p) {
  size_t n = 0, found = 0;
  for (const Program::Step& s : p.steps) {
    n += s.op == op_named("add").id;
    if (s.op == op_named("sin").id) found = n;
  }
  return found;
}

}  // namespace

TEST(what_turns_add_to_the_same_numbers_stays_in_the_turns) {
  const Program q = joined(turns_that_add(20, {0, 1}));
  CHECK(writes_of(q) == 0);
  CHECK(steps_of(q, "add") == 40);
  CHECK(additions_among_turns(q) == 39);
}

TEST(what_data_choose_to_add_to_stands_behind_the_turns) {
  std::vector<int64_t> labels;
  std::minstd_rand random(1);
  for (int k = 0; k < 40; ++k) labels.push_back(static_cast<int64_t>(random() / 1000 % 2));
  const Program q = joined(turns_that_add(20, labels));
  CHECK(writes_of(q) == 0);
  CHECK(steps_of(q, "add") == 40);
  CHECK(additions_among_turns(q) == 0);
}

TEST(zeros_are_added_to_all_rows_at_once) {
  for (const bool is_read : {false, true}) {
    Draft d;
    ValueId y = d.constant(Value::full(DType::float64, Dims{5, 3}, 0.0));
    for (const int64_t i : {3, 0, 1, 4, 1}) {
      const Attrs row{Ints{0, i, 0, 0, 1, 0, 1, 3}};
      y = d.op("slice_add", {y, d.input({3})}, row);
    }
    const Program q =
        joined(is_read ? d.returning({y, d.op("slice", {y}, {Ints{0, 1, 0, 0, 1, 0, 1, 3}})})
                       : d.returning({y}));
    CHECK(writes_of(q) == 0 && steps_of(q, "stack") == 1);
    CHECK(steps_of(q, "add") == (is_read ? 5 : 2));
    // A negative zero becomes a positive one.
    const Value zeros = Value::full(DType::float64, Dims{3}, -0.0);
    const Value got = run(q, {zeros, zeros, zeros, zeros, zeros})[0];
    for (int64_t i = 0; i < got.size(); ++i) CHECK(got.at(i) == 0 && !std::signbit(got.at(i)));
  }
}
