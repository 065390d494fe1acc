#include "tapegrad/program/run/tiles.h"

#include "program/programs.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::Tiles;

namespace {

std::vector<const Tiles*> tiles_of(const Program& p) {
  std::vector<const Tiles*> found;
  for (const Program::Step& s : p.steps)
    if (s.kernel >= 0)
      if (const auto* t =
              dynamic_cast<const Tiles*>(p.kernels[static_cast<size_t>(s.kernel)].get()))
        found.push_back(t);
  return found;
}

// Tiles do what the program does, to rounding, and on any number of threads the same.
Program check_tiles(const Program& p, bool always = true, double tolerance = 1e-12) {
  Program q = tapegrad::tile(p, always);
  tapegrad::check_program(q);
  std::mt19937_64 random(3);
  const std::vector<Value> in = random_inputs(p, random, false);
  const std::vector<Value> expected = run(p, in, {}, true);
  std::vector<Value> first;
  for (int threads : {1, 2, 3}) {
    tapegrad::set_num_threads(threads);
    const std::vector<Value> got = run(q, in, {}, true);
    for (size_t k = 0; k < got.size(); ++k) {
      CHECK(type_of(got[k]) == type_of(expected[k]));
      CHECK(distance(got[k], expected[k]) < tolerance);
      if (!first.empty()) CHECK(same_numbers(got[k], first[k]));
    }
    first = got;
  }
  tapegrad::set_num_threads(0);
  return q;
}

size_t count_tiles(const Program& p, double tolerance = 1e-12) {
  return tiles_of(check_tiles(p, true, tolerance)).size();
}

const Attrs all{Attr{}, false};

// Two layers: what they make, the sum of its squares, and the second layer's slope.
Program layers(int64_t n, int64_t wide, DType dtype = DType::float64) {
  Draft d;
  const ValueId x = d.input({dtype, Dims{n, wide}});
  const ValueId w = d.input({dtype, Dims{wide, wide}}), u = d.input({dtype, Dims{wide, wide}});
  const ValueId h = d.op("tanh", {d.op("matmul", {x, w})});
  const ValueId y = d.op("tanh", {d.op("matmul", {h, u})});
  const ValueId loss = d.op("sum", {d.op("square", {y})}, all);
  const ValueId slope = d.op("matmul", {d.op("transpose", {h}, {Ints{1, 0}}), y});
  return d.returning({y, loss, slope});
}

// Matrices for K components of n points, weighted by what all of them say, as in a mixture.
Program mixture(int64_t components, int64_t n, int64_t wide) {
  Draft d;
  const ValueId x = d.input({n, wide}), centers = d.input({components, 1, wide});
  const ValueId factors = d.input({components, wide, wide});
  const ValueId apart = d.op("subtract", {x, centers});
  const ValueId y = d.op("matmul", {apart, factors});
  const ValueId terms = d.op("sum", {d.op("square", {y})}, {Ints{2}, false});
  const ValueId e =
      d.op("exp", {d.op("subtract", {terms, d.op("max", {terms}, {Ints{0}, false})})});
  const ValueId shares = d.op("divide", {e, d.op("sum", {e}, {Ints{0}, false})});
  const ValueId weighted = d.op("multiply", {y, d.op("expand_dims", {shares}, {Ints{-1}})});
  const ValueId turned = d.op("transpose", {apart}, {Ints{0, 2, 1}});
  return d.returning({d.op("matmul", {turned, weighted}), shares});
}

}  // namespace

TEST(results_of_tiles_are_put_together_or_added) {
  const Program q = check_tiles(layers(31, 4));
  check_text(q,
             "program(in0: float64(31, 4), in1: float64(4, 4), in2: float64(4, 4))\n"
             "  %3: float64(31, 4), %4: float64(), %5: float64(4, 4) = tiles of 10 of 31, 6 steps "
             "(in0, in1, in2)\n"
             "  return %3, %4, %5");
  CHECK(tiles_of(q)[0]->count() == 4);
  CHECK(tiles_of(q)[0]->form().last.steps.size() == 6);
  CHECK(count_tiles(layers(30, 4)) == 1);  // no shorter tile at the end
  CHECK(count_tiles(layers(5, 4)) == 1);
  CHECK(count_tiles(layers(97, 5, DType::float32), 1e-4) == 1);
}

TEST(large_arrays_are_worked_on_in_tiles) {
  const Program p = layers(20011, 48);
  const Program q = check_tiles(p, false, 1e-9);
  CHECK(tiles_of(q).size() == 1);
  CHECK(tiles_of(q)[0]->count() > 8);
  CHECK(tiles_of(check_tiles(layers(30011, 40, DType::float32), false, 1e-3)).size() == 1);
}

TEST(less_memory_is_needed) {
  const Program p = layers(20011, 48);
  const auto peak = [](const Program& q) {
    return tapegrad::peak_bytes(q, tapegrad::plan_in_order(q));
  };
  CHECK(2 * peak(tapegrad::tile(p)) < peak(tapegrad::fuse(p)));
}

