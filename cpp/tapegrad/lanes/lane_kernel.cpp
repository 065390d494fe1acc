#include "tapegrad/lanes/lane_kernel.h"

#include <sstream>

#include "tapegrad/base/error.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

const char* lane_fn_name(ScalarFn fn) {
  if (is_window_fn(fn)) return fn == window_add ? "window_add" : "window_set";
  return fn == row_sum ? "row_sum" : fn == row_copy ? "row_copy" : scalar_fn_info(fn).name;
}

}  // namespace

int lane_arity(ScalarFn fn) {
  return is_window_fn(fn) ? 2 : is_row_fn(fn) ? 1 : scalar_fn_info(fn).arity;
}

double lane_ns(ScalarFn fn) {
  return index_of(fn) < scalar_fn_count ? scalar_fn_info(fn).ns
                                        : scalar_fn_info(scalar_fn_of<Add>()).ns;
}

void check_lane_kernel(const LaneKernel& k) {
  const auto fail = [](auto... what) { throw_error<ValueError>("LaneKernel: ", what...); };
  if (!is_floating(k.dtype)) fail("computes in float64 or float32, not in ", dtype_name(k.dtype));
  uint32_t next = k.first_result();
  for (const ScalarTape::Instruction& step : k.code) {
    const int arity = lane_arity(step.fn);
    for (size_t i = 0; i < static_cast<size_t>(arity); ++i)
      if (step.args[i] >= next)
        fail("operand ", step.args[i], " of %", next, " = ", lane_fn_name(step.fn),
             " comes after it; operands are numbered inputs, constants, results");
    if (is_window_fn(step.fn) && step.args[2] >= k.windows.size())
      fail("window ", step.args[2], " of ", k.windows.size());
    ++next;
  }
  if (!k.offsets.empty() && k.offsets.size() != k.n_inputs)
    fail(k.offsets.size(), " offsets for ", k.n_inputs, " inputs");
  if (k.boxes.size() != k.offsets.size())
    fail(k.boxes.size(), " boxes for ", k.offsets.size(), " offsets");
  for (const LaneKernel::Output& o : k.outputs) {
    if (o.operand >= next) fail("output %", o.operand, " of ", next, " operands");
    if (o.dtype != k.dtype && (o.summed || !is_bool(o.dtype)))
      fail("an output is of ", dtype_name(k.dtype), ", or bool where it is not summed; got ",
           dtype_name(o.dtype));
  }
  for (const LaneGather& g : k.gathers)
    if (g.input >= k.n_inputs || g.index >= k.n_indices)
      fail("input ", g.input, " is gathered by index array ", g.index, "; it has ", k.n_inputs,
           " and ", k.n_indices);
  if (k.batch &&
      (k.batch->inputs.size() != k.n_inputs || k.batch->outputs.size() != k.outputs.size()))
    fail("a batch says where each input and each output lies; it has ", k.batch->inputs.size(),
         " and ", k.batch->outputs.size(), " for ", k.n_inputs, " and ", k.outputs.size());
}

std::string to_string(const LaneKernel& kernel) {
  std::ostringstream out;
  out.precision(17);
  const auto operand = [&](uint32_t i) {
    if (i < kernel.n_inputs) {
      out << "x" << i;
      if (kernel.offset(i) != no_offset) out << " at " << kernel.offset(i);
    } else if (i < kernel.first_result()) {
      out << kernel.constants[i - kernel.n_inputs];
    } else {
      out << "%" << i;
    }
  };
  for (const LaneGather& g : kernel.gathers)
    out << "x" << g.input << " taken by x" << kernel.n_inputs + g.index << " along axis " << g.axis
        << "\n";
  uint32_t result = kernel.first_result();
  for (const ScalarTape::Instruction& step : kernel.code) {
    out << "%" << result++ << " = " << lane_fn_name(step.fn) << "(";
    for (size_t i = 0; i < static_cast<size_t>(lane_arity(step.fn)); ++i) {
      if (i) out << ", ";
      operand(step.args[i]);
    }
    out << ")";
    if (is_window_fn(step.fn))
      for (const LaneWindow::Range& r : kernel.windows[step.args[2]].ranges)
        out << " [" << r.begin << ", " << r.end << ") of " << r.period;
    out << "\n";
  }
  for (const LaneKernel::Output& o : kernel.outputs) {
    out << (o.summed ? "sum " : is_bool(o.dtype) ? "test " : "store ");
    operand(o.operand);
    if (o.summed) out << " to " << o.shape;
    out << "\n";
  }
  return out.str();
}

}  // namespace tapegrad
