// A key is read twice: basic keys of ints, slices, None and Ellipsis, which are met in inner loops,
// by parse_basic with the C API alone; all others by parse_general, which sorts the items first,
// because whether an int is an index of its own depends on the arrays beside it.

#include "bindings/variable/index.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/index.h"

namespace py = pybind11;

namespace tapegrad::python {

PyTypeObject* type_refused_as_index = nullptr;
PyObject* (*content_as_index)(PyObject*) = nullptr;
Ref (*positions_as_index)(PyObject*) = nullptr;

namespace {

[[noreturn]] void throw_not_an_index() {
  throw_error<IndexError>(
      "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or "
      "boolean "
      "arrays are valid indices");
}

[[noreturn]] void throw_two_ellipses() {
  throw_error<IndexError>("an index can only have a single ellipsis ('...')");
}

void check_axis_count(size_t taken, size_t ndim) {
  if (taken > ndim)
    throw_error<IndexError>("too many indices for array: array is ", ndim, "-dimensional, but ",
                            taken, " were indexed");
}

bool is_variable_item(PyObject* item) {
  return type_refused_as_index != nullptr && PyObject_TypeCheck(item, type_refused_as_index);
}

// The plain mask in a Variable; null for any other item.
py::object content_of_variable(PyObject* item) {
  if (!is_variable_item(item)) return py::object();
  auto content = py::reinterpret_steal<py::object>(content_as_index(item));
  if (!content)
    throw_error<TypeError>(
        "a Variable can't be an index: positions are integers and have no derivative; use "
        "x[tg.value(i).astype(int)], or a plain integer array");
  return content;
}

// A position counted from the front.
int64_t wrapped(int64_t i, size_t axis, int64_t length) {
  const int64_t at = i < 0 ? i + length : i;
  if (at < 0 || at >= length)
    throw_error<IndexError>("index ", i, " is out of bounds for axis ", axis, " with size ",
                            length);
  return at;
}

int64_t position_of(PyObject* item) {
  const Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) throw py::error_already_set();
  return i;
}

// Whether a slice is cut off at an end of the axis, or its number of positions is not that of
// its bounds: what it takes of another length then does not follow from what it takes of this one.
bool is_clipped(PyObject* item, int64_t length, Py_ssize_t start, Py_ssize_t stop,
                Py_ssize_t step) {
  const auto* bounds = reinterpret_cast<PySliceObject*>(item);
  const bool back = step < 0;
  const auto outside = [&](PyObject* given, Py_ssize_t bound) {
    if (given == Py_None) return false;
    return bound < 0 ? bound + length < 0 : bound > length || (back && bound == length);
  };
  if (outside(bounds->start, start) || outside(bounds->stop, stop)) return true;
  // Counted from the end of the axis, a bound moves with its length.
  const bool start_moves = bounds->start == Py_None ? back : start < 0;
  const bool stop_moves = bounds->stop == Py_None ? !back : stop < 0;
  if (step != 1 && step != -1 && start_moves != stop_moves) return true;
  Py_ssize_t first = start, last = stop;
  PySlice_AdjustIndices(length, &first, &last, step);
  return back ? last > first : last < first;
}

void append_slice(IndexKey& key, PyObject* item, int64_t length) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(item, &start, &stop, &step) < 0) throw py::error_already_set();
  key.clipped |= is_clipped(item, length, start, stop, step);
  const Py_ssize_t count = PySlice_AdjustIndices(length, &start, &stop, step);
  key.spec.range(start, step, count);
}

struct Items {
  PyObject* const* data;
  size_t size;
};

// False where the key holds something else than ints, slices, None and one Ellipsis.
bool parse_basic(const Items& key, std::span<const int64_t> shape, IndexKey& found) {
  IndexSpec& spec = found.spec;
  size_t taken = 0, new_axes = 0;
  bool ellipsis = false;
  for (size_t k = 0; k < key.size; ++k) {
    PyObject* item = key.data[k];
    if (PyLong_CheckExact(item) || PySlice_Check(item)) {
      ++taken;
    } else if (item == Py_None) {
      ++new_axes;
    } else if (item == Py_Ellipsis) {
      if (ellipsis) throw_two_ellipses();
      ellipsis = true;
    } else {
      return false;
    }
  }
  check_axis_count(taken, shape.size());
  spec.code.reserve(4 * (shape.size() + new_axes));
  size_t axis = 0;
  for (size_t k = 0; k < key.size; ++k) {
    PyObject* item = key.data[k];
    if (item == Py_None) {
      spec.newaxis();
    } else if (item == Py_Ellipsis) {
      for (size_t left = shape.size() - taken; left > 0; --left) spec.whole(shape[axis++]);
    } else if (PySlice_Check(item)) {
      append_slice(found, item, shape[axis++]);
    } else {
      spec.at(wrapped(position_of(item), axis, shape[axis]));
      ++axis;
    }
  }
  while (axis < shape.size()) spec.whole(shape[axis++]);
  return true;
}

