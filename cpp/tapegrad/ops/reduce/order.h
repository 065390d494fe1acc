#pragma once

#include "tapegrad/tape/ref.h"

namespace tapegrad {

// The positions that sort x along an axis: of integers, without a derivative.
Ref argsort(const Ref& x, int axis);

}  // namespace tapegrad
