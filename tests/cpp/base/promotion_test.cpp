#include "tapegrad/base/promotion.h"

#include <limits>
#include <string>
#include <vector>

#include "check.h"

using namespace tapegrad;

namespace {

// bool, int8..int64 (1248), uint8..uint64 (hijk), float32 (f), float64 (d).
const std::string letters = "b1248hijkfd";

char letter(std::optional<DType> d) { return d ? letters[static_cast<size_t>(*d)] : '-'; }

}  // namespace

// Rows: from, columns: to; from numpy.can_cast(from, to, "same_kind").
TEST(casts_of_the_same_kind_are_numpys) {
  const char* const table[dtype_count] = {
      "11111111111", "01111000011", "01111000011", "01111000011", "01111000011", "01111111111",
      "01111111111", "01111111111", "01111111111", "00000000011", "00000000011"};
  for (int a = 0; a < dtype_count; ++a)
    for (int b = 0; b < dtype_count; ++b)
      CHECK(can_cast_same_kind(static_cast<DType>(a), static_cast<DType>(b)) ==
            (table[a][b] == '1'));
}

// Rows: an array, columns: a Python int beside it; '-' where NumPy raises OverflowError.
TEST(python_ints_take_the_dtype_that_they_meet) {
  const std::vector<int64_t> ints{0,
                                  -1,
                                  127,
                                  128,
                                  255,
                                  256,
                                  -128,
                                  -129,
                                  32768,
                                  70000,
                                  int64_t{1} << 31,
                                  int64_t{1} << 32,
                                  int64_t{1} << 62};
  const char* const table[] = {"8888888888888", "111---1------", "22222222-----",
                               "4444444444---", "8888888888888", "h-hhh--------",
                               "i-iiii--i----", "j-jjjj--jjj--", "k-kkkk--kkkkk"};
  for (size_t row = 0; row < std::size(table); ++row)
    for (size_t k = 0; k < ints.size(); ++k) {
      const DType d = static_cast<DType>(row);
      CHECK(letter(common_integer_dtype({&d, 1}, {&ints[k], 1})) == table[row][k]);
    }
  CHECK(letter(common_integer_dtype({}, ints)) == '8');
}

// As numpy.result_type, where that is an integer dtype.
TEST(integers_meet_in_an_integer_dtype) {
  const char* const table[] = {"-1248hijk", "11248248-", "22248248-", "44448448-", "88888888-",
                               "h2248hijk", "i4448iijk", "j8888jjjk", "k----kkkk"};
  for (size_t a = 0; a < std::size(table); ++a)
    for (size_t b = 0; b < std::size(table); ++b) {
      const DType both[] = {static_cast<DType>(a), static_cast<DType>(b)};
      CHECK(letter(common_integer_dtype(both, {})) == table[a][b]);
    }
  const DType with_float[] = {DType::int32, DType::float32};
  CHECK(!common_integer_dtype(with_float, {}));
}

TEST(a_python_float_is_float32_beside_float32_alone) {
  for (int d = 0; d < dtype_count; ++d)
    CHECK((weak_float_dtype(static_cast<DType>(d)) == DType::float32) ==
          (static_cast<DType>(d) == DType::float32));
}

TEST(ends_of_the_integer_dtypes) {
  CHECK(can_hold(DType::int8, -128) && !can_hold(DType::int8, -129));
  CHECK(can_hold(DType::uint32, 0xFFFFFFFF) && !can_hold(DType::uint32, -1));
  CHECK(can_hold(DType::uint64, std::numeric_limits<int64_t>::max()));
  CHECK(can_hold(DType::bool_, 1) && !can_hold(DType::bool_, 2));
}
