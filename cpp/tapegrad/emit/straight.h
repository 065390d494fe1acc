// Straight-line programs of scalar functions over a file of registers in memory, compiled.
//
// What runs is `void run(T* file)`: line after line, each rounded alone, as if each read its
// operands from the file and wrote its result there. Afterwards every register of the file that is
// written by some line holds what the last of them gave. In between values stay in vector
// registers: a line's result is stored only where its register is wanted for something else, before
// calls, which keep no vector register, and at the end. A value that was overwritten before it was
// wanted in memory never gets there.
#pragma once

#include <span>

#include "tapegrad/emit/line.h"

namespace tapegrad::emit {

// The file of registers must be smaller than this; more could not be addressed.
constexpr uint32_t most_registers = uint32_t{1} << 27;

Compiled compile_straight(std::span<const Line> lines, uint32_t registers, Precision precision,
                          bool lists = false);

}  // namespace tapegrad::emit
