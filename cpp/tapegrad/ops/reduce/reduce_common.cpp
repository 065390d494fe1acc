#include "tapegrad/ops/reduce/reduce_common.h"

#include "tapegrad/kernels/reduce/reduce_finish.h"

namespace tapegrad {

using namespace reduction_attrs;

std::vector<AttrDeclaration> reduction_declarations() {
  return {{axis, attr_kind::axes, Attr{}}, {keepdims, attr_kind::flag, Attr{false}}};
}

TensorType reduced_type(const Attrs& attrs, const TensorType& in, DType dtype, const char* op) {
  const Dims flags = axis_flags(attrs, axis, in.shape.ndim(), op);
  return {dtype, reduced_shape(in.shape, flags, attrs.flag_or(keepdims, false))};
}

double reduced_count(const Attrs& attrs, const Dims& shape, const char* op) {
  if (shape.empty() && !attrs.is_none(axis))
    for (int64_t a : axis_dims(attrs, axis)) normalize_axis(a, 0, op);
  const Dims flags = axis_flags(attrs, axis, shape.ndim(), op);
  double n = 1;
  for (size_t i = 0; i < shape.size(); ++i)
    if (flags[i]) n *= static_cast<double>(shape[i]);
  return n;
}

Value fold(Fold kind, const Value& x, const Attrs& attrs, const char* op) {
  const Dims flags = axis_flags(attrs, axis, x.ndim(), op);
  Value result = fold_axes(kind, x, flags);
  if (attrs.flag_or(keepdims, false)) return result.reshaped(reduced_shape(x.shape(), flags, true));
  return result;
}

Value mean_value(const Value& x, const Attrs& attrs, const char* op) {
  return divided_by(fold(Fold::sum, x, attrs, op), reduced_count(attrs, x.shape(), op));
}

Ref sum_like(const Ref& a, const Attrs& attrs) {
  if (a.ndim() == 0) return a;  // also along the single axis that is let through there
  if (attrs.is_none(axis)) {
    if (!attrs.flag_or(keepdims, false)) return sum(a);
    Axes all;
    for (int64_t i = -a.ndim(); i < 0; ++i) all.push_back(i);
    return sum(a, all, true);
  }
  return sum(a, axis_list(attrs, axis), attrs.flag_or(keepdims, false));
}

}  // namespace tapegrad
