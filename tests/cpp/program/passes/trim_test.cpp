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

TEST(a_scan_keeps_its_carries) {
  const ScanForm form(three_outputs(), 4, 1, 1, false);
  const Program q =
      trimmed([&](const Refs& in) -> Refs { return {scan(form, {in[0], exp(in[1])})[2]}; },
              {Value(0.3), numbers({4})});
  const Program::Step& s = q.steps.back();
  CHECK(s.op == scan_op().id);
  CHECK(s.n_in == 2);
  CHECK(s.n_out == 2);
  const Program carry =
      trimmed([&](const Refs& in) -> Refs { return {scan(form, {in[0], exp(in[1])})[0]}; },
              {Value(0.3), numbers({4})});
  CHECK(carry.steps.size() == 1);
  CHECK(ScanForm(carry.attrs_of(carry.steps[0])).n_xs == 0);
}
