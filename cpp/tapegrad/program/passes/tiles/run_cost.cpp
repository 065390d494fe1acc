#include "tapegrad/program/passes/tiles/run_cost.h"

#include <algorithm>

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {
namespace {

constexpr double step_ns = 300, view_ns = 60;  // of an op whatever its arrays
constexpr double element_ns = 0.5;             // moved or added
constexpr double instruction_ns = 1.3;         // of a scalar tape, and of what the
constexpr double far_instruction_ns = 3.5;     // near caches do not hold of it
constexpr size_t near_instructions = 20000;
constexpr double scalar_slowdown = 4;                // of a function outside of vectors
constexpr double row_ns = 4, row_element_ns = 0.15;  // of an instruction on rows
constexpr double turn_ns = 10;                       // of a scan
constexpr double planned_step_ns = 60;               // of an op where its arrays have their places

bool is_view(const Op& op) { return op.view != ViewKind::none && op.n_out == 1; }

double code_cost(const LaneKernel& k, double lanes) {
  double ns = 0;
  for (size_t i = 0; i < k.code.size(); ++i) {
    const double each = lane_ns(k.code[i].fn);
    ns += lanes > 1 ? row_ns + row_element_ns * each * lanes
                    : (i < near_instructions ? instruction_ns : far_instruction_ns) +
                          (each > 1 ? scalar_slowdown * each : 0);
  }
  return ns;
}

// A product of matrices, for each multiply-add: small ones take most of their time to begin.
double product_ns(double inner) { return 0.04 + 8 / (inner * inner); }

}  // namespace

double run_cost(const StepKernel& kernel) {
  const auto* fused = dynamic_cast<const FusedKernel*>(&kernel);
  if (!fused) return step_ns + kernel.ns(0);
  const LaneKernel& k = fused->lanes.kernel();
  const auto lanes = static_cast<double>(element_count(fused->space));
  const double ns = code_cost(k, lanes);
  const double moved = static_cast<double>(k.n_inputs + k.outputs.size());
  return step_ns + ns + (k.batch ? 2 : 15) * moved;
}

namespace {

double program_cost(const Program& p, double step, double view);

// The body may run as a kernel, or by a plan that has a place for each value: what a step costs
// besides its arithmetic is then a fraction.
double scan_cost(const ScanForm& f) {
  const auto turns = static_cast<double>(f.length);
  if (f.length < 2) return program_cost(f.body->program(), step_ns, view_ns);
  if (const auto kernel = f.body->lane_body(f.n_carry, f.n_xs)) {
    const LaneLoop& loop = kernel->loop();
    const auto lanes = static_cast<double>(element_count(loop.space));
    return turns * (turn_ns + code_cost(loop.body, lanes));
  }
  const auto executor = f.body->executor(static_cast<size_t>(f.length), f.n_carry);
  return turns * (turn_ns + program_cost(executor->program(), planned_step_ns, 0));
}

double program_cost(const Program& p, double step, double view) {
  double ns = 0;
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0) {
      ns += step - step_ns + run_cost(*p.kernels[static_cast<size_t>(s.kernel)]);
    } else if (s.op == scan_op().id) {
      ns += step + scan_cost(ScanForm(p.attrs_of(s)));
    } else if (is_view(op_by_id(s.op))) {
      ns += view;
    } else {
      const auto made = static_cast<double>(element_count(p.type_of(s.first_out).shape));
      ns += step + element_ns * made;
      if (op_by_id(s.op).product == ProductKind::matrices) {
        const auto inner = static_cast<double>(p.type_of(p.in(s)[0]).shape.back());
        ns += made * inner * product_ns(std::max(inner, 1.0));
      }
    }
  }
  return ns;
}

}  // namespace

double run_cost(const Program& p) { return program_cost(p, step_ns, view_ns); }

double least_cost(const Program& p) {
  double ns = 0;
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0) {
      ns += run_cost(*p.kernels[static_cast<size_t>(s.kernel)]);
    } else if (!is_view(op_by_id(s.op)) && !op_by_id(s.op).copies()) {
      ns += instruction_ns * static_cast<double>(element_count(p.type_of(s.first_out).shape));
    }
  }
  return ns;
}

}  // namespace tapegrad
