// Straight-line programs of scalar functions over a file of registers in memory, compiled.
//
// What runs is `void run(T* file)`: line after line, each rounded alone, as if each read its
// operands from the file and wrote its result there. Afterwards every register of the file that is
// written by some line holds what the last of them gave. In between values stay in vector
// registers: a line's result is stored only where its register is wanted for something else (the
// value whose next reader is furthest away goes, Belady's rule), before calls, which keep no vector
// register, and at the end. A value that was overwritten before it was wanted in memory never gets
// there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/emit/assembler.h"

namespace tapegrad::emit {

enum class Function : uint8_t {
  add,
  subtract,
  multiply,
  divide,
  square,      // a * a
  negative,    // the sign flipped, of NaN too
  absolute,    // the sign cleared
  reciprocal,  // 1 / a
  root,
  strong_product,  // 0 where a is 0, else a * b
  zero_product,    // 0 where a or b is 0, else a * b
  maximum,         // a where a >= b or a is NaN, else b
  minimum,         // a where a <= b or a is NaN, else b
  less,            // these give 0 or 1
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  select,  // a is not 0 ? b : c
  call,    // some function of one to three numbers
};

struct Line {
  Function function;
  uint8_t arity;  // operands that are read: the first ones of a, b, c
  uint32_t out, a, b, c;
  const void* called;  // of Function::call: T (*)(T, T, T)
  const char* name;    // of it, for the listing
};

// The file of registers must be smaller than this; more could not be addressed.
constexpr uint32_t most_registers = uint32_t{1} << 27;

// The code and where it begins: constants stand before it.
struct Straight {
  Assembler code;
  size_t entry;
};

Straight compile_straight(std::span<const Line> lines, uint32_t registers, Precision precision,
                          bool lists = false);

// One line for each instruction, with its place and its bytes.
std::string listing_of(const Straight& made);

}  // namespace tapegrad::emit
