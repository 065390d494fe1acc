#pragma once

#include <cmath>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>

#include "tapegrad/base/buffer.h"
#include "tapegrad/base/dtype.h"
#include "tapegrad/base/error.h"
#include "tapegrad/base/layout.h"
#include "tapegrad/base/shape.h"

// A Value is a scalar held in place or a strided view of a shared buffer. Invariants:
//
//   - 0-d values are always scalars (layout() is null). Floats are kept as double, already rounded
//     to their dtype; bool and integers as int64 (uint64 by its bits).
//   - Strides count elements, not bytes. Arrays may overlap other values (views), so writing in
//     place needs owns_buffer() (or ensure_owned()).
//   - A value whose data was dropped keeps dtype and shape (has_data() is false).

namespace tapegrad {

class Value {
 public:
  Value() : bits_{.i = 0} {}
  Value(double f) : bits_{.f = f} {}
  Value(const Value& o) : layout_(o.layout_), buffer_(o.buffer_), bits_(o.bits_), dtype_(o.dtype_) {
    if (layout_) layout_->retain();
    if (buffer_) buffer_->retain();
  }
  Value(Value&& o) noexcept
      : layout_(o.layout_), buffer_(o.buffer_), bits_(o.bits_), dtype_(o.dtype_) {
    o.layout_ = nullptr;
    o.buffer_ = nullptr;
  }
  Value& operator=(const Value& o) {
    Value copy(o);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& o) noexcept {
    swap(o);
    return *this;
  }
  ~Value() {
    if (layout_) release();
  }

  static Value scalar(double f, DType d = DType::float64) {
    Value v;
    v.dtype_ = d;
    v.bits_.f = d == DType::float32 ? static_cast<double>(static_cast<float>(f)) : f;
    return v;
  }
  static Value integer_scalar(int64_t i, DType d = DType::int64) {
    Value v;
    v.dtype_ = d;
    v.bits_.i = i;
    return v;
  }
  // The elements are uninitialised, zeroed or filled; the result is a scalar where shape is ().
  static Value empty(DType d, std::span<const int64_t> shape);
  static Value empty_like(const Value& v);  // same shape, contiguous
  static Value empty_like(const Value& v, DType d);
  static Value zeros(DType d, std::span<const int64_t> shape);
  static Value full(DType d, std::span<const int64_t> shape, double fill);
  static Value from(std::span<const double> data, std::span<const int64_t> shape);
  static Value from_int64(std::span<const int64_t> data, std::span<const int64_t> shape);
  // Adopts one reference of `buffer`. Strides count elements; null means contiguous.
  static Value wrap(Buffer* buffer, void* data, DType d, std::span<const int64_t> shape,
                    const int64_t* strides);
  // Returns a view of the same buffer: another shape and strides, the first element moved by
  // `offset` elements.
  Value view(std::span<const int64_t> shape, std::span<const int64_t> strides,
             int64_t offset) const;

  // Returns an array of the same shape and strides that begins `offset` elements further on in the
  // same buffer.
  Value neighbour(int64_t offset) const {
    Value v(*this);
    v.bits_.data += offset * static_cast<int64_t>(item_size(dtype_));
    return v;
  }

  DType dtype() const { return dtype_; }
  bool is_scalar() const { return layout_ == nullptr; }
  bool has_data() const { return layout_ == nullptr || bits_.data != nullptr; }
  int ndim() const { return layout_ ? layout_->ndim() : 0; }
  int64_t size() const { return layout_ ? layout_->size() : 1; }
  Dims shape() const {
    return layout_ ? Dims(layout_->dims(), static_cast<size_t>(layout_->ndim())) : Dims();
  }
  Dims strides() const {
    return layout_ ? Dims(layout_->strides(), static_cast<size_t>(layout_->ndim())) : Dims();
  }
  int64_t dim(int axis) const { return layout_->dims()[axis]; }
  Layout* layout() const { return layout_; }
  Buffer* buffer() const { return buffer_; }
  bool is_contiguous() const { return layout_ == nullptr || layout_->contiguous(); }
  bool same_shape(const Value& o) const;

