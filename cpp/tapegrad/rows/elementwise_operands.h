// How loops over arrays read operands of any dtype and strides that are broadcast to one shape: as
// blocks of T, in place where the operand's memory allows it, else packed into the caller's
// scratch.
#pragma once

#include <cstdint>
#include <span>

#include "tapegrad/base/value.h"

namespace tapegrad {

// A scalar value as a T.
template <class T>
T scalar_as(const Value& v) {
  if (is_floating(v.dtype())) return static_cast<T>(v.as_double());
  if (v.dtype() == DType::uint64) return static_cast<T>(static_cast<uint64_t>(v.as_int64()));
  return static_cast<T>(v.as_int64());
}

// to[i] = data[offset + i * stride], converted from one dtype to T.
template <class T>
using StridedGather = void (*)(T* to, const void* data, int64_t offset, int64_t stride, int64_t n);
template <class T>
StridedGather<T> strided_gather(DType from);

template <class T>
class Operands {
 public:
  static constexpr int most = 6;

  struct Block {
    const T* data;
    bool uniform;  // data points to one value that stands for all
  };

  // The values must stay alive. Null entries are skipped and may not be read.
  Operands(std::span<const Value* const> values, const Dims& shape);
  Operands(const Operands&) = delete;
  Operands& operator=(const Operands&) = delete;

  int64_t size() const { return size_; }
  // Whether one value stands for all of any block: the same for every block unless by_rows().
  bool is_uniform(int k) const {
    const Input& in = inputs_[k];
    return in.kind == Kind::uniform || (in_rows(in) && in.strides[axes_ - 1] == 0);
  }
  // Whether blocks are packed into the scratch that is given to read().
  bool is_packed(int k) const { return inputs_[k].kind == Kind::strided && !in_rows(inputs_[k]); }
  bool by_rows() const { return by_rows_; }
  bool is_direct(int k) const { return inputs_[k].kind == Kind::direct; }

  // How many elements from `begin` on make a good block, at most `most_elements`.
  int64_t block_length(int64_t begin, int64_t most_elements) const {
    if (!by_rows_) return most_elements;
    const int64_t left = row_ - begin % row_;
    return left < most_elements ? left : most_elements;
  }

  // Elements [begin, begin + n) of operand k; the block must not cross what block_length allowed.
  Block read(int k, int64_t begin, int64_t n, T* scratch) const;
  void pack(int k, int64_t begin, int64_t n, T* to) const;

 private:
  enum class Kind : uint8_t { none, uniform, direct, strided };
  struct Input {
    Kind kind = Kind::none;
    bool same_type = false;
    T value{};
    const void* data = nullptr;
    StridedGather<T> gather = nullptr;
    const int64_t* strides = nullptr;  // by the axes of shape_
  };

  // Read where it lies, row by row.
  bool in_rows(const Input& in) const {
    return by_rows_ && in.kind == Kind::strided && in.same_type &&
           (in.strides[axes_ - 1] == 1 || in.strides[axes_ - 1] == 0);
  }
  void merge_axes(std::span<const Value* const> values, const Dims& shape);

  static constexpr int64_t long_row = 128;

  int64_t size_ = 0;
  int64_t row_ = 1;
  bool by_rows_ = false;  // blocks stay within rows of the last axis
  size_t axes_ = 0;
  int64_t shape_[max_ndim];
  int64_t strides_[most][max_ndim];
  Input inputs_[most];
};

}  // namespace tapegrad
