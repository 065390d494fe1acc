#include "tapegrad/ops/foreign/foreign.h"

#include "check.h"
#include "ops/foreign_cases.h"
#include "ops/run_op.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;
using namespace cases;

TEST(a_loop_runs_over_broadcast_operands_of_any_layout) {
  register_all_ops();
  const Value rows = counting({3, 2}), column = counting({3, 1});
  CHECK(equals(run_op_many("foreign", {rows, column}, product_attrs())[0], {0, 0, 2, 3, 8, 10},
               {3, 2}));
  const Value turned = rows.view(Dims{2, 3}, Dims{1, 2}, 0);
  CHECK(equals(run_op_many("foreign", {turned, Value(2.0)}, product_attrs())[0],
               {0, 4, 8, 2, 6, 10}, {2, 3}));
  CHECK(run_op_many("foreign", {Value(3.0), Value(2.0)}, product_attrs())[0].as_double() == 6);
  CHECK(run_op_many("foreign", {counting({0, 2}), column.view(Dims{1}, Dims{1}, 0)},
                    product_attrs())[0]
            .size() == 0);
}

TEST(without_a_loop_over_float32_there_are_results_of_float64) {
  register_all_ops();
  const Value single = counting({4}).cast(DType::float32);
  CHECK(run_op_many("foreign", {single, single}, product_attrs())[0].dtype() == DType::float64);
}

TEST(operands_are_counted) {
  register_all_ops();
  CHECK_THROWS(TypeError, run_op_many("foreign", {Value(1.0)}, product_attrs()));
}

TEST(the_host_is_told_before_and_after) {
  register_all_ops();
  static int64_t seen = 0;
  static int ended = 0;
  const ForeignHost before = foreign_host;
  foreign_host = {[](int64_t n) -> void* {
                    seen = n;
                    return &seen;
                  },
                  [](void* state) { ended += state == &seen; }};
  run_op_many("foreign", {counting({5}), Value(2.0)}, product_attrs());
  foreign_host = before;
  CHECK(seen == 5 && ended == 1);
}
