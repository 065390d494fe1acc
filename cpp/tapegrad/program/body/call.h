#pragma once

#include "tapegrad/program/body/body.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {

// call (body) returns the body's outputs of the inputs. Its derivatives are calls that compute what
// they need of the body again, so that only the inputs are kept: a call is a checkpoint.
const Op& call_op();

std::vector<Ref> call(const BodyPtr& body, std::vector<Ref> inputs);
// Does the same where the outputs are known already.
std::vector<Ref> call_with(const BodyPtr& body, std::vector<Ref> inputs,
                           std::vector<Value> outputs);

// These are the rules of an application that computes what a call of this body would.
void vjp_as_call(VjpContext& ctx, const BodyPtr& body);
void jvp_as_call(JvpContext& ctx, const BodyPtr& body);
std::vector<Ref> lanes_as_call(const LanesCall& lanes, const BodyPtr& body);

// Registers the ops whose attributes are bodies.
void register_body_ops();

}  // namespace tapegrad
