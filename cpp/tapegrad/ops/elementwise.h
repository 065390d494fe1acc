#pragma once

#include "tapegrad/scalar/scalar_fn.h"
#include "tapegrad/tape/ref.h"

// Elementwise functions of Refs: NumPy's broadcasting and promotion, recorded where an input is
// tracked.

namespace tapegrad {

namespace cast_attrs {
inline constexpr AttrKey dtype{0, "dtype"};  // its number
}
const Op& cast_op();

Ref elementwise(ScalarFn fn, std::initializer_list<Ref> inputs);

Ref add(const Ref& a, const Ref& b);
Ref subtract(const Ref& a, const Ref& b);
Ref multiply(const Ref& a, const Ref& b);
Ref divide(const Ref& a, const Ref& b);
Ref negative(const Ref& a);
Ref square(const Ref& a);
Ref sqrt(const Ref& a);
Ref exp(const Ref& a);
Ref log(const Ref& a);
Ref reciprocal(const Ref& a);
Ref absolute(const Ref& a);
Ref zmul(const Ref& c, const Ref& p);      // 0 where c is 0, else c * p
Ref zproduct(const Ref& a, const Ref& b);  // 0 where either is 0, else a * b
Ref where(const Ref& mask, const Ref& a, const Ref& b);
Ref equal(const Ref& a, const Ref& b);  // plain bool masks
Ref less(const Ref& a, const Ref& b);
Ref less_equal(const Ref& a, const Ref& b);

Ref cast(const Ref& a, DType dtype);  // linear
Ref zeros_like(const Ref& a);         // constants
Ref ones_like(const Ref& a);
Ref constant_full(const TensorType& type, double fill);

}  // namespace tapegrad
