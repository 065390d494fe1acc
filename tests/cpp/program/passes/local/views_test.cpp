#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

// simplify(), then what is no longer needed goes; and the result is the same.
Program simplified(const Program& p) {
  const Program q = drop_dead(simplify(p));
  check_same(p, q);
  return q;
}

}  // namespace

TEST(views_that_do_nothing_disappear) {
  Draft d;
  const ValueId x = d.input({2, 3});
  ValueId y = d.op("reshape", {x}, {Ints{2, -1}});
  y = d.op("broadcast_to", {y}, {Ints{2, 3}});
  y = d.op("transpose", {y}, {Ints{0, 1}});
  y = d.op("sum_to_shape", {y}, {Ints{2, 3}});
  const Program p = d.returning({d.op("exp", {y})});
  check_text(simplified(p),
             "program(in0: float64(2, 3))\n"
             "  %1: float64(2, 3) = exp(in0)\n"
             "  return %1");
}

TEST(views_merge) {
  Draft d;
  const ValueId x = d.input({2, 3, 4}), y = d.input({4});
  const ValueId there = d.op("transpose", {x}, {Ints{2, 0, 1}});
  const ValueId back = d.op("transpose", {there}, {Ints{1, 2, 0}});
  const ValueId turned = d.op("transpose", {there}, {Attr{}});
  ValueId shape = d.op("reshape", {x}, {Ints{6, 4}});
  shape = d.op("expand_dims", {shape}, {Ints{0}});
  shape = d.op("reshape", {shape}, {Ints{24}});
  ValueId wide = d.op("expand_dims", {y}, {Ints{0}});
  wide = d.op("broadcast_to", {wide}, {Ints{3, 4}});
  wide = d.op("broadcast_to", {wide}, {Ints{2, 3, 4}});
  const ValueId squeezed = d.op("squeeze", {d.op("expand_dims", {y}, {Ints{1}})}, {Ints{1}});
  const Program p = d.returning({back, turned, shape, wide, squeezed});
  check_text(simplified(p),
             "program(in0: float64(2, 3, 4), in1: float64(4,))\n"
             "  %2: float64(3, 2, 4) = transpose(in0) {axes=(1, 0, 2)}\n"
             "  %3: float64(24,) = reshape(in0) {shape=(24,)}\n"
             "  %4: float64(2, 3, 4) = broadcast_to(in1) {shape=(2, 3, 4)}\n"
             "  return in0, %2, %3, %4, in1");
}

TEST(elementwise_ops_broadcast_by_themselves) {
  Draft d;
  const ValueId x = d.input({2, 3}), c = d.input(Dims{}), r = d.input({3});
  const ValueId wide = d.op("broadcast_to", {c}, {Ints{2, 3}});
  const ValueId rows = d.op("broadcast_to", {r}, {Ints{2, 3}});
  const ValueId a = d.op("multiply", {wide, x});
  const ValueId b = d.op("multiply", {wide, rows});  // three products are enough
  const Program p = d.returning({a, b});
  check_text(simplified(p),
             "program(in0: float64(2, 3), in1: float64(), in2: float64(3,))\n"
             "  %3: float64(2, 3) = multiply(in1, in0)\n"
             "  %4: float64(3,) = multiply(in1, in2)\n"
             "  %5: float64(2, 3) = broadcast_to(%4) {shape=(2, 3)}\n"
             "  return %3, %5");
}

TEST(only_leading_axes_of_length_1_are_left_to_the_broadcast) {
  Draft d;
  const ValueId x = d.input({4});
  const ValueId column = d.op("expand_dims", {x}, {Ints{1}});
  const Program q = simplified(d.returning({d.op("broadcast_to", {column}, {Ints{4, 4}})}));
  CHECK(q.steps.size() == 2);
}

TEST(sums_see_the_memory_that_they_saw) {
  // A sum of a packed copy of a transposed array, which may round otherwise than that of the view.
  Draft d;
  const ValueId x = d.input({3, 5});
  const ValueId packed = d.op("positive", {d.op("transpose", {x}, {Attr{}})});
  const ValueId read = d.op("exp", {d.op("positive", {d.op("transpose", {x}, {Attr{}})})});
  const Program p = d.returning({d.op("sum", {packed}, {Ints{0}, false}), read});
  const Program q = simplified(p);
  CHECK(count_op(p, "positive") == 2);
  CHECK(count_op(q, "positive") == 1);
}

TEST(a_sum_of_single_elements_is_a_reshape) {
  Draft d;
  const ValueId x = d.input({1, 3, 1});
  const ValueId a = d.op("sum", {x}, {Ints{0, 2}, false});
  const ValueId b = d.op("sum_to_shape", {x}, {Ints{3, 1}});
  const ValueId c = d.op("sum", {x}, {Attr{}, false});
  const Program q = simplified(d.returning({a, b, c}));
  CHECK(count_op(q, "sum") == 1);
  CHECK(count_op(q, "sum_to_shape") == 0);
}

TEST(derivatives_are_held_back_where_they_were) {
  Draft d;
  const ValueId x = d.input({3});
  const ValueId held = d.op("reshape", {x}, {Ints{3, 1}}, true);
  const Program p = d.returning({d.op("reshape", {held}, {Ints{3}})});
  CHECK(simplified(p).steps.size() == 2);
}

TEST(empty_arrays_pass) {
  Draft d;
  const ValueId x = d.input({0, 3});
  ValueId y = d.op("reshape", {d.op("reshape", {x}, {Ints{3, 0}})}, {Ints{0}});
  y = d.op("sum_to_shape", {d.op("broadcast_to", {y}, {Ints{2, 0}})}, {Ints{0}});
  simplified(d.returning({y, d.op("sum", {x}, {Ints{0}, false})}));
}

TEST(pieces_without_elements_are_not_joined) {
  Draft d;
  const ValueId x = d.input({3}), y = d.input({2}), none = d.input({0}), m = d.input({2, 3}),
                empty = d.input({2, 0});
  const Program p = d.returning({d.op("concatenate", {none, x, none}, {int64_t{0}}),
                                 d.op("concatenate", {none, x, y}, {int64_t{0}}),
                                 d.op("concatenate", {none, none}, {int64_t{0}}),
                                 d.op("exp", {d.op("concatenate", {m, empty, m}, {int64_t{1}})})});
  const Program q = simplified(p);
  CHECK(q.outputs[0] == q.inputs[0]);
  for (const Program::Step& s : q.steps)
    if (s.op == op_named("concatenate").id) CHECK(s.n_in == 2);
}

TEST(parts_of_parts_are_parts) {
  Draft d;
  const ValueId x = d.input({6, 5, 4});
  const ValueId row =
      d.op("slice", {x}, {Ints{0, 2, 0, 0, 1, 4, -1, 5, 1, 0, 1, 4}});  // x[2, ::-1]
  const ValueId number = d.op("slice", {row}, {Ints{0, 1, 0, 0, 0, 3, 0, 0}});
  const ValueId some = d.op("slice", {row}, {Ints{1, 3, -2, 2, 2, 0, 0, 0, 0, 1, 0, 0}});
  const ValueId tall = d.op("slice", {x}, {Ints{1, 1, 2, 2, 2, 0, 0, 0, 0, 4, 0, 0, 1, 0, 1, 4}});
  const ValueId one = d.op("slice", {tall}, {Ints{2, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 2, 0, 0}});
  const Program q = simplified(d.returning({number, some, one}));
  CHECK(q.steps.size() == 3);
  for (const Program::Step& s : q.steps) CHECK(q.in(s)[0] == q.inputs[0]);
}
