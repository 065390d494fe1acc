#include "tapegrad/program/scan/scan_fixed.h"

#include "program/scan/scan_cases.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"

using namespace programs;
using scans::form_of;
using namespace tapegrad;

namespace {

Ref element(const Ref& x, int64_t k) { return slice(x, IndexSpec::entry(x.shape(), 0, k)); }

// y, v, p -> p[0] v + sin(p[1]) y | p[1] + 1
Refs step(std::span<const Ref> in) {
  const Ref p = in[2];
  const Ref slope = elementwise(scalar_fn_of<Sin>(), {element(p, 1)});
  return {add(multiply(element(p, 0), in[1]), multiply(slope, in[0])),
          add(element(p, 1), Ref(1.0))};
}

Function whole(const ScanForm& f) {
  return [f](const Refs& in) { return scan(f, in); };
}
Function divided(const ScanForm& f, bool hands_out) {
  return [f, hands_out](const Refs& in) {
    Refs out = scan_without_fixed(f, in, hands_out);
    out.resize(f.body->n_out());
    return out;
  };
}

size_t steps_of_scan(const ScanForm& f, const std::vector<Value>& at) {
  Tracer tracer;
  Refs in;
  for (const Value& v : at) in.push_back(tracer.argument(v));
  const Recording r = freeze(tracer, scan_without_fixed(f, in, false));
  for (const Program::Step& s : r.program.steps)
    if (s.op == scan_op().id) return body_of(r.program.attrs_of(s), 0)->program().steps.size();
  CHECK(false);
  return 0;
}

}  // namespace

TEST(what_steps_compute_alike_is_computed_before) {
  const ScanForm f = form_of(step, {Value(0.5), Value(0.1), numbers({2})}, 5, 1, 1);
  const std::vector<Value> at{Value(0.3), numbers({5}), numbers({2}, 2)};
  const std::vector<Value> elsewhere{Value(0.7), numbers({5}, 3), numbers({2}, 4)};
  for (const bool hands_out : {false, true})
    check_same_function(divided(f, hands_out), whole(f), at, elsewhere);
  CHECK(steps_of_scan(f, at) == 3);
}

TEST(a_carry_that_stays_is_none) {
  const auto kept = [](std::span<const Ref> in) -> Refs {
    const Ref grown = multiply(in[1], element(in[0], 1));
    return {in[0], add(grown, in[2]), element(in[0], 0), in[0]};
  };
  const ScanForm f = form_of(kept, {numbers({2}), Value(0.1), Value(0.2)}, 4, 2, 1, true);
  const std::vector<Value> at{numbers({2}), Value(0.4), numbers({4}, 2)};
  const std::vector<Value> elsewhere{numbers({2}, 5), Value(0.9), numbers({4}, 3)};
  for (const bool hands_out : {false, true})
    check_same_function(divided(f, hands_out), whole(f), at, elsewhere);
  CHECK(steps_of_scan(f, at) == 2);
}

TEST(no_steps_compute_nothing) {
  ScanForm f = form_of(step, {Value(0.5), Value(0.1), numbers({2})}, 5, 1, 1);
  f.length = 0;
  const Refs out = scan_without_fixed(
      f, refs_of({Value(0.25), Value::empty(DType::float64, Dims{0}), numbers({2})}), false);
  CHECK(out[0].value().as_double() == 0.25);
  CHECK(out[1].shape() == Dims{0});
}
