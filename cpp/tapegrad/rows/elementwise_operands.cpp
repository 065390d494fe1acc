#include "tapegrad/rows/elementwise_operands.h"

#include <algorithm>
#include <type_traits>

#include "tapegrad/rows/lane_steps.h"

namespace tapegrad {
namespace {

template <class T, class From>
void gather(T* to, const void* data, int64_t offset, int64_t stride, int64_t n) {
  const From* from = static_cast<const From*>(data) + offset;
  if (stride == 1) {
    if constexpr (std::is_same_v<From, bool> && std::is_floating_point_v<T>) {
      lane_loops<T>().from_bool(to, from, n);
    } else {
      std::copy_n(from, n, to);
    }
  } else if (stride == 0) {
    std::fill_n(to, n, static_cast<T>(from[0]));
  } else {
    // Such a short loop takes up to half as long again where it lies across lines of the cache.
#pragma GCC unroll 4
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(from[i * stride]);
  }
}

}  // namespace

template <class T>
StridedGather<T> strided_gather(DType from) {
  return visit_dtype(from, [](auto tag) -> StridedGather<T> { return gather<T, decltype(tag)>; });
}

template <class T>
Operands<T>::Operands(std::span<const Value* const> values, const Dims& shape)
    : size_(element_count(shape)) {
  bool any_strided = false;
  for (size_t k = 0; k < values.size(); ++k) {
    if (!values[k]) continue;
    const Value& v = *values[k];
    Input& in = inputs_[k];
    in.same_type = v.dtype() == dtype_of<T>();
    in.data = v.raw();
    if (v.is_scalar()) {
      in.kind = Kind::uniform;
      in.value = scalar_as<T>(v);
    } else if (in.same_type && v.is_contiguous() && v.size() == size_) {
      in.kind = Kind::direct;
    } else {
      in.kind = Kind::strided;
      in.gather = strided_gather<T>(v.dtype());
      in.strides = strides_[k];
      any_strided = true;
    }
  }
  if (any_strided && size_ > 0) merge_axes(values, shape);
}

// Drops axes of length 1 and merges those that every strided operand walks as one.
template <class T>
void Operands<T>::merge_axes(std::span<const Value* const> values, const Dims& shape) {
  const size_t n = shape.size();
  for (size_t axis = 0; axis < n; ++axis) {
    if (shape[axis] == 1) continue;
    bool merge = axes_ > 0;
    for (size_t k = 0; k < values.size(); ++k) {
      if (inputs_[k].kind != Kind::strided) continue;
      const Layout& layout = *values[k]->layout();
      const int from = static_cast<int>(axis) - static_cast<int>(n) + layout.ndim();
      const int64_t step = from < 0 || layout.dims()[from] == 1 ? 0 : layout.strides()[from];
      strides_[k][axes_] = step;
      if (merge) merge = strides_[k][axes_ - 1] == step * shape[axis];
    }
    shape_[axes_++] = shape[axis];
    if (!merge) continue;
    --axes_;
    shape_[axes_ - 1] *= shape[axis];
    for (auto& strides : strides_) strides[axes_ - 1] = strides[axes_];
  }
  if (axes_ == 0) {
    shape_[axes_++] = 1;
    for (auto& strides : strides_) strides[0] = 0;
  }
  row_ = shape_[axes_ - 1];
  by_rows_ = row_ >= long_row;
  for (Input& in : inputs_) {
    if (in.kind != Kind::strided) continue;
    if (!std::all_of(in.strides, in.strides + axes_, [](int64_t s) { return s == 0; })) continue;
    in.kind = Kind::uniform;
    in.gather(&in.value, in.data, 0, 0, 1);
  }
}

template <class T>
typename Operands<T>::Block Operands<T>::read(int k, int64_t begin, int64_t n, T* scratch) const {
  const Input& in = inputs_[k];
  if (in.kind == Kind::uniform) return {&in.value, true};
  if (in.kind == Kind::direct) return {static_cast<const T*>(in.data) + begin, false};
  const size_t last = axes_ - 1;
  if (in_rows(in)) {
    int64_t offset = begin % row_ * in.strides[last];
    int64_t rest = begin / row_;
    for (size_t axis = last; axis-- > 0;) {
      offset += rest % shape_[axis] * in.strides[axis];
      rest /= shape_[axis];
    }
    return {static_cast<const T*>(in.data) + offset, in.strides[last] == 0};
  }
  pack(k, begin, n, scratch);
  return {scratch, false};
}

template <class T>
void Operands<T>::pack(int k, int64_t begin, int64_t n, T* to) const {
  const Input& in = inputs_[k];
  if (in.kind == Kind::uniform) {
    std::fill_n(to, n, in.value);
    return;
  }
  if (in.kind == Kind::direct) {
    std::copy_n(static_cast<const T*>(in.data) + begin, n, to);
    return;
  }
  const size_t last = axes_ - 1;
  int64_t index[max_ndim];
  int64_t offset = 0, rest = begin;
  for (size_t axis = last + 1; axis-- > 0;) {
    index[axis] = rest % shape_[axis];
    rest /= shape_[axis];
    offset += index[axis] * in.strides[axis];
  }
  while (n > 0) {
    const int64_t length = std::min(n, row_ - index[last]);
    in.gather(to, in.data, offset, in.strides[last], length);
    to += length;
    n -= length;
    if (n == 0) break;
    offset -= index[last] * in.strides[last];
    index[last] = 0;
    for (size_t axis = last; axis-- > 0;) {
      offset += in.strides[axis];
      if (++index[axis] < shape_[axis]) break;
      offset -= in.strides[axis] * shape_[axis];
      index[axis] = 0;
    }
  }
}

template class Operands<bool>;
template class Operands<int8_t>;
template class Operands<int16_t>;
template class Operands<int32_t>;
template class Operands<int64_t>;
template class Operands<uint8_t>;
template class Operands<uint16_t>;
template class Operands<uint32_t>;
template class Operands<uint64_t>;
template class Operands<float>;
template class Operands<double>;

template StridedGather<double> strided_gather(DType from);
template StridedGather<float> strided_gather(DType from);

}  // namespace tapegrad
