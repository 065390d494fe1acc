// What the tests of scans share.
#pragma once

#include <algorithm>

#include "program/same_function.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/scan/scan_run.h"
#include "tapegrad/tape/rule.h"

namespace scans {

using programs::Refs;
using tapegrad::Ref;
using tapegrad::ScanForm;
using tapegrad::Value;

inline ScanForm form_of(const std::function<Refs(std::span<const Ref>)>& step,
                        const std::vector<Value>& first, int64_t length, size_t n_carry,
                        size_t n_xs, bool reverse = false) {
  tapegrad::register_all_ops();
  return ScanForm(tapegrad::record_body(first, step), length, n_carry, n_xs, reverse);
}

// The body applied step by step, by its program.
inline std::vector<Value> by_steps(const ScanForm& f, const std::vector<Value>& in) {
  const size_t n = f.n_carry;
  std::vector<Value> carries(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(n));
  std::vector<tapegrad::Stack> ys;
  for (size_t k = 0; k < f.n_ys(); ++k) ys.emplace_back(f.body->out_type(n + k), f.length);
  for (int64_t step = 0; step < f.length; ++step) {
    const int64_t t = f.reverse ? f.length - 1 - step : step;
    std::vector<Value> now = carries;
    for (size_t i = n; i < in.size(); ++i)
      now.push_back(f.is_xs(i) ? tapegrad::Rows(in[i]).at(t) : in[i]);
    const std::vector<Value> made = programs::run(f.body->program(), now);
    std::copy_n(made.begin(), n, carries.begin());
    for (size_t k = 0; k < ys.size(); ++k) ys[k].put(t, made[n + k]);
  }
  for (tapegrad::Stack& y : ys) carries.push_back(y.take());
  return carries;
}

// How often counted_square was evaluated, and the most memory in use then.
inline int64_t evaluations = 0;
inline size_t most_bytes = 0;

inline void start_counting() {
  evaluations = 0;
  most_bytes = 0;
}

// x * x, counted. Its derivative reads x alone, so that going back does not evaluate it.
inline Ref counted_square(const Ref& x) {
  static const tapegrad::Op& op = tapegrad::register_op(
      {.name = "test_counted_square",
       .infer =
           [](const tapegrad::Attrs&, std::span<const tapegrad::TensorType> in) {
             return std::vector<tapegrad::TensorType>{in[0]};
           },
       .eval =
           [](const tapegrad::Attrs&, std::span<Value> in, std::span<Value> out) {
             ++evaluations;
             most_bytes = std::max(most_bytes, tapegrad::pool_stats().bytes_in_use);
             out[0] = tapegrad::square(Ref(in[0])).value();
           },
       .vjp =
           [](tapegrad::VjpContext& ctx) {
             ctx.add(0, tapegrad::multiply(ctx.ct(), tapegrad::multiply(Ref(2.0), ctx.in(0))));
           },
       .reads = {tapegrad::reads_in(0)}});
  return tapegrad::apply(op, {}, {x});
}

// The gradient of one output of a scan with respect to one input, summed over the elements.
inline Value gradient(const ScanForm& f, const std::vector<Value>& in, size_t wrt, size_t output) {
  tapegrad::Scope scope;
  Refs entered = programs::refs_of(in);
  entered[wrt] = scope.argument(entered[wrt]).ref();
  const Ref total = tapegrad::sum(tapegrad::scan(f, entered)[output]);
  return scope.grad({&total, 1}, {&entered[wrt], 1}, {})[0].value();
}

}  // namespace scans
