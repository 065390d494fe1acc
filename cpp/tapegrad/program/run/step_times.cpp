#include "tapegrad/program/run/step_times.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "tapegrad/base/error.h"
#include "tapegrad/parallel/interrupt.h"

namespace tapegrad {

std::vector<double> step_times(const Program& p, std::span<const Value> inputs,
                               std::span<const Value> captures, int runs) {
  if (inputs.size() != p.inputs.size() || captures.size() != p.captures.size())
    throw_error<ValueError>("step_times: the program takes ", p.inputs.size(), " inputs and ",
                            p.captures.size(), " captures, got ", inputs.size(), " and ",
                            captures.size());
  std::vector<double> least(p.steps.size(), std::numeric_limits<double>::infinity());
  std::vector<Value> values(p.values.size()), in, out;
  for (size_t v = 0; v < p.values.size(); ++v)
    if (p.is_constant(static_cast<ValueId>(v))) values[v] = p.constant_of(static_cast<ValueId>(v));
  for (size_t k = 0; k < inputs.size(); ++k) values[p.inputs[k]] = inputs[k];
  for (size_t k = 0; k < captures.size(); ++k) values[p.captures[k]] = captures[k];
  InterruptPoll poll;
  for (int run = 0; run < std::max(runs, 1); ++run) {
    for (size_t k = 0; k < p.steps.size(); ++k) {
      const Program::Step& s = p.steps[k];
      poll(1);
      in.clear();
      for (ValueId v : p.in(s)) in.push_back(values[v]);
      out.clear();
      out.resize(s.n_out);
      const auto begin = std::chrono::steady_clock::now();
      if (s.kernel >= 0) {
        p.kernels[static_cast<size_t>(s.kernel)]->run(in, out);
      } else {
        op_by_id(s.op).eval(p.attrs_of(s), in, out);
      }
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - begin;
      least[k] = std::min(least[k], took.count());
      for (uint32_t j = 0; j < s.n_out; ++j) values[s.first_out + j] = std::move(out[j]);
    }
  }
  return least;
}

}  // namespace tapegrad