  // Scalars.
  double as_double() const {
    if (is_floating(dtype_)) return bits_.f;
    return dtype_ == DType::uint64 ? static_cast<double>(static_cast<uint64_t>(bits_.i))
                                   : static_cast<double>(bits_.i);
  }
  int64_t as_int64() const { return is_floating(dtype_) ? static_cast<int64_t>(bits_.f) : bits_.i; }
  void set_scalar_double(double f) { bits_.f = f; }  // of a float64 scalar
  void set_scalar(double f) {
    if (is_floating(dtype_)) {
      bits_.f = dtype_ == DType::float32 ? static_cast<double>(static_cast<float>(f)) : f;
    } else {
      const bool is_upper = dtype_ == DType::uint64 && f >= 0x1p63;
      bits_.i = is_bool(dtype_) ? f != 0
                : is_upper      ? static_cast<int64_t>(static_cast<uint64_t>(f))
                                : static_cast<int64_t>(f);
    }
  }

  // Points to the first element of an array. A scalar has no data pointer: use as_double or
  // as_int64.
  void* raw() const { return bits_.data; }
  template <class T>
  T* data() const {
    return static_cast<T*>(static_cast<void*>(bits_.data));
  }
  size_t byte_count() const { return static_cast<size_t>(size()) * item_size(dtype_); }

  // The element at a flat C-order position, as double (of any dtype); this is for tests, printing
  // and small work.
  double at(int64_t flat) const;
  void set_at(int64_t flat, double v);

  bool owns_buffer() const {
    return buffer_ != nullptr && buffer_->is_unique() && !buffer_->is_foreign();
  }
  Value contiguous() const;   // itself, or a packed copy
  Value copy() const;         // packed, own buffer
  Value cast(DType d) const;  // itself if it already has that dtype, else a packed conversion
  void ensure_owned();        // copies unless owns_buffer() and contiguous
  void drop_data();           // keeps dtype and shape
  Value reshaped(std::span<const int64_t> shape) const;  // view where possible, else packed

  // Becomes `o` without counts of its own, for as long as `o` is left alone: only to be read, and
  // to be forgotten before it goes. Of a Value that holds nothing.
  void borrow(const Value& o) {
    layout_ = o.layout_;
    buffer_ = o.buffer_;
    bits_ = o.bits_;
    dtype_ = o.dtype_;
  }
  void forget() {
    layout_ = nullptr;
    buffer_ = nullptr;
  }

  void swap(Value& o) noexcept {
    std::swap(layout_, o.layout_);
    std::swap(buffer_, o.buffer_);
    std::swap(bits_, o.bits_);
    std::swap(dtype_, o.dtype_);
  }

  // The raw parts serve tape nodes, which store a Value unpacked.
  union Bits {
    char* data;
    double f;
    int64_t i;
  };
  Bits bits() const { return bits_; }

 private:
  void release();

  Layout* layout_ = nullptr;
  Buffer* buffer_ = nullptr;
  Bits bits_;
  DType dtype_ = DType::float64;
};

// Returns "float64 array of shape (3, 4)", or the number itself.
std::string describe(const Value& v);
// Prints like a nested list, eliding the middle of long arrays.
std::ostream& operator<<(std::ostream& out, const Value& v);

// Copies `from` (strided, any dtype, broadcast to to.shape()) into the strided array `to`.
void copy_into(const Value& to, const Value& from);

// A TensorType is dtype and shape only: what an op's `infer` speaks of.
struct TensorType {
  DType dtype = DType::float64;
  Dims shape;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

inline TensorType type_of(const Value& v) { return {v.dtype(), v.shape()}; }

// Compares dtype, shape and bits exactly (NaN equals the same NaN).
bool same_bits(const Value& a, const Value& b);

}  // namespace tapegrad
