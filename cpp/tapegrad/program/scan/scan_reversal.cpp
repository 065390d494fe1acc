#include "tapegrad/program/scan/scan_reversal.h"

#include "tapegrad/ops/elementwise.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/scan/scan_parts.h"

namespace tapegrad {

ScanReversal::ScanReversal(const ScanForm& f, Flags needed, Flags given)
    : form(f), wanted(std::move(needed)), has_ct(std::move(given)) {
  const Program& p = f.body->program();
  Flags moving = wanted;
  close_over_carries(f, moving, reached_outputs);
  Flags reached;
  for (bool grown = true; grown;) {
    grown = false;
    for (size_t c = 0; c < f.n_carry; ++c) has_ct[c] &= moving[c];
    reached = reached_inputs(p, has_ct);
    for (size_t c = 0; c < f.n_carry; ++c)
      if (reached[c] && moving[c] && !has_ct[c]) has_ct[c] = grown = true;
  }
  for (size_t i = 0; i < wanted.size(); ++i)
    wanted[i] = i < f.n_carry ? has_ct[i] : wanted[i] && reached[i];
}

bool ScanReversal::any() const {
  return std::find(wanted.begin(), wanted.end(), 1) != wanted.end();
}

namespace {

// The body that reads the values of its last outputs from these inputs instead, and does not
// compute them; it does not hand them out.
BodyPtr reading(const BodyPtr& body, std::span<const size_t> from) {
  Program p = body->program();
  const size_t kept = p.outputs.size() - from.size();
  std::vector<ValueId> now(p.values.size());
  for (size_t v = 0; v < now.size(); ++v) now[v] = static_cast<ValueId>(v);
  for (size_t k = 0; k < from.size(); ++k)
    if (const ValueId v = p.outputs[kept + k]; p.values[v].source == Source::step)
      now[v] = p.inputs[from[k]];
  p.outputs.resize(kept);
  for (ValueId& v : p.operands) v = now[v];
  for (ValueId& v : p.outputs) v = now[v];
  return Body::of(drop_dead(p));
}

}  // namespace

ScanForm ScanReversal::step(std::span<const Value> in, const KnownResults& known) const {
  const size_t n_in = form.body->n_in(), n_out = form.body->n_out();
  const size_t first_rest = form.n_carry + form.n_xs;
  const auto count = [](const Flags& flags, size_t first, size_t last) {
    size_t n = 0;
    for (size_t k = first; k < last; ++k) n += flags[k];
    return n;
  };
  Flags next = known.next, ys = known.ys;
  next.resize(form.n_carry, 0);
  ys.resize(n_out, 0);
  const size_t n_next = count(next, 0, form.n_carry), n_known = count(ys, 0, n_out);
  const size_t n_carry = count(wanted, 0, form.n_carry) + count(wanted, first_rest, n_in) + n_next;
  const size_t n_xs = first_rest + count(has_ct, form.n_carry, n_out) + n_known;
  const std::string name = form_name("reverse", form, {&wanted, &has_ct, &next, &ys});
  const BodyPtr body = form.body->derived(name, [&] {
    std::vector<Value> at;
    const auto zeros = [&at](const TensorType& t) { at.push_back(Value::zeros(t.dtype, t.shape)); };
    for (size_t c = 0; c < form.n_carry; ++c)
      if (has_ct[c]) zeros(form.body->out_type(c));
    for (size_t r = first_rest; r < n_in; ++r)
      if (wanted[r]) zeros(form.body->in_type(r));
    for (size_t c = 0; c < form.n_carry; ++c)
      if (next[c]) zeros(form.body->out_type(c));
    for (size_t i = 0; i < first_rest; ++i) at.push_back(first_of(form, i, in[i]));
    for (size_t j = form.n_carry; j < n_out; ++j)
      if (has_ct[j]) zeros(form.body->out_type(j));
    for (size_t j = form.n_carry; j < n_out; ++j)
      if (ys[j]) zeros(form.body->out_type(j));
    for (size_t r = first_rest; r < n_in; ++r) at.push_back(in[r]);
    Flags shown = ys;
    std::copy(next.begin(), next.end(), shown.begin());
    const BodyPtr whole = record_body(at, [&](std::span<const Ref> args) {
      std::vector<Ref> cts, sums, inputs, given;
      Taking take(args);
      take.into(cts, has_ct, 0, form.n_carry);
      take.into(sums, wanted, first_rest, n_in);
      take.into(given, n_next);
      take.into(inputs, first_rest);
      take.into(cts, has_ct, form.n_carry, n_out);
      take.into(given, n_known);
      take.into(inputs, form.n_rest());
      const std::vector<Ref> found =
          pull_back(form.body->program(), inputs, wanted, has_ct, cts, shown);
      std::vector<Ref> carries, adjoints;
      size_t at_found = 0, at_sum = 0;
      for (size_t i = 0; i < n_in; ++i) {
        if (!wanted[i]) continue;
        const Ref& adjoint = found[at_found++];
        if (form.is_xs(i)) {
          adjoints.push_back(adjoint);
        } else {
          carries.push_back(i < form.n_carry ? adjoint : add(sums[at_sum++], adjoint));
        }
      }
      // What came into this step is what the one before it gave.
      for (size_t c = 0; c < form.n_carry; ++c)
        if (next[c]) carries.push_back(inputs[c]);
      carries.insert(carries.end(), adjoints.begin(), adjoints.end());
      carries.insert(carries.end(), found.begin() + static_cast<std::ptrdiff_t>(at_found),
                     found.end());
      return carries;
    });
    std::vector<size_t> from;
    for (size_t k = 0; k < n_next; ++k) from.push_back(n_carry - n_next + k);
    for (size_t k = 0; k < n_known; ++k) from.push_back(n_carry + n_xs - n_known + k);
    return from.empty() ? whole : reading(whole, from);
  });
  return {body, form.length, n_carry, n_xs, !form.reverse};
}

}  // namespace tapegrad
