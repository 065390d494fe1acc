#include <algorithm>
#include <optional>

#include "tapegrad/program/body/call.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

// A call or scan with fewer outputs, and without the inputs that only those needed.
struct Trimmed {
  Attrs attrs;
  Flags outputs, inputs;
};

bool all_set(const Flags& flags) {
  for (uint8_t f : flags)
    if (!f) return false;
  return true;
}

// Flags the carries too that others which are flagged take: of their steps back.
void flag_needed_carries(const ScanForm& form, Flags& outputs) {
  const Program& p = form.body->program();
  std::vector<bool> read(p.values.size(), false);
  for (bool grown = true; grown;) {
    grown = false;
    for (size_t j = 0; j < outputs.size(); ++j)
      if (outputs[j]) read[p.outputs[j]] = true;
    for (size_t k = p.steps.size(); k-- > 0;) {
      const Program::Step& s = p.steps[k];
      bool any = false;
      for (uint32_t j = 0; j < s.n_out; ++j) any = any || read[s.first_out + j];
      if (!any) continue;
      for (ValueId v : p.in(s)) read[v] = true;
    }
    for (size_t c = 0; c < form.n_carry; ++c)
      if (!outputs[c] && read[p.inputs[c]]) outputs[c] = grown = true;
  }
}

std::optional<Trimmed> trimmed(const Program& p, const Program::Step& s,
                               const std::vector<bool>& live) {
  const bool is_call = s.op == call_op().id;
  if (s.kernel >= 0 || (!is_call && s.op != scan_op().id)) return std::nullopt;
  Trimmed t;
  for (uint32_t j = 0; j < s.n_out; ++j) t.outputs.push_back(live[s.first_out + j]);
  const ScanForm form =
      is_call ? ScanForm(body_of(p.attrs_of(s), 0), 1, 0, 0, false) : ScanForm(p.attrs_of(s));
  flag_needed_carries(form, t.outputs);
  const ScanForm kept = keeping_outputs(form, t.outputs, t.inputs);
  if (all_set(t.outputs) && all_set(t.inputs)) return std::nullopt;
  t.attrs = is_call ? Attrs{AttrRef(kept.body)} : kept.attrs();
  return t;
}

}  // namespace

Program trim_bodies(Program p) {
  const auto has_body = [](const Program::Step& s) {
    return s.kernel < 0 && (s.op == call_op().id || s.op == scan_op().id);
  };
  if (std::ranges::none_of(p.steps, has_body)) return p;
  std::vector<bool> live(p.values.size(), false);
  for (ValueId v : p.outputs) live[v] = true;
  for (const Program::Guard& g : p.guards) live[g.value] = true;
  std::vector<std::optional<Trimmed>> changes(p.steps.size());
  bool any_change = false;
  for (size_t k = p.steps.size(); k-- > 0;) {
    const Program::Step& s = p.steps[k];
    bool needed = false;
    for (uint32_t j = 0; j < s.n_out; ++j) needed = needed || live[s.first_out + j];
    if (!needed) continue;
    changes[k] = trimmed(p, s, live);
    any_change |= changes[k].has_value();
    for (size_t i = 0; i < s.n_in; ++i)
      if (!changes[k] || changes[k]->inputs[i]) live[p.in(s)[i]] = true;
  }
  if (!any_change) return p;
  Rewriter writer(p);
  writer.begin();
  std::vector<ValueId> ins;
  std::vector<TensorType> outs;
  for (size_t k = 0; k < p.steps.size(); ++k) {
    const Program::Step& s = p.steps[k];
    if (!changes[k]) {
      bool needed = false;
      for (uint32_t j = 0; j < s.n_out; ++j) needed = needed || live[s.first_out + j];
      if (needed) writer.copy(s);
      continue;
    }
    const Trimmed& t = *changes[k];
    ins.clear();
    outs.clear();
    for (size_t i = 0; i < s.n_in; ++i)
      if (t.inputs[i]) ins.push_back(writer.at(p.in(s)[i]));
    for (uint32_t j = 0; j < s.n_out; ++j)
      if (t.outputs[j]) outs.push_back(p.type_of(s.first_out + j));
    ValueId at = writer.to().step(op_by_id(s.op), t.attrs, ins, outs, s.held);
    for (uint32_t j = 0; j < s.n_out; ++j)
      if (t.outputs[j]) writer.set(s.first_out + j, at++);
  }
  writer.end();
  return std::move(writer).finish();
}

}  // namespace tapegrad
