#include "tapegrad/kernels/linalg/matmul_cross.h"

#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/strided.h"

namespace tapegrad {
namespace {

// Says where the components of an operand lie. A missing one is exactly zero, whatever it is
// multiplied by.
struct Components {
  explicit Components(const Value& v) {
    const int64_t length = v.dim(v.ndim() - 1), stride = v.layout()->strides()[v.ndim() - 1];
    for (int c = 0; c < 3; ++c) {
      there[c] = length == 3 || (length == 1) == (c == 2);
      offset[c] = length == 1 ? 0 : c * stride;
    }
  }
  bool there[3];
  int64_t offset[3];
};

template <class T>
Value cross_of(const Value& a, const Value& b, const Dims& shape, int64_t keep) {
  const Components x(a), y(b);
  const Dims stack(shape.data(), shape.size() - 1);
  const auto strides_in = [&](const Value& v) {
    const Dims s = v.shape(), t = v.strides();
    return broadcast_strides(Dims(s.data(), s.size() - 1), Dims(t.data(), t.size() - 1), stack);
  };
  const std::array<Dims, 2> strides{strides_in(a), strides_in(b)};
  const Value out = Value::empty(dtype_of<T>(), shape);
  parallel_for(element_count(stack), 1024, 4, [&](int64_t from, int64_t to) {
    Odometer<2> at(stack, strides);
    at.seek(from);
    T* result = out.data<T>() + from * keep;
    for (int64_t i = from; i < to; ++i, at.next()) {
      const T *p = a.data<T>() + at.offset(0), *q = b.data<T>() + at.offset(1);
      for (int64_t c = keep == 1 ? 2 : 0; c < (keep == 2 ? 2 : 3); ++c) {
        const int64_t j = (c + 1) % 3, k = (c + 2) % 3;
        T sum = 0;
        if (x.there[j] && y.there[k]) sum = p[x.offset[j]] * q[y.offset[k]];
        if (x.there[k] && y.there[j]) sum -= p[x.offset[k]] * q[y.offset[j]];
        *result++ = sum;
      }
    }
  });
  return out;
}

}  // namespace

Value cross_vectors(const Value& a, const Value& b, const Dims& shape, int64_t keep) {
  return a.dtype() == DType::float32 ? cross_of<float>(a, b, shape, keep)
                                     : cross_of<double>(a, b, shape, keep);
}

}  // namespace tapegrad
