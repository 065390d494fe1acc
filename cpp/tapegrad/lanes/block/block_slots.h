// Finds room for what the steps and pieces of a block hand to one another.
#pragma once

#include "tapegrad/lanes/block/block_lines.h"

namespace tapegrad {

// Gives the rows from code.first_slot on, each of which is written once, places below `places` by
// the time that they are wanted; false where these are too few, and then `made` is of no use.
template <class T>
bool share_slots(BlockPieces<T>& made, uint32_t places);

}  // namespace tapegrad
