#include "tapegrad/kernels/reduce/reduce_plan.h"

#include "check.h"
#include "kernels/array_cases.h"
#include "tapegrad/rows/reduce_loops.h"

using namespace tapegrad;
using namespace cases;

namespace {

ReductionPlan<double> plan_of(const Value& v, const Dims& reduced) {
  return plan_reduction<double>(v, reduced);
}

}  // namespace

TEST(rows_where_the_reduced_axis_is_the_densest) {
  const auto g = plan_of(random_array({5, 7, 30}), {0, 0, 1});
  CHECK(!g.by_columns && g.n == 30 && g.step == 1 && g.red.empty());
  CHECK(g.kept == Dims{35} && g.kept_in == Dims{30} && g.kept_out == Dims{1});
  CHECK(g.tasks == 35 && g.chunks == 1 && g.chunk == fold_chunk);
}

TEST(columns_where_a_kept_axis_is_denser) {
  const auto g = plan_of(random_array({130, 600}), {1, 0});
  CHECK(g.by_columns && g.n == 130 && g.step == 600);
  CHECK(g.columns == 600 && g.column_step == 1 && g.column_out == 1 && g.kept.empty());
  CHECK(g.blocks == 2 && g.width(0) == column_width && g.width(1) == 600 - column_width);
  CHECK(g.chunks == 3 && g.tasks == 2);  // 64, 64 and 2 rows
  // An axis of length 1 is none to go along.
  CHECK(!plan_of(random_array({1, 600}), {1, 0}).by_columns);
}

TEST(neighbours_merge_and_others_are_walked) {
  const Value v = random_array({4, 5, 6, 7});
  const auto inner = plan_of(v, {0, 0, 1, 1});
  CHECK(inner.n == 42 && inner.red.empty() && inner.kept == Dims{20});
  const auto apart = plan_of(v, {1, 0, 0, 1});
  CHECK(apart.n == 7 && apart.red == Dims{4} && apart.red_in == Dims{210});
  CHECK(apart.kept == Dims{30} && apart.kept_in == Dims{7} && apart.chunks == 4);
  const auto all = plan_of(v, {1, 1, 1, 1});
  CHECK(all.n == 840 && all.red.empty() && all.kept.empty() && all.tasks == 1);
}

// The order of the sum is that of the memory, whichever way the axes of the array run.
TEST(reduced_axes_are_walked_forwards) {
  const Value v = random_array({4, 6});
  const Value backwards = v.view(Dims{4, 6}, Dims{-6, -1}, 23);
  const auto g = plan_of(backwards, {1, 1});
  CHECK(g.data == v.data<double>() && g.n == 24 && g.step == 1);
  const auto rows = plan_of(backwards, {0, 1});
  CHECK(rows.data == v.data<double>() + 18 && rows.step == 1);
  CHECK(rows.kept_in == Dims{-6} && rows.kept_out == Dims{1});
  const auto transposed = plan_of(v.view(Dims{6, 4}, Dims{1, 6}, 0), {1, 1});
  CHECK(transposed.n == 24 && transposed.step == 1);
}

TEST(chunks_end_where_a_row_does) {
  for (const int64_t n : {fold_chunk - 1, fold_chunk, fold_chunk + 1, 3 * fold_chunk}) {
    const auto g = plan_of(random_array({2, n}), {0, 1});
    CHECK(g.parts == (n + fold_chunk - 1) / fold_chunk && g.chunks == g.parts && g.tasks == 2);
  }
  const Value wide = random_array({3, 2 * fold_chunk});
  const Value cut = wide.view(Dims{3, fold_chunk + 1}, wide.strides(), 0);
  const auto g = plan_of(cut, {1, 1});
  CHECK(g.parts == 2 && g.chunks == 6 && g.red == Dims{3});
}

TEST(repeated_elements_are_read_where_they_are) {
  const Value v = random_array({6});
  const auto g = plan_of(v.view(Dims{5, 6}, Dims{0, 1}, 0), {1, 0});
  CHECK(!g.by_columns && g.n == 5 && g.step == 0);
  CHECK(g.kept == Dims{6} && g.kept_in == Dims{1} && g.tasks == 6);
}
