#include "tapegrad/base/shape.h"

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

TEST(dims_grow_past_their_inline_places_and_come_back) {
  Dims d;
  for (int64_t i = 0; i < 9; ++i) d.push_back(i);
  CHECK(d.size() == 9);
  for (size_t i = 0; i < 9; ++i) CHECK(d[i] == static_cast<int64_t>(i));
  const Dims copy = d;
  d.resize(4);
  CHECK(d == Dims{0, 1, 2, 3});
  CHECK(copy.back() == 8);
  d.resize(7, 5);
  CHECK(d == Dims{0, 1, 2, 3, 5, 5, 5});
  CHECK(d != copy);
  CHECK(Dims{} != Dims{1});
  CHECK(Dims(2, 3) == Dims{3, 3});
}

TEST(shapes_print_as_in_python) {
  CHECK(join_text(Dims{}) == "()");
  CHECK(join_text(Dims{3}) == "(3,)");
  CHECK(join_text(Dims{3, 4}) == "(3, 4)");
}

TEST(counts_and_strides) {
  CHECK(element_count(Dims{}) == 1);
  CHECK(element_count(Dims{2, 0, 5}) == 0);
  CHECK(element_count(Dims{2, 3, 5}) == 30);
  CHECK(contiguous_strides(Dims{2, 3, 5}) == Dims{15, 5, 1});
  CHECK(contiguous_strides(Dims{2, 0, 5}) == Dims{5, 5, 1});
}

TEST(broadcasting_is_numpys) {
  CHECK(broadcast_shapes(Dims{}, Dims{2, 3}, "add") == Dims{2, 3});
  CHECK(broadcast_shapes(Dims{4, 1}, Dims{3}, "add") == Dims{4, 3});
  CHECK(broadcast_shapes(Dims{1}, Dims{0}, "add") == Dims{0});
  CHECK(broadcast_shapes(Dims{2, 1, 1}, Dims{5, 1}, "add") == Dims{2, 5, 1});
  CHECK_THROWS_SAYING(ValueError, "arctan2", broadcast_shapes(Dims{2, 3}, Dims{4}, "arctan2"));
  CHECK_THROWS_SAYING(ValueError, "(2, 3) (4,)", broadcast_shapes(Dims{2, 3}, Dims{4}, "add"));
  CHECK_THROWS(ValueError, broadcast_shapes(Dims{0}, Dims{2}, "add"));
  CHECK(broadcast_strides(Dims{3, 1}, Dims{1, 1}, Dims{2, 3, 4}) == Dims{0, 1, 0});
}

TEST(axes_count_from_the_end_too) {
  CHECK(normalize_axis(-1, 3, "sum") == 2);
  CHECK(normalize_axis(0, 3, "sum") == 0);
  CHECK_THROWS_SAYING(AxisError, "sum: axis 3 is out of bounds for array of dimension 3",
                      normalize_axis(3, 3, "sum"));
  CHECK_THROWS(AxisError, normalize_axis(-4, 3, "sum"));
  CHECK_THROWS(AxisError, normalize_axis(0, 0, "sum"));
}
