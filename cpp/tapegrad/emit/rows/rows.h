// Programs over rows of numbers, compiled: what is done to a block of lanes.
//
// What runs is `void run(const void*, T* const* at, int64_t n, void*)`: for each vector of the n
// lanes, all lines one after the other, each rounded alone. `at` has a pointer to the first lane of
// each row, and to the numbers that all lanes share. Values stay in vector registers from line to
// line; what does not find room lies on the stack, and only rows that are wanted later are written.
// n is a multiple of the lanes of a vector. Rows may be the same ones, but not shifted against each
// other.
#pragma once

#include <cstdint>
#include <vector>

#include "tapegrad/emit/line.h"

namespace tapegrad::emit {

struct RowValue {
  enum class Kind : uint8_t {
    temporary,
    row,     // lies at a place of the table; written there where a line gives it
    number,  // the same for all lanes
  };
  Kind kind = Kind::temporary;
  // The place of a row; of a number, how far it lies behind the one at RowProgram::numbers.
  int32_t at = 0;
  uint32_t vector = 0;  // which one, where several go side by side: see interleave.h
};

struct RowProgram {
  std::vector<Line> lines;  // no value is given twice
  std::vector<RowValue> values;
  uint32_t numbers = 0;  // a place
};

Compiled compile_rows(const RowProgram& program, Precision precision, Width width,
                      bool lists = false);

}  // namespace tapegrad::emit
