// Sums of distributed loops that make what they add.
#include "program/passes/roll/distribute/distributed.h"

using namespace distributed;

// A column times a row in each turn, as the adjoints of weights are: of all turns, it would be
// large.
TEST(sums_make_their_terms_turned_and_kept_for_others) {
  constexpr int64_t m = 16, n = 10;
  for (const int64_t turns : {40, 400, 3000}) {
    for (const int how : {0, 1, 2, 3}) {
      const bool is_turned = how % 2 == 1, is_seen = how > 1;
      Draft d;
      const ValueId x = d.input({turns, m, 1}), y = d.input({turns, n}), c = d.input({n});
      ValueId up = d.input(is_turned ? Dims{n, m} : Dims{m, n}), down = up;
      std::vector<ValueId> terms;
      for (int64_t t = 0; t < turns; ++t) {
        const ValueId column = d.op("slice", {x}, Attrs{Ints{0, t, 0, 0, 1, 0, 1, m, 1, 0, 1, 1}});
        const ValueId row = d.op("slice", {y}, Attrs{Ints{0, t, 0, 0, 1, 0, 1, n}});
        const ValueId bent = d.op("tanh", {d.op("multiply", {row, c})});
        ValueId term = d.op("multiply", {column, bent});
        if (is_turned) term = d.op("transpose", {term}, Attrs{std::monostate{}});
        up = d.op("add", {up, term});
        down = d.op("subtract", {down, d.op("multiply", {term, d.constant(3.0)})});
        terms.push_back(term);
      }
      if (is_seen) {
        d.writer().output(terms[7]);
        d.writer().output(terms.back());
      }
      check_distributed(d.returning({up, down}));
    }
  }
}
