// These functions derive from a body which of its outputs depend on which inputs, its derivatives,
// and itself over lanes. Flags say which inputs or outputs take part. The bodies are recorded at
// the given values, at first use.
#pragma once

#include "tapegrad/program/body/body.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {

// Returns the floating outputs that derivatives with respect to the flagged inputs reach, and the
// floating inputs that cotangents of the flagged outputs reach.
Flags reached_outputs(const Program& p, const Flags& inputs);
Flags reached_inputs(const Program& p, const Flags& outputs);
// Returns, by value, those that the former reach.
std::vector<bool> values_reached(const Program& p, const Flags& inputs);
// Returns the outputs that differ between lanes where the flagged inputs do.
Flags outputs_with_lanes(const Program& p, const Flags& inputs);

// Applies p to `in` and sweeps back: returns the adjoint of each wanted input, given a cotangent
// for each flagged output, in order, and then the outputs that are to be shown. The tracer at work
// records it.
std::vector<Ref> pull_back(const Program& p, std::span<const Ref> in, const Flags& wanted,
                           const Flags& has_ct, std::span<const Ref> cts, const Flags& shown = {});

// Applies p to `in`, whose flagged inputs have tangents, in order: returns the outputs, then the
// tangents of the wanted ones.
std::vector<Ref> push_forward(const Program& p, std::span<const Ref> in, const Flags& has_tangent,
                              std::span<const Ref> tangents, const Flags& wanted);

// Maps (inputs, cotangents of the flagged outputs) to the adjoints of the wanted inputs.
BodyPtr vjp_body(const BodyPtr& body, const Flags& wanted, const Flags& has_ct,
                 std::span<const Value> at);
// Maps (inputs, tangents of the flagged inputs) to the tangents of the wanted outputs.
BodyPtr jvp_body(const BodyPtr& body, const Flags& has_tangent, const Flags& wanted,
                 std::span<const Value> at);
// Applies the body to n lanes: flagged inputs have a leading axis of lanes, and so have the wanted
// outputs, which are all that depend on them at least.
BodyPtr lanes_body(const BodyPtr& body, const Flags& has_lanes, const Flags& wanted, int64_t n,
                   std::span<const Value> at);

std::vector<Value> values_of(std::span<const Ref> refs);
// Makes the results of a call over lanes all have lanes.
void give_lanes(const LanesCall& call, const Flags& has_lanes, std::vector<Ref>& results);

}  // namespace tapegrad
