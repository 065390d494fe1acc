#include "tapegrad/program/passes/roll/distribute/roll_chains.h"

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::SumChains;

namespace {

constexpr int64_t turns = 40, n = 4;

struct Sums {
  ValueId first, second;
};

// The chains of the one loop of a program; `turn` makes the sums of the next turn of those of the
// one before and of two terms.
SumChains chains_of(const std::function<Sums(Draft&, Sums, ValueId, ValueId)>& turn) {
  Draft d;
  const ValueId x = d.input({turns, n});
  Sums sums{d.input({n}), d.input({n})};
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId row = d.op("slice", {x}, {Ints{0, t, 0, 0, 1, 0, 1, n}});
    sums = turn(d, sums, d.op("sin", {row}), d.op("cos", {row}));
  }
  const Program p = d.returning({sums.first, sums.second});
  const auto loops = tapegrad::find_loops(p, 32, tapegrad::LoopKind::distributed);
  CHECK(loops.size() == 1 && loops[0].count == turns);
  if (loops.size() != 1) return {};
  return chains_of_sums(p, loops[0], [](uint32_t, uint32_t) { return true; });
}

std::vector<size_t> lengths(const SumChains& found) {
  std::vector<size_t> all;
  for (const auto& chain : found.chains) all.push_back(chain.size());
  std::ranges::sort(all);
  return all;
}

}  // namespace

TEST(sums_of_one_and_of_several_terms_are_found) {
  const SumChains found = chains_of([](Draft& d, Sums s, ValueId a, ValueId b) -> Sums {
    const ValueId both = d.op("add", {b, d.op("add", {s.first, a})});
    return {d.op("subtract", {both, a}), d.op("add", {a, s.second})};
  });
  CHECK(lengths(found) == (std::vector<size_t>{1, 3}));
  for (size_t c = 0; c < found.chains.size(); ++c)
    for (uint32_t k : found.chains[c]) CHECK(found.of[k] == c && found.summand[k] < 2);
}

TEST(what_others_read_in_the_turn_is_no_sum) {
  const SumChains read = chains_of([](Draft& d, Sums s, ValueId a, ValueId b) -> Sums {
    const ValueId sum = d.op("add", {s.first, a});
    return {d.op("add", {sum, b}), d.op("multiply", {s.second, sum})};
  });
  CHECK(read.chains.empty());
  const SumChains crossed = chains_of([](Draft& d, Sums s, ValueId a, ValueId b) -> Sums {
    return {d.op("add", {s.second, a}), d.op("subtract", {b, s.first})};
  });
  CHECK(crossed.chains.empty());
}

TEST(sums_that_are_read_behind_the_loop_stay_apart) {
  // The partial sum of each turn is read by something that no turn is.
  Draft d;
  const ValueId x = d.input({turns, n});
  ValueId sum = d.input({n});
  std::vector<ValueId> partial;
  for (int64_t t = 0; t < turns; ++t) {
    const ValueId row = d.op("slice", {x}, {Ints{0, t, 0, 0, 1, 0, 1, n}});
    partial.push_back(d.op("add", {sum, d.op("sin", {row})}));
    sum = d.op("add", {partial.back(), d.op("cos", {row})});
  }
  const Program p = d.returning({sum, partial[7]});
  const auto loops = tapegrad::find_loops(p, 32, tapegrad::LoopKind::distributed);
  CHECK(loops.size() == 1);
  if (loops.size() == 1)
    CHECK(chains_of_sums(p, loops[0], [](uint32_t, uint32_t) { return true; }).chains.empty());
}
