// What compiling blocks begins with: which steps of a block follow one another that instructions
// can be written for, and what each does, line by line, to values that are given once.
#pragma once

#include <vector>

#include "tapegrad/emit/rows/rows.h"
#include "tapegrad/lanes/interpreter.h"

namespace tapegrad {

// Steps [begin, end) of a block, as one program over its rows.
struct BlockPiece {
  size_t begin, end;
  emit::RowProgram program;
};

// A block with the pieces of it that can be compiled, in the order of its steps. What is between
// them stays as it is. Of a row that no step after the piece reads nothing is written, unless it is
// an output.
template <class T>
struct BlockPieces {
  BlockCode<T> code;
  std::vector<BlockPiece> pieces;
};

// Steps are moved so that pieces are long, where the rows of `code` are enough for that.
template <class T>
BlockPieces<T> pieces_of(const BlockCode<T>& code);

}  // namespace tapegrad
