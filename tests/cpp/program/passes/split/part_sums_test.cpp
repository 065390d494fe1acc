#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

constexpr int64_t n = 3;

Attrs row(int64_t i) { return {Ints{0, i, 0, 0, 1, 0, 1, n}}; }
Attrs box(int64_t i, int64_t start, int64_t length) {
  return {Ints{0, i, 0, 0, 1, start, 1, length}};
}

size_t steps_of(const Program& p, const char* name) {
  size_t found = 0;
  for (const Program::Step& s : p.steps) found += s.kernel < 0 && s.op == op_named(name).id;
  return found;
}

// Of an array whose first axis is one of lanes, which the key does not name.
Attrs column(int64_t i) { return {Ints{0, i, 0, 0}}; }

Program added(const Program& p, tapegrad::PartsTaken taken = tapegrad::PartsTaken::repeated) {
  const Program q = tapegrad::drop_dead(tapegrad::add_up_parts(p, taken));
  check_same(p, q);
  return q;
}

}  // namespace

TEST(rows_are_added_up_by_themselves) {
  Draft d;
  ValueId acc = d.constant(Value::full(DType::float64, Dims{4, n}, 0.0));
  const ValueId u = d.input({n}), v = d.input({n});
  for (int64_t k = 0; k < 10; ++k) {
    acc = d.op("slice_add", {acc, k % 3 ? u : v}, row(1));
    acc = d.op("slice_add", {acc, v}, row(3));
  }
  const Program q = added(d.returning({acc}));
  CHECK(steps_of(q, "slice_add") == 0);
  CHECK(steps_of(q, "slice_set") == 2);
  CHECK(steps_of(q, "add") == 20);
  CHECK(steps_of(q, "slice") == 0);  // they begin with zeros
}

TEST(what_was_there_is_added_to) {
  Draft d;
  ValueId acc = d.input({4, n});
  const ValueId u = d.input({2}), one = d.input({1});
  for (int64_t k = 0; k < 10; ++k) {
    acc = d.op("slice_add", {acc, u}, box(2, 0, 2));
    acc = d.op("slice_add", {acc, one}, box(2, 2, 1));
  }
  CHECK(steps_of(added(d.returning({acc})), "slice") == 2);
}

TEST(parts_that_overlap_or_are_read_between_stay) {
  Draft d;
  ValueId acc = d.input({4, n});
  const ValueId u = d.input({2}), v = d.input({n});
  for (int64_t k = 0; k < 10; ++k) {
    acc = d.op("slice_add", {acc, u}, box(1, 1, 2));
    acc = d.op("slice_add", {acc, v}, row(1));
  }
  CHECK(steps_of(added(d.returning({acc})), "slice_add") == 20);

  Draft e;
  ValueId sum = e.input({4, n});
  const ValueId x = e.input({n});
  for (int64_t k = 0; k < 20; ++k) {
    sum = e.op("slice_add", {sum, x}, row(1));
    e.writer().output(sum);
  }
  CHECK(steps_of(added(e.returning({sum})), "slice_add") == 20);
}

TEST(a_whole_is_added_piece_by_piece) {
  Draft d;
  ValueId acc = d.input({2, 3, 4});  // along an axis of lanes
  const ValueId whole = d.input({2, 4}), left = d.input({2, 1}), right = d.input({2, 3});
  for (int64_t k = 0; k < 10; ++k) {
    acc = d.op("slice_add", {acc, whole}, {Ints{0, 1, 0, 0, 1, 0, 1, 4}});
    acc = d.op("slice_add", {acc, left}, box(1, 0, 1));
    acc = d.op("slice_add", {acc, whole}, {Ints{0, 2, 0, 0, 1, 0, 1, 4}});  // has no pieces
    acc = d.op("slice_add", {acc, right}, box(1, 1, 3));
  }
  const Program q = added(d.returning({acc}));
  CHECK(steps_of(q, "slice_add") == 0);
  CHECK(steps_of(q, "slice_set") == 3);
  CHECK(steps_of(q, "add") == 50);
  CHECK(steps_of(q, "slice") == 3 + 20);  // what was there, and the pieces of what is added
}

TEST(columns_beside_lanes_are_added_up) {
  Draft d;
  ValueId acc = d.constant(Value::full(DType::float64, Dims{n, 12}, 0.0));
  const ValueId u = d.input({n}), v = d.input({n});
  for (int64_t k = 0; k < 12; ++k) {
    acc = d.op("slice_add", {acc, u}, column(11 - k));
    acc = d.op("slice_add", {acc, v}, column(11 - k));
  }
  const Program q = added(d.returning({acc}));
  CHECK(steps_of(q, "slice_add") == 0);
  CHECK(steps_of(q, "slice_set") == 12);
}

TEST(lanes_that_are_added_to_as_a_whole_stay) {
  Draft d;
  ValueId acc = d.input({n, 4});
  const ValueId one = d.input({1});
  for (int64_t k = 0; k < 20; ++k) acc = d.op("slice_add", {acc, one}, column(k % 4));
  CHECK(steps_of(added(d.returning({acc})), "slice_add") == 20);
}

TEST(very_many_parts_are_compared_by_their_places) {
  constexpr int64_t rows = 1000;
  Draft d, e;
  ValueId acc = d.input({rows, n}), sum = e.input({rows, n});
  const ValueId u = d.input({n}), v = e.input({n}), two = e.input({2, n});
  for (int64_t k = 0; k < 2 * rows; ++k) {
    acc = d.op("slice_add", {acc, u}, row(k % rows));
    sum = e.op("slice_add", {sum, v}, row(k % rows));
  }
  CHECK(steps_of(added(d.returning({acc})), "slice_add") == 0);
  for (int k = 0; k < 2; ++k) sum = e.op("slice_add", {sum, two}, {Ints{1, 500, 1, 2, 1, 0, 1, n}});
  CHECK(steps_of(added(e.returning({sum})), "slice_add") == 2 * rows + 2);
}

TEST(zeros_that_are_all_added_to_are_joined) {
  for (const double number : {0.0, 1.0})
    for (const int64_t missing : {0, 1}) {
      Draft d;
      ValueId acc = d.constant(Value::full(DType::float64, Dims{n, 8}, number));
      const ValueId u = d.input({n});
      for (int64_t k = missing; k < 8; ++k) acc = d.op("slice_add", {acc, u}, column(k));
      const Program p = d.returning({acc});
      CHECK(steps_of(added(p), "slice_add") == static_cast<size_t>(8 - missing));
      CHECK(steps_of(added(p, tapegrad::PartsTaken::all), "slice_add") == (missing ? 7 : 0));
    }
}
