#include "tapegrad/ops/index/index_spec.h"

#include "check.h"

namespace tapegrad {
namespace {

Dims gathered(const IndexSpec& spec, const Dims& shape, const std::vector<Dims>& arrays) {
  return result_shape(spec, shape, arrays);
}

}  // namespace

TEST(attributes_hold_the_whole_spec) {
  IndexSpec spec;
  spec.at(2).range(4, -2, 3).newaxis().array().flag(true);
  spec.position = 1;
  const IndexSpec back = IndexSpec::from(spec.attrs());
  CHECK(back.code == spec.code && back.position == 1);
  CHECK(!back.is_basic());
  CHECK(back.items().source_axes() == 3 && back.items().index_arrays() == 1);
  CHECK(IndexSpec().at(0).attrs().size() == 1);
}

TEST(basic_result_shapes) {
  CHECK(result_shape(IndexSpec(), Dims{}) == Dims{});
  CHECK(result_shape(IndexSpec().newaxis(), Dims{}) == Dims{1});
  CHECK(result_shape(IndexSpec().at(1).newaxis().range(4, -1, 5), Dims{2, 5}) == (Dims{1, 5}));
  CHECK(result_shape(IndexSpec().range(3, 1, 0), Dims{3}) == Dims{0});
  // Axes in front of the items are lanes.
  CHECK(result_shape(IndexSpec().at(1), Dims{7, 6, 3}) == (Dims{7, 6}));
}

TEST(along_and_entry_take_one_axis) {
  CHECK(result_shape(IndexSpec::along(Dims{4, 5, 6}, 1, 3, -1, 2), Dims{4, 5, 6}) ==
        (Dims{4, 2, 6}));
  CHECK(result_shape(IndexSpec::entry(Dims{4, 5, 6}, 1, 4), Dims{4, 5, 6}) == (Dims{4, 6}));
}

TEST(index_axes_stand_at_the_position) {
  IndexSpec spec;
  spec.whole(4).array().array().whole(7);
  spec.position = 1;
  CHECK(gathered(spec, {4, 5, 6, 7}, {{2, 1}, {3}}) == (Dims{4, 2, 3, 7}));
  spec.position = 0;
  CHECK(gathered(spec, {4, 5, 6, 7}, {{2, 1}, {3}}) == (Dims{2, 3, 4, 7}));
  CHECK(gathered(IndexSpec().flag(true).whole(3), Dims{3}, {}) == (Dims{1, 3}));
  CHECK(gathered(IndexSpec().flag(false).whole(3), Dims{3}, {}) == (Dims{0, 3}));
}

TEST(errors_speak_as_numpy_does) {
  CHECK_THROWS_SAYING(IndexError, "index 5 is out of bounds for axis 0 with size 5",
                      result_shape(IndexSpec().at(5), Dims{5}));
  CHECK_THROWS_SAYING(IndexError, "array is 1-dimensional, but 2 were indexed",
                      result_shape(IndexSpec().at(0).at(0), Dims{5}));
  CHECK_THROWS_SAYING(IndexError, "could not be broadcast together with shapes (2,) (3,)",
                      gathered(IndexSpec().array().array(), {5, 5}, {{2}, {3}}));
}

TEST(codes_that_leave_the_array_are_refused) {
  CHECK_THROWS(IndexError, result_shape(IndexSpec().range(0, 1, 6), Dims{5}));
  CHECK_THROWS(IndexError, result_shape(IndexSpec().range(2, -1, 4), Dims{5}));
  CHECK_THROWS(IndexError, result_shape(IndexSpec().range(0, INT64_MAX, 3), Dims{5}));
  CHECK_THROWS(IndexError, result_shape(IndexSpec().range(0, 1, -1), Dims{5}));
  CHECK_THROWS(ValueError, result_shape(IndexSpec{{0, 0, 0}}, Dims{5}));
  CHECK_THROWS(ValueError, result_shape(IndexSpec{{9, 0, 0, 0}}, Dims{5}));
  CHECK_THROWS(ValueError, gathered(IndexSpec().array(), Dims{5}, {}));
}

TEST(parts_are_boxes) {
  const Dims shape{4, 5, 6};
  const IndexSpec column = IndexSpec().at(2), middle = IndexSpec().range(1, 1, 3).at(4);
  const auto of_lanes = part_of_code(column.code, shape), inner = part_of_code(middle.code, shape);
  CHECK(of_lanes && of_lanes->start == (Dims{0, 0, 2}) && of_lanes->length == (Dims{4, 5, 1}));
  CHECK(inner && inner->start == (Dims{0, 1, 4}) && inner->length == (Dims{4, 3, 1}));
  // What they take does not broadcast as the box does.
  CHECK(!box_of_code(column.code, shape) && !box_of_code(middle.code, shape));
  CHECK(box_of_code(IndexSpec().at(1).at(2).whole(6).code, shape));
  CHECK(!part_of_code(IndexSpec().range(0, 2, 3).code, shape));
  CHECK(!part_of_code(IndexSpec().newaxis().code, shape));
  CHECK(part_of_code(IndexSpec().code, Dims{}));
}

}  // namespace tapegrad
