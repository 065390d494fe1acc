// The lane interpreter: a ScalarProgram run on many lanes at once, instruction by instruction over
// blocks of lanes whose live values stay in the cache, blocks shared out over threads. A lane's
// result depends on its operands alone, so the bits are the same for any number of threads and any
// block length.
#pragma once

#include <span>

#include "tapegrad/base/value.h"
#include "tapegrad/scalar/program.h"

namespace tapegrad {

// out = p(inputs): x0.., then y, broadcast together. Inputs that the program does not read give
// their shape only; their data may have been dropped. out.dtype() on entry, float64 or float32, is
// the type computed in; its shape and memory are made here.
void run_program(const ScalarProgram& p, std::span<const Value> inputs, Value& out);

// adjoint (+)= zmul(ct, partial(inputs)): 0 where ct is 0, else the product; where the partial is a
// mask, ct or 0. Inputs are x0.., then y, as above; the shape is that of ct and the inputs read,
// broadcast together; the type is that of ct. With accumulate, adjoint has that type and shape and
// is written in place (copied first if it does not own its memory). Without, it is made here; where
// the partial is 1 it may share the memory of ct.
void accumulate_product(const ScalarProgram& partial, std::span<const Value> inputs,
                        const Value& ct, Value& adjoint, bool accumulate);

// to += v, v broadcast to the shape of `to`, in the type of `to` (floating; copied first if it does
// not own its memory).
void add_in_place(Value& to, const Value& v);

}  // namespace tapegrad
