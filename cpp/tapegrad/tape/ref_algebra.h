#pragma once

#include "tapegrad/tape/ref.h"

namespace tapegrad {

// The linear algebra that any sweep needs of whatever it sums; the ops layer provides it. Recorded
// where an operand is tracked.
struct RefAlgebra {
  Ref (*add)(const Ref& a, const Ref& b) = nullptr;
  Ref (*cast)(const Ref& a, DType dtype) = nullptr;
  Ref (*zeros)(const TensorType& type) = nullptr;
};

extern RefAlgebra ref_algebra;

}  // namespace tapegrad
