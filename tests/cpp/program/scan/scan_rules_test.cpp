#include "tapegrad/program/scan/scan_rules.h"

#include "program/scan/scan_cases.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

// a, b, x, w -> a * w, b + x | x * x
ScanForm two_loops() {
  return form_of(
      [](std::span<const Ref> in) -> Refs {
        return {multiply(in[0], in[3]), add(in[1], in[2]), square(in[2])};
      },
      {Value(1.0), Value(1.0), Value(1.0), Value(1.0)}, 3, 2, 1);
}

std::vector<Value> arguments() { return {Value(2.0), Value(3.0), numbers({3}), Value(0.5)}; }

std::vector<ScanForm> scans_in(const Program& p) {
  std::vector<ScanForm> found;
  for (const Program::Step& s : p.steps)
    if (s.kernel < 0 && s.op == scan_op().id) found.emplace_back(p.attrs_of(s));
  return found;
}

// The scans that are left of a derivative once nothing unused is.
template <class Derivative>
std::vector<ScanForm> scans_of(const Derivative& derivative, size_t moving) {
  const ScanForm f = two_loops();
  const Recording r = recorded(
      [&](const Refs& in) -> Refs {
        Scope scope;
        Refs entered = in;
        entered[moving] = scope.argument(in[moving]).ref();
        Refs found = derivative(scope, scan(f, entered), entered[moving]);
        for (Ref& x : found) x = scope.result(x);
        return found;
      },
      arguments());
  return scans_in(drop_dead(r.program));
}

}  // namespace

TEST(derivatives_spread_over_the_carries) {
  const ScanForm f = two_loops();
  CHECK(reached_through(f, {0, 0, 0, 1}) == (Flags{1, 0, 0}));
  CHECK(reached_through(f, {0, 0, 1, 0}) == (Flags{0, 1, 1}));
  CHECK(reached_through(f, {1, 0, 0, 0}) == (Flags{1, 0, 0}));
  ScanForm turning = form_of(
      [](std::span<const Ref> in) -> Refs { return {in[1], in[2], multiply(in[0], in[3])}; },
      {Value(1.0), Value(1.0), Value(1.0), Value(1.0)}, 3, 3, 0);
  CHECK(reached_through(turning, {0, 0, 0, 1}) == (Flags{1, 1, 1}));
}

TEST(incoming_carries_are_computed_again_unless_the_body_hands_them_out) {
  constexpr int64_t length = 12;
  const std::vector<Value> at{Value(1.0)};
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs { return {counted_square(in[0])}; }, at, length, 1, 0);
  ScanForm handing = f;
  handing.body = with_carries(f);
  gradient(f, at, 0, 0);
  gradient(handing, at, 0, 0);
  start_counting();
  CHECK(gradient(f, at, 0, 0).as_double() == std::ldexp(1.0, length));
  CHECK(evaluations == 2 * length);
  start_counting();
  CHECK(gradient(handing, at, 0, 0).as_double() == std::ldexp(1.0, length));
  CHECK(evaluations == length);
}

TEST(a_step_back_reads_the_carries_that_it_needs) {
  const auto gradient_of_last = [](size_t output) {
    return [output](Scope& scope, const Refs& out, const Ref& wrt) -> Refs {
      const Ref total = sum(square(out[output]));
      return scope.grad({&total, 1}, {&wrt, 1}, {});
    };
  };
  // Going back over b takes its cotangent alone.
  const std::vector<ScanForm> of_x = scans_of(gradient_of_last(1), 2);
  CHECK(of_x.size() == 2 && !of_x.front().reverse);
  CHECK(of_x.back().reverse && of_x.back().n_carry == 1 && of_x.back().n_xs == 0);
  // For the gradient of a with respect to w one more scan computes a at every step.
  const std::vector<ScanForm> of_w = scans_of(gradient_of_last(0), 3);
  CHECK(of_w.size() == 3 && !of_w[of_w.size() / 2].reverse);
  CHECK(of_w.back().reverse && of_w.back().n_carry == 2 && of_w.back().n_xs == 1);
  // What does not lead from the input to the output needs no scan at all.
  CHECK(scans_of(gradient_of_last(0), 2).empty());
}

TEST(tangents_move_in_one_scan_with_the_values) {
  const auto tangent_of_a = [](Scope& scope, const Refs& out, const Ref& wrt) -> Refs {
    const Ref one(1.0);
    return scope.jvp(std::span(out).first(1), {&wrt, 1}, {&one, 1});
  };
  const std::vector<ScanForm> moved = scans_of(tangent_of_a, 3);
  CHECK(moved.size() == 1 && !moved[0].reverse);
  // The values of both carries, and the tangent of a.
  CHECK(moved[0].n_carry == 3 && moved[0].n_xs == 1);
  Scope scope;
  const std::vector<Value> in = arguments();
  Refs entered = refs_of(in);
  entered[3] = scope.argument(entered[3]).ref();
  const Refs out = scan(two_loops(), entered);
  const Ref one(1.0);
  const Refs tangent = scope.jvp(std::span(out).first(1), {&entered[3], 1}, {&one, 1});
  CHECK(tangent[0].value().as_double() == 2.0 * 3 * 0.25);  // d (a w^3) / d w
}

TEST(a_scan_without_steps_hands_its_carries_through) {
  ScanForm f = two_loops();
  f.length = 0;
  const std::vector<Value> at{Value(2.0), Value(3.0), Value::empty(DType::float64, Dims{0}),
                              Value(0.5)};
  for (const int64_t checkpoints : {0, 2}) {
    f.checkpoints = checkpoints;
    CHECK(gradient(f, at, 0, 0).as_double() == 1);
    CHECK(gradient(f, at, 3, 0).as_double() == 0);
    CHECK(gradient(f, at, 0, 1).as_double() == 0);
  }
}
