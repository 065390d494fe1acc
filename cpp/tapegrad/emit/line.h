// What programs are given as, line by line, and what they become.
#pragma once

#include <array>
#include <cstdint>
#include <string>

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
  logical_and,  // of whether they are not 0
  logical_or,
  logical_not,
  is_nan,
  prefer,       // 1 where a > b, 1/2 where they are equal, else 0
  select,       // a is not 0 ? b : c
  call,         // some function of one to three numbers, in programs of numbers alone
  add_product,  // a * b + c, rounded once, in programs over rows alone
  copy,         // a, there too
};

struct Line {
  Function function;
  uint8_t arity;  // operands that are read: the first ones of a, b, c
  uint32_t out, a, b, c;
  const void* called;  // of Function::call: T (*)(T, T, T)
  const char* name;    // of it, for the listing
};
inline std::array<uint32_t, 3> operands_of(const Line& line) { return {line.a, line.b, line.c}; }

// The code and where it begins: constants stand before it.
struct Compiled {
  Assembler code;
  size_t entry;
};

// One line for each instruction, with its place and its bytes.
std::string listing_of(const Compiled& made);

}  // namespace tapegrad::emit
