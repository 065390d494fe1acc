#include "tapegrad/program/scan/scan_residuals.h"

#include "program/scan/scan_cases.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/program/scan/scan_reversal.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

constexpr int64_t n = 24;

Ref tanh(const Ref& x) { return elementwise(scalar_fn_of<Tanh>(), {x}); }

// h, x, W -> tanh(W h + x) | sin(W h)
Refs network(std::span<const Ref> in) {
  const Ref z = matmul(in[2], in[0]);
  return {tanh(add(z, in[1])), elementwise(scalar_fn_of<Sin>(), {z})};
}

ScanForm form(bool reverse = false) {
  return form_of(network, {numbers({n}), numbers({n}), numbers({n, n})}, 5, 1, 1, reverse);
}

Function handing(const ScanForm& f, const Flags& inputs) {
  return [f, inputs](const Refs& in) {
    ScanForm all = f;
    all.body = with_residuals(f, inputs);
    Refs out = scan(all, in);
    out.resize(f.body->n_out());
    return out;
  };
}

size_t products_of(const Program& p) {
  size_t found = 0;
  for (const Program::Step& s : p.steps) found += op_by_id(s.op).product == ProductKind::matrices;
  return found;
}

}  // namespace

TEST(results_of_products_are_stored_and_next_carries_are_at_hand) {
  const ScanForm f = form();
  const Residuals r(f, {1, 1, 1});
  // tanh reads its own value, which is the next carry, and sin reads the product.
  CHECK(r.next == Flags{1});
  CHECK(r.stored.size() == 1);
  const Program& p = f.body->program();
  CHECK(op_by_id(p.steps[p.values[r.stored[0]].index].op).product == ProductKind::matrices);
}

TEST(what_no_rule_reads_is_not_stored) {
  const ScanForm f =
      form_of([](std::span<const Ref> in) -> Refs { return {add(matmul(in[1], in[0]), in[0])}; },
              {numbers({n}), numbers({n, n})}, 5, 1, 0);
  const Residuals r(f, {1, 1});
  CHECK(r.next == Flags{0} && r.stored.empty());
  CHECK(Residuals(form(), {0, 0, 0}).stored.empty());
}

TEST(cheap_results_are_computed_again) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs { return {add(in[0], square(add(in[0], in[1])))}; },
      {numbers({n}), numbers({n})}, 5, 1, 1);
  CHECK(Residuals(f, {1, 1}).stored.empty());
}

TEST(more_than_the_memory_allows_is_not_stored) {
  ScanForm f = form();
  f.length = static_cast<int64_t>(most_residual_bytes) / (8 * n);
  CHECK(Residuals(f, {1, 1, 1}).stored.size() == 1);
  f.length *= 2;
  CHECK(Residuals(f, {1, 1, 1}).stored.empty());
}

TEST(the_step_back_computes_no_product_again) {
  const ScanForm f = form();
  ScanForm all = f;
  all.body = with_residuals(f, {1, 1, 1});
  CHECK(all.body->n_out() == f.body->n_out() + 2);  // the incoming carry and the product
  const std::vector<Value> at{numbers({n}), numbers({5, n}), numbers({n, n})};
  const Flags given(all.body->n_out(), 1);
  const ScanReversal r(all, {1, 1, 1}, given);
  // Behind: the adjoint of h, and that of W is no product of matrices but of a column and a row.
  const size_t plain = products_of(r.step(at).body->program());
  const size_t known = products_of(r.step(at, KnownResults(all, r.wanted)).body->program());
  CHECK(plain == known + 1);
}

TEST(derivatives_are_those_of_the_scan) {
  for (const bool reverse : {false, true}) {
    const ScanForm f = form(reverse);
    const Function whole = [f](const Refs& in) { return scan(f, in); };
    check_same_function(handing(f, {1, 1, 1}), whole,
                        {numbers({n}), numbers({5, n}, 2), numbers({n, n}, 3)},
                        {numbers({n}, 4), numbers({5, n}, 5), numbers({n, n}, 6)});
  }
}
