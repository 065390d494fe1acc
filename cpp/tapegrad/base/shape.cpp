#include "tapegrad/base/shape.h"

#include <ostream>

#include "tapegrad/base/error.h"

namespace tapegrad {

void Dims::resize_long(size_t n, int64_t fill) {
  if (n <= inline_capacity) {
    if (size_ > inline_capacity)
      std::copy(heap_.begin(), heap_.begin() + static_cast<long>(n), inline_);
    for (size_t i = size_; i < n; ++i) inline_[i] = fill;
  } else {
    if (size_ <= inline_capacity) heap_.assign(inline_, inline_ + size_);
    heap_.resize(n, fill);
  }
  size_ = n;
}

std::ostream& operator<<(std::ostream& out, const Dims& dims) {
  out << '(';
  for (size_t i = 0; i < dims.size(); ++i) out << (i ? ", " : "") << dims[i];
  return out << (dims.size() == 1 ? ",)" : ")");
}

int64_t element_count(std::span<const int64_t> shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

Dims contiguous_strides(std::span<const int64_t> shape) {
  Dims strides(shape.size());
  int64_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

Dims broadcast_shapes(std::span<const int64_t> a, std::span<const int64_t> b, const char* op) {
  const size_t n = std::max(a.size(), b.size());
  Dims out(n);
  for (size_t i = 0; i < n; ++i) {
    const int64_t da = i < n - a.size() ? 1 : a[i - (n - a.size())];
    const int64_t db = i < n - b.size() ? 1 : b[i - (n - b.size())];
    if (da != db && da != 1 && db != 1)
      throw_error<ValueError>(
          op, ": operands could not be broadcast together with shapes ", Dims(a), " ", Dims(b),
          "; lengths must be equal or 1, counted from the last axis (insert axes with "
          "x[:, None] or np.expand_dims, or transpose one operand)");
    out[i] = da == 1 ? db : da;
  }
  return out;
}

Dims broadcast_strides(std::span<const int64_t> shape, std::span<const int64_t> strides,
                       std::span<const int64_t> to) {
  Dims out(to.size());
  const size_t lead = to.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i) out[lead + i] = shape[i] == 1 ? 0 : strides[i];
  return out;
}

int normalize_axis(int64_t axis, int ndim, const char* op) {
  if (axis < -ndim || axis >= ndim)
    throw_error<AxisError>(op, ": axis ", axis, " is out of bounds for array of dimension ", ndim);
  return static_cast<int>(axis < 0 ? axis + ndim : axis);
}

}  // namespace tapegrad
