#include "tapegrad/program/passes/tiles/run_cost.h"

#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

constexpr double step_ns = 300, view_ns = 60;  // of an op whatever its arrays
constexpr double element_ns = 0.5;             // moved or added
constexpr double instruction_ns = 1.3;         // of a scalar tape
constexpr double scalar_slowdown = 4;          // of a function outside of vectors

bool is_view(const Op& op) { return op.view != ViewKind::none && op.n_out == 1; }

}  // namespace

double run_cost(const StepKernel& kernel) {
  const auto* fused = dynamic_cast<const FusedKernel*>(&kernel);
  if (!fused) return step_ns + kernel.ns(0);
  const LaneKernel& k = fused->lanes.kernel();
  const auto lanes = static_cast<double>(element_count(fused->space));
  double ns = 0;
  for (const LaneKernel::Instruction& i : k.code) {
    const double each = lane_ns(i.fn);
    ns += lanes == 1 ? instruction_ns + (each > 1 ? scalar_slowdown * each : 0)
                     : 5 + 0.3 * each * lanes;
  }
  const double moved = static_cast<double>(k.n_inputs + k.outputs.size());
  return step_ns + ns + (k.batch ? 2 : 15) * moved;
}

double run_cost(const Program& p) {
  double ns = 0;
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0) {
      ns += run_cost(*p.kernels[static_cast<size_t>(s.kernel)]);
    } else if (is_view(op_by_id(s.op))) {
      ns += view_ns;
    } else {
      ns += step_ns + element_ns * static_cast<double>(element_count(p.type_of(s.first_out).shape));
    }
  }
  return ns;
}

}  // namespace tapegrad
