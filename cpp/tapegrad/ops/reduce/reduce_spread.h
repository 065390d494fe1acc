#pragma once

#include "tapegrad/tape/op.h"

namespace tapegrad {

// The standard deviation, which has a cone's tip where it is zero.
const Op& std_op();

}  // namespace tapegrad
