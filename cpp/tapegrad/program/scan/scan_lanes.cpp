#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/scan/scan_parts.h"
#include "tapegrad/program/scan/scan_reverse.h"
#include "tapegrad/program/scan/scan_rules.h"

// Scans over lanes are scans of the body over lanes. Steps come first in a stacked array, then
// lanes.

namespace tapegrad {
namespace {

using Refs = std::vector<Ref>;

// Lets the first two axes, lanes and steps, change places.
Ref turned(const Ref& r) {
  Axes perm{1, 0};
  for (int a = 2; a < r.ndim(); ++a) perm.push_back(a);
  return transpose(r, perm);
}

// Holds a scan, the inputs and outputs that have lanes, and its inputs.
struct OverLanes {
  ScanForm form;
  Flags has_lanes, outputs;
  Refs in;

  // The outputs of `wanted` must have lanes.
  OverLanes(const LanesCall& call, const ScanForm& f, Flags inputs, const Flags& wanted)
      : form(f), has_lanes(std::move(inputs)) {
    close_over_carries(f, has_lanes, outputs_with_lanes);
    for (size_t c = 0; c < f.n_carry; ++c) has_lanes[c] |= wanted[c];
    close_over_carries(f, has_lanes, outputs_with_lanes);
    outputs = outputs_with_lanes(f.body->program(), has_lanes);
    for (size_t j = 0; j < outputs.size(); ++j)
      outputs[j] = j < f.n_carry ? has_lanes[j] : outputs[j] || wanted[j];
    for (size_t i = 0; i < has_lanes.size(); ++i) {
      const Ref x = has_lanes[i] ? with_lanes(call, i) : call.in[i];
      in.push_back(has_lanes[i] && f.is_xs(i) ? turned(x) : x);
    }
    if (f.length == 0) return;
    std::vector<Value> at;
    for (size_t i = 0; i < in.size(); ++i) at.push_back(first_of(f, i, in[i].value()));
    form.body = lanes_body(f.body, has_lanes, outputs, call.n, at);
  }
};

}  // namespace

std::vector<Ref> lanes_scan(const LanesCall& call) {
  const ScanForm f(call.attrs);
  OverLanes over(call, f, Flags(call.has_lanes, call.has_lanes + call.in.size()),
                 Flags(f.body->n_out(), 0));
  Refs out;
  if (f.length > 0) {
    out = scan(over.form, std::move(over.in));
    for (size_t j = f.n_carry; j < out.size(); ++j)
      if (over.outputs[j]) out[j] = turned(out[j]);
  } else {
    for (size_t c = 0; c < f.n_carry; ++c) out.push_back(over.in[c]);
    for (size_t j = f.n_carry; j < over.outputs.size(); ++j) {
      out.push_back(constant_full(call.out_types[j], 0));
      over.outputs[j] = 0;
    }
  }
  give_lanes(call, over.outputs, out);
  return out;
}

// Every lane has adjoints of its own, also of inputs that are the same for all of them.
std::vector<Ref> lanes_scan_reverse(const LanesCall& call) {
  const ReverseForm r(call.attrs);
  Flags inputs(call.has_lanes, call.has_lanes + r.n_in());
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i] |= r.needed[i];
  OverLanes over(call, r.form, inputs, r.given);
  size_t ct = r.n_in();
  for (size_t j = 0; j < r.given.size(); ++j) {
    if (!r.given[j]) continue;
    const Ref x = with_lanes(call, ct++);
    over.in.push_back(j < r.form.n_carry ? x : turned(x));
  }
  // The body over lanes may be known to need less.
  const ReverseForm found(reverse_attrs(over.form, r.needed, r.given));
  Refs all = scan_reverse(over.form, r.needed, r.given, std::move(over.in)), out;
  size_t at = 0;
  for (size_t i = 0; i < r.n_in(); ++i) {
    const Ref adjoint = found.gives(i) ? all[at++] : Ref();
    if (!r.gives(i)) continue;
    if (!found.gives(i)) {
      const TensorType& t = call.in_types[i];
      out.push_back(constant_full({t.dtype, lanes_shape(call, t.shape)}, 0));
    } else {
      out.push_back(r.form.is_xs(i) ? turned(adjoint) : adjoint);
    }
  }
  return out;
}

}  // namespace tapegrad
