#pragma once

#include <span>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/op.h"

// How an op on small arrays is taken apart into scalars: Op::expand.

namespace tapegrad {

// Numbers that the writer of the scalars gave out.
using Scalar = uint32_t;
using Scalars = std::vector<Scalar>;

// What the rule sees of one application, whoever writes the scalars and wherever.
class ExpandContext {
 public:
  static constexpr Scalar missing = ~Scalar{0};
  virtual ~ExpandContext() = default;

  virtual const Op& op() const = 0;
  virtual const Attrs& attrs() const = 0;
  virtual size_t n_in() const = 0;
  virtual size_t n_out() const = 0;
  virtual const TensorType& in_type(size_t i) const = 0;
  virtual const TensorType& out_type(size_t j = 0) const = 0;
  const Dims& in_shape(size_t i) const { return in_type(i).shape; }
  const Dims& out_shape(size_t j = 0) const { return out_type(j).shape; }
  DType dtype() const { return out_type().dtype; }
  bool has_one_floating_dtype() const;  // all operands, and the results

  // The elements of an input, in C order; its value where that is a constant, else null.
  virtual const Scalars& in(size_t i) = 0;
  virtual const Value* constant(size_t i) const = 0;
  virtual void set(size_t j, Scalars elements) = 0;

  virtual Scalar apply(ScalarFn fn, DType dtype, Scalar a, Scalar b = missing,
                       Scalar c = missing) = 0;
  virtual Scalar number(double x, DType dtype) = 0;
  virtual bool is_zero(Scalar x) const = 0;  // a constant zero
  Scalar add(DType d, Scalar a, Scalar b) { return apply(scalar_fn_of<Add>(), d, a, b); }
  Scalar multiply(DType d, Scalar a, Scalar b) { return apply(scalar_fn_of<Multiply>(), d, a, b); }
  // a[0] + a[1] + ..., zero where there is none.
  Scalar sum(DType d, std::span<const Scalar> terms);

  // Whether everything must be added as the arrays' own ops add it, arguments being packed in C
  // order. A rule that can't say how its op adds returns false then.
  virtual bool keeps_order() const = 0;
  virtual int64_t most_terms() const = 0;  // of one step
  // What the array's own op raises an error without: where it does not hold, the arrays are
  // computed with. Only where may_require().
  virtual bool may_require() const = 0;
  virtual void require(Scalar condition) = 0;
  // Whether an array is a view that is not packed: reductions go by the strides.
  virtual bool is_strided(size_t i) const = 0;
  virtual void mark_strided(size_t j) = 0;

  // An array of whole numbers, from `first` on. Those who ask often keep one for all, so that an
  // element of a long array takes no time that grows with the array.
  virtual Value numbered(int64_t first, const Dims& shape);
};

// Writes the application by its op's rule, or by the general ones; false where there is none.
bool expand_op(ExpandContext& c);
// Whether there is a rule, which may still say no.
bool has_expand_rule(const Op& op);
// Whether the op has the general rule for what only moves elements.
bool only_moves(const Op& op);

// Systems of more rows take hundreds of scalars, which is slower than the loops over an array.
inline constexpr int64_t most_expanded_rows = 4;

// For rules.

// What only moves elements: the op is evaluated on the numbers of the elements. `attrs` are those
// to evaluate it with, so that what it fills in is zero; `fill` is what stands there.
bool expand_moves(ExpandContext& c, const Attrs& attrs, double fill);
// Positions in an array of `shape` of the elements of its broadcast to `to`.
std::vector<size_t> broadcast_positions(const Dims& shape, const Dims& to);

}  // namespace tapegrad
