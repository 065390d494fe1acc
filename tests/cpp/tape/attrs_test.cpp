#include "tapegrad/tape/attrs.h"

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

TEST(attributes_convert_upwards_only) {
  const Attrs a{int64_t{3},      2.5, true, std::string("left"), std::vector<int64_t>{1, 2},
                std::monostate{}};
  CHECK(a.integer(0) == 3 && a.integer(2) == 1);
  CHECK(a.real(0) == 3 && a.real(1) == 2.5 && a.real(2) == 1);
  CHECK(a.flag(2) && a.flag(0));
  CHECK(a.text(3) == "left");
  CHECK(to_dims(a.integers(4)) == Dims({1, 2}));
  CHECK(a.is_none(5) && a.is_none(6) && !a.is_none(0));
  CHECK_THROWS_SAYING(TypeError, "attribute 1 must be an integer", a.integer(1));
  CHECK_THROWS_SAYING(TypeError, "a string", a.text(0));
  CHECK_THROWS_SAYING(TypeError, "a list of integers", a.integers(0));
  CHECK_THROWS_SAYING(TypeError, "a number", a.real(3));
  CHECK_THROWS_SAYING(TypeError, "attribute 6 is missing (6 were given)", a.integer(6));
}

TEST(attributes_are_plain_data) {
  const Attrs a{int64_t{1}, std::vector<int64_t>{1, 2}},
      same{int64_t{1}, std::vector<int64_t>{1, 2}};
  CHECK(a == same && a.hash() == same.hash());
  for (const Attrs& other :
       {Attrs{int64_t{1}}, Attrs{int64_t{1}, std::vector<int64_t>{2, 1}},
        Attrs{1.0, std::vector<int64_t>{1, 2}}, Attrs{true, std::vector<int64_t>{1, 2}}, Attrs{}}) {
    CHECK(!(a == other));
    CHECK(a.hash() != other.hash());
  }
}

TEST(attributes_print) {
  CHECK(join_text(Attrs{int64_t{1}, true, std::string("x"), std::vector<int64_t>{1, 2},
                        std::monostate{}}) == "{1, true, 'x', (1, 2), none}");
  CHECK(join_text(Attrs{}) == "{}");
}
