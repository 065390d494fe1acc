#include "tapegrad/kernels/fused/lane_gather.h"

#include <algorithm>
#include <array>

#include "tapegrad/kernels/array/index.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/index_rows.h"
#include "tapegrad/rows/index_walk.h"

namespace tapegrad {
namespace {

// The length and stride of axes that are walked as one; false where they are not.
bool as_one_axis(std::span<const int64_t> shape, std::span<const int64_t> strides, int64_t* length,
                 int64_t* stride) {
  const index_walk::Walk w = index_walk::make_walk(shape, strides, contiguous_strides(shape));
  *length = w.size;
  *stride = w.a.back();
  return w.shape.size() == 1;
}

}  // namespace

void check_gather(const Value& x, const Value& index, int axis) {
  const std::array<int64_t, 1> axes{axis}, lengths{x.dim(axis)}, strides{1};
  (void)index_offsets({&index, 1}, index.shape(), axes, lengths, strides);
}

template <class T>
GatheredInput<T>::GatheredInput(const Value& x, const Value& index, int axis)
    : x_(x), index_(index) {
  if (x_.dtype() != dtype_of<T>())
    throw_error<ValueError>("LaneProgram: a gathered input is of the kernel's dtype ",
                            dtype_name(dtype_of<T>()), ", got ", describe(x_));
  if (index_.is_scalar() || axis < 0 || axis >= x_.ndim())
    throw_error<ValueError>("LaneProgram: ", describe(x_), " is gathered along axis ", axis, " by ",
                            describe(index_), "; it takes an array and one of the axes");
  if (index_.dtype() != DType::int32) index_ = index_.cast(DType::int64);
  if (!as_one_axis(index_.shape(), index_.strides(), &count_, &index_stride_)) {
    index_ = index_.contiguous();
    index_stride_ = 1;
  }
  if (!find_strides(axis)) {
    x_ = x_.contiguous();
    find_strides(axis);
  }
  pack_ = index_.dtype() == DType::int32 ? pack_for<int32_t>(*this) : pack_for<int64_t>(*this);
}

template <class T>
bool GatheredInput<T>::find_strides(int axis) {
  const Dims shape = x_.shape(), strides = x_.strides();
  const auto at = static_cast<size_t>(axis);
  const std::span<const int64_t> lengths(shape.data(), shape.size());
  const std::span<const int64_t> steps(strides.data(), strides.size());
  length_ = shape[at];
  stride_ = strides[at];
  return as_one_axis(lengths.first(at), steps.first(at), &before_, &before_stride_) &
         as_one_axis(lengths.subspan(at + 1), steps.subspan(at + 1), &row_, &row_stride_);
}

template <class T>
template <class Index>
auto GatheredInput<T>::pack_for(const GatheredInput& in) -> Pack {
  Pack found = nullptr;
  index_rows::visit_length(in.row_stride_ == 1 || in.row_ == 1 ? in.row_ : 0,
                           [&](auto n) { found = pack_rows<Index, decltype(n)::value>; });
  return found;
}

// Positions [begin, begin + n) of a row, which has N of them, or any number where N is 0.
template <class T>
template <int64_t N>
void GatheredInput<T>::copy_part(T* to, const T* row, int64_t begin, int64_t n) const {
  if (N != 0 || row_stride_ == 1) {
    std::copy_n(row + begin, n, to);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = row[(begin + i) * row_stride_];
  }
}

// An index that is out of bounds reads the first row instead.
template <class T>
template <class Index, int64_t N>
bool GatheredInput<T>::pack_rows(const GatheredInput& in, int64_t begin, int64_t n, T* to) {
  if (in.length_ == 0) return n == 0;
  const int64_t row = N != 0 ? N : in.row_, stride = in.stride_, step = in.index_stride_;
  const auto length = static_cast<uint64_t>(in.length_);
  const Index* const indices = in.index_.template data<Index>();
  bool good = true;
  const auto position = [&](int64_t b) {
    const auto index = static_cast<int64_t>(indices[b * step]);
    const uint64_t wrapped = static_cast<uint64_t>(index) + (index < 0 ? length : 0);
    good &= wrapped < length;
    return static_cast<int64_t>(wrapped < length ? wrapped : 0) * stride;
  };
  int64_t first = begin % row, b = begin / row % in.count_;
  const T* block = in.x_.template data<T>() + begin / row / in.count_ * in.before_stride_;
  for (T* const end = to + n;; b = 0, block += in.before_stride_) {
    if (first != 0) {
      const int64_t part = std::min(row - first, end - to);
      in.copy_part<N>(to, block + position(b++), first, part);
      to += part;
      first = 0;
    }
    const int64_t whole = std::min(in.count_, b + (end - to) / row);
    for (; b < whole; ++b, to += row) {
      const T* const from = block + position(b);
      if constexpr (N != 0) {
        index_rows::copy_row<N>(to, from, row);
      } else {
        in.copy_part<0>(to, from, 0, row);
      }
    }
    if (to == end) return good;
    if (b < in.count_) {
      in.copy_part<N>(to, block + position(b), 0, end - to);
      return good;
    }
  }
}

template class GatheredInput<float>;
template class GatheredInput<double>;

bool gather_packed(const Value& out, const Value& x, const Value& index) {
  constexpr double element_ns = 1.0;
  if (x.is_scalar() || !x.is_contiguous() || index.is_scalar() || !is_integer(index.dtype()) ||
      !is_floating(x.dtype()) || out.size() == 0)
    return false;
  const auto run = [&]<class T>(T* to) {
    const GatheredInput<T> in(x, index, 0);
    parallel_for(in.size(), 2048, element_ns, [&](int64_t begin, int64_t end) {
      if (!in.pack(begin, end - begin, to + begin)) check_gather(x, index, 0);
    });
  };
  if (x.dtype() == DType::float32) {
    run(out.data<float>());
  } else {
    run(out.data<double>());
  }
  return true;
}

}  // namespace tapegrad
