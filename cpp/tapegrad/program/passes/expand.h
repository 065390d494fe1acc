// Small arrays as scalars: see expand.cpp.
#pragma once

#include <unordered_map>
#include <vector>

#include "tapegrad/program/writer.h"
#include "tapegrad/scalar/functions.h"

namespace tapegrad {

// Writes the scalars that small arrays are taken apart into, and puts arrays together again for
// whoever needs them whole. Scalars go through a few identities as they are written, because most
// of what derivatives of small arrays multiply and add is zero or one.
class ScalarWriter {
 public:
  explicit ScalarWriter(const Program& from) : from_(from) {}

  const Program& from() const { return from_; }
  ProgramWriter& to() { return to_; }

  // The elements of a value of the old program, in C order; and the value as a whole.
  const std::vector<ValueId>& elements(ValueId old);
  ValueId whole(ValueId old);
  void set_elements(ValueId old, std::vector<ValueId> elements);
  void set_whole(ValueId old, ValueId now) { places_[old].whole = now; }

  ValueId apply(ScalarFn fn, DType dtype, ValueId a, ValueId b = no_operand,
                ValueId c = no_operand);
  ValueId number(double x, DType dtype);
  ValueId add(DType d, ValueId a, ValueId b) { return apply(scalar_fn_of<Add>(), d, a, b); }
  ValueId multiply(DType d, ValueId a, ValueId b) {
    return apply(scalar_fn_of<Multiply>(), d, a, b);
  }
  // a[0] + a[1] + ..., zero where there is none.
  ValueId sum(DType d, std::span<const ValueId> terms);

  size_t written() const { return written_; }

  static constexpr ValueId no_operand = ~ValueId{0};

 private:
  struct Place {
    std::vector<ValueId> elements;
    ValueId whole = no_operand;
  };
  struct Key {
    ScalarFn fn;
    ValueId a, b, c;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& k) const;
  };

  const Value* constant(ValueId v) const;
  ValueId simplified(ScalarFn fn, DType dtype, ValueId a, ValueId b, ValueId c);

  const Program& from_;
  ProgramWriter to_;
  std::unordered_map<ValueId, Place> places_;
  std::unordered_map<Key, ValueId, KeyHash> known_;
  size_t written_ = 0;
};

// Writes the scalars of one step; false where it has no rule, and then nothing was written.
bool expand_step(ScalarWriter& w, const Program::Step& s);

}  // namespace tapegrad