struct Entry {
  enum Kind { position, slice, newaxis, ellipsis, array, mask, flag } kind;
  int64_t at = 0;            // the position, or the truth of the flag
  PyObject* item = nullptr;  // the slice
  py::object numbers{};      // the ndarray
  Ref positions{};           // of a recorded one

  py::array array_numbers() const { return py::reinterpret_borrow<py::array>(numbers); }
  size_t axes() const {
    if (kind == mask) return static_cast<size_t>(array_numbers().ndim());
    return kind == position || kind == slice || kind == array;
  }
  bool indexes() const { return kind == position || is_advanced(); }
  bool is_advanced() const { return kind == array || kind == mask || kind == flag; }
};

Entry array_entry(py::array numbers, bool given_as_array) {
  const char kind = numbers.dtype().kind();
  if (kind == 'b') {
    if (numbers.ndim() > 0) return {.kind = Entry::mask, .numbers = std::move(numbers)};
    return {.kind = Entry::flag, .at = numbers.cast<bool>()};
  }
  if (kind == 'i' || kind == 'u') {
    if (numbers.ndim() > 0) return {.kind = Entry::array, .numbers = std::move(numbers)};
    return {.kind = Entry::position, .at = position_of(numbers.ptr())};
  }
  if (!given_as_array && numbers.size() == 0 && numbers.ndim() > 0)  // x[[]]
    return {.kind = Entry::array, .numbers = std::move(numbers)};
  if (given_as_array)
    throw_error<IndexError>("arrays used as indices must be of integer (or boolean) type");
  throw_not_an_index();
}

Entry read_entry(PyObject* item) {
  if (item == Py_None) return {.kind = Entry::newaxis};
  if (item == Py_Ellipsis) return {.kind = Entry::ellipsis};
  if (PySlice_Check(item)) return {.kind = Entry::slice, .item = item};
  if (PyBool_Check(item)) return {.kind = Entry::flag, .at = item == Py_True};
  if (PyLong_Check(item)) return {.kind = Entry::position, .at = position_of(item)};
  if (is_variable_item(item))
    if (Ref positions = positions_as_index(item); positions.tracked())
      return {.kind = Entry::array, .positions = std::move(positions)};
  if (const py::object content = content_of_variable(item)) return read_entry(content.ptr());
  if (py::isinstance<py::array>(item))
    return array_entry(py::reinterpret_borrow<py::array>(item), true);
  if (PyIndex_Check(item)) {
    const Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
    if (i != -1 || !PyErr_Occurred()) return {.kind = Entry::position, .at = i};
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw py::error_already_set();
    PyErr_Clear();  // numpy.bool has the slot and refuses
  }
  PyObject* numbers = py::detail::npy_api::get().PyArray_FromAny_(item, nullptr, 0, 0, 0, nullptr);
  if (numbers == nullptr) throw py::error_already_set();
  return array_entry(py::reinterpret_steal<py::array>(numbers), false);
}

Dims dims_of(const py::array& a) {
  Dims dims(static_cast<size_t>(a.ndim()));
  for (size_t i = 0; i < dims.size(); ++i) dims[i] = a.shape(static_cast<py::ssize_t>(i));
  return dims;
}

Value index_values(const py::array& numbers) {
  using Packed = py::array_t<int64_t, py::array::c_style | py::array::forcecast>;
  const Packed packed = Packed::ensure(numbers);
  if (!packed) throw py::error_already_set();
  const Value out = Value::empty(DType::int64, dims_of(numbers));
  std::memcpy(out.raw(), packed.data(), out.byte_count());
  return out;
}

