#pragma once

#include "tapegrad/kernels/reduce/reduce_axis.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/tape/op.h"

// What the files of the reduction family share. Attributes: (axis, keepdims, ...).

namespace tapegrad {

// How most reductions are declared.
std::vector<AttrDeclaration> reduction_declarations();

inline DType mean_dtype(DType d) { return is_floating(d) ? d : DType::float64; }

TensorType reduced_type(const Attrs& attrs, const TensorType& in, DType dtype, const char* op);

// How many elements go into one result. Where there are no axes NumPy lets none through here.
double reduced_count(const Attrs& attrs, const Dims& shape, const char* op);

Value fold(Fold kind, const Value& x, const Attrs& attrs, const char* op);

Value mean_value(const Value& x, const Attrs& attrs, const char* op);

// The sum with the axes and keepdims of `attrs`.
Ref sum_like(const Ref& a, const Attrs& attrs);

inline Ref scalar_like(const Ref& a, double x) { return Ref(Value::scalar(x, a.dtype())); }

}  // namespace tapegrad
