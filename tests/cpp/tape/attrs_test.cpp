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

namespace {

class Word final : public AttrObject {
 public:
  explicit Word(std::string word) : word_(std::move(word)) {}
  size_t hash() const override { return std::hash<std::string>{}(word_); }
  bool equals(const AttrObject& other) const override {
    const auto* word = dynamic_cast<const Word*>(&other);
    return word && word->word_ == word_;
  }
  void print(std::ostream& out) const override { out << '<' << word_ << '>'; }

 private:
  std::string word_;
};

Attr word(const char* text) { return AttrRef(std::make_shared<const Word>(text)); }

}  // namespace

TEST(objects_are_compared_by_what_they_hold) {
  const Attrs a{int64_t{1}, word("left")}, same{int64_t{1}, word("left")},
      other{int64_t{1}, word("right")};
  CHECK(a == same && a.hash() == same.hash());
  CHECK(!(a == other) && a.hash() != other.hash());
  CHECK(join_text(a) == "{1, <left>}");
  CHECK(a.object(1)->equals(*same.object(1)));
  CHECK_THROWS_SAYING(TypeError, "attribute 0 must be an object", a.object(0));
}
