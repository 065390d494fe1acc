// How many vectors of lanes a program over rows takes at a time. The processor works on what comes
// next while a result is on its way, but looks ahead only so far: a long program in which each line
// waits for the one before would stand still most of the time. Several vectors then go through it
// side by side.
#pragma once

#include "tapegrad/emit/rows/rows.h"

namespace tapegrad::emit {

// 1, 2 or 4; so many that all values still find room in `holders` vectors.
uint32_t vectors_at_once(const RowProgram& program, uint8_t holders);

// The program on several vectors, each line for all of them before the next line.
RowProgram side_by_side(const RowProgram& program, uint32_t vectors);

}  // namespace tapegrad::emit
