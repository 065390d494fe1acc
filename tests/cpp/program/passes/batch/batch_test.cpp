#include <algorithm>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::batch;

namespace {

constexpr int64_t n = 6000;

// Kernels over n points do what the program does, to rounding; how many instructions they have.
std::vector<size_t> kernels_of(const Program& p, double tolerance = 1e-12) {
  const Program q = batch(p);
  tapegrad::check_program(q);
  std::mt19937_64 random(3);
  const std::vector<Value> in = random_inputs(p, random, false);
  const std::vector<Value> expected = run(p, in, {}, true), got = run(q, in, {}, true);
  for (size_t k = 0; k < got.size(); ++k) {
    CHECK(type_of(got[k]) == type_of(expected[k]));
    CHECK(distance(got[k], expected[k]) < tolerance);
  }
  std::vector<size_t> sizes;
  for (const auto& k : q.kernels) {
    CHECK(fused(*k).space == Dims{n});
    sizes.push_back(fused(*k).lanes.kernel().code.size());
  }
  return sizes;
}

std::string text_of(const Program& p) { return to_string(batch(p)); }

const Attrs all{Attr{}, false};

}  // namespace

TEST(products_and_sums_of_points_are_one_kernel) {
  Draft d;
  const ValueId x = d.input({n, 6}), w = d.input({6, 4}), y = d.input({n, 4});
  const ValueId e = d.op("subtract", {d.op("matmul", {x, w}), y});
  const ValueId loss = d.op("sum", {d.op("sum", {d.op("square", {e})}, {Ints{1}, false})}, all);
  const ValueId slope = d.op(
      "matmul", {d.op("transpose", {x}, {Ints{1, 0}}), d.op("multiply", {d.constant(2.0), e})});
  const Program p = d.returning({loss, slope});
  check_text(batch(p),
             "program(in0: float64(6000, 6), in1: float64(6, 4), in2: float64(6000, 4))\n"
             "  %3: float64(), %4: float64(6, 4) = kernel of 83 over (6000,) (in0, in1, in2)\n"
             "  return %3, %4");
  CHECK(kernels_of(p, 1e-10).size() == 1);
}

TEST(values_of_each_point_go_where_they_belong) {
  Draft d;
  const ValueId x = d.input({4, n, 8}), w = d.input({4, 8, 5});
  const ValueId y = d.op("matmul", {x, w});
  const ValueId top = d.op("max", {y}, {Ints{0, 2}, true});
  const ValueId e = d.op("exp", {d.op("subtract", {y, top})});
  const ValueId total = d.op("sum", {e}, {Ints{0, 2}, true});
  const ValueId share = d.op("divide", {e, total});
  const ValueId mask = d.op("greater", {total, d.constant(6.0)});
  const ValueId turned = d.op("transpose", {share}, {Ints{2, 0, 1}});
  CHECK(kernels_of(d.returning({mask, turned, total})).size() == 1);
}

TEST(what_moves_elements_costs_nothing) {
  Draft d;
  const ValueId x = d.input({n, 2, 3}), w = d.input({6, 6});
  const ValueId flat = d.op("reshape", {x}, {Ints{n, 6}});
  const ValueId y = d.op("matmul", {flat, w});
  const ValueId back = d.op("reshape", {y}, {Ints{n, 3, 2}});
  const ValueId part = d.op("slice", {back}, {Ints{1, 0, 1, n, 1, 2, -1, 3, 0, 1, 0, 0}});
  const ValueId joined = d.op("concatenate", {part, flat}, {int64_t{1}});
  const ValueId sum = d.op("sum", {d.op("square", {joined})}, {Ints{-1}, false});
  const Program p = d.returning({d.op("sum", {d.op("log", {sum})}, all)});
  CHECK(kernels_of(p, 1e-9).size() == 1);
}

