// Cotangents times partial derivatives, added to adjoints: what sweeps over elementwise nodes do.
// At one point a partial runs over registers; over arrays the whole of it, partial, product and
// sum, is a small kernel (partial_kernel.h), planned once and run over blocks of lanes. The bits
// are the same for any number of threads and any length of the blocks.
#pragma once

#include <span>

#include "tapegrad/base/value.h"
#include "tapegrad/scalar/partial.h"

namespace tapegrad {

// The partial at one point: x0.., then y. Allocates nothing once it has run before.
double eval_partial(const PartialTape& p, const double* inputs);
float eval_partial(const PartialTape& p, const float* inputs);

// adjoint (+)= zmul(ct, partial(inputs)): 0 where ct is 0, else the product; where the partial is a
// mask, ct or 0. Inputs are x0.., then y, broadcast together; of those that the partial does not
// read the data may have been dropped. The shape is that of ct and the inputs read, broadcast
// together; the type is that of ct. With accumulate, adjoint has that type and shape and is written
// in place, or made anew if it does not own its memory. Without, it is made here; where the partial
// is 1 it may share the memory of ct.
void accumulate_product(const PartialTape& partial, std::span<const Value> inputs, const Value& ct,
                        Value& adjoint, bool accumulate);

// to += v, v broadcast to the shape of `to`, in the type of `to` (floating; made anew if it does
// not own its memory).
void add_in_place(Value& to, const Value& v);

}  // namespace tapegrad
