#include "tapegrad/program/scan/scan_static.h"

#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/program/scan/scan_run.h"

namespace tapegrad {

bool run_scan_statically(const ScanForm& f, std::span<const Value> in, std::span<Value> out) {
  const GatheredForm gathered(f);
  const ScanForm& form = gathered.form;
  const auto plan =
      form.body->static_plan(static_cast<size_t>(f.length), form.n_carry, form.n_xs);
  if (!plan) return false;
  std::vector<Value> inputs;
  for (size_t i = 0; i < in.size(); ++i)
    if (i >= f.n_carry || gathered.stays[i]) inputs.push_back(in[i]);
  StaticRun run(*plan, inputs);

  const size_t n_ys = f.n_ys();
  std::vector<Stack> ys;
  for (size_t k = 0; k < n_ys; ++k) ys.emplace_back(f.body->out_type(f.n_carry + k), f.length);
  std::vector<ProductStack> stacks;
  for (const ProductSum& sum : gathered.sums) {
    stacks.emplace_back(sum);
    out[sum.carry] = in[sum.carry];
  }
  InterruptPoll poll;
  for (int64_t i = 0; i < f.length; ++i) {
    const int64_t t = f.reverse ? f.length - 1 - i : i;
    poll();
    run.step(t);
    for (size_t k = 0; k < n_ys; ++k) ys[k].put(t, run.y(k));
    size_t factor = n_ys;
    for (size_t k = 0; k < stacks.size(); ++k) {
      for (size_t term = 0; term < gathered.sums[k].n_terms; ++term, factor += 2)
        stacks[k].put(run.y_value(factor), run.y_value(factor + 1));
      if (stacks[k].full()) stacks[k].add_to(out[gathered.sums[k].carry]);
    }
  }
  for (size_t k = 0; k < stacks.size(); ++k) stacks[k].add_to(out[gathered.sums[k].carry]);
  for (size_t c = 0, kept = 0; c < f.n_carry; ++c)
    if (gathered.stays[c]) out[c] = run.carry(kept++);
  for (size_t k = 0; k < n_ys; ++k) out[f.n_carry + k] = ys[k].take();
  return true;
}

}  // namespace tapegrad
