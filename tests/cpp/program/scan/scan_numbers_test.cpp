#include "tapegrad/program/scan/scan_numbers.h"

#include "program/scan/scan_cases.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/scan/scan_run.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

const Program& body_of(const ScanForm& f) { return f.body->executor(2, f.n_carry)->program(); }

void check_run(const ScanForm& f, const std::vector<Value>& in) {
  const auto scan = NumberScan::of(body_of(f), f.n_carry, f.n_xs);
  CHECK(scan != nullptr);
  if (!scan) return;
  const std::vector<Value> want = by_steps(f, in);
  for (int round = 0; round < 2; ++round) {
    std::vector<Value> out(f.n_carry + f.n_ys());
    CHECK(scan->run(f, in, out));
    for (size_t k = 0; k < out.size(); ++k) {
      CHECK(type_of(out[k]) == type_of(want[k]));
      CHECK(same_numbers(out[k], want[k]));
    }
  }
}

// A filter of two states: x, its covariance p, and z, which is the x of the step before.
Refs filter(std::span<const Ref> a) {
  const Ref &x = a[0], &p = a[1], &y = a[3], &m = a[4];
  const Ref next = add(matmul(m, x), multiply(y, x));
  const Ref spread = matmul(matmul(m, p), swap_last_axes(m));
  return {next, spread, x, p, elementwise(scalar_fn_of<Sin>(), {next}), a[2]};
}

}  // namespace

TEST(small_matrices_stay_in_registers) {
  for (const bool reverse : {false, true}) {
    const std::vector<Value> first{numbers({2}), numbers({2, 2}, 2), numbers({2}, 3), Value(0.5),
                                   numbers({2, 2}, 4)};
    const ScanForm f = form_of(filter, first, 23, 3, 1, reverse);
    std::vector<Value> in = first;
    in[3] = numbers({23}, 5);
    check_run(f, in);
    in[3] = in[3].view(Dims{23}, Dims{-1}, 22);  // read backwards where it lies
    in[1] = in[1].view(Dims{2, 2}, Dims{1, 2}, 0);
    check_run(f, in);
  }
}

TEST(rows_of_a_series_that_are_not_packed) {
  const auto step = [](std::span<const Ref> a) {
    return Refs{add(matmul(a[2], a[0]), a[1]), a[1]};
  };
  const ScanForm f = form_of(step, {numbers({3}), numbers({3}, 2), numbers({3, 3}, 3)}, 12, 1, 1);
  const Value packed = numbers({3, 12}, 7);
  check_run(f, {numbers({3}), packed.view(Dims{12, 3}, Dims{1, 12}, 0), numbers({3, 3}, 3)});
}

TEST(carries_trade_places_and_masks_are_bool) {
  const auto step = [](std::span<const Ref> a) {
    const Ref larger = elementwise(scalar_fn_of<Greater>(), {a[0], a[1]});
    const Ref chosen = elementwise(scalar_fn_of<Select>(), {a[2], a[0], a[1]});
    return Refs{a[1], matmul(a[3], chosen), larger, larger, chosen};
  };
  const Value mask = filled(DType::bool_, Dims{2}, [](int64_t i) { return i ? 1.0 : 0.0; });
  for (const DType dtype : {DType::float64, DType::float32}) {
    const std::vector<Value> in{numbers({2}).cast(dtype), numbers({2}, 2).cast(dtype), mask,
                                numbers({2, 2}, 3).cast(dtype)};
    check_run(form_of(step, in, 30, 3, 0), in);
  }
}

TEST(a_guard_that_does_not_hold_ends_the_run) {
  Draft d;
  const ValueId x = d.input({2}), u = d.input(f64());
  const ValueId m = d.input({2, 2}), next = d.op("multiply", {d.op("matmul", {m, x}), u});
  d.guard(d.op("greater", {u, d.constant(0.0)}), Value::integer_scalar(1, DType::bool_));
  const Program body = optimise(d.returning({next}), tapegrad::PassOptions());
  const auto scan = NumberScan::of(body, 1, 1);
  CHECK(scan != nullptr);
  if (!scan) return;
  const ScanForm f =
      form_of([](std::span<const Ref> a) { return Refs{multiply(matmul(a[2], a[0]), a[1])}; },
              {numbers({2}), Value(0.5), numbers({2, 2})}, 9, 1, 1);
  std::vector<Value> in{numbers({2}), Value::full(DType::float64, Dims{9}, 0.5), numbers({2, 2})},
      out(1);
  CHECK(scan->run(f, in, out));
  in[1].set_at(6, -0.5);
  CHECK(!scan->run(f, in, out));
}

TEST(more_than_a_kernel_of_numbers_is_none) {
  const auto of = [](const ScanForm& f) {
    return NumberScan::of(body_of(f), f.n_carry, f.n_xs) != nullptr;
  };
  const auto bent = [](std::span<const Ref> a) {
    return Refs{elementwise(scalar_fn_of<Sin>(), {a[0]})};
  };
  CHECK(!of(form_of(bent, {numbers({500})}, 20, 1, 0)));
  const auto product = [](std::span<const Ref> a) { return Refs{matmul(a[0], a[0])}; };
  CHECK(!of(form_of(product, {numbers({30, 30})}, 20, 1, 0)));
}
