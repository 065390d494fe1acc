#include "tapegrad/base/value_order.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace tapegrad {

Value copy_lying_by(const Value& v, std::span<const int64_t> order) {
  const Dims shape = v.shape();
  std::vector<size_t> axes(shape.size());
  std::iota(axes.begin(), axes.end(), size_t{0});
  std::stable_sort(axes.begin(), axes.end(),
                   [&](size_t i, size_t k) { return std::abs(order[i]) > std::abs(order[k]); });
  Dims strides(shape.size(), 0);
  int64_t step = 1;
  for (size_t i = axes.size(); i-- > 0;) {
    strides[axes[i]] = step;
    step *= shape[axes[i]];
  }
  const Value found = Value::empty(v.dtype(), shape).view(shape, strides, 0);
  copy_into(found, v);
  return found;
}

Value copy_as_it_lies(const Value& v) {
  return v.is_contiguous() ? v.copy() : copy_lying_by(v, v.strides());
}

}  // namespace tapegrad
