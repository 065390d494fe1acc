#include <algorithm>
#include <memory>

#include "bindings/variable/variable_type.h"

// The buffer protocol, for blanks alone: what is plain shares its memory with C code, memoryviews
// and arrays, as NumPy's arrays do.

namespace tapegrad {
namespace {

struct Shape {
  std::vector<Py_ssize_t> dims, strides;  // in bytes
};

bool fits(const Py_buffer& view, int flags) {
  const auto asks = [flags](int what) { return (flags & what) == what; };
  const auto is = [&view](char order) { return PyBuffer_IsContiguous(&view, order) != 0; };
  if (asks(PyBUF_C_CONTIGUOUS)) return is('C');
  if (asks(PyBUF_F_CONTIGUOUS)) return is('F');
  if (asks(PyBUF_ANY_CONTIGUOUS)) return is('A');
  return asks(PyBUF_STRIDES) || is('C');
}

}  // namespace

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guard_int([&] {
    Cell& cell = variable_cell(self);
    const std::optional<Value> lent = cell.holds_plain() ? cell.lend() : std::nullopt;
    if (!lent) {
      PyErr_SetString(
          PyExc_BufferError,
          "memoryview(v): a Variable has no plain memory to share; call tg.value(v) where the "
          "derivative is not needed");
      return -1;
    }
    auto shape = std::make_unique<Shape>();
    const auto bytes = static_cast<Py_ssize_t>(item_size(lent->dtype()));
    for (const int64_t length : lent->shape()) shape->dims.push_back(length);
    for (const int64_t stride : lent->strides()) shape->strides.push_back(stride * bytes);
    view->buf = lent->raw();
    view->len = lent->size() * bytes;
    view->itemsize = bytes;
    view->readonly = 0;
    view->ndim = lent->ndim();
    view->format = const_cast<char*>(lent->dtype() == DType::float32 ? "f" : "d");
    view->shape = shape->dims.data();
    view->strides = shape->strides.data();
    view->suboffsets = nullptr;
    if (!fits(*view, flags)) {
      cell.take_back();
      PyErr_SetString(PyExc_BufferError, "the array is not contiguous");
      return -1;
    }
    if ((flags & PyBUF_FORMAT) == 0) view->format = nullptr;
    if ((flags & PyBUF_ND) == 0) view->shape = nullptr;
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES) view->strides = nullptr;
    view->internal = shape.release();
    Py_INCREF(self);
    view->obj = self;
    return 0;
  });
}

void release_buffer(PyObject* self, Py_buffer* view) {
  delete static_cast<Shape*>(view->internal);
  variable_cell(self).take_back();
}

}  // namespace tapegrad
