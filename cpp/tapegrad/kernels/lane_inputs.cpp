#include "tapegrad/kernels/lane_inputs.h"

#include <algorithm>

#include "tapegrad/kernels/elementwise_operands.h"

namespace tapegrad {
bool lane_input_is_uniform(const Value& v, std::span<const int64_t> space, size_t number) {
  if (v.is_scalar()) return true;
  const Layout& layout = *v.layout();
  const size_t n = static_cast<size_t>(layout.ndim());
  bool fits = n <= space.size(), uniform = true;
  for (size_t i = 0; i < n && fits; ++i) {
    const int64_t from = layout.dims()[i], to = space[space.size() - n + i];
    fits = from == to || from == 1;
    uniform &= from == 1 || layout.strides()[i] == 0;
  }
  if (!fits)
    throw_error<ValueError>("LaneProgram: input ", number, " of shape ", v.shape(),
                            " does not broadcast to the space ", Dims(space),
                            "; each length must be equal or 1, counted from the last axis");
  return uniform && layout.size() > 0;
}

template <class T>
T uniform_lane_input(const Value& v) {
  if (v.is_scalar()) return scalar_as<T>(v);
  return visit_dtype(v.dtype(), [&](auto tag) {
    return static_cast<T>(*static_cast<const decltype(tag)*>(v.raw()));
  });
}

template <class T>
LaneInput<T>::LaneInput(const Value& v, std::span<const int64_t> space, int64_t* strides)
    : data_(v.raw()), strides_(strides) {
  const Layout& layout = *v.layout();
  const size_t n = space.size(), lead = n - static_cast<size_t>(layout.ndim());
  direct_ =
      v.dtype() == dtype_of<T>() && layout.contiguous() && layout.size() == element_count(space);
  if (direct_) return;
  gather_ = strided_gather<T>(v.dtype());
  for (size_t i = 0; i < n; ++i)
    strides_[i] = i < lead || layout.dims()[i - lead] == 1 ? 0 : layout.strides()[i - lead];
  outer_axes_ = n;
  for (bool first = true; outer_axes_ > 0; --outer_axes_) {
    const size_t axis = outer_axes_ - 1;
    if (space[axis] == 1) continue;
    if (first) {
      run_stride_ = strides_[axis];
    } else if (strides_[axis] != run_stride_ * run_) {
      break;
    }
    first = false;
    run_ *= space[axis];
  }
}

template <class T>
bool LaneInput<T>::pack(std::span<const int64_t> space, int64_t begin, int64_t n, int64_t padded,
                        T* to) const {
  T* const end = to + n;
  bool good = true;
  if (gathered_) {
    good = gathered_->pack(begin, n, to);
  } else if (direct_) {
    std::copy_n(static_cast<const T*>(data_) + begin, n, to);
  } else {
    int64_t index[max_ndim];
    int64_t rest = begin / run_, offset = 0, at = begin - rest * run_;
    for (size_t axis = outer_axes_; axis-- > 0;) {
      index[axis] = rest % space[axis];
      rest /= space[axis];
      offset += index[axis] * strides_[axis];
    }
    for (;;) {
      const int64_t length = std::min(end - to, run_ - at);
      gather_(to, data_, offset + at * run_stride_, run_stride_, length);
      to += length;
      if (to == end) break;
      at = 0;
      for (size_t axis = outer_axes_; axis-- > 0;) {
        offset += strides_[axis];
        if (++index[axis] < space[axis]) break;
        offset -= strides_[axis] * space[axis];
        index[axis] = 0;
      }
    }
  }
  std::fill(end, end + (padded - n), end[-1]);
  return good;
}

template float uniform_lane_input<float>(const Value&);
template double uniform_lane_input<double>(const Value&);
template class LaneInput<float>;
template class LaneInput<double>;

}  // namespace tapegrad
