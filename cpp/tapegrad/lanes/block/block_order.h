// Brings steps of a block that instructions can be written for together, so that more values stay
// in vectors on the way from one to the next.
#pragma once

#include "tapegrad/lanes/interpreter.h"

namespace tapegrad {

// Whether instructions can be written for the step.
template <class T>
bool has_instructions(const LaneStep<T>& step);

// The same steps in another order. None is moved further ahead than `window`: what is computed
// early must be kept longer. Each row that is not wanted after the block is written once, so that
// there are more of them, from code.first_slot on; `places` counts all.
template <class T>
BlockCode<T> in_long_pieces(const BlockCode<T>& code, uint32_t window);

}  // namespace tapegrad
