#include "tapegrad/tape/tracer.h"

#include <limits>

#include "check.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/registry.h"

using namespace tapegrad;

namespace {

uint32_t second_input(const Ref& r) { return r.tape()->node(r.slot()).in[1]; }

}  // namespace

TEST(a_loop_makes_no_further_nodes_for_the_same_numbers) {
  register_all_ops();
  for (const int turns : {100, 400}) {
    Tracer tracer;
    Ref y = tracer.argument(Value(0.5));
    const int64_t before = tracer.tape().live_nodes();
    for (int k = 0; k < turns; ++k) y = add(multiply(y, Ref(Value(0.999))), Ref(Value(0.25)));
    CHECK(tracer.tape().live_nodes() - before == 2 * turns + 2);
  }
}

TEST(numbers_that_differ_in_a_bit_have_nodes_of_their_own) {
  register_all_ops();
  Tracer tracer;
  const Ref x = tracer.argument(Value(0.5));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<Ref> kept;
  std::vector<uint32_t> slots;
  for (const double number : {0.0, -0.0, nan, -nan, 1.0}) {
    kept.push_back(add(x, Ref(Value(number))));
    const uint32_t slot = second_input(kept.back());
    CHECK(same_bits(tracer.tape().node(slot).value, Value(number)));
    for (const uint32_t other : slots) CHECK(slot != other);
    slots.push_back(slot);
    kept.push_back(multiply(x, Ref(Value(number))));
    CHECK(second_input(kept.back()) == slot);
  }
  // What a rule makes is no number of the user's.
  const RuleSection rules(tracer.tape());
  kept.push_back(add(x, Ref(Value(1.0))));
  CHECK(second_input(kept.back()) != slots.back());
  CHECK(tracer.tape().node(second_input(kept.back())).flags & Node::made_by_rule);
}

TEST(numbers_that_share_a_place_among_those_remembered_are_told_apart) {
  register_all_ops();
  Tracer tracer;
  const Ref x = tracer.argument(Value(0.5));
  std::vector<Ref> kept;
  for (int round = 0; round < 2; ++round)
    for (int k = 0; k < 500; ++k) {
      kept.push_back(multiply(x, Ref(Value(0.1 * k))));
      CHECK(same_bits(tracer.tape().node(second_input(kept.back())).value, Value(0.1 * k)));
    }
}
