#pragma once

#include <optional>

#include "tapegrad/base/value.h"
#include "tapegrad/scalar/partial.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {

// The unrecorded derivative of one elementwise application, through the recorded partials and the
// lane kernels.
class ElementwiseNode {
 public:
  ElementwiseNode(Tape& tape, const Node& node);

  // The partial by input i alone, of the output's shape; none where what it reads is gone.
  std::optional<Value> partial(int i) const;
  bool flows(int i) const { return !partial_tape(fn_, i).is_zero; }
  // sum_to_shape(zmul(ct, partial_i)), in the dtype of the output; and the same added to an adjoint
  // of input i.
  Value pullback(int i, const Value& ct) const;
  void add_pullback(int i, const Value& ct, Value& adjoint) const;
  // zmul(tangent_i, partial_i), added where `tangent` already holds something.
  void pushforward(int i, const Value& tangent_i, Value& tangent, bool accumulate) const;

 private:
  bool fits(int i) const;  // input i has the output's shape and dtype

  ScalarFn fn_;
  Value in_[3],
      operands_[4];  // inputs (types), and what the partials read: inputs, then the output
  int n_in_;
  Value out_;
};

// A partial at one point; x holds the inputs, then the output.
double partial_at(const PartialTape& p, const double* x, bool single);

}  // namespace tapegrad
