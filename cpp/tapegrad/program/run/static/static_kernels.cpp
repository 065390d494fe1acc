#include "tapegrad/program/run/static/static_kernels.h"

namespace tapegrad {

std::optional<LaneKernel> kernel_of_step(const Program& p, const Program::Step& s) {
  if (s.kernel >= 0 || s.op >= scalar_fn_count) return std::nullopt;
  const auto in = p.in(s);
  const DType given = p.type_of(s.first_out).dtype;
  LaneKernel kernel;
  kernel.n_inputs = s.n_in;
  kernel.dtype = p.type_of(in.back()).dtype;
  if (!is_floating(kernel.dtype)) return std::nullopt;
  for (ValueId v : in)
    if (p.type_of(v).dtype != kernel.dtype && !is_bool(p.type_of(v).dtype)) return std::nullopt;
  if (given != kernel.dtype && !is_bool(given)) return std::nullopt;
  ScalarTape::Instruction code{static_cast<ScalarFn>(s.op), {0, 0, 0}};
  for (uint32_t i = 0; i < s.n_in; ++i) code.args[i] = i;
  kernel.code.push_back(code);
  kernel.outputs.push_back({.operand = kernel.first_result(), .dtype = given});
  return kernel;
}

LaneKernel kernel_of_mask(DType numbers) {
  LaneKernel kernel;
  kernel.n_inputs = 1;
  kernel.dtype = numbers;
  kernel.constants = {1, 0};
  const uint32_t one = kernel.first_constant();
  const uint32_t chosen = kernel.add(scalar_fn_of<Select>(), {0, one, one + 1});
  kernel.outputs.push_back({.operand = chosen, .dtype = numbers});
  return kernel;
}

LaneKernel without_gathers(LaneKernel kernel) {
  kernel.gathers.clear();
  kernel.n_indices = 0;
  return kernel;
}

}  // namespace tapegrad
