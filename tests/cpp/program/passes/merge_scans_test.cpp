#include "program/scan/scan_cases.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using scans::form_of;
using namespace tapegrad;

namespace {

// h, x, w -> sin(h w) + x | h h
Refs step(std::span<const Ref> in) {
  return {add(elementwise(scalar_fn_of<Sin>(), {multiply(in[0], in[2])}), in[1]), square(in[0])};
}
// The same with another carry, which adds up.
Refs step_with_sum(std::span<const Ref> in) {
  const Ref next = add(elementwise(scalar_fn_of<Sin>(), {multiply(in[0], in[3])}), in[2]);
  return {next, add(in[1], next)};
}

ScanForm first() { return form_of(step, {Value(0.5), Value(0.1), Value(0.9)}, 5, 1, 1); }
ScanForm second(bool reverse = false) {
  return form_of(step_with_sum, {Value(0.5), Value(0.0), Value(0.1), Value(0.9)}, 5, 2, 1, reverse);
}

size_t scans_of(const Program& p) {
  size_t found = 0;
  for (const Program::Step& s : p.steps) found += s.kernel < 0 && s.op == scan_op().id;
  return found;
}

Program merged(const Function& f) {
  const std::vector<Value> at{Value(0.3), numbers({5}), Value(0.7)};
  const Program p = recorded(f, at).program;
  Program q = drop_dead(merge_scans(p));
  check_program(q);
  check_same(p, q, false);
  return q;
}

}  // namespace

TEST(a_scan_that_another_takes_along_is_a_part_of_it) {
  const ScanForm f = first(), g = second();
  const Program q = merged([&](const Refs& in) -> Refs {
    const Refs a = scan(f, {in[0], in[1], in[2]});
    // What reads it in between comes after both.
    const Ref between = exp(a[0]);
    const Refs b = scan(g, {in[0], Ref(0.0), in[1], in[2]});
    return {between, a[1], b[0], b[1]};
  });
  CHECK(scans_of(q) == 1);
}

TEST(scans_that_differ_stay) {
  const ScanForm f = first();
  for (const bool reverse : {false, true})
    for (const bool same : {false, true}) {
      const ScanForm g = second(reverse);
      const Program q = merged([&](const Refs& in) -> Refs {
        const Refs a = scan(f, {in[0], in[1], in[2]});
        const Refs b = scan(g, {same ? in[0] : in[2], Ref(0.0), in[1], in[2]});
        return {a[0], a[1], b[1]};
      });
      CHECK(scans_of(q) == (same && !reverse ? 1 : 2));
    }
}

TEST(a_scan_that_reads_the_other_stays) {
  const ScanForm f = first(), g = second();
  const Program q = merged([&](const Refs& in) -> Refs {
    const Refs a = scan(f, {in[0], in[1], in[2]});
    const Refs b = scan(g, {in[0], a[0], in[1], in[2]});
    return {a[0], a[1], b[1]};
  });
  CHECK(scans_of(q) == 2);
}
