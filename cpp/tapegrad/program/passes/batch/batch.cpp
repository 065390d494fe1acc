#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>

#include "tapegrad/ops/expand.h"
#include "tapegrad/program/passes/batch/batch_plan.h"
#include "tapegrad/program/passes/batch/batch_scalars.h"
#include "tapegrad/program/passes/batch/batch_sums.h"
#include "tapegrad/program/passes/passes.h"

// A model that treats many points alike (a mixture, a small network) is written over arrays with a
// long axis and short ones. Its products are then small matrices, its sums are short, and its
// intermediate arrays large. Here the long axis becomes the lanes of a kernel and all others are
// taken apart into scalars: what stood in memory between steps stays in the cache, products become
// sums of products of rows, and what is added over the long axis is added as it is computed.
//
// Steps that can be applied lane by lane (BatchAxes), and hand lanes to one another or read the
// same, form a region. It becomes a kernel, or several: a *stage* ends where a sum over all lanes
// is needed, as in fuse_plan.h. Regions in which arrays are faster are left alone.

namespace tapegrad {
namespace {

// When few lanes share an instruction's fixed cost, arrays are as good, unless they are small
// themselves: then many steps have to be worth it.
constexpr int64_t long_axis = 256, least_lanes = 8;
constexpr int least_short_steps = 8;

class BatchWriter {
 public:
  BatchWriter(const Program& p, const BatchPlan& plan, bool may_require)
      : p_(p),
        plan_(plan),
        may_require_(may_require),
        one_lane_(plan.axes().of_one_lane()),
        edit_(p) {}

  // The program, or the step that could not be taken apart.
  std::optional<Program> run(uint32_t& failed) {
    std::vector<std::optional<BatchKernel>> kernels;
    for (const BatchPlan::Kernel& k : plan_.kernels()) {
      kernels.push_back(made(k, failed));
      if (!kernels.back()) return std::nullopt;
    }
    std::vector<uint32_t> order(p_.steps.size());
    std::iota(order.begin(), order.end(), 0);
    const std::vector<uint32_t>& stages = plan_.stages();
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return stages[a] < stages[b]; });
    const auto write_kernels = [&](uint32_t stage) {
      for (size_t k = 0; k < kernels.size(); ++k)
        if (plan_.kernels()[k].stage == stage) write(plan_.kernels()[k], std::move(*kernels[k]));
    };
    uint32_t stage = 0;
    for (uint32_t i : order) {
      for (; stage < stages[i]; ++stage) write_kernels(stage);
      if (plan_.kernel_of()[i] == BatchPlan::none) edit_.copy(p_.steps[i]);
    }
    write_kernels(stage);
    return edit_.finish();
  }

 private:
  std::optional<BatchKernel> made(const BatchPlan::Kernel& k, uint32_t& failed) {
    LaneScalars w(p_, one_lane_, plan_.axes(), may_require_);
    for (uint32_t i : k.steps) {
      const Program::Step& s = one_lane_.steps[i];
      failed = i;
      if (!expand_step(w, s)) return std::nullopt;
      if (plan_.axes().adds_over_lanes(i))
        for (uint32_t j = 0; j < s.n_out; ++j) w.sum_over_lanes(s.first_out + j);
      if (!w.fits() || w.takes_too_much()) return std::nullopt;
    }
    return batch_kernel(w, p_, plan_.axes(), plan_.axes().dtype(), plan_.rows(), k.results);
  }

  void write(const BatchPlan::Kernel& k, BatchKernel made) {
    std::vector<uint32_t> out;
    for (ValueId v : k.results) {
      const int64_t rows = plan_.axes().elements(v);
      out.push_back(plan_.rows()[v]
                        ? edit_.type({p_.type_of(v).dtype, Dims{rows, plan_.axes().n()}})
                        : p_.values[v].type);
    }
    write_kernel(edit_, std::move(made), Dims{plan_.axes().n()}, k.results, std::move(out));
  }

  const Program& p_;
  const BatchPlan& plan_;
  const bool may_require_;
  const Program one_lane_;
  Edit edit_;
};

// The lengths that short products and sums have along with their own axes, most work first, long
// axes before short ones.
std::vector<int64_t> candidates(const Program& p) {
  struct Length {
    int64_t n, elements = 0;
    int steps = 0;
    uint32_t last = ~uint32_t{0};  // step
  };
  std::vector<Length> found;
  for (uint32_t i = 0; i < p.steps.size(); ++i) {
    const Program::Step& s = p.steps[i];
    if (s.kernel >= 0) continue;
    const Op& op = op_by_id(s.op);
    const bool joins = op.join == JoinKind::stack;  // its rows are a kernel's, perhaps
    const bool works = has_expand_rule(op) && (BatchCosts::is_product(s.op) ||
                                               BatchCosts::reduces(s.op) || op.matrix_stack);
    if (!joins && !works) continue;
    const std::span<const ValueId> arrays = joins ? std::span(&s.first_out, 1) : p.in(s);
    for (ValueId v : arrays) {
      const Dims& shape = p.type_of(v).shape;
      for (int64_t n : shape) {
        if (n < least_lanes || shape.size() < 2) continue;
        auto at =
            std::find_if(found.begin(), found.end(), [&](const Length& x) { return x.n == n; });
        if (at == found.end()) at = found.insert(found.end(), {n});
        at->elements += element_count(shape);
        at->steps += at->last != i;
        at->last = i;
      }
    }
  }
  std::erase_if(found,
                [](const Length& x) { return x.n < long_axis && x.steps < least_short_steps; });
  std::sort(found.begin(), found.end(), [](const Length& x, const Length& y) {
    const auto key = [](const Length& l) { return std::tuple(l.n >= long_axis, l.elements, l.n); };
    return key(x) > key(y);
  });
  std::vector<int64_t> lengths;
  for (const Length& x : found)
    if (lengths.size() < 2) lengths.push_back(x.n);
  return lengths;
}

}  // namespace

namespace {

// The program with kernels over n lanes; nothing where no step is faster so.
std::optional<Program> with_lanes(const Program& p, int64_t n, bool may_require) {
  constexpr int most_tries = 8;
  std::vector<bool> banned(p.steps.size(), false);
  for (size_t i = 0; i < p.steps.size(); ++i)
    banned[i] = !is_expandable(p, p.steps[i], may_require);
  for (int i = 0; i < most_tries; ++i) {
    const BatchPlan plan(p, n, banned);
    if (plan.kernels().empty()) break;
    uint32_t failed = 0;
    if (std::optional<Program> found = BatchWriter(p, plan, may_require).run(failed)) return found;
    banned[failed] = true;
  }
  return std::nullopt;
}

}  // namespace

// One axis after the other: what has become a kernel stays one.
Program batch(Program p, bool may_require) {
  constexpr int most_axes = 3;
  for (int i = 0; i < most_axes; ++i) {
    const std::vector<int64_t> lengths = candidates(p);
    if (lengths.empty()) break;
    if (i == 0) p = sums_before_products(drop_dead(p));
    std::optional<Program> found;
    for (int64_t n : lengths)
      if (!found) found = with_lanes(p, n, may_require);
    if (!found) break;
    p = drop_dead(*found);
  }
  return p;
}

}  // namespace tapegrad
