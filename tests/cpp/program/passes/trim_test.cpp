#include "tapegrad/program/passes/passes.h"

#include "program/same_function.h"
#include "tapegrad/program/body/call.h"
#include "tapegrad/program/scan/scan.h"

using namespace programs;
using namespace tapegrad;

namespace {

// a, b -> sin(a), a * b, exp(b)
BodyPtr three_outputs() {
  register_all_ops();
  return record_body(std::vector<Value>{Value(0.5), Value(2.0)}, [](std::span<const Ref> in) {
    return Refs{elementwise(scalar_fn_of<Sin>(), {in[0]}), multiply(in[0], in[1]), exp(in[1])};
  });
}

Program trimmed(const Function& f, const std::vector<Value>& at) {
  const Program p = recorded(f, at).program;
  Program q = drop_dead(trim_bodies(p));
  check_same(p, q, false);
  return q;
}

}  // namespace

TEST(a_call_loses_what_nobody_reads) {
  const BodyPtr body = three_outputs();
  const Program q =
      trimmed([&](const Refs& in) -> Refs { return {call(body, {in[0], exp(in[1])})[0]}; },
              {Value(0.3), Value(0.7)});
  CHECK(q.steps.size() == 1);  // what made the other input is gone too
  CHECK(q.steps[0].n_in == 1);
  CHECK(q.steps[0].n_out == 1);
}

TEST(what_is_read_stays) {
  const BodyPtr body = three_outputs();
  const Program p =
      recorded([&](const Refs& in) { return call(body, in); }, {Value(0.3), Value(0.7)}).program;
  CHECK(same_program(p, trim_bodies(p)));
}

TEST(a_scan_keeps_the_carries_that_are_taken) {
  const ScanForm form(three_outputs(), 4, 1, 1, false);
  const auto scan_for = [&](size_t output) {
    const Program q =
        trimmed([&](const Refs& in) -> Refs { return {scan(form, {in[0], exp(in[1])})[output]}; },
                {Value(0.3), numbers({4})});
    return ScanForm(q.attrs_of(q.steps.back()));
  };
  CHECK(scan_for(0).n_carry == 1 && scan_for(0).n_xs == 0 && scan_for(0).n_ys() == 0);
  CHECK(scan_for(1).n_carry == 1 && scan_for(1).n_xs == 1 && scan_for(1).n_ys() == 1);
  CHECK(scan_for(2).n_carry == 0 && scan_for(2).n_xs == 1 && scan_for(2).n_ys() == 1);
}

TEST(a_carry_that_nothing_takes_in_the_end_is_left_out) {
  register_all_ops();
  // a, b, x -> a x, b + a | a
  const BodyPtr body = record_body(std::vector<Value>{Value(0.5), Value(0.0), Value(2.0)},
                                   [](std::span<const Ref> in) {
                                     return Refs{multiply(in[0], in[2]), add(in[1], in[0]), in[0]};
                                   });
  const ScanForm form(body, 4, 2, 1, false);
  const auto carries_for = [&](std::vector<size_t> outputs) {
    const Program q = trimmed(
        [&](const Refs& in) {
          const Refs all = scan(form, {in[0], exp(in[0]), in[1]});
          Refs some;
          for (size_t j : outputs) some.push_back(all[j]);
          return some;
        },
        {Value(0.3), numbers({4})});
    return ScanForm(q.attrs_of(q.steps.back())).n_carry;
  };
  CHECK(carries_for({0}) == 1);
  CHECK(carries_for({2}) == 1);
  CHECK(carries_for({1}) == 2);
}