void append_mask(IndexKey& key, const py::array& numbers, std::span<const int64_t> shape,
                 size_t axis) {
  const Dims dims = dims_of(numbers);
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] != shape[axis + i] && dims[i] != 0)  // NumPy takes an empty mask for any axis
      throw_error<IndexError>("boolean index did not match indexed array along axis ", axis + i,
                              "; size of axis is ", shape[axis + i],
                              " but size of corresponding boolean axis is ", dims[i]);
  using Packed = py::array_t<bool, py::array::c_style | py::array::forcecast>;
  const Packed packed = Packed::ensure(numbers);
  if (!packed) throw py::error_already_set();
  for (Value& positions : nonzero(packed.data(), dims)) {
    key.spec.array();
    key.arrays.push_back(std::move(positions));
  }
}

// Where the axes of the index arrays go: in place of the indices where those stand side by side, in
// front of all other axes where a slice, a new axis or an Ellipsis (even an empty one) divides
// them.
class Placement {
 public:
  void index(int64_t axes_before) {
    if (state_ == none) {
      position_ = axes_before;
      state_ = inside;
    } else if (state_ == behind) {
      position_ = 0;
      state_ = divided;
    }
  }
  void other() {
    if (state_ == inside) state_ = behind;
  }
  int64_t position() const { return position_; }

 private:
  enum { none, inside, behind, divided } state_ = none;
  int64_t position_ = 0;
};

IndexKey parse_general(const Items& items, std::span<const int64_t> shape) {
  std::vector<Entry> entries;
  entries.reserve(items.size);
  size_t taken = 0;
  bool ellipsis = false, advanced = false;
  for (size_t k = 0; k < items.size; ++k) {
    entries.push_back(read_entry(items.data[k]));
    taken += entries.back().axes();
    advanced |= entries.back().is_advanced();
    if (entries.back().kind != Entry::ellipsis) continue;
    if (ellipsis) throw_two_ellipses();
    ellipsis = true;
  }
  check_axis_count(taken, shape.size());
  if (!ellipsis) entries.push_back({.kind = Entry::ellipsis});

  IndexKey key;
  Placement placement;
  size_t axis = 0;
  int64_t kept = 0;
  for (const Entry& e : entries) {
    if (e.indexes()) {
      placement.index(kept);
    } else {
      placement.other();
    }
    switch (e.kind) {
      case Entry::position:
        key.spec.at(wrapped(e.at, axis, shape[axis]));
        break;
      case Entry::slice:
        append_slice(key, e.item, shape[axis]);
        ++kept;
        break;
      case Entry::newaxis:
        key.spec.newaxis();
        ++kept;
        break;
      case Entry::ellipsis:
        for (size_t left = shape.size() - taken; left > 0; --left, ++kept)
          key.spec.whole(shape[axis++]);
        break;
      case Entry::array:
        key.spec.array();
        key.arrays.push_back(e.positions.tracked() ? e.positions
                                                   : Ref(index_values(e.array_numbers())));
        break;
      case Entry::mask:
        append_mask(key, e.array_numbers(), shape, axis);
        break;
      case Entry::flag:
        key.spec.flag(e.at != 0);
        break;
    }
    axis += e.axes();
  }
  if (advanced) key.spec.position = placement.position();
  return key;
}

void check_result_ndim(const IndexSpec& spec) {
  const IndexItems items = spec.items();
  if (items.size() <= static_cast<size_t>(max_ndim)) return;
  size_t ndim = 0;
  for (size_t k = 0; k < items.size(); ++k) ndim += items[k].makes_axis();
  if (ndim > static_cast<size_t>(max_ndim))
    throw_error<IndexError>("number of dimensions must be within [0, ", max_ndim,
                            "], indexing result would have ", ndim);
}

}  // namespace

IndexKey parse_index(PyObject* key, std::span<const int64_t> shape) {
  IndexKey out;
  Items items{&key, 1};
  if (PyTuple_Check(key)) {
    items.size = static_cast<size_t>(PyTuple_GET_SIZE(key));
    items.data = items.size == 0 ? nullptr : &PyTuple_GET_ITEM(key, 0);
  }
  if (!parse_basic(items, shape, out)) out = parse_general(items, shape);
  check_result_ndim(out.spec);
  return out;
}

}  // namespace tapegrad::python
