#include "tapegrad/program/scan/scan_rules.h"

#include <algorithm>

#include "tapegrad/ops/elementwise.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/scan/scan_parts.h"
#include "tapegrad/program/scan/scan_reversal.h"
#include "tapegrad/program/scan/scan_reverse.h"
#include "tapegrad/program/scan/scan_run.h"

namespace tapegrad {
namespace {

using Refs = std::vector<Ref>;

// Returns the stacked incoming carries that are asked for: outputs where the body hands them out,
// else computed once more.
Refs incoming_carries(VjpContext& ctx, const ScanForm& f, const Flags& asked) {
  const Program& p = f.body->program();
  Refs found(f.n_carry);
  Flags missing(f.n_carry, 0);
  bool any = false;
  for (size_t c = 0; c < f.n_carry; ++c) {
    if (!asked[c]) continue;
    const auto y = std::find(p.outputs.begin() + static_cast<std::ptrdiff_t>(f.n_carry),
                             p.outputs.end(), p.inputs[c]);
    if (y != p.outputs.end()) {
      found[c] = ctx.out(static_cast<int>(y - p.outputs.begin()));
    } else {
      missing[c] = any = true;
    }
  }
  if (!any) return found;
  ScanForm all = f;
  all.body = with_carries(f);
  Flags ys(f.n_ys(), 0), read;
  ys.insert(ys.end(), missing.begin(), missing.end());
  const ScanForm again = keeping_ys(all, ys, read);
  Refs in;
  for (int i = 0; i < ctx.n_in(); ++i)
    if (read[static_cast<size_t>(i)]) in.push_back(ctx.in(i));
  Refs out = scan(again, std::move(in));
  size_t at = f.n_carry;
  for (size_t c = 0; c < f.n_carry; ++c)
    if (missing[c]) found[c] = std::move(out[at++]);
  return found;
}

}  // namespace

Flags reached_through(const ScanForm& form, Flags inputs) {
  close_over_carries(form, inputs, reached_outputs);
  Flags outputs = reached_outputs(form.body->program(), inputs);
  for (size_t c = 0; c < form.n_carry; ++c) outputs[c] |= inputs[c];
  return outputs;
}

void vjp_scan(VjpContext& ctx) {
  const ScanForm f(ctx.attrs());
  Flags needed, given;
  for (int i = 0; i < ctx.n_in(); ++i) needed.push_back(ctx.needs(i));
  for (size_t j = 0; j < f.body->n_out(); ++j) given.push_back(ctx.has_ct(static_cast<int>(j)));
  if (f.length == 0) {
    for (int c = 0; c < static_cast<int>(f.n_carry); ++c)
      if (ctx.needs(c) && ctx.has_ct(c)) ctx.add(c, ctx.ct(c));
    return;
  }
  const ScanReversal reversal(f, needed, given);
  if (!reversal.any()) return;
  if (f.checkpoints != 0) {
    Refs in;
    for (int i = 0; i < ctx.n_in(); ++i) in.push_back(ctx.in(i));
    for (size_t j = 0; j < given.size(); ++j)
      if (given[j]) in.push_back(ctx.ct(static_cast<int>(j)));
    Refs out = scan_reverse(f, needed, given, std::move(in));
    size_t at = 0;
    for (size_t i = 0; i < needed.size(); ++i)
      if (needed[i] && reversal.wanted[i]) ctx.add(static_cast<int>(i), std::move(out[at++]));
    return;
  }
  std::vector<Value> at;
  for (int i = 0; i < ctx.n_in(); ++i) at.push_back(ctx.in(i).value());
  const KnownResults known(f, reversal.wanted);
  const ScanForm whole = reversal.step(at, known);
  Flags read;
  const ScanForm step = keeping_ys(whole, Flags(whole.n_ys(), 1), read);
  // `in` gets what the step reads, in the order of its inputs.
  Refs in;
  auto give = [&, k = size_t{0}](auto make) mutable {
    if (read[k++]) in.push_back(make());
  };
  const size_t first_rest = f.n_carry + f.n_xs;
  for (size_t c = 0; c < f.n_carry; ++c)
    if (reversal.has_ct[c])
      give([&] {
        return given[c] ? ctx.ct(static_cast<int>(c)) : constant_full(f.body->out_type(c), 0);
      });
  for (size_t r = first_rest; r < needed.size(); ++r)
    if (reversal.wanted[r]) give([&] { return constant_full(f.body->in_type(r), 0); });
  for (size_t c = 0; c < f.n_carry; ++c)
    if (known.next[c]) give([&] { return ctx.out(static_cast<int>(c)); });
  const Flags asked(read.begin() + static_cast<std::ptrdiff_t>(whole.n_carry),
                    read.begin() + static_cast<std::ptrdiff_t>(whole.n_carry + f.n_carry));
  Refs carried = incoming_carries(ctx, f, asked);
  for (size_t c = 0; c < f.n_carry; ++c) give([&] { return std::move(carried[c]); });
  for (size_t i = f.n_carry; i < first_rest; ++i) give([&] { return ctx.in(static_cast<int>(i)); });
  for (size_t j = f.n_carry; j < given.size(); ++j)
    if (given[j]) give([&] { return ctx.ct(static_cast<int>(j)); });
  for (size_t j = f.n_carry; j < given.size(); ++j)
    if (known.ys[j]) give([&] { return ctx.out(static_cast<int>(j)); });
  for (size_t r = first_rest; r < needed.size(); ++r)
    give([&] { return ctx.in(static_cast<int>(r)); });
  const Refs out = scan(step, std::move(in));
  size_t carry = 0, y = step.n_carry;  // known carries come behind the adjoints
  for (size_t i = 0; i < needed.size(); ++i) {
    if (!reversal.wanted[i]) continue;
    const Ref& adjoint = out[f.is_xs(i) ? y++ : carry++];
    if (needed[i]) ctx.add(static_cast<int>(i), adjoint);
  }
}

void jvp_scan(JvpContext& ctx) {
  const ScanForm f(ctx.attrs());
  const size_t n_in = f.body->n_in(), n_out = f.body->n_out(), first_rest = f.n_carry + f.n_xs;
  Flags has_tangent;
  for (int i = 0; i < ctx.n_in(); ++i) has_tangent.push_back(ctx.has_tangent(i));
  if (f.length == 0) {
    for (int c = 0; c < static_cast<int>(f.n_carry); ++c)
      if (ctx.has_tangent(c)) ctx.set(c, ctx.tangent(c));
    return;
  }
  close_over_carries(f, has_tangent, reached_outputs);
  const Flags wanted = reached_through(f, has_tangent);
  // Carries, xs and rest each stand as their values and then their tangents.
  Refs in;
  ScanForm moved = f;
  const auto give = [&](size_t first, size_t last) {
    size_t n = last - first;
    for (size_t i = first; i < last; ++i) in.push_back(ctx.in(static_cast<int>(i)));
    for (size_t i = first; i < last; ++i)
      if (has_tangent[i]) {
        in.push_back(ctx.tangent(static_cast<int>(i)));
        ++n;
      }
    return n;
  };
  moved.n_carry = give(0, f.n_carry);
  moved.n_xs = give(f.n_carry, first_rest);
  give(first_rest, n_in);
  moved.body = f.body->derived(form_name("tangent", f, {&has_tangent}), [&] {
    std::vector<Value> at;
    for (size_t k = 0; k < in.size(); ++k)
      at.push_back(moved.is_xs(k) ? Rows(in[k].value()).at(0) : in[k].value());
    return record_body(at, [&](std::span<const Ref> args) {
      Refs inputs, tangents;
      Taking take(args);
      const size_t cuts[] = {0, f.n_carry, first_rest, n_in};
      for (size_t part = 0; part < 3; ++part) {
        take.into(inputs, cuts[part + 1] - cuts[part]);
        take.into(tangents, has_tangent, cuts[part], cuts[part + 1]);
      }
      Refs all = push_forward(f.body->program(), inputs, has_tangent, tangents, wanted);
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(f.n_carry),
                all.begin() + static_cast<std::ptrdiff_t>(n_out));
      return all;
    });
  });
  const Refs out = scan(moved, std::move(in));
  size_t at = f.n_carry;
  for (size_t j = 0; j < n_out; ++j)
    if (wanted[j]) ctx.set(static_cast<int>(j), out[at++]);
}

}  // namespace tapegrad
