#include "tapegrad/program/record.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tapegrad/base/error.h"

namespace tapegrad {

Ref linked_argument(Tracer& tracer, const Ref& x) {
  Ref argument = tracer.argument(x.value());
  if (!x.tracked()) return argument;
  Tape& tape = tracer.tape();
  Node& n = tape.node(argument.slot());
  n.n_in = 1;
  n.in[0] = x.slot();
  n.origin = std::min(n.origin, tape.node(x.slot()).origin);
  tape.retain_node(x.slot());
  return argument;
}

size_t first_left_out(const Tracer& tracer) {
  const std::vector<Tracer::Sweep>& all = tracer.sweeps();
  return static_cast<size_t>(std::ranges::find_if(all, &Tracer::Sweep::left_out) - all.begin());
}

bool may_fail_at_other_lengths(const UnusedSteps& unused) {
  // What goes by elements or sums them fails at no lengths but those that its operands exclude.
  const LongVector<Program::Step>& steps = unused.recording.program.steps;
  return std::any_of(steps.begin(), steps.end(), [](const Program::Step& s) {
    const Op& op = op_by_id(s.op);
    const bool averages = op.reduces == ReductionKind::sum || op.reduces == ReductionKind::mean;
    return op.scalar_fn < 0 && !(averages && op.axes >= 0);
  });
}

Program with_fixed_captures(const Recording& r, std::span<const size_t> fixed) {
  Program p = r.program;
  if (fixed.empty()) return p;
  std::vector<ValueId> now_of(p.values.size());
  std::iota(now_of.begin(), now_of.end(), ValueId{0});
  for (size_t k : fixed) {
    const ValueId old = p.captures.at(k), now = static_cast<ValueId>(p.values.size());
    p.values.push_back(
        {Source::constant, p.values[old].type, static_cast<uint32_t>(p.constants.size())});
    p.constants.push_back(r.captures[k].content().copy());
    now_of[old] = now;
  }
  for (ValueId& v : p.operands) v = now_of[v];
  for (ValueId& v : p.outputs) v = now_of[v];
  for (Program::Guard& g : p.guards) g.value = now_of[g.value];
  return p;
}

bool same_recording(const Recording& a, const Recording& b) {
  const auto same_captures = [](const Capture& x, const Capture& y) {
    return x.variable.get() == y.variable.get() && x.recorded.slot() == y.recorded.slot();
  };
  return same_program(a.program, b.program) &&
         std::equal(a.captures.begin(), a.captures.end(), b.captures.begin(), b.captures.end(),
                    same_captures);
}

std::vector<Ref> replay_values(const Program& p, std::span<const Ref> inputs,
                               std::span<const Ref> captures) {
  std::vector<Ref> values(p.values.size());
  for (size_t v = 0; v < p.values.size(); ++v) {
    const Program::ValueInfo& info = p.values[v];
    if (info.source == Source::input) values[v] = inputs[info.index];
    if (info.source == Source::captured) values[v] = captures[info.index];
    if (info.source == Source::constant) values[v] = Ref(p.constants[info.index]);
  }
  for (const Program::Step& s : p.steps) {
    std::vector<Ref> in;
    for (ValueId v : p.in(s)) in.push_back(values[v]);
    if (s.kernel >= 0)
      throw_error<RuntimeError>("internal error: a fused program can't be replayed by its ops");
    const RecordingGuard recording(Tape::current().recording() && !s.held);
    std::vector<Ref> out = apply(op_by_id(s.op), p.attrs_of(s), std::move(in));
    for (uint32_t j = 0; j < s.n_out; ++j) values[s.first_out + j] = std::move(out[j]);
  }
  return values;
}

std::vector<Ref> replay(const Program& p, std::span<const Ref> inputs,
                        std::span<const Ref> captures) {
  const std::vector<Ref> values = replay_values(p, inputs, captures);
  std::vector<Ref> outputs;
  for (ValueId v : p.outputs) outputs.push_back(values[v]);
  return outputs;
}

}  // namespace tapegrad
