#include "tapegrad/ops/axes.h"

#include "tapegrad/base/error.h"

namespace tapegrad {

std::span<const int64_t> axis_span(const Attrs& attrs, AttrKey key) {
  if (key.index < attrs.size())
    if (const int64_t* one = std::get_if<int64_t>(&attrs[key])) return {one, 1};
  return attrs.integers(key);
}

Axes axis_list(const Attrs& attrs, AttrKey key) {
  const std::span<const int64_t> items = axis_span(attrs, key);
  return {items.begin(), items.end()};
}

Dims axis_dims(const Attrs& attrs, AttrKey key) { return Dims(axis_span(attrs, key)); }

Dims axis_flags(const Attrs& attrs, AttrKey key, int ndim, const char* op) {
  Dims flags(static_cast<size_t>(ndim), attrs.is_none(key));
  if (attrs.is_none(key)) return flags;
  const Dims axes = axis_dims(attrs, key);
  if (ndim == 0) {
    // A single axis is let through for what has none, as NumPy's reductions do.
    const bool is_single = std::holds_alternative<int64_t>(attrs[key]);
    for (int64_t axis : axes) normalize_axis(axis, is_single ? 1 : 0, op);
    return flags;
  }
  for (int64_t axis : axes) {
    int64_t& flag = flags[static_cast<size_t>(normalize_axis(axis, ndim, op))];
    if (flag) throw_error<ValueError>(op, ": duplicate value in 'axis': ", axes);
    flag = 1;
  }
  return flags;
}

Axes flagged_axes(const Dims& flags) {
  Axes axes;
  for (size_t i = 0; i < flags.size(); ++i)
    if (flags[i]) axes.push_back(static_cast<int64_t>(i) - flags.ndim());
  return axes;
}

Dims reduced_shape(const Dims& shape, const Dims& flags, bool keepdims) {
  Dims out;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!flags[i]) {
      out.push_back(shape[i]);
    } else if (keepdims) {
      out.push_back(1);
    }
  }
  return out;
}

}  // namespace tapegrad
