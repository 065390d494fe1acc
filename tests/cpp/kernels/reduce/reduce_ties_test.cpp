#include "tapegrad/kernels/reduce/reduce_ties.h"

#include <cmath>

#include "check.h"
#include "kernels/array_cases.h"
#include "tapegrad/kernels/reduce/reduce_axis.h"

using namespace tapegrad;
using namespace cases;

TEST(ties_share_equally) {
  const double items[] = {1, 7, 7, 2, 7, 0, 3, 3, std::nan("")};
  const Value v = Value::from(items, Dims{3, 3});
  const Value rows = share_ties(v, fold_axes(Fold::max, v, {0, 1}), {0, 1});
  const double expected[] = {0, 0.5, 0.5, 0, 1, 0, 0, 0, 1};
  for (int64_t i = 0; i < 9; ++i) CHECK(rows.at(i) == expected[i]);
  const Value columns = share_ties(v, fold_axes(Fold::min, v, {1, 0}), {1, 0});
  const double lowest[] = {1, 0, 0, 0, 0, 0, 0, 1, 1};
  for (int64_t i = 0; i < 9; ++i) CHECK(columns.at(i) == lowest[i]);
  const Value same = Value::full(DType::float32, Dims{4, 5}, 2);
  CHECK(share_ties(same, Value::scalar(2, DType::float32), {1, 1}).at(13) ==
        static_cast<double>(0.05f));
  CHECK(share_ties(Value::scalar(3), Value::scalar(3), {}).at(0) == 1);
  const Value wide = laid_out({300, 200}, 1);
  const Value top = fold_axes(Fold::max, wide, {1, 0});
  CHECK(same_for_any_threads([&] { return share_ties(wide, top, {1, 0}); }));
}
