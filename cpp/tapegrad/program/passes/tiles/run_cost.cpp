#include "tapegrad/program/passes/tiles/run_cost.h"

#include <algorithm>

#include "tapegrad/kernels/fused/loop/lane_loop_sums.h"
#include "tapegrad/program/costs.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/scan/scan.h"

namespace tapegrad {
namespace {

constexpr size_t near_instructions = 20000;
constexpr double scalar_slowdown = 4;  // of a function outside of vectors
constexpr double far_more = costs::far_instruction - costs::instruction;

bool is_view(const Op& op) { return op.view != ViewKind::none && op.n_out == 1; }

double code_cost(const LaneKernel& k, double lanes) {
  double ns = 0;
  for (size_t i = 0; i < k.code.size(); ++i) {
    const ScalarFn fn = k.code[i].fn;
    ns += lanes > 1 ? costs::row_instruction + lane_cost(fn) * lanes
                    : number_cost(fn) + (i < near_instructions ? 0 : far_more);
  }
  return ns;
}

// What steps cost whatever their arrays.
struct FixedCosts {
  double step = costs::step, elementwise = costs::elementwise_step, view = costs::view_step;

  double of(const Op& op) const {
    return is_view(op) ? view : op.scalar_fn >= 0 ? elementwise : step;
  }
};
constexpr FixedCosts planned{costs::planned_step, costs::planned_step, 0};

}  // namespace

double number_cost(ScalarFn fn) {
  const double each = lane_ns(fn);
  return costs::instruction + (each > 1 ? scalar_slowdown * each : 0);
}

double lane_cost(ScalarFn fn) {
  return costs::row_element * lane_ns(fn) / lane_ns(scalar_fn_of<Add>());
}

double run_cost(const StepKernel& kernel) {
  const auto* fused = dynamic_cast<const FusedKernel*>(&kernel);
  if (!fused) return costs::step + kernel.ns(0);
  const LaneKernel& k = fused->lanes.kernel();
  const auto lanes = static_cast<double>(element_count(fused->space));
  const double ns = code_cost(k, lanes);
  const double moved = static_cast<double>(k.n_inputs + k.outputs.size());
  return costs::step + ns + (k.batch ? 2 : 15) * moved;
}

namespace {

double program_cost(const Program& p, const FixedCosts& fixed);

// The body may run as a kernel, or by a plan that has a place for each value: what a step costs
// besides its arithmetic is then a fraction.
double scan_cost(const ScanForm& f) {
  const auto turns = static_cast<double>(f.length);
  if (f.length < 2) return program_cost(f.body->program(), FixedCosts());
  if (const auto kernel = f.body->lane_body(f.n_carry, f.n_xs)) {
    const LaneLoop& loop = kernel->loop();
    const auto lanes = static_cast<double>(element_count(loop.space));
    if (const size_t sums = summed_series(loop).size())
      return turns * static_cast<double>(sums) * (costs::instruction + costs::row_element * lanes);
    return turns * (costs::turn + code_cost(loop.body, lanes));
  }
  const auto executor = f.body->executor(static_cast<size_t>(f.length), f.n_carry);
  return turns * (costs::turn + program_cost(executor->program(), planned));
}

double program_cost(const Program& p, const FixedCosts& fixed) {
  double ns = 0;
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0) {
      ns += fixed.step - costs::step + run_cost(*p.kernels[static_cast<size_t>(s.kernel)]);
      continue;
    }
    const Op& op = op_by_id(s.op);
    ns += fixed.of(op);
    if (s.op == scan_op().id) {
      ns += scan_cost(ScanForm(p.attrs_of(s)));
    } else if (!is_view(op)) {
      const auto made = static_cast<double>(element_count(p.type_of(s.first_out).shape));
      ns += costs::element * made;
      if (op.product == ProductKind::matrices) {
        const auto inner =
            static_cast<double>(std::max<int64_t>(1, p.type_of(p.in(s)[0]).shape.back()));
        ns += made * inner * product_cost(inner);
      }
    }
  }
  return ns;
}

}  // namespace

double run_cost(const Program& p) { return program_cost(p, FixedCosts()); }

double least_cost(const Program& p) {
  double ns = 0;
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0) {
      ns += run_cost(*p.kernels[static_cast<size_t>(s.kernel)]);
    } else if (!is_view(op_by_id(s.op)) && !op_by_id(s.op).copies()) {
      ns += costs::instruction * static_cast<double>(element_count(p.type_of(s.first_out).shape));
    }
  }
  return ns;
}

}  // namespace tapegrad
