#include "tapegrad/base/dtype.h"

#include <string>

#include "check.h"

using namespace tapegrad;

// Rows and columns: bool, int8..int64 (1248), uint8..uint64 (hijk), float32 (f), float64 (d); from
// numpy.promote_types.
TEST(promotion_is_numpys) {
  const std::string letters = "b1248hijkfd";
  const char* const table[dtype_count] = {
      "b1248hijkfd", "11248248dfd", "22248248dfd", "44448448ddd", "88888888ddd", "h2248hijkfd",
      "i4448iijkfd", "j8888jjjkdd", "kddddkkkkdd", "fffddffddfd", "ddddddddddd"};
  for (int a = 0; a < dtype_count; ++a)
    for (int b = 0; b < dtype_count; ++b) {
      const auto found = static_cast<size_t>(promote(static_cast<DType>(a), static_cast<DType>(b)));
      CHECK(letters[found] == table[a][b]);
    }
}

TEST(names_sizes_and_types_agree) {
  for (int i = 0; i < dtype_count; ++i) {
    const auto d = static_cast<DType>(i);
    visit_dtype(d, [&](auto tag) {
      CHECK(dtype_of<decltype(tag)>() == d);
      CHECK(item_size(d) == sizeof tag);
      CHECK(is_floating(d) == std::is_floating_point_v<decltype(tag)>);
    });
    CHECK(is_bool(d) + is_integer(d) + is_floating(d) == 1);
  }
  CHECK(dtype_name(DType::float32) == std::string("float32"));
  CHECK(dtype_name(DType::uint16) == std::string("uint16"));
}
