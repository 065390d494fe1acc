#include "tapegrad/base/value.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <ostream>

namespace tapegrad {

void Value::release() {
  if (buffer_) buffer_->drop();
  layout_->drop();
  buffer_ = nullptr;
  layout_ = nullptr;
}

Value Value::empty(DType d, std::span<const int64_t> shape) {
  Value v;
  v.dtype_ = d;
  if (shape.empty()) return v;
  v.layout_ = Layout::make(shape);
  v.buffer_ = Buffer::allocate(std::max<size_t>(v.byte_count(), 1));
  v.bits_.data = v.buffer_->data();
  return v;
}

Value Value::empty_like(const Value& o) { return empty_like(o, o.dtype_); }

Value Value::empty_like(const Value& o, DType d) {
  if (o.is_scalar() || !o.layout_->contiguous()) return empty(d, o.shape());
  Value v;
  v.dtype_ = d;
  v.layout_ = o.layout_;
  v.layout_->retain();
  v.buffer_ = Buffer::allocate(std::max<size_t>(v.byte_count(), 1));
  v.bits_.data = v.buffer_->data();
  return v;
}

Value Value::zeros(DType d, std::span<const int64_t> shape) {
  Value v = empty(d, shape);
  if (v.is_scalar()) {
    v.bits_.i = 0;
  } else {
    std::memset(v.raw(), 0, v.byte_count());
  }
  return v;
}

Value Value::full(DType d, std::span<const int64_t> shape, double fill) {
  Value v = empty(d, shape);
  if (v.is_scalar()) {
    v.set_scalar(fill);
  } else {
    visit_dtype(d, [&](auto tag) {
      using T = decltype(tag);
      std::fill_n(v.data<T>(), v.size(), static_cast<T>(fill));
    });
  }
  return v;
}

Value Value::from(std::span<const double> data, std::span<const int64_t> shape) {
  Value v = empty(DType::float64, shape);
  if (v.is_scalar()) {
    v.bits_.f = data[0];
  } else {
    std::copy_n(data.data(), v.size(), v.data<double>());
  }
  return v;
}

Value Value::from_int64(std::span<const int64_t> data, std::span<const int64_t> shape) {
  Value v = empty(DType::int64, shape);
  if (v.is_scalar()) {
    v.bits_.i = data[0];
  } else {
    std::copy_n(data.data(), v.size(), v.data<int64_t>());
  }
  return v;
}

Value Value::wrap(Buffer* buffer, void* data, DType d, std::span<const int64_t> shape,
                  const int64_t* strides) {
  Value v;
  v.dtype_ = d;
  v.layout_ = strides ? Layout::make(shape, {strides, shape.size()}) : Layout::make(shape);
  v.buffer_ = buffer;
  v.bits_.data = static_cast<char*>(data);
  return v;
}

Value Value::view(std::span<const int64_t> shape, std::span<const int64_t> strides,
                  int64_t offset) const {
  char* data = bits_.data + offset * static_cast<int64_t>(item_size(dtype_));
  if (shape.empty()) {
    Value v;
    v.dtype_ = dtype_;
    visit_dtype(dtype_, [&](auto tag) {
      using T = decltype(tag);
      T item;
      std::memcpy(&item, data, sizeof item);
      if constexpr (std::is_floating_point_v<T>) {
        v.bits_.f = item;
      } else {
        v.bits_.i = static_cast<int64_t>(item);
      }
    });
    return v;
  }
  Value v;
  v.dtype_ = dtype_;
  v.layout_ = Layout::make(shape, strides);
  v.buffer_ = buffer_;
  if (v.buffer_) v.buffer_->retain();
  v.bits_.data = data;
  return v;
}

bool Value::same_shape(const Value& o) const {
  if (layout_ == o.layout_) return true;
  if (layout_ == nullptr || o.layout_ == nullptr || layout_->ndim() != o.layout_->ndim())
    return false;
  return std::equal(layout_->dims(), layout_->dims() + layout_->ndim(), o.layout_->dims());
}

namespace {

int64_t offset_of(const Layout& layout, int64_t flat) {
  if (layout.contiguous()) return flat;
  int64_t offset = 0;
  for (int i = layout.ndim(); i-- > 0;) {
    offset += flat % layout.dims()[i] * layout.strides()[i];
    flat /= layout.dims()[i];
  }
  return offset;
}

}  // namespace

double Value::at(int64_t flat) const {
  if (is_scalar()) return as_double();
  return visit_dtype(dtype_, [&](auto tag) {
    using T = decltype(tag);
    return static_cast<double>(data<T>()[offset_of(*layout_, flat)]);
  });
}

void Value::set_at(int64_t flat, double v) {
  if (is_scalar()) return set_scalar(v);
  visit_dtype(dtype_, [&](auto tag) {
    using T = decltype(tag);
    data<T>()[offset_of(*layout_, flat)] = static_cast<T>(v);
  });
}

Value Value::contiguous() const { return is_contiguous() ? *this : copy(); }

Value Value::copy() const {
  if (is_scalar()) return *this;
  Value v = empty_like(*this);
  copy_into(v, *this);
  return v;
}

Value Value::cast(DType d) const {
  if (d == dtype_) return *this;
  if (is_scalar()) {
    if (is_floating(d)) return scalar(as_double(), d);
    return integer_scalar(
        is_bool(d) ? (is_floating(dtype_) ? bits_.f != 0 : bits_.i != 0) : as_int64(), d);
  }
  Value v = empty_like(*this, d);
  copy_into(v, *this);
  return v;
}

void Value::ensure_owned() {
  if (!is_scalar() && !(owns_buffer() && is_contiguous())) *this = copy();
}

void Value::drop_data() {
  if (layout_ == nullptr) return;
  if (buffer_) buffer_->drop();
  buffer_ = nullptr;
  bits_.data = nullptr;
}

Value Value::reshaped(std::span<const int64_t> to) const {
  if (element_count(to) != size())
    throw_error<ValueError>("reshape: cannot reshape array of size ", size(), " (shape ", shape(),
                            ") into shape ", Dims(to));
  if (is_scalar()) {
    if (to.empty()) return *this;
    Value v = empty(dtype_, to);
    copy_into(v, *this);
    return v;
  }
  if (!is_contiguous()) return copy().reshaped(to);
  return view(to, contiguous_strides(to), 0);
}

std::string describe(const Value& v) {
  if (v.is_scalar())
    return is_floating(v.dtype()) ? join_text(dtype_name(v.dtype()), " scalar ", v.as_double())
                                  : join_text(dtype_name(v.dtype()), " scalar ", v.as_int64());
  return join_text(dtype_name(v.dtype()), " array of shape ", v.shape());
}

std::ostream& operator<<(std::ostream& out, const Value& v) {
  if (v.is_scalar()) return is_floating(v.dtype()) ? out << v.as_double() : out << v.as_int64();
  if (!v.has_data()) return out << "<released>";
  const Dims shape = v.shape();
  if (v.size() == 0) return out << "[]";
  const int64_t shown = 6, n = v.size();
  for (int i = 0; i < v.ndim(); ++i) out << '[';
  for (int64_t i = 0; i < n; ++i) {
    if (n > 2 * shown && i == shown) {
      out << "..., ";
      i = n - shown;
    }
    out << v.at(i);
    int64_t block = 1;
    int closes = 0;
    for (int axis = v.ndim() - 1; axis >= 0; --axis) {
      block *= shape[static_cast<size_t>(axis)];
      if ((i + 1) % block == 0) ++closes;
    }
    for (int k = 0; k < closes; ++k) out << ']';
    if (i + 1 < n) out << ", ";
    if (i + 1 < n)
      for (int k = 0; k < closes; ++k) out << '[';
  }
  return out;
}

bool same_bits(const Value& a, const Value& b) {
  if (a.dtype() != b.dtype() || !a.same_shape(b)) return false;
  if (a.is_scalar()) return a.bits().i == b.bits().i;
  const Value x = a.contiguous(), y = b.contiguous();
  return x.size() == 0 || std::memcmp(x.raw(), y.raw(), x.byte_count()) == 0;
}

}  // namespace tapegrad
