#pragma once

#include <span>

#include "tapegrad/ops/axes.h"
#include "tapegrad/tape/ref.h"

// Reductions of Refs. Without axes they reduce the whole array to a scalar.

namespace tapegrad {

// Reductions: (axis, keepdims). var and std also have ddof.
namespace reduction_attrs {
inline constexpr AttrKey axis{0, "axis"}, keepdims{1, "keepdims"}, ddof{2, "ddof"};
}
// cumsum, cumprod, linear_recurrence: (axis, reverse).
namespace scan_attrs {
inline constexpr AttrKey axis{0, "axis"}, reverse{1, "reverse"};
}

const Op& sum_op();
const Op& sum_to_shape_op();

Ref sum(const Ref& a);
Ref sum(const Ref& a, const Axes& axes, bool keepdims = false);
Ref mean(const Ref& a);
Ref mean(const Ref& a, const Axes& axes, bool keepdims = false);
Ref prod(const Ref& a, const Axes& axes, bool keepdims = false);
Ref max(const Ref& a, const Axes& axes, bool keepdims = false);
Ref min(const Ref& a, const Axes& axes, bool keepdims = false);
Ref logsumexp(const Ref& a, const Axes& axes, bool keepdims = false);

// The sum over the axes that a broadcast from `shape` added or stretched; `a` itself where the
// shapes agree.
Ref sum_to_shape(const Ref& a, std::span<const int64_t> shape);

Ref cumsum(const Ref& a, int64_t axis, bool reverse = false);
Ref cumprod(const Ref& a, int64_t axis, bool reverse = false);
// y[i] = x[i] y[i-1] + c[i] along the axis: the derivative of cumprod, and closed under
// derivatives.
Ref linear_recurrence(const Ref& c, const Ref& x, int64_t axis, bool reverse = false);
// y[i] = a[i - offset], `fill` where there is none.
Ref shift(const Ref& a, int64_t axis, int64_t offset, double fill = 0);
// The product of all other elements along the axis; right whatever is zero.
Ref exclusive_prod(const Ref& a, int64_t axis);

// `reduced`, a result or a cotangent of a reduction of an array of `shape` with the attributes
// (axis, keepdims), in a shape that broadcasts against the array.
Ref restore_axes(const Ref& reduced, const Dims& shape, const Attrs& attrs, const char* op);

// The parts of register_reduction_ops.
void register_extreme_ops();
void register_spread_ops();
void register_scan_ops();

}  // namespace tapegrad
