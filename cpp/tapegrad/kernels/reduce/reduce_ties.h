#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// Returns 1 / (number of ties) where v equals `extreme` (v's max or min over `reduced`) and 0
// elsewhere: how a cotangent is shared out. NaN equals NaN here.
Value share_ties(const Value& v, const Value& extreme, const Dims& reduced);

}  // namespace tapegrad
