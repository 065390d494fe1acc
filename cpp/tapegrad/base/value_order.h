// Copies whose axes lie in another order than C's.
#pragma once

#include <span>

#include "tapegrad/base/value.h"

namespace tapegrad {

// From the outermost to the innermost axis in the order of these strides.
Value copy_lying_by(const Value& v, std::span<const int64_t> strides);
// In the order in which v lies, as NumPy's copies of order "K".
Value copy_as_it_lies(const Value& v);

}  // namespace tapegrad
