#include "tapegrad/tape/op.h"

#include <set>
#include <sstream>
#include <string>

#include "check.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/scalar/functions/function_list.h"

using namespace tapegrad;

TEST(every_op_is_complete) {
  register_all_ops();
  CHECK(op_count() > static_cast<int>(scalar_fn_count));
  std::set<std::string> names;
  for (int i = 0; i < op_count(); ++i) {
    const Op& op = op_by_id(static_cast<uint16_t>(i));
    CHECK(op.id == i);
    CHECK(names.insert(op.name).second);
    CHECK(find_op(op.name) == &op);
    CHECK(op.summary[0] != '\0');
    if (op.compose) {
      CHECK(op.eval == nullptr && op.vjp == nullptr && op.jvp == nullptr);
      continue;
    }
    CHECK(op.eval != nullptr && op.infer != nullptr);
    CHECK(!op.vjp || op.jvp || op.linear);  // what has one derivative has the other
    CHECK(!op.in_place || !(op.reads_of(0) & reads_in(0)));  // what it overwrites, no rule may read
    CHECK(op.scalar_fn == (i < static_cast<int>(scalar_fn_count) ? i : -1));
  }
}

TEST(names_are_unique) {
  register_all_ops();
  const int before = op_count();
  CHECK_THROWS_SAYING(ValueError, "'sin'", register_op({.name = "sin"}));
  CHECK(op_count() == before);
  CHECK(find_op("no such op") == nullptr);
}

TEST(addresses_stay) {
  register_all_ops();
  const Op* const sine = find_op("sin");
  static std::string names[200];
  for (int i = 0; i < 200; ++i) {
    names[i] = "test_op_" + std::to_string(i);
    const Op& op = register_op({.name = names[i].c_str()});
    CHECK(&op_by_id(op.id) == &op);
  }
  CHECK(find_op("sin") == sine && &op_by_id(sine->id) == sine);
}

TEST(the_last_entry_of_reads_counts_for_the_rest) {
  Op op;
  CHECK(op.reads_of(0) == reads_nothing);
  op.reads = {reads_in(1), reads_out()};
  CHECK(op.reads_of(0) == reads_in(1));
  CHECK(op.reads_of(1) == reads_out() && op.reads_of(40) == reads_out());
  CHECK((reads_in(20) & reads_all_inputs) != 0 && reads_in(20) == reads_in(14));
}

namespace {

constexpr AttrKey axis{0, "axis"}, keepdims{1, "keepdims"};

Op reduction() {
  return {.name = "reduce",
          .attrs = {{axis, attr_kind::axes}, {keepdims, attr_kind::flag, Attr{false}}}};
}

std::string printed(const Op& op, const Attrs& attrs) {
  std::ostringstream out;
  print_attrs(out, op, attrs);
  return out.str();
}

}  // namespace

TEST(attributes_are_checked_by_name) {
  const Op op = reduction();
  check_attrs(op, {Attr{}, true});
  check_attrs(op, {int64_t{1}});  // keepdims has a default
  CHECK_THROWS_SAYING(TypeError, "reduce: attribute 'axis' is missing", check_attrs(op, {}));
  CHECK_THROWS_SAYING(TypeError, "takes 2 attributes (axis, keepdims), got 3",
                      check_attrs(op, {Attr{}, true, true}));
  CHECK_THROWS_SAYING(TypeError, "'axis' must be None, an integer or integers, got 'x'",
                      check_attrs(op, {"x", true}));
  CHECK_THROWS_SAYING(TypeError, "'keepdims' must be a bool", check_attrs(op, {Attr{}, 0.5}));
}

TEST(attributes_may_be_given_by_name) {
  using Given = std::vector<std::pair<std::string_view, Attr>>;
  const Op op = reduction();
  CHECK(named_attrs(op, Given{{"keepdims", true}, {"axis", int64_t{1}}}) ==
        (Attrs{int64_t{1}, true}));
  CHECK(named_attrs(op, Given{{"axis", Attr{}}}) == (Attrs{Attr{}, false}));
  CHECK_THROWS_SAYING(TypeError, "'axis' is missing", named_attrs(op, Given{{"keepdims", true}}));
  CHECK_THROWS_SAYING(TypeError, "has no attribute 'dims'; it has (axis, keepdims)",
                      named_attrs(op, Given{{"axis", Attr{}}, {"dims", true}}));
  CHECK(printed(op, {int64_t{1}, true}) == "{axis=1, keepdims=true}");
  CHECK(printed(Op{}, {int64_t{1}, true}) == "{1, true}");
}

TEST(keys_and_declarations_agree) {
  CHECK_THROWS_SAYING(ValueError, "'keepdims' is declared at another place",
                      register_op({.name = "misdeclared", .attrs = {{keepdims, attr_kind::flag}}}));
  const Attrs attrs{"text", true};
  CHECK_THROWS_SAYING(TypeError, "attribute 'axis' must be an integer", attrs.integer(axis));
  CHECK_THROWS_SAYING(TypeError, "attribute 0 must be an integer", attrs.integer(0));
  CHECK(attrs.with(axis, int64_t{2}) == (Attrs{int64_t{2}, true}));
  CHECK(attrs.flag_or(AttrKey(5), true) && !attrs.flag_or(AttrKey(5), false));
}
