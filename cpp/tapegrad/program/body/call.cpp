#include "tapegrad/program/body/call.h"

#include "tapegrad/base/error.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/scan/scan_reverse.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {
namespace {

using Refs = std::vector<Ref>;

std::vector<TensorType> infer_call(const Attrs& attrs, std::span<const TensorType> in) {
  const BodyPtr body = body_of(attrs, 0);
  if (in.size() != body->n_in())
    throw_error<TypeError>("call: the body takes ", body->n_in(), " inputs, got ", in.size());
  for (size_t i = 0; i < in.size(); ++i)
    if (const TensorType& t = body->in_type(i); in[i] != t)
      throw_error<ValueError>("call: input ", i, " of the body is ", dtype_name(t.dtype), ' ',
                              t.shape, ", got ", dtype_name(in[i].dtype), ' ', in[i].shape);
  std::vector<TensorType> out;
  for (size_t j = 0; j < body->n_out(); ++j) out.push_back(body->out_type(j));
  return out;
}

void eval_call(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const auto executor = body_of(attrs, 0)->executor(1);
  Executor::Session session(*executor);
  for (size_t i = 0; i < in.size(); ++i) session.set(i, in[i]);
  session.run();
  for (size_t j = 0; j < out.size(); ++j) out[j] = session.take(j);
}

}  // namespace

void vjp_as_call(VjpContext& ctx, const BodyPtr& body) {
  Flags has_ct;
  for (size_t j = 0; j < body->n_out(); ++j) has_ct.push_back(ctx.has_ct(static_cast<int>(j)));
  Flags wanted = reached_inputs(body->program(), has_ct);
  bool any = false;
  for (size_t i = 0; i < wanted.size(); ++i)
    any |= (wanted[i] &= ctx.needs(static_cast<int>(i))) != 0;
  if (!any) return;
  Refs in;
  for (int i = 0; i < ctx.n_in(); ++i) in.push_back(ctx.in(i));
  for (size_t j = 0; j < has_ct.size(); ++j)
    if (has_ct[j]) in.push_back(ctx.ct(static_cast<int>(j)));
  const BodyPtr reversed = vjp_body(body, wanted, has_ct, values_of(in));
  Refs found = call(reversed, std::move(in));
  size_t at = 0;
  for (size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i]) ctx.add(static_cast<int>(i), std::move(found[at++]));
}

void jvp_as_call(JvpContext& ctx, const BodyPtr& body) {
  Flags has_tangent;
  Refs in;
  for (int i = 0; i < ctx.n_in(); ++i) {
    has_tangent.push_back(ctx.has_tangent(i));
    in.push_back(ctx.in(i));
  }
  for (size_t i = 0; i < has_tangent.size(); ++i)
    if (has_tangent[i]) in.push_back(ctx.tangent(static_cast<int>(i)));
  const Flags wanted = reached_outputs(body->program(), has_tangent);
  const BodyPtr moved = jvp_body(body, has_tangent, wanted, values_of(in));
  Refs found = call(moved, std::move(in));
  size_t at = 0;
  for (size_t j = 0; j < wanted.size(); ++j)
    if (wanted[j]) ctx.set(static_cast<int>(j), std::move(found[at++]));
}

Refs lanes_as_call(const LanesCall& lanes, const BodyPtr& body) {
  const Flags has_lanes(lanes.has_lanes, lanes.has_lanes + lanes.in.size());
  Refs in(lanes.in.begin(), lanes.in.end());
  const Flags wanted = outputs_with_lanes(body->program(), has_lanes);
  const BodyPtr over_lanes = lanes_body(body, has_lanes, wanted, lanes.n, values_of(in));
  Refs out = call(over_lanes, std::move(in));
  give_lanes(lanes, wanted, out);
  return out;
}

const Op& call_op() {
  static const Op& op = [&]() -> const Op& {
    register_all_ops();
    return register_op(
        {.name = "call",
         .n_in = -1,
         .n_out = -1,
         .attrs = {{{0, "body"}, attr_kind::object}},
         .infer = infer_call,
         .eval = eval_call,
         .vjp = [](VjpContext& ctx) { vjp_as_call(ctx, body_of(ctx.attrs(), 0)); },
         .jvp = [](JvpContext& ctx) { jvp_as_call(ctx, body_of(ctx.attrs(), 0)); },
         .lanes = [](const LanesCall& c) { return lanes_as_call(c, body_of(c.attrs, 0)); },
         .reads = {reads_all_inputs},
         .summary = "a recorded function; its derivatives compute it again"});
  }();
  return op;
}

Refs call(const BodyPtr& body, Refs inputs) {
  return apply(call_op(), Attrs{AttrRef(body)}, std::move(inputs));
}

Refs call_with(const BodyPtr& body, Refs inputs, std::vector<Value> outputs) {
  if (Tape* tape = recording_tape(call_op(), inputs))
    return record_several(*tape, call_op(), Attrs{AttrRef(body)}, inputs, std::move(outputs));
  return {std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end())};
}

void register_body_ops() {
  call_op();
  scan_op();
  scan_reverse_op();
}

}  // namespace tapegrad
