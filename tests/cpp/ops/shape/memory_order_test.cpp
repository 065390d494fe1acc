#include "tapegrad/ops/shape/memory_order.h"

#include <vector>

#include "check.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/tape.h"

using namespace tapegrad;

namespace {

// A recorded array whose elements are in C order.
Ref recorded(const Dims& shape) {
  register_all_ops();
  Tape& tape = Tape::current();
  return Ref::adopt(&tape, tape.argument(0, Value::full(DType::float64, shape, 2.0)));
}

Ref transposed(const Ref& a) { return transpose(a, Axes{1, 0}); }

}  // namespace

TEST(results_of_elementwise_functions_lie_as_their_inputs) {
  const Ref a = recorded({3, 4});
  const Ref t = transposed(a);
  CHECK(numpy_strides(a) == (Dims{4, 1}));
  CHECK(numpy_strides(t) == (Dims{1, 4}));
  CHECK(numpy_strides(negative(t)) == (Dims{1, 4}));
  CHECK(numpy_strides(multiply(t, negative(t))) == (Dims{1, 4}));
  CHECK(numpy_strides(multiply(t, Ref(2.0))) == (Dims{1, 4}));
  // The core's own lies in C order.
  CHECK(negative(t).value().strides() == (Dims{3, 1}));
}

TEST(c_order_decides_where_inputs_disagree) {
  const Ref t = transposed(recorded({3, 4}));
  CHECK(numpy_strides(add(t, recorded({4, 3}))) == (Dims{3, 1}));
  // A row that repeats says nothing of the axis along which it does.
  CHECK(numpy_strides(add(t, recorded({3}))) == (Dims{1, 4}));
}

TEST(parts_of_results_have_strides_of_the_whole) {
  const Ref whole = negative(transposed(recorded({3, 4})));  // (4, 3), strides (1, 4)
  CHECK(numpy_strides(slice(whole, IndexSpec().range(1, 2, 2).whole(3))) == (Dims{2, 4}));
  CHECK(numpy_strides(slice(whole, IndexSpec().at(1).whole(3))) == (Dims{4}));
  CHECK(numpy_strides(transposed(whole)) == (Dims{4, 1}));
}

TEST(arrays_lie_where_they_lay_before_parts_were_written) {
  Ref whole = negative(transposed(recorded({3, 4})));  // (4, 3), strides (1, 4)
  for (int i = 0; i < 200; ++i)
    whole = slice_set(whole, IndexSpec().at(i % 4).whole(3), recorded({3}));
  CHECK(numpy_strides(whole) == (Dims{1, 4}) && !plainly_in_c_order(whole));
  const Ref at(Value::integer_scalar(-1));
  const Ref picked = gather_add(whole, IndexSpec().array().whole(3), recorded({3}), {&at, 1});
  CHECK(numpy_strides(negative(picked)) == (Dims{1, 4}));
}

TEST(reductions_joins_and_index_arrays) {
  const Ref cube = recorded({2, 3, 4});
  const Ref moved = transpose(cube, Axes{2, 0, 1});  // (4, 2, 3), strides (1, 12, 4)
  CHECK(numpy_strides(sum(moved, {1})) == (Dims{1, 4}));
  CHECK(numpy_strides(sum(moved, {0})) == (Dims{3, 1}));
  const Ref t = transposed(recorded({3, 4}));
  CHECK(numpy_strides(concatenate(std::vector<Ref>{t, t}, 0)) == (Dims{1, 8}));
  const Ref at(Value::from_int64(std::vector<int64_t>{1, 0}, Dims{2}));
  IndexSpec columns = IndexSpec().whole(3).array();
  columns.position = 1;
  const Ref picked = gather(recorded({3, 4}), columns, {&at, 1});
  CHECK(picked.shape() == (Dims{3, 2}) && numpy_strides(picked) == (Dims{1, 3}));
}

TEST(reshaped_arrays_are_views_where_strides_allow_it) {
  const Attrs flat{std::vector<int64_t>{-1}};
  register_all_ops();
  const Op& op = *find_op("reshape");
  Dims found;
  CHECK(strides_of_view(op, flat, {3, 4}, {4, 1}, {12}, found) && found == (Dims{1}));
  CHECK(!strides_of_view(op, flat, {3, 4}, {1, 3}, {12}, found));
  CHECK(strides_of_view(op, flat, {3, 1}, {2, 1}, {3}, found) && found == (Dims{2}));
  CHECK(strides_of_view(op, flat, {0, 4}, {7, 1}, {0}, found));
}

TEST(c_order_leaves_axes_of_length_one_out) {
  CHECK(is_c_order({3, 1, 4}, {4, 77, 1}));
  CHECK(!is_c_order({3, 4}, {1, 3}));
  CHECK(is_c_order({}, {}) && is_c_order({0, 3}, {1, 1}));
}
