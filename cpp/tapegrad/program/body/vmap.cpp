#include "tapegrad/program/body/vmap.h"

#include <optional>

#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/program/passes/passes.h"

namespace tapegrad {
namespace {

// Every lane must have taken the recorded path; a tracer of the whole call writes that down.
void check_guard(const Program::Guard& g, const Ref& value, bool has_lanes, int64_t n) {
  const Value& v = value.value();
  if (Tape& tape = Tape::current(); tape.tracing() && value.tracked()) tape.tracer()->guard(value);
  bool same = true;
  if (!has_lanes) {
    same = same_bits(v, g.expected);
  } else {
    const int64_t size = g.expected.size();
    for (int64_t i = 0; i < n * size && same; ++i) same = v.at(i) == g.expected.at(i % size);
  }
  if (!same)
    throw_error<ValueError>(
        "vmap: the lanes take different branches", g.where.empty() ? "" : " at ", g.where,
        "; write the branch with np.where(condition, a, b), which computes both, and a plain t[i] "
        "as tg.Variable(t)[i]");
}

}  // namespace

LanesResult replay_lanes(const Program& p, std::span<const Ref> inputs,
                         std::span<const uint8_t> has_lanes, std::span<const Ref> captures,
                         int64_t n) {
  std::vector<Ref> values(p.values.size());
  std::vector<uint8_t> lanes(p.values.size(), 0);
  for (size_t v = 0; v < p.values.size(); ++v) {
    const Program::ValueInfo& info = p.values[v];
    switch (info.source) {
      case Source::input:
        values[v] = inputs[info.index];
        lanes[v] = has_lanes[info.index];
        break;
      case Source::captured:
        values[v] = captures[info.index];
        break;
      case Source::constant:
        values[v] = Ref(p.constants[info.index]);
        break;
      case Source::step:
        break;
    }
  }
  std::vector<Ref> in;
  std::vector<uint8_t> in_lanes;
  std::vector<TensorType> in_types, out_types;
  // The host keeps its lock, because steps may be recorded with the line that they come from.
  std::optional<InterruptSource> source;
  if (long_work.interrupted && !InterruptSource::is_there())
    source.emplace(long_work.interrupted, nullptr);
  InterruptPoll poll;
  for (const Program::Step& s : p.steps) {
    poll(16);
    const RecordingGuard recording(Tape::current().recording() && !s.held);
    in.clear();
    in_lanes.clear();
    in_types.clear();
    out_types.clear();
    bool any = false;
    for (ValueId v : p.in(s)) {
      in.push_back(values[v]);
      in_lanes.push_back(lanes[v]);
      in_types.push_back(p.type_of(v));
      any |= lanes[v] != 0;
    }
    for (uint32_t j = 0; j < s.n_out; ++j) out_types.push_back(p.type_of(s.first_out + j));
    const Op& op = op_by_id(s.op);
    std::vector<Ref> out =
        any ? apply_lanes({op, p.attrs_of(s), in, in_lanes.data(), in_types, out_types, n})
            : apply(op, p.attrs_of(s), in);
    for (uint32_t j = 0; j < s.n_out; ++j) {
      values[s.first_out + j] = std::move(out[j]);
      lanes[s.first_out + j] = any;
    }
  }
  for (const Program::Guard& g : p.guards) check_guard(g, values[g.value], lanes[g.value] != 0, n);
  LanesResult result;
  for (ValueId v : p.outputs) {
    result.outputs.push_back(values[v]);
    result.has_lanes.push_back(lanes[v]);
  }
  return result;
}

LanesResult replay_lanes(const Recording& r, std::vector<Ref> inputs,
                         std::span<const uint8_t> has_lanes, int64_t n, bool of_sweep) {
  Tape& tape = Tape::current();
  std::optional<RuleSection> rules;
  if (of_sweep) {
    rules.emplace(tape);
    for (Ref& x : inputs)
      if (!x.tracked()) x = Ref(x.value().copy());
  }
  std::vector<Ref> captures;
  for (const Capture& c : r.captures) captures.push_back(c.ref());
  if (tape.tracing() && r.unused && may_fail_at_other_lengths(*r.unused))
    tape.tracer()->read_length();
  Program p = drop_dead(share_common(r.program));
  if (tape.tracing() && n > 1 && !of_sweep) p = drop_dead(expand_small(p));
  return replay_lanes(p, inputs, has_lanes, captures, n);
}

}  // namespace tapegrad
