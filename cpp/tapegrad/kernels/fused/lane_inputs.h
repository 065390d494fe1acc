// A kernel reads any number of inputs, of any dtype and strides, broadcast to its index space.
// Those that are contiguous arrays of T in the space's shape are read in place, the others block by
// block through pack(); so are those that are gathered.
#pragma once

#include <cstdint>
#include <span>

#include "tapegrad/kernels/fused/lane_gather.h"
#include "tapegrad/rows/elementwise_operands.h"

namespace tapegrad {

// Throws ValueError where the input does not broadcast to `space`; true where one number stands for
// all of its elements.
bool lane_input_is_uniform(const Value& v, std::span<const int64_t> space, size_t number);

template <class T>
T uniform_lane_input(const Value& v);

template <class T>
class LaneInput {
 public:
  static size_t strides_needed(std::span<const int64_t> space) { return space.size(); }

  LaneInput() = default;
  // `strides` has room for strides_needed(space), and lives as long as this.
  LaneInput(const Value& v, std::span<const int64_t> space, int64_t* strides);
  // `from` lives as long as this, too.
  explicit LaneInput(const GatheredInput<T>& from) : gathered_(&from) {}

  const T* in_place() const { return direct_ ? static_cast<const T*>(data_) : nullptr; }
  // Elements [begin, begin + n), n > 0, then the last one again up to `padded`. False where an
  // index of theirs is out of bounds.
  bool pack(std::span<const int64_t> space, int64_t begin, int64_t n, int64_t padded, T* to) const;

 private:
  struct Axis {
    int64_t length = 1, stride = 0;
  };
  // Whole runs of that many rows: a call for each costs more than what a short one takes.
  using CopyRows = void (*)(T* to, const T* from, Axis rows, Axis run);

  Axis merged_axes(std::span<const int64_t> space);
  void pack_strided(std::span<const int64_t> space, int64_t begin, T* to, T* end) const;
  void pack_rows(int64_t offset, int64_t begin, T* to, T* end) const;

  const GatheredInput<T>* gathered_ = nullptr;
  const void* data_ = nullptr;
  StridedGather<T> gather_ = nullptr;
  int64_t* strides_ = nullptr;
  Axis run_;               // trailing axes that are walked as one
  Axis rows_;              // those before them, likewise, where the run is short
  size_t outer_axes_ = 0;  // the others
  CopyRows copy_rows_ = nullptr;
  bool direct_ = false;
};

}  // namespace tapegrad
