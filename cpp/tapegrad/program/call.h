#pragma once

#include "tapegrad/program/body.h"

namespace tapegrad {

// call (body): the body's outputs of the inputs. Its derivatives are calls that compute what they
// need of the body again, so that only the inputs are kept: a call is a checkpoint.
const Op& call_op();

std::vector<Ref> call(const BodyPtr& body, std::vector<Ref> inputs);
// The same where the outputs are known already.
std::vector<Ref> call_with(const BodyPtr& body, std::vector<Ref> inputs,
                           std::vector<Value> outputs);

// Registers the ops whose attributes are bodies.
void register_body_ops();

}  // namespace tapegrad