TEST(a_sum_over_all_points_ends_a_kernel) {
  Draft d;
  const ValueId x = d.input({n, 5}), w = d.input({5, 5});
  const ValueId y = d.op("square", {d.op("matmul", {x, w})});
  const ValueId total = d.op("sum", {y}, {Ints{0}, false});
  const ValueId share = d.op("divide", {y, total});
  const ValueId z = d.op("matmul", {share, w});
  const ValueId norm = d.op("sum", {d.op("square", {z})}, {Ints{1}, false});
  const Program p = d.returning({d.op("sum", {d.op("sqrt", {norm})}, all)});
  CHECK(kernels_of(p).size() == 2);
}

TEST(sums_are_moved_before_they_are_written) {
  // Of the 81 products for each point, nine are wanted, added to what was there.
  Draft d;
  const ValueId x = d.input({n, 9}), base = d.input({9});
  const ValueId g = d.op("matmul", {d.op("transpose", {x}, {Ints{1, 0}}), d.op("exp", {x})});
  const ValueId row = d.op("slice", {g}, {Ints{0, 1, 0, 0, 1, 0, 1, 9}});
  const ValueId norm = d.op("sum", {d.op("square", {x})}, {Ints{1}, false});
  const Program p = d.returning({d.op("slice_add", {base, row}, {Ints{1, 0, 1, 9}}),
                                 d.op("sum", {d.op("log", {norm})}, all)});
  const std::vector<size_t> sizes = kernels_of(p, 1e-9);
  CHECK(sizes.size() == 1 && sizes[0] == 9 + 9 + 9 + 8 + 1);
}

TEST(constants_that_are_zero_are_seen_through_what_moves_them) {
  Draft d;
  const ValueId x = d.input({n, 2}), w = d.input({2});
  const ValueId zero = d.constant(Value::zeros(DType::float64, Dims{1}));
  const ValueId padded = d.op("concatenate", {w, zero}, {int64_t{0}});
  const ValueId two = d.op("slice", {padded}, {Ints{1, 1, 1, 2}});  // w[1], 0
  const ValueId y = d.op("matmul", {x, two});
  const ValueId z = d.op("matmul", {d.op("exp", {x}), w});
  const Program p =
      d.returning({d.op("sum", {d.op("multiply", {d.op("sin", {y}), d.op("cos", {z})})}, all), z});
  const Program q = batch(p);
  for (const auto& k : q.kernels)
    CHECK(std::count(fused(*k).lanes.kernel().constants.begin(),
                     fused(*k).lanes.kernel().constants.end(), 0.0) == 1);
}

TEST(the_sum_of_a_products_rows_is_a_row) {
  Draft d;
  const ValueId x = d.input({2, n, 40}), w = d.input({2, 40, 50});
  const ValueId y = d.op("negative", {d.op("matmul", {x, w})});
  const Program p = d.returning({d.op("sum_to_shape", {y}, {Ints{2, 1, 50}}),
                                 d.op("sum", {d.op("matmul", {x, w})}, {Ints{1}, false})});
  CHECK(text_of(p) ==
        "program(in0: float64(2, 6000, 40), in1: float64(2, 40, 50))\n"
        "  %2: float64(2, 1, 40) = sum_to_shape(in0) {shape=(2, 1, 40)}\n"
        "  %3: float64(2, 1, 50) = matmul(%2, in1)\n"
        "  %4: float64(2, 1, 50) = negative(%3)\n"
        "  %5: float64(2, 1, 50) = reshape(%4) {shape=(2, 1, 50)}\n"
        "  %6: float64(2, 1, 40) = sum_to_shape(in0) {shape=(2, 1, 40)}\n"
        "  %7: float64(2, 1, 50) = matmul(%6, in1)\n"
        "  %8: float64(2, 50) = reshape(%7) {shape=(2, 50)}\n"
        "  return %5, %8");
  CHECK(kernels_of(p, 1e-8).empty());
}

