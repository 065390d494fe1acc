// How a function of operands in vectors is written, at each width: with comparisons that give
// vectors, or masks at 64 bytes.
#pragma once

#include "tapegrad/emit/line.h"

namespace tapegrad::emit {

class FunctionWriter {
 public:
  // The last two vectors are between its instructions its own; calls of write() keep all others.
  explicit FunctionWriter(Assembler& code) : code_(code) {}

  // Stand before the code.
  void put_constants();
  static constexpr uint8_t holders(Width w) { return w == Width::bytes_64 ? 30 : 14; }

  // Whether the last operand may lie in memory: b of two, c of three, a of one.
  bool takes_memory(Function f) const;
  static bool commutes(Function f) { return f == Function::add || f == Function::multiply; }

  // `out` may be that of an operand. A function of one operand reads `last`, of two a and `last`,
  // select a, b and `last`; calls and add_product are not written here.
  void write(Function f, Vector out, Vector a, Vector b, Operand last);

 private:
  enum class Constant : uint8_t { sign, magnitude, one, half, zero };
  Memory constant(Constant c) const;
  Vector first_spare() const { return {holders(code_.width())}; }
  Vector second_spare() const { return {static_cast<uint8_t>(holders(code_.width()) + 1)}; }
  void with_vectors(Function f, Vector out, Vector a, Vector b, Vector last);
  void with_masks(Function f, Vector out, Vector a, Vector b, Operand last);

  Assembler& code_;
};

}  // namespace tapegrad::emit