TEST(sums_of_rows_beside_the_columns_of_a_square) {
  Draft d;
  const ValueId x = d.input({6, 6}), e = d.op("exp", {x});
  const ValueId rows = d.op("sum", {e}, {Ints{1}, false});
  check_tiles(d.returning({d.op("tanh", {d.op("add", {rows, e})}), d.op("add", {rows, rows})}));
}

TEST(small_arrays_and_single_steps_are_left_alone) {
  CHECK(tiles_of(tapegrad::tile(layers(4000, 16))).empty());
  Draft one;
  const ValueId x = one.input({20011, 48}), w = one.input({48, 48});
  CHECK(tiles_of(tapegrad::tile(one.returning({one.op("matmul", {x, w})}))).empty());
  Draft chain;  // one kernel, which needs no tiles
  const ValueId y = chain.input({20011, 48});
  const ValueId z = chain.op("exp", {chain.op("sin", {chain.op("tanh", {y})})});
  CHECK(tiles_of(tapegrad::tile(chain.returning({z}))).empty());
}

TEST(a_stack_of_products_is_cut_between_them) {
  // What is wanted of all components ends a region; the next makes `apart` again.
  const Program p = mixture(9, 500, 160);
  const Program q = check_tiles(p, false, 1e-9);
  const std::vector<const Tiles*> found = tiles_of(q);
  CHECK(found.size() == 2);
  for (const Tiles* t : found) CHECK(t->form().n == 9);
  CHECK(count_op(q, "subtract") + count_op(q, "transpose") == 1);
  CHECK(count_tiles(mixture(5, 11, 3), 1e-10) > 0);
}

TEST(points_are_cut_where_the_sums_are_small) {
  const Program q = check_tiles(mixture(9, 6007, 24), false, 1e-9);
  CHECK(tiles_of(q).size() == 1);
  CHECK(tiles_of(q)[0]->form().n == 6007);
}

TEST(regions_end_where_all_positions_meet) {
  Draft d;
  const ValueId x = d.input({23, 4}), w = d.input({4, 4});
  const ValueId y = d.op("tanh", {d.op("matmul", {x, w})});
  const ValueId mean = d.op("mean", {y}, {Ints{0}, false});
  const ValueId z = d.op("matmul", {d.op("subtract", {y, mean}), w});
  const Program p = d.returning({d.op("sum", {d.op("square", {z})}, {Ints{0}, false})});
  CHECK(count_tiles(p) == 2);
}

TEST(axes_move_and_arrays_are_views) {
  Draft d;
  const ValueId x = d.input({3, 17, 4}), w = d.input({3, 4, 5});
  const ValueId y = d.op("matmul", {x, w});
  const ValueId turned = d.op("transpose", {y}, {Ints{1, 2, 0}});
  const ValueId flat = d.op("reshape", {turned}, {Ints{17, 15}});
  const ValueId part = d.op("slice", {flat}, {Ints{1, 0, 1, 17, 1, 2, 3, 4}});
  const ValueId back = d.op("transpose", {d.op("exp", {part})}, {Ints{1, 0}});
  const ValueId positive = d.op("greater", {flat, d.constant(0.0)});
  CHECK(count_tiles(d.returning({back, positive, d.op("sum", {turned}, {Ints{0}, true})})) > 0);
}

TEST(a_row_for_all_positions_is_not_cut) {
  // Its length is that of the axis.
  Draft d;
  const ValueId x = d.input({6, 12}), row = d.input({6}), w = d.input({12, 5});
  const ValueId y = d.op("slice_set", {d.op("tanh", {x}), row}, {Ints{1, 0, 1, 6, 1, 0, 1, 6}});
  const ValueId z = d.op("square", {d.op("tanh", {d.op("matmul", {y, w})})});
  const ValueId column = d.op("expand_dims", {row}, {Ints{-1}});
  const ValueId set = d.op("slice_set", {z, column}, {Ints{1, 0, 1, 6, 1, 0, 1, 3}});
  const Program q = check_tiles(d.returning({set}));
  CHECK(count_op(q, "slice_set") == 1 && tiles_of(q).size() == 1);
}

TEST(guards_are_tested_before_what_follows_them) {
  Draft d;
  const ValueId x = d.input({40, 4}), w = d.input({4, 4});
  const ValueId y = d.op("tanh", {d.op("matmul", {x, w})});
  const ValueId loss = d.op("sum", {d.op("square", {d.op("matmul", {y, w})})}, all);
  const ValueId small = d.op("less", {loss, d.constant(1e9)});
  d.guard(small, Value::integer_scalar(1, DType::bool_));
  const ValueId solved = d.op("inv", {w});
  const ValueId z = d.op("tanh", {d.op("matmul", {y, solved})});
  const Program p = d.returning({d.op("sum", {d.op("square", {z})}, all), y});
  const Program q = tapegrad::tile(p, true);
  // Everything that was behind the guard is behind it still.
  uint32_t guarded = q.values[q.guards[0].value].index;
  for (uint32_t i = 0; i < q.steps.size(); ++i)
    if (q.steps[i].kernel < 0 && q.steps[i].op == op_named("inv").id) CHECK(i > guarded);
}
