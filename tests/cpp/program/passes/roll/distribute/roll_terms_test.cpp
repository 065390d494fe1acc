// Terms that are too large to be kept for all turns.
#include "program/passes/roll/distribute/distributed.h"

using namespace distributed;

// Each of them read by its sum alone: no step makes it of all turns.
TEST(large_terms_are_made_where_they_are_added) {
  constexpr int64_t m = 16, n = 10;
  for (const bool is_seen : {false, true}) {
    constexpr int64_t turns = 3000;
    Draft d;
    const ValueId x = d.input({turns, m, 1}), y = d.input({turns, n});
    ValueId sum = d.input({m, n});
    std::vector<ValueId> terms;
    for (int64_t t = 0; t < turns; ++t) {
      const ValueId column = d.op("slice", {x}, Attrs{Ints{0, t, 0, 0, 1, 0, 1, m, 1, 0, 1, 1}});
      const ValueId row = d.op("slice", {y}, Attrs{Ints{0, t, 0, 0, 1, 0, 1, n}});
      terms.push_back(d.op("multiply", {column, d.op("exp", {row})}));
      sum = d.op("add", {sum, terms.back()});
    }
    if (is_seen) d.writer().output(terms[11]);
    const Program q = check_distributed(d.returning({sum}));
    CHECK(steps_of(q, "multiply", true) == 0);
    CHECK(steps_of(q, "exp", true) == 1);
    CHECK(steps_of(q, "scan", true) == 1);
  }
}
