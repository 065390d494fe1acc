#include "program/programs.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

const Ints first{0, 0, 0, 0}, second{0, 1, 0, 0}, third{0, 2, 0, 0};

Program read_through(const Program& p) {
  const tapegrad::PassOptions only{
      .fold = false, .shared = false, .algebra = false, .views = false, .fuse = false};
  const Program q = drop_dead(rewrite_locally(p, only));
  check_same(p, q);
  return q;
}

}  // namespace

TEST(what_was_written_is_read) {
  Draft d;
  const ValueId x = d.input({3}), u = d.input(Dims{}), v = d.input(Dims{});
  ValueId y = d.op("slice_set", {x, u}, {first});
  y = d.op("slice_set", {y, v}, {second});
  const ValueId a = d.op("slice", {y}, {first}), b = d.op("slice", {y}, {second}),
                c = d.op("slice", {y}, {third});
  check_text(read_through(d.returning({a, b, c})),
             "program(in0: float64(3,), in1: float64(), in2: float64())\n"
             "  %3: float64() = slice(in0) {code=(0, 2, 0, 0)}\n"
             "  return in1, in2, %3");
}

TEST(additions_are_added_in_their_order) {
  Draft d;
  const ValueId x = d.input({3}), u = d.input(Dims{}), v = d.input(Dims{});
  ValueId y = d.op("slice_set", {x, u}, {first});
  y = d.op("slice_add", {y, v}, {first});
  y = d.op("slice_add", {y, v}, {second});
  y = d.op("slice_add", {y, u}, {first});
  check_text(read_through(d.returning({d.op("slice_copy", {y}, {first})})),
             "program(in0: float64(3,), in1: float64(), in2: float64())\n"
             "  %3: float64() = add(in1, in2)\n"
             "  %4: float64() = add(%3, in1)\n"
             "  return %4");
}

TEST(a_version_keeps_what_it_held) {
  Draft d;
  const ValueId x = d.input({3}), u = d.input(Dims{}), v = d.input(Dims{});
  const ValueId y = d.op("slice_set", {x, u}, {first});
  const ValueId z = d.op("slice_set", {y, v}, {first});
  const ValueId w = d.op("slice_set", {y, v}, {second});  // a second chain from y
  const ValueId t = d.op("slice_add", {w, v}, {third});
  const Program q =
      read_through(d.returning({d.op("slice", {y}, {first}), d.op("slice", {z}, {first}),
                                d.op("slice", {w}, {first}), d.op("slice", {t}, {third})}));
  check_text(q,
             "program(in0: float64(3,), in1: float64(), in2: float64())\n"
             "  %3: float64() = slice(in0) {code=(0, 2, 0, 0)}\n"
             "  %4: float64() = add(%3, in2)\n"
             "  return in1, in2, in1, %4");
}

TEST(rows_and_their_elements) {
  const Ints row{0, 1, 0, 0, 1, 0, 1, 3}, other{0, 0, 0, 0, 1, 0, 1, 3}, at{0, 1, 0, 0, 0, 2, 0, 0};
  Draft d;
  const ValueId x = d.input({2, 3}), r = d.input({3}), u = d.input(Dims{});
  const ValueId y = d.op("slice_set", {x, r}, {row});
  const ValueId z = d.op("slice_set", {y, u}, {at});
  // The row as it was written; with an element written over, from the array; the other row.
  const Program q = read_through(d.returning(
      {d.op("slice", {y}, {row}), d.op("slice", {z}, {row}), d.op("slice", {z}, {other})}));
  check_text(q,
             "program(in0: float64(2, 3), in1: float64(3,), in2: float64())\n"
             "  %3: float64(2, 3) = slice_set(in0, in1) {code=(0, 1, 0, 0, 1, 0, 1, 3)}\n"
             "  %4: float64(2, 3) = slice_set(%3, in2) {code=(0, 1, 0, 0, 0, 2, 0, 0)}\n"
             "  %5: float64(3,) = slice(%4) {code=(0, 1, 0, 0, 1, 0, 1, 3)}\n"
             "  %6: float64(3,) = slice(in0) {code=(0, 0, 0, 0, 1, 0, 1, 3)}\n"
             "  return in1, %5, %6");
}

TEST(other_dtypes_and_broadcasts_are_left) {
  const Ints row{0, 1, 0, 0, 1, 0, 1, 3};
  Draft d;
  const ValueId x = d.input({2, 3}), u = d.input(Dims{});
  const ValueId f = d.input({DType::float32, Dims{3}});
  const ValueId y = d.op("slice_set", {x, u}, {row});    // one number for three
  const ValueId z = d.op("slice_set", {f, u}, {first});  // converted
  const ValueId w = d.op("slice_set", {x, u}, {Ints{1, 0, 1, 2, 0, 1, 0, 0}});  // no single row
  const Program p = d.returning({d.op("slice", {y}, {row}), d.op("slice", {z}, {first}),
                                 d.op("slice", {w}, {Ints{0, 0, 0, 0, 0, 1, 0, 0}})});
  CHECK(read_through(p).steps.size() == p.steps.size());
}

// 20,000 versions of 20,000 numbers: what grows with their product would not end.
TEST(long_chains_take_linear_time) {
  constexpr int64_t n = 20000;
  Draft d;
  const ValueId x = d.input({n});
  ValueId y = x, last = d.input(Dims{});
  for (int64_t i = 0; i < n; ++i) {
    y = d.op("slice_set", {y, last}, {Ints{0, i, 0, 0}});
    last = d.op("sin", {d.op("slice", {y}, {Ints{0, i, 0, 0}})});
  }
  const Program p = d.returning({last});
  const tapegrad::PassOptions only{.fold = false, .fuse = false};
  const Program q = drop_dead(rewrite_locally(p, only));
  CHECK(q.steps.size() == n);  // no array is left
}
