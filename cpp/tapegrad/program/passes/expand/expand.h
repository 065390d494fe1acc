// Small arrays as scalars: see expand.cpp, and ops/expand.h for the rules of the ops.
#pragma once

#include <deque>
#include <unordered_set>
#include <vector>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/writer.h"
#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {

// The scalars that small arrays are taken apart into, by numbers that a backend gives out. Scalars
// go through a few identities as they are written, because most of what derivatives of small arrays
// multiply and add is zero or one.
class ScalarWriter {
 public:
  explicit ScalarWriter(const Program& from) : from_(from) {}
  virtual ~ScalarWriter() = default;

  const Program& from() const { return from_; }

  // The elements of a value of the old program, in C order.
  const std::vector<ValueId>& elements(ValueId old);
  void set_elements(ValueId old, std::vector<ValueId> elements) {
    taken_ += elements.size();
    place_of(old) = std::move(elements);
  }

  ValueId apply(ScalarFn fn, DType dtype, ValueId a, ValueId b = no_operand,
                ValueId c = no_operand);
  ValueId number(double x, DType dtype);
  ValueId add(DType d, ValueId a, ValueId b) { return apply(scalar_fn_of<Add>(), d, a, b); }
  ValueId multiply(DType d, ValueId a, ValueId b) {
    return apply(scalar_fn_of<Multiply>(), d, a, b);
  }

  bool is_zero(ValueId v) const {
    const Value* c = constant_at(v);
    return c && c->as_double() == 0;
  }
  size_t written() const { return known_.size(); }
  // Whether the arrays that were taken apart have more elements together than a program may cost to
  // improve: many versions of an array, say, each written at one place.
  bool takes_too_much() const { return taken_ > size_t{1} << 18; }
  virtual int64_t most_terms() const { return 4096; }  // of one step
  // Whether everything is added as the arrays' own ops add it, arguments being packed in C order:
  // what they add otherwise is then not taken apart.
  virtual bool keeps_order() const { return false; }
  // What an array's own op raises an error without: the kernel says whether it holds, and where it
  // does not the arrays are computed with.
  virtual bool may_require() const { return false; }
  virtual void require(ValueId) {}
  // Values whose array is a view that is not packed: reductions go by the strides.
  void mark_strided(ValueId old) { strided_.insert(old); }
  bool is_strided(ValueId old) const { return strided_.contains(old); }

  // Part of one array of whole numbers (ExpandContext::numbered).
  Value numbered(int64_t first, const Dims& shape);

  static constexpr ValueId no_operand = ~ValueId{0};

 protected:
  // The elements of a value that no rule has taken apart, which is no constant.
  virtual std::vector<ValueId> load(ValueId old) = 0;
  virtual ValueId constant(Value scalar) = 0;
  virtual const Value* constant_at(ValueId v) const = 0;  // null where v is none
  virtual DType dtype_at(ValueId v) const = 0;
  virtual ValueId write(ScalarFn fn, DType dtype, std::span<const ValueId> in) = 0;

 private:
  struct Known {
    ScalarFn fn;
    ValueId a, b, c, result;
  };

  // Where the elements of a value stand, or are to stand.
  std::vector<ValueId>& place_of(ValueId old);

  ValueId simplified(ScalarFn fn, DType dtype, ValueId a, ValueId b, ValueId c);

  const Program& from_;
  struct Elements {
    ValueId of;
    std::vector<ValueId> list;
  };
  std::deque<Elements> elements_;  // which stay where they are
  FlatTable places_;               // of elements_
  std::unordered_set<ValueId> strided_;
  size_t taken_ = 0;  // elements of all arrays
  Value numbers_;     // from 0 on
  std::vector<Known> known_;
  FlatTable table_;  // of known_
};

// Writes the scalars of one step by the rule of its op; false where there is none or it says no,
// and then nothing was written.
bool expand_step(ScalarWriter& w, const Program::Step& s);
// Whether there is a rule that may take the step: systems are small, and may require something.
bool is_expandable(const Program& p, const Program::Step& s, bool may_require);
// Whether the step only moves elements: what it writes are elements of its inputs, and zeros.
bool only_moves(const Program::Step& s);

}  // namespace tapegrad
