#include "tapegrad/tape/op.h"

#include <set>
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
