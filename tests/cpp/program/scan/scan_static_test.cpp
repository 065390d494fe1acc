#include "tapegrad/program/scan/scan_static.h"

#include "program/scan/scan_cases.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/program/scan/scan_run.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

// The scan step by step, in the registers of an executor.
std::vector<Value> by_scan_run(const ScanForm& f, const std::vector<Value>& in) {
  std::vector<Value> carries(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(f.n_carry));
  std::vector<Stack> ys;
  for (size_t k = 0; k < f.n_ys(); ++k) ys.emplace_back(f.body->out_type(f.n_carry + k), f.length);
  ScanRun run(f, in);
  for (int64_t step = 0; step < f.length; ++step) {
    const int64_t t = f.reverse ? f.length - 1 - step : step;
    run.step(t, carries);
    for (size_t k = 0; k < ys.size(); ++k) ys[k].put(t, run.y(k));
  }
  run.finish(carries);
  for (Stack& y : ys) carries.push_back(y.take());
  return carries;
}

}  // namespace

TEST(a_network_gives_the_bits_of_its_steps) {
  for (const bool reverse : {false, true}) {
    const int64_t n = 80, length = 40;  // the sum of products is gathered
    const ScanForm f = form_of(
        [](std::span<const Ref> a) {
          const Ref h = elementwise(scalar_fn_of<Tanh>(), {add(matmul(a[3], a[0]), a[2])});
          return Refs{h, add(a[1], multiply(reshape(h, Ints{80, 1}), a[2])), h};
        },
        {numbers({n}), numbers({n, n}, 2), numbers({n}, 3), numbers({n, n}, 4)}, length, 2, 1,
        reverse);
    const std::vector<Value> in{numbers({n}), numbers({n, n}, 2), numbers({length, n}, 3),
                                numbers({n, n}, 4)};
    std::vector<Value> out(3);
    CHECK(run_scan_statically(f, in, out));
    const std::vector<Value> want = by_scan_run(f, in);
    for (size_t k = 0; k < out.size(); ++k) CHECK(same_numbers(out[k], want[k]));
  }
}

TEST(a_product_alone_is_planned) {
  const ScanForm f = form_of(
      [](std::span<const Ref> a) {
        const Ref next = matmul(a[1], a[0]);
        return Refs{next, next};
      },
      {numbers({9}), numbers({9, 9}, 2)}, 20, 1, 0);
  const std::vector<Value> in{numbers({9}), numbers({9, 9}, 2)};
  std::vector<Value> out(2);
  CHECK(run_scan_statically(f, in, out));
  const std::vector<Value> want = by_scan_run(f, in);
  for (size_t k = 0; k < out.size(); ++k) CHECK(same_numbers(out[k], want[k]));
}

TEST(short_scans_and_bodies_without_a_plan_are_left_alone) {
  const auto inverse = [](std::span<const Ref> a) { return Refs{inv(a[0])}; };
  const ScanForm f = form_of(inverse, {numbers({9, 9})}, 20, 1, 0);
  std::vector<Value> in{numbers({9, 9})}, out(1);
  CHECK(!run_scan_statically(f, in, out));
  const auto bent = [](std::span<const Ref> a) { return Refs{roll(a[0], {1}, Axes{Ints{0}})}; };
  const ScanForm few = form_of(bent, {numbers({30})}, 3, 1, 0);
  std::vector<Value> row{numbers({30})};
  CHECK(!run_scan_statically(few, row, out));
}
