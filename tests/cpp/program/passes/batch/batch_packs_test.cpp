#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::pack_results;

namespace {

// Products of small matrices, a step that stays what it is, and more products that read both what
// it gives and what came before.
Program two_kernels(int64_t matrices, bool shows_one) {
  Draft d;
  const ValueId a = d.input({matrices, 3, 3}), long_one = d.input({200});
  std::vector<ValueId> made;
  ValueId total = d.constant(0.0);
  for (int64_t k = 0; k < matrices; ++k) {
    const ValueId m = d.op("slice", {a}, {Ints{0, k, 0, 0, 1, 0, 1, 3, 1, 0, 1, 3}});
    const ValueId square = d.op("matmul", {m, m});
    made.push_back(k % 2 ? square : d.op("sum", {square}, {Attr{}, false}));
    total = d.op("add", {total, d.op("sum", {square}, {Attr{}, false})});
  }
  const ValueId between =
      d.op("cumsum", {d.op("multiply", {long_one, total})}, {int64_t{0}, false});
  const ValueId number = d.op("slice", {between}, {Ints{0, 150, 0, 0}});
  ValueId y = number;
  for (ValueId v : made) {
    const ValueId scaled = d.op("multiply", {v, number});
    const bool is_number = d.writer().program().type_of(v).shape.empty();
    const ValueId part = is_number ? scaled : d.op("matmul", {scaled, v});
    y = d.op("add", {y, is_number ? part : d.op("sum", {part}, {Attr{}, false})});
  }
  if (shows_one) d.writer().output(made[1]);
  return tapegrad::drop_dead(tapegrad::fuse(tapegrad::expand(d.returning({y, total}))));
}

size_t most_results(const Program& p) {
  size_t most = 0;
  for (const Program::Step& s : p.steps) most = std::max<size_t>(most, s.n_out);
  return most;
}

}  // namespace

TEST(what_one_kernel_reads_of_another_is_one_array) {
  for (const bool shows_one : {false, true}) {
    const Program p = two_kernels(24, shows_one);
    const Program q = pack_results(p);
    CHECK(most_results(p) >= 20);
    CHECK(most_results(q) <= 4);
    CHECK(q.steps.size() == p.steps.size());
    check_same(p, q, true, true);
  }
}

// A reader of one array of many, which then has as many inputs as before.
TEST(a_kernel_that_reads_one_of_them_reads_it_where_it_stands) {
  Draft d;
  const ValueId a = d.input({12, 3, 3}), long_one = d.input({200});
  std::vector<ValueId> made;
  ValueId row = long_one;
  for (int64_t k = 0; k < 12; ++k) {
    const ValueId m = d.op("slice", {a}, {Ints{0, k, 0, 0, 1, 0, 1, 3, 1, 0, 1, 3}});
    made.push_back(d.op("matmul", {m, m}));
  }
  for (ValueId v : made) {
    row = d.op("cumsum", {row}, {int64_t{0}, false});
    const ValueId scaled = d.op("multiply", {v, d.op("slice", {row}, {Ints{0, 3, 0, 0}})});
    const ValueId number = d.op("sum", {d.op("matmul", {scaled, scaled})}, {Attr{}, false});
    row = d.op("multiply", {row, d.op("tanh", {number})});
  }
  const Program p =
      tapegrad::drop_dead(tapegrad::fuse(tapegrad::expand(d.returning({row, made[0]}))));
  const Program q = pack_results(p);
  CHECK(most_results(p) == 13 && most_results(q) == 3);
  check_same(p, q, true, true);
}

TEST(few_results_stay_values) {
  const Program p = two_kernels(4, false);
  check_text(pack_results(p), to_string(p));
}

TEST(programs_that_are_optimised_pack_and_keep_their_bits) {
  const Program p = two_kernels(24, true);
  check_same(p, tapegrad::optimise(p, {}), true, true);
}
