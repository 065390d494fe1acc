#include "tapegrad/kernels/fused/lane_output.h"

#include <algorithm>
#include <cstring>

#include "tapegrad/parallel/parallel.h"

namespace tapegrad {

void make_lane_output(Value& v, DType dtype, std::span<const int64_t> shape) {
  const bool fits = v.dtype() == dtype && !v.is_scalar() && v.owns_buffer() && v.is_contiguous() &&
                    static_cast<size_t>(v.ndim()) == shape.size() &&
                    std::equal(shape.begin(), shape.end(), v.layout()->dims());
  if (!fits) v = Value::empty(dtype, shape);
}

Value lane_number(double x, DType dtype) {
  return is_bool(dtype) ? Value::integer_scalar(x != 0, dtype) : Value::scalar(x, dtype);
}

template <class T>
void fill_lane_output(Value& v, T x) {
  if (v.is_scalar()) {
    v = lane_number(static_cast<double>(x), v.dtype());
  } else if (is_bool(v.dtype())) {
    std::memset(v.raw(), x != 0, static_cast<size_t>(v.size()));
  } else {
    T* to = v.data<T>();
    parallel_for(v.size(), 4096, 0.3,
                 [=](int64_t begin, int64_t end) { std::fill(to + begin, to + end, x); });
  }
}

template void fill_lane_output(Value&, float);
template void fill_lane_output(Value&, double);

}  // namespace tapegrad
