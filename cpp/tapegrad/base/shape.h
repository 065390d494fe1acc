#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <vector>

namespace tapegrad {

// Dims is a short list of lengths, strides or axes. Up to six stay inline.
class Dims {
 public:
  Dims() = default;
  explicit Dims(size_t n, int64_t fill = 0) { resize(n, fill); }
  Dims(std::initializer_list<int64_t> items) { assign(items.begin(), items.size()); }
  Dims(const int64_t* items, size_t n) { assign(items, n); }
  explicit Dims(std::span<const int64_t> items) { assign(items.data(), items.size()); }

  size_t size() const { return size_; }
  int ndim() const { return static_cast<int>(size_); }
  bool empty() const { return size_ == 0; }
  int64_t* data() { return size_ <= inline_capacity ? inline_ : heap_.data(); }
  const int64_t* data() const { return size_ <= inline_capacity ? inline_ : heap_.data(); }
  int64_t& operator[](size_t i) { return data()[i]; }
  int64_t operator[](size_t i) const { return data()[i]; }
  int64_t* begin() { return data(); }
  int64_t* end() { return data() + size_; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  int64_t back() const { return data()[size_ - 1]; }
  void push_back(int64_t v) {
    resize(size_ + 1, 0);
    data()[size_ - 1] = v;
  }
  void resize(size_t n, int64_t fill = 0) {
    if (n > inline_capacity || size_ > inline_capacity) return resize_long(n, fill);
    for (size_t i = size_; i < n; ++i) inline_[i] = fill;
    size_ = n;
  }
  operator std::span<const int64_t>() const { return {data(), size_}; }

  friend bool operator==(const Dims& a, const Dims& b) {
    return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  void assign(const int64_t* items, size_t n) {
    resize(n);
    std::copy(items, items + n, data());
  }
  void resize_long(size_t n, int64_t fill);

  static constexpr size_t inline_capacity = 6;
  size_t size_ = 0;
  int64_t inline_[inline_capacity] = {};
  std::vector<int64_t> heap_;
};

// Prints a shape as in an error message: (3, 4), (3,), ().
std::ostream& operator<<(std::ostream& out, const Dims& dims);

constexpr int max_ndim = 64;  // NumPy's limit

int64_t element_count(std::span<const int64_t> shape);
Dims contiguous_strides(std::span<const int64_t> shape);

// This is the one broadcast rule. `op` names the operation in the ValueError.
Dims broadcast_shapes(std::span<const int64_t> a, std::span<const int64_t> b, const char* op);

// Returns the strides of a source of `shape` and `strides` read as if it had shape `to` (0 where it
// repeats).
Dims broadcast_strides(std::span<const int64_t> shape, std::span<const int64_t> strides,
                       std::span<const int64_t> to);

// Returns the axis in [0, ndim) from one that may be negative; throws NumPy's AxisError text as a
// ValueError.
int normalize_axis(int64_t axis, int ndim, const char* op);

}  // namespace tapegrad
