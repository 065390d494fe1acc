// Reads an input through an index array (LaneGather) block by block. The indices are checked as
// they come; where one is out of bounds, the run is given up and the error is that of the op
// gather.
#pragma once

#include <cstdint>

#include "tapegrad/base/value.h"

namespace tapegrad {

// Throws IndexError for the first index that is out of bounds.
void check_gather(const Value& x, const Value& index, int axis);

// out = x[index] along the first axis in one pass over the indices, for a packed out. False, and
// nothing done, where x is not contiguous or the dtypes are others than floats and integers.
bool gather_packed(const Value& out, const Value& x, const Value& index);

template <class T>
class GatheredInput {
 public:
  GatheredInput(const Value& x, const Value& index, int axis);

  int64_t size() const { return before_ * count_ * row_; }
  // Elements [begin, begin + n) in C order. False where an index is out of bounds: then they may be
  // any.
  bool pack(int64_t begin, int64_t n, T* to) const { return pack_(*this, begin, n, to); }

 private:
  using Pack = bool (*)(const GatheredInput&, int64_t begin, int64_t n, T* to);

  template <class Index>
  static Pack pack_for(const GatheredInput& in);
  template <class Index, int64_t N>
  static bool pack_rows(const GatheredInput& in, int64_t begin, int64_t n, T* to);
  template <int64_t N>
  void copy_part(T* to, const T* row, int64_t begin, int64_t n) const;
  bool find_strides(int axis);

  Value x_, index_;  // packed anew where the one that was given has too many strides
  Pack pack_;
  int64_t before_ = 1, before_stride_ = 0;
  int64_t length_, stride_;  // of the axis
  int64_t count_, index_stride_;
  int64_t row_ = 1, row_stride_ = 1;  // the axes after it
};

}  // namespace tapegrad
