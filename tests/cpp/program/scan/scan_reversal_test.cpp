#include "tapegrad/program/scan/scan_reversal.h"

#include "program/scan/scan_cases.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

// a, b, x, w -> a * w, b + x | x * x
ScanForm two_loops(bool reverse = false) {
  return form_of(
      [](std::span<const Ref> in) -> Refs {
        return {multiply(in[0], in[3]), add(in[1], in[2]), square(in[2])};
      },
      {Value(1.0), Value(1.0), Value(1.0), Value(1.0)}, 5, 2, 1, reverse);
}

}  // namespace

TEST(only_what_leads_from_the_needed_to_the_given_takes_part) {
  const ScanForm f = two_loops();
  const ScanReversal weight(f, {0, 0, 0, 1}, {1, 1, 1});
  CHECK(weight.wanted == (Flags{1, 0, 0, 1}) && weight.has_ct == (Flags{1, 0, 1}));
  const ScanReversal square(f, {0, 0, 1, 0}, {0, 0, 1});
  CHECK(square.wanted == (Flags{0, 0, 1, 0}) && square.has_ct == (Flags{0, 0, 1}));
  const ScanReversal sum(f, {0, 0, 1, 0}, {1, 1, 0});
  CHECK(sum.wanted == (Flags{0, 1, 1, 0}) && sum.has_ct == (Flags{0, 1, 0}));
  CHECK(weight.any() && square.any() && sum.any());
  CHECK(!ScanReversal(f, {0, 0, 1, 0}, {1, 0, 0}).any());
  CHECK(!ScanReversal(f, {0, 0, 0, 0}, {1, 1, 1}).any());
}

TEST(carries_that_change_places_take_part_together) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs { return {in[1], in[2], multiply(in[0], in[3])}; },
      {Value(1.0), Value(1.0), Value(1.0), Value(1.0)}, 5, 3, 0);
  const ScanReversal r(f, {0, 0, 0, 1}, {1, 0, 0});
  CHECK(r.wanted == (Flags{1, 1, 1, 1}) && r.has_ct == (Flags{1, 1, 1}));
}

TEST(integers_take_no_part) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs {
        return {in[0], multiply(in[1], cast(in[0], DType::float64))};
      },
      {Value::integer_scalar(1), Value(1.0)}, 5, 2, 0);
  const ScanReversal r(f, {0, 1}, {0, 1});
  CHECK(r.wanted == (Flags{0, 1}) && r.has_ct == (Flags{0, 1}));
}

TEST(the_step_back_is_a_scan_the_other_way) {
  for (const bool reverse : {false, true}) {
    const ScanForm f = two_loops(reverse);
    const std::vector<Value> at{Value(2.0), Value(3.0), numbers({5}), Value(4.0)};
    // Carries: the cotangents of both carries and the sum for w. Elements: both incoming carries,
    // x, and the cotangent of x * x. The adjoint of x is stacked.
    const ScanReversal r(f, {1, 1, 1, 1}, {1, 1, 1});
    const ScanForm step = r.step(at);
    CHECK(step.n_carry == 3 && step.n_xs == 4 && step.n_ys() == 1 && step.n_rest() == 1);
    CHECK(step.length == 5 && step.reverse != reverse);
    CHECK(r.step(at).body == step.body);
    const std::vector<Value> out =
        programs::run(step.body->program(), {Value(10.0), Value(20.0), Value(7.0), Value(2.0),
                                             Value(3.0), Value(5.0), Value(100.0), Value(4.0)});
    CHECK(out[0].as_double() == 40);         // a' = ct w
    CHECK(out[1].as_double() == 20);         // b' = ct
    CHECK(out[2].as_double() == 7 + 20);     // w' = sum + ct a
    CHECK(out[3].as_double() == 20 + 1000);  // x' = ct + 2 x ct
  }
}
