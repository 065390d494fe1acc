#pragma once

#include "tapegrad/tape/ref.h"

// How NumPy's array would lie in memory where a value of the core stands. The core packs results in
// C order; NumPy lets those of elementwise functions, copies and reductions lie as their inputs do
// (its order "K"). That is not to be seen but in two places: whether reshape and ravel give a view
// or a copy, and what order="K" and order="A" mean.

namespace tapegrad {

namespace join_attrs {
// Of stack: the result is NumPy's array of a list, which lies in C order whatever its items do.
inline constexpr AttrKey packed{1, "packed"};
}  // namespace join_attrs

// The strides, in elements, that NumPy's array would have. They are found from the record of how
// `a` was computed, of which a bounded part is looked at.
Dims numpy_strides(const Ref& a);

// Whether that is C order, said without a look at more than a few nodes; false where more would
// have to be looked at.
bool plainly_in_c_order(const Ref& a);

// How an array lies in memory.
struct Lying {
  Dims shape, strides;
};

// Those that it would have of a function of these, by element, of this shape.
Dims numpy_strides(std::span<const Ref> inputs, const Dims& shape);
Dims numpy_strides(std::span<const Lying> inputs, const Dims& shape);
// Those that it would have of op(attrs, inputs), of this shape, where nothing was recorded.
Dims numpy_strides(const Op& op, const Attrs& attrs, std::span<const Lying> inputs,
                   const Dims& shape);

// `a`, or a copy where NumPy's array would not be packed in C order.
Ref in_c_order(const Ref& a);

// The strides of op(attrs, a), of shape `to`, where a has this shape and these strides and NumPy
// gives a view of it; false where it gives a copy.
bool strides_of_view(const Op& op, const Attrs& attrs, const Dims& shape, const Dims& strides,
                     const Dims& to, Dims& found);

bool is_c_order(const Dims& shape, const Dims& strides);

}  // namespace tapegrad
