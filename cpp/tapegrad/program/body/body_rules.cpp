#include "tapegrad/program/body/body_rules.h"

#include <algorithm>
#include <iterator>

#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/body/vmap.h"
#include "tapegrad/program/passes/passes.h"

namespace tapegrad {
namespace {

using Refs = std::vector<Ref>;

bool carries_derivatives(const Program& p, ValueId v) { return is_floating(p.type_of(v).dtype); }

// Finds the values that depend on the flagged inputs; where `derivatives`, by floating values and
// steps that let them through.
std::vector<bool> dependents(const Program& p, const Flags& inputs, bool derivatives) {
  std::vector<bool> found(p.values.size(), false);
  for (size_t i = 0; i < inputs.size(); ++i)
    found[p.inputs[i]] = inputs[i] && (!derivatives || carries_derivatives(p, p.inputs[i]));
  for (const Program::Step& s : p.steps) {
    if (derivatives && s.held) continue;
    bool any = false;
    for (ValueId v : p.in(s)) any = any || found[v];
    if (!any) continue;
    for (uint32_t j = 0; j < s.n_out; ++j)
      found[s.first_out + j] = !derivatives || carries_derivatives(p, s.first_out + j);
  }
  return found;
}

Flags flags_at(const std::vector<bool>& found, const std::vector<ValueId>& values) {
  Flags flags;
  for (ValueId v : values) flags.push_back(found[v]);
  return flags;
}

// Lets the inputs that derivatives are taken by enter the scope.
Refs enter(Scope& scope, std::span<const Ref> in, const Flags& chosen, Refs& wrt) {
  Refs entered(in.begin(), in.end());
  for (size_t i = 0; i < in.size(); ++i) {
    if (!chosen[i]) continue;
    entered[i] = scope.argument(in[i]).ref();
    wrt.push_back(entered[i]);
  }
  return entered;
}

Ref over_lanes(const Ref& r, int64_t n, const Dims& shape) {
  Dims all{n};
  for (int64_t d : shape) all.push_back(d);
  return broadcast_to(r, all);
}

Refs chosen_of(std::span<const Ref> all, const Flags& flags) {
  Refs chosen;
  for (size_t k = 0; k < flags.size(); ++k)
    if (flags[k]) chosen.push_back(all[k]);
  return chosen;
}

}  // namespace

std::vector<Value> values_of(std::span<const Ref> refs) {
  std::vector<Value> values;
  for (const Ref& r : refs) values.push_back(r.value());
  return values;
}

void give_lanes(const LanesCall& call, const Flags& has_lanes, Refs& results) {
  for (size_t j = 0; j < results.size(); ++j)
    if (!has_lanes[j]) results[j] = over_lanes(results[j], call.n, call.out_types[j].shape);
}

Flags reached_outputs(const Program& p, const Flags& inputs) {
  return flags_at(dependents(p, inputs, true), p.outputs);
}

std::vector<bool> values_reached(const Program& p, const Flags& inputs) {
  return dependents(p, inputs, true);
}

Flags outputs_with_lanes(const Program& p, const Flags& inputs) {
  return flags_at(dependents(p, inputs, false), p.outputs);
}

Flags reached_inputs(const Program& p, const Flags& outputs) {
  std::vector<bool> found(p.values.size(), false);
  for (size_t j = 0; j < outputs.size(); ++j)
    if (outputs[j] && carries_derivatives(p, p.outputs[j])) found[p.outputs[j]] = true;
  for (size_t k = p.steps.size(); k-- > 0;) {
    const Program::Step& s = p.steps[k];
    bool any = false;
    for (uint32_t j = 0; j < s.n_out; ++j) any = any || found[s.first_out + j];
    if (!any || s.held) continue;
    for (ValueId v : p.in(s))
      if (carries_derivatives(p, v)) found[v] = true;
  }
  return flags_at(found, p.inputs);
}

Refs pull_back(const Program& p, std::span<const Ref> in, const Flags& wanted, const Flags& has_ct,
               std::span<const Ref> cts, const Flags& shown) {
  Scope scope;
  Refs wrt;
  const Refs entered = enter(scope, in, wanted, wrt);
  const Refs outs = replay(p, entered, {});
  Refs found = scope.grad(chosen_of(outs, has_ct), wrt, cts);
  std::ranges::move(chosen_of(outs, shown), std::back_inserter(found));
  for (Ref& r : found) r = scope.result(r);
  return found;
}

Refs push_forward(const Program& p, std::span<const Ref> in, const Flags& has_tangent,
                  std::span<const Ref> tangents, const Flags& wanted) {
  Scope scope;
  Refs wrt;
  const Refs entered = enter(scope, in, has_tangent, wrt);
  Refs outs = replay(p, entered, {});
  for (Ref& t : scope.jvp(chosen_of(outs, wanted), wrt, tangents)) outs.push_back(std::move(t));
  for (Ref& r : outs) r = scope.result(r);
  return outs;
}

BodyPtr vjp_body(const BodyPtr& body, const Flags& wanted, const Flags& has_ct,
                 std::span<const Value> at) {
  return body->derived(flags_name("vjp", {&wanted, &has_ct}), [&] {
    return record_body(at, [&](std::span<const Ref> args) {
      return pull_back(body->program(), args.first(body->n_in()), wanted, has_ct,
                       args.subspan(body->n_in()));
    });
  });
}

BodyPtr jvp_body(const BodyPtr& body, const Flags& has_tangent, const Flags& wanted,
                 std::span<const Value> at) {
  return body->derived(flags_name("jvp", {&has_tangent, &wanted}), [&] {
    return record_body(at, [&](std::span<const Ref> args) {
      const Refs all = push_forward(body->program(), args.first(body->n_in()), has_tangent,
                                    args.subspan(body->n_in()), wanted);
      return Refs(all.begin() + static_cast<std::ptrdiff_t>(body->n_out()), all.end());
    });
  });
}

BodyPtr lanes_body(const BodyPtr& body, const Flags& has_lanes, const Flags& wanted, int64_t n,
                   std::span<const Value> at) {
  const std::string name = flags_name("lanes", {&has_lanes, &wanted}) + ':' + std::to_string(n);
  return body->derived(name, [&] {
    // Small arrays are taken apart: their scalars become lanes of one kernel.
    const Program p = n > 1 ? drop_dead(expand_small(body->program())) : body->program();
    return record_body(at, [&](std::span<const Ref> args) {
      LanesResult found = replay_lanes(p, args, has_lanes, {}, n);
      for (size_t j = 0; j < wanted.size(); ++j) {
        if (wanted[j] && !found.has_lanes[j])
          found.outputs[j] = over_lanes(found.outputs[j], n, body->out_type(j).shape);
      }
      return found.outputs;
    });
  });
}

}  // namespace tapegrad
