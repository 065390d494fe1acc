#include "tapegrad/kernels/fused/lane_inputs.h"

#include <algorithm>

#include "tapegrad/rows/elementwise_operands.h"
#include "tapegrad/rows/index_rows.h"

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

namespace {

template <int64_t N, class T, class Axis>
void copy_rows(T* to, const T* from, Axis rows, Axis run) {
  const int64_t step = rows.stride, stride = run.stride;
  for (int64_t r = 0; r < rows.length; ++r, to += N, from += step)
    for (int64_t i = 0; i < N; ++i) to[i] = from[i * stride];
}

}  // namespace

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
  run_ = merged_axes(space);
  if (v.dtype() != dtype_of<T>() || outer_axes_ == 0) return;
  index_rows::visit_length(run_.length, [&](auto length) {
    if constexpr (length() != 0) copy_rows_ = copy_rows<length(), T, Axis>;
  });
  if (copy_rows_) rows_ = merged_axes(space);
}

// The last of the outer axes that are walked as one, which are outer ones no more.
template <class T>
auto LaneInput<T>::merged_axes(std::span<const int64_t> space) -> Axis {
  Axis all;
  for (; outer_axes_ > 0; --outer_axes_) {
    const size_t axis = outer_axes_ - 1;
    if (space[axis] == 1) continue;
    if (all.length == 1) {
      all.stride = strides_[axis];
    } else if (strides_[axis] != all.stride * all.length) {
      break;
    }
    all.length *= space[axis];
  }
  return all;
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
    pack_strided(space, begin, to, end);
  }
  std::fill(end, end + (padded - n), end[-1]);
  return good;
}

template <class T>
void LaneInput<T>::pack_strided(std::span<const int64_t> space, int64_t begin, T* to,
                                T* end) const {
  const int64_t inner = run_.length * rows_.length;
  int64_t index[max_ndim];
  int64_t rest = begin / inner, offset = 0, at = begin - rest * inner;
  for (size_t axis = outer_axes_; axis-- > 0;) {
    index[axis] = rest % space[axis];
    rest /= space[axis];
    offset += index[axis] * strides_[axis];
  }
  for (;; at = 0) {
    T* const until = to + std::min(end - to, inner - at);
    if (copy_rows_) {
      pack_rows(offset, at, to, until);
    } else {
      gather_(to, data_, offset + at * run_.stride, run_.stride, until - to);
    }
    to = until;
    if (to == end) return;
    for (size_t axis = outer_axes_; axis-- > 0;) {
      offset += strides_[axis];
      if (++index[axis] < space[axis]) break;
      offset -= strides_[axis] * space[axis];
      index[axis] = 0;
    }
  }
}

// Elements of the rows from `begin` on.
template <class T>
void LaneInput<T>::pack_rows(int64_t offset, int64_t begin, T* to, T* end) const {
  const T* row = static_cast<const T*>(data_) + offset + begin / run_.length * rows_.stride;
  const auto part = [&](int64_t first, int64_t n) {
    for (int64_t i = 0; i < n; ++i) *to++ = row[(first + i) * run_.stride];
  };
  if (const int64_t first = begin % run_.length; first != 0) {
    part(first, std::min(run_.length - first, end - to));
    row += rows_.stride;
  }
  const int64_t whole = (end - to) / run_.length;
  copy_rows_(to, row, {whole, rows_.stride}, run_);
  to += whole * run_.length;
  row += whole * rows_.stride;
  part(0, end - to);
}

template float uniform_lane_input<float>(const Value&);
template double uniform_lane_input<double>(const Value&);
template class LaneInput<float>;
template class LaneInput<double>;

}  // namespace tapegrad
