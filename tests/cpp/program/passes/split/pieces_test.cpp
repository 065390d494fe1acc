#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

constexpr int64_t n = 3;

Attrs range(int64_t start, int64_t length) { return {Ints{1, start, 1, length}}; }
Attrs along_first() { return {int64_t{0}}; }

Program in_pieces(const Program& p) {
  const Program q = tapegrad::drop_dead(tapegrad::keep_in_pieces(p));
  check_same(p, q);
  return q;
}

size_t steps_of(const Program& p, const char* name) {
  size_t found = 0;
  for (const Program::Step& s : p.steps) found += s.kernel < 0 && s.op == op_named(name).id;
  return found;
}

}  // namespace

TEST(packed_gates_are_computed_apart) {
  Draft d;
  const ValueId x = d.input({n}), h = d.input({n}), w = d.input({2 * n});
  const ValueId gates =
      d.op("tanh", {d.op("multiply", {d.op("concatenate", {x, h}, along_first()), w})});
  const ValueId f = d.op("slice", {gates}, range(0, n)), o = d.op("slice", {gates}, range(n, n));
  const Program q = in_pieces(d.returning({d.op("multiply", {f, o})}));
  CHECK(steps_of(q, "concatenate") == 0);
  CHECK(steps_of(q, "slice") == 2);  // of the weights
  CHECK(steps_of(q, "tanh") == 2);
}

TEST(writes_to_parts_are_pieces) {
  Draft d;
  const ValueId u = d.input({n}), v = d.input({n}), w = d.input({2 * n}), acc = d.input({4, 2 * n});
  const ValueId zeros = d.constant(Value::full(DType::float64, Dims{2 * n}, 0.0));
  ValueId g = d.op("slice_add", {zeros, u}, range(n, n));
  g = d.op("slice_add", {g, v}, range(0, n));
  const ValueId scaled = d.op("zmul", {g, w});
  const Attrs cuts{int64_t{-1}, Ints{n}};
  const ValueId first = d.op("split", {scaled}, cuts);
  const ValueId row = d.op("slice_add", {acc, g}, {Ints{0, 2, 0, 0, 1, 0, 1, 2 * n}});
  const Program q = in_pieces(d.returning({first, first + 1, row}));
  CHECK(steps_of(q, "split") == 0);
  CHECK(steps_of(q, "concatenate") == 0);
  CHECK(steps_of(q, "slice_add") == 2);  // to the row, piece by piece
  CHECK(steps_of(q, "add") == 2);        // to zeros
}

TEST(what_overlaps_or_is_wanted_whole_stays) {
  Draft d;
  const ValueId u = d.input({6}), inner = d.input({4});
  const ValueId v = d.op("slice_set", {u, inner}, range(1, 4));
  const ValueId left = d.op("slice", {v}, range(0, 4)), right = d.op("slice", {v}, range(2, 4));
  const Program halo = d.returning({d.op("subtract", {left, right})});
  CHECK(steps_of(in_pieces(halo), "slice_set") == 1);

  Draft e;
  const ValueId x = e.input({n}), y = e.input({n}), m = e.input({2 * n, 2 * n});
  const ValueId joined = e.op("concatenate", {x, y}, along_first());
  const Program whole = e.returning({e.op("matmul", {m, e.op("sin", {joined})})});
  CHECK(steps_of(in_pieces(whole), "concatenate") == 1);
}

TEST(rows_elements_and_pieces_of_pieces) {
  Draft d;
  const ValueId x = d.input({2, n}), y = d.input({1, n}), b = d.input({n});
  const ValueId joined = d.op("concatenate", {x, y, x}, along_first());
  const ValueId z = d.op("add", {d.op("sin", {joined}), b});
  const Ints all{1, 0, 1, n};
  const auto rows = [&](Ints code) {
    code.insert(code.end(), all.begin(), all.end());
    return d.op("slice", {z}, {code});
  };
  const ValueId row = rows({0, 2, 0, 0}), one = rows({0, 4, 0, 0});
  const ValueId first = rows({1, 0, 1, 2}), last = rows({1, 3, 1, 2}), within = rows({1, 4, 1, 1});
  const Program q = in_pieces(d.returning({row, one, first, last, within}));
  CHECK(steps_of(q, "concatenate") == 0);
  CHECK(steps_of(q, "sin") == 3);
}

TEST(an_array_of_many_cuts_stays) {
  Draft d;
  ValueId z = d.input({20});
  const ValueId u = d.input({2});
  for (int64_t k = 0; k < 10; ++k) z = d.op("slice_add", {z, u}, range(2 * k, 2));
  const ValueId part = d.op("slice", {z}, range(2, 2));
  CHECK(steps_of(in_pieces(d.returning({part})), "slice_add") == 10);
}