TEST(what_is_fast_as_arrays_stays) {
  const auto stays = [](const Program& p) { CHECK(text_of(p) == to_string(p)); };
  {
    Draft d;  // large products
    const ValueId x = d.input({n, 64}), w = d.input({64, 64});
    stays(d.returning({d.op("sum", {d.op("tanh", {d.op("matmul", {x, w})})}, all)}));
  }
  {
    Draft d;  // a few points
    const ValueId x = d.input({100, 4}), w = d.input({4, 4});
    stays(d.returning({d.op("sum", {d.op("square", {d.op("matmul", {x, w})})}, all)}));
  }
  {
    Draft d;  // elementwise alone
    const ValueId x = d.input({n, 4}), w = d.input({4});
    stays(d.returning({d.op("sum", {d.op("exp", {d.op("multiply", {x, w})})}, all)}));
  }
  {
    Draft d;  // along the axis
    const ValueId x = d.input({n, 3});
    const ValueId y = d.op("cumsum", {x}, {int64_t{0}, false});
    stays(d.returning({d.op("flip", {y}, {Ints{0}})}));
  }
}

TEST(lanes_that_do_not_line_up_stay_apart) {
  Draft d;
  const ValueId x = d.input({n, 3}), y = d.input({n, 3});
  const ValueId a = d.op("einsum", {x, y}, {std::string("ni,mi->i")});  // every pair of points
  const ValueId b = d.op("einsum", {x, y}, {std::string("ni,nj->ij")});
  const ValueId c = d.op("sum", {d.op("square", {x})}, {Ints{1}, false});
  const ValueId t = d.op("sum", {d.op("log", {c})}, all);
  kernels_of(d.returning({a, b, t}), 1e-8);
}

TEST(a_short_axis_that_many_small_steps_share) {
  constexpr int64_t seeds = 26;
  Draft d;
  const ValueId x = d.input({seeds, 4, 4}), y = d.input({9, 4, 4});
  ValueId v = x;
  std::vector<ValueId> parts;
  for (int64_t k = 0; k < 9; ++k) {
    const ValueId m = d.op("slice", {y}, {Ints{0, k, 0, 0, 1, 0, 1, 4, 1, 0, 1, 4}});
    v = d.op("add", {d.op("matmul", {v, m}), d.op("matmul", {m, x})});
    parts.push_back(v);
  }
  const Program p =
      d.returning({d.op("multiply", {v, parts[3]}), d.op("sum", {v}, {Ints{1}, false})});
  const Program q = batch(p);
  CHECK(count_op(q, "matmul") == 0 && count_kernels(q) == 1);
  tapegrad::check_program(q);
  std::mt19937_64 random(3);
  const std::vector<Value> in = random_inputs(p, random, false);
  const std::vector<Value> expected = run(p, in, {}, true), got = run(q, in, {}, true);
  for (size_t k = 0; k < got.size(); ++k) CHECK(distance(got[k], expected[k]) < 1e-12);
}

TEST(two_axes_one_after_the_other) {
  Draft d;
  const ValueId x = d.input({n, 6}), w = d.input({6, 4}), y = d.input({n, 4});
  const ValueId seeds = d.input({26, 4, 4});
  const ValueId e = d.op("subtract", {d.op("matmul", {x, w}), y});
  const ValueId loss = d.op("sum", {d.op("sum", {d.op("square", {e})}, {Ints{1}, false})}, all);
  const ValueId slope = d.op("matmul", {d.op("transpose", {x}, {Ints{1, 0}}), e});
  ValueId v = seeds;
  for (int k = 0; k < 40; ++k) v = d.op("matmul", {v, seeds});
  const Program q = batch(d.returning({loss, slope, v}));
  std::vector<Dims> spaces;
  for (const auto& k : q.kernels) spaces.push_back(fused(*k).space);
  CHECK(std::count(spaces.begin(), spaces.end(), Dims{n}) == 1);
  CHECK(std::count(spaces.begin(), spaces.end(), Dims{26}) == 1);
  CHECK(count_op(q, "matmul") == 0);
}
