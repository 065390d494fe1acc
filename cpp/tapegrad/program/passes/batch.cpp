#include <algorithm>
#include <numeric>
#include <optional>

#include "tapegrad/program/passes.h"
#include "tapegrad/program/passes/batch_plan.h"
#include "tapegrad/program/passes/batch_scalars.h"
#include "tapegrad/program/passes/batch_sums.h"

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

// Where few lanes share an instruction's fixed cost, arrays are as good.
constexpr int64_t least_lanes = 256;

class BatchWriter {
 public:
  BatchWriter(const Program& p, const BatchPlan& plan)
      : p_(p), plan_(plan), one_lane_(plan.axes().of_one_lane()), edit_(p) {}

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
    LaneScalars w(p_, one_lane_, plan_.axes());
    for (uint32_t i : k.steps) {
      const Program::Step& s = one_lane_.steps[i];
      failed = i;
      if (!expand_step(w, s)) return std::nullopt;
      if (plan_.axes().adds_over_lanes(i))
        for (uint32_t j = 0; j < s.n_out; ++j) w.sum_over_lanes(s.first_out + j);
      if (!w.fits()) return std::nullopt;
    }
    return batch_kernel(w, p_, plan_.axes(), plan_.axes().dtype(), plan_.rows(), k.results);
  }

  void write(const BatchPlan::Kernel& k, BatchKernel made) {
    Program::Step like;
    like.kernel = edit_.kernel(
        std::make_shared<const FusedKernel>(std::move(made.kernel), Dims{plan_.axes().n()}));
    std::vector<uint32_t> out;
    for (ValueId v : k.results) {
      const int64_t rows = plan_.axes().elements(v);
      out.push_back(plan_.rows()[v]
                        ? edit_.type({p_.type_of(v).dtype, Dims{rows, plan_.axes().n()}})
                        : p_.values[v].type);
    }
    for (ValueId& v : made.inputs) v = edit_.at(v);
    const ValueId first = edit_.write(like, made.inputs, out);
    for (size_t j = 0; j < out.size(); ++j)
      edit_.set(k.results[j], first + static_cast<ValueId>(j));
  }

  const Program& p_;
  const BatchPlan& plan_;
  const Program one_lane_;
  Edit edit_;
};

// The lengths that short products and sums have along with their own axes, most work first.
std::vector<int64_t> candidates(const Program& p) {
  std::vector<std::pair<int64_t, int64_t>> found;  // elements, length
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0) continue;
    const bool joins = BatchCosts::stacks(s.op);  // its rows are a kernel's, perhaps
    if (!joins && !BatchCosts::is_product(s.op) && !BatchCosts::reduces(s.op)) continue;
    const std::span<const ValueId> arrays = joins ? std::span(&s.first_out, 1) : p.in(s);
    for (ValueId v : arrays) {
      const Dims& shape = p.type_of(v).shape;
      for (int64_t n : shape) {
        if (n < least_lanes || shape.size() < 2) continue;
        const auto at =
            std::find_if(found.begin(), found.end(), [&](const auto& x) { return x.second == n; });
        if (at == found.end()) {
          found.emplace_back(element_count(shape), n);
        } else {
          at->first += element_count(shape);
        }
      }
    }
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  std::vector<int64_t> lengths;
  for (const auto& [elements, n] : found)
    if (lengths.size() < 2) lengths.push_back(n);
  return lengths;
}

}  // namespace

Program batch(Program p) {
  constexpr int most_tries = 8;
  const std::vector<int64_t> lengths = candidates(p);
  if (lengths.empty()) return p;
  p = sums_before_products(drop_dead(p));
  for (int64_t n : lengths) {
    std::vector<bool> banned(p.steps.size(), false);
    for (int i = 0; i < most_tries; ++i) {
      const BatchPlan plan(p, n, banned);
      if (plan.kernels().empty()) break;
      uint32_t failed = 0;
      if (std::optional<Program> found = BatchWriter(p, plan).run(failed)) return std::move(*found);
      banned[failed] = true;
    }
  }
  return p;
}

}  // namespace tapegrad
