#include "bindings/variable/index.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "bindings/convert.h"
#include "tapegrad/autodiff/learn.h"
#include "tapegrad/autodiff/scalar_operation.h"

// The items of a key as entries (ops/index/index_key.h), which say what they mean together. Keys of
// ints, slices, None and Ellipsis are met in inner loops: they are read with the C API alone.

namespace tapegrad {
namespace {

[[noreturn]] void throw_not_an_index() {
  throw_error<IndexError>(
      "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or "
      "boolean arrays are valid indices");
}

int64_t position_of(PyObject* item) {
  const Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) throw py::error_already_set();
  return i;
}

IndexEntry slice_entry(PyObject* item) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(item, &start, &stop, &step) < 0) throw py::error_already_set();
  const auto* bounds = reinterpret_cast<PySliceObject*>(item);
  return {IndexEntry::slice, bounds->start != Py_None, bounds->stop != Py_None, start, stop, step};
}

bool is_recorded_bound(PyObject* bound) {
  return is_variable(bound) && is_recorded_number(variable_cell(bound)) &&
         is_integer(variable_cell(bound).value().dtype());
}

// start:stop, both recorded: how far they are apart may be the same for other numbers.
bool has_recorded_bounds(PyObject* item) {
  const auto* slice = reinterpret_cast<PySliceObject*>(item);
  return is_recorded_bound(slice->start) && is_recorded_bound(slice->stop) &&
         slice->step == Py_None;
}

IndexEntry bounds_entry(PyObject* item, std::vector<Ref>& arrays) {
  const auto* slice = reinterpret_cast<PySliceObject*>(item);
  for (PyObject* bound : {slice->start, slice->stop})
    arrays.push_back(variable_cell(bound).ref("index"));
  return {.kind = IndexEntry::bounds};
}

// False for what is no int, slice of plain bounds, None or Ellipsis.
bool read_basic(PyObject* item, IndexEntry& entry) {
  if (PyLong_CheckExact(item)) {
    entry = {.kind = IndexEntry::position, .start = position_of(item)};
  } else if (PySlice_Check(item)) {
    if (has_recorded_bounds(item)) return false;
    entry = slice_entry(item);
  } else if (item == Py_None || item == Py_Ellipsis) {
    entry = {.kind = item == Py_None ? IndexEntry::newaxis : IndexEntry::ellipsis};
  } else {
    return false;
  }
  return true;
}

// Of a key of plain ints; none where it is another one.
struct Positions {
  static constexpr size_t most = 4;
  std::array<int64_t, most> items;
  size_t n = 0;

  explicit Positions(PyObject* key) {
    PyObject* const* objects = &key;
    size_t given = 1;
    if (PyTuple_CheckExact(key)) {
      given = static_cast<size_t>(PyTuple_GET_SIZE(key));
      if (given == 0 || given > most) return;
      objects = &PyTuple_GET_ITEM(key, 0);
    }
    for (size_t k = 0; k < given; ++k) {
      int overflow = 0;
      if (!PyLong_CheckExact(objects[k])) return;
      items[k] = PyLong_AsLongLongAndOverflow(objects[k], &overflow);
      if (overflow != 0) return;
    }
    n = given;
  }
  std::span<const int64_t> all() const { return {items.data(), n}; }
};

// Positions as int64, in a buffer of their own: the array may change before a sweep reads them.
Ref positions_of(const py::array& numbers) {
  Value v = to_value(numbers.ptr(), "index");
  if (v.dtype() != DType::int64) v = v.cast(DType::int64);
  return Ref(v.buffer() && v.buffer()->is_foreign() ? v.copy() : std::move(v));
}

// `array`: the positions, or the mask, that the entry goes with.
IndexEntry array_entry(const py::array& numbers, bool given_as_array, Ref& array) {
  const char kind = numbers.dtype().kind();
  const bool empty_list = !given_as_array && numbers.size() == 0 && numbers.ndim() > 0;  // x[[]]
  if (kind == 'b') {
    array = Ref(to_value(numbers.ptr(), "index"));
    return {.kind = IndexEntry::mask};
  }
  if (kind == 'i' || kind == 'u' || empty_list) {
    if (numbers.ndim() == 0)
      return {.kind = IndexEntry::position,
              .start = position_of(numbers.ptr()),
              .is_array = given_as_array};
    array = positions_of(numbers);
    return {.kind = IndexEntry::positions};
  }
  if (given_as_array)
    throw_error<IndexError>("arrays used as indices must be of integer (or boolean) type");
  throw_not_an_index();
}

IndexEntry array_entry(const py::array& numbers, bool given_as_array, std::vector<Ref>& arrays) {
  Ref array;
  const IndexEntry found = array_entry(numbers, given_as_array, array);
  if (found.kind != IndexEntry::position) arrays.push_back(std::move(array));
  return found;
}

// A list of recorded whole numbers, and of plain ones beside them, as one array; null for any
// other one.
py::object joined_integers(PyObject* items) {
  if (!Tape::current().tracing()) return {};
  static const auto* join =
      new py::object(py::module_::import("tapegrad.numpy.operands").attr("joined_integers"));
  py::object found = (*join)(py::handle(items));
  return found.is_none() ? py::object() : found;
}

IndexEntry read_other(PyObject* item, std::vector<Ref>& arrays) {
  if (PyBool_Check(item)) return {.kind = IndexEntry::flag, .start = item == Py_True};
  if (PyLong_Check(item)) return {.kind = IndexEntry::position, .start = position_of(item)};
  if (PySlice_Check(item)) return bounds_entry(item, arrays);
  if (is_variable(item)) {
    Cell& cell = variable_cell(item);
    if (!is_recorded_data(cell))
      throw_error<TypeError>(
          "a Variable can't be an index: positions are integers and have no derivative; use "
          "x[int(i)] of one position, x[tg.value(i).astype(int)] of an array of them");
    arrays.push_back(cell.ref("index"));
    return {.kind = is_bool(arrays.back().dtype()) ? IndexEntry::mask : IndexEntry::positions,
            .is_array = arrays.back().ndim() == 0 && !cell.is_number()};
  }
  if (py::isinstance<py::array>(item))
    return array_entry(py::reinterpret_borrow<py::array>(item), true, arrays);
  // A numpy.bool is a mask, though it has the slot, and before NumPy 2.3 gives 0 or 1 there.
  if (PyIndex_Check(item) && std::string_view(Py_TYPE(item)->tp_name) != "numpy.bool") {
    const Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
    if (i != -1 || !PyErr_Occurred()) return {.kind = IndexEntry::position, .start = i};
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw py::error_already_set();
    PyErr_Clear();  // NumPy asks next what array it is
  }
  if (PyList_Check(item) || PyTuple_Check(item)) {
    if (py::object joined = joined_integers(item)) {
      arrays.push_back(variable_cell(joined.ptr()).ref("index"));
      return {.kind = IndexEntry::positions};
    }
  }
  PyObject* numbers = py::detail::npy_api::get().PyArray_FromAny_(item, nullptr, 0, 0, 0, nullptr);
  if (numbers == nullptr) throw py::error_already_set();
  return array_entry(py::reinterpret_steal<py::array>(numbers), false, arrays);
}

}  // namespace

Cell* element_by_key(Cell& variable, PyObject* key) {
  const Positions found(key);
  return found.n == 0 ? nullptr : element_at(variable, found.all());
}

bool set_element_by_key(Cell& variable, PyObject* key, PyObject* value) {
  double number = 0;
  if (PyFloat_Check(value)) {  // numpy.float64 too
    number = PyFloat_AS_DOUBLE(value);
  } else if (PyLong_CheckExact(value)) {
    int overflow = 0;
    number = static_cast<double>(PyLong_AsLongLongAndOverflow(value, &overflow));
    if (overflow != 0) return false;
  } else {
    return false;
  }
  const Positions found(key);
  return found.n > 0 && set_element(variable, found.all(), number);
}

namespace {

// A short list of ints as positions; false for every other object.
bool read_list(PyObject* item, Ref& array) {
  constexpr Py_ssize_t most = 256;
  if (!PyList_CheckExact(item)) return false;
  const Py_ssize_t n = PyList_GET_SIZE(item);
  if (n == 0 || n > most) return false;
  std::array<int64_t, most> numbers;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* const number = PyList_GET_ITEM(item, i);
    int overflow = 0;
    if (!PyLong_CheckExact(number)) return false;
    numbers[static_cast<size_t>(i)] = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow != 0) return false;
  }
  Value positions = Value::empty(DType::int64, Dims{n});
  std::copy_n(numbers.data(), n, positions.data<int64_t>());
  array = Ref(std::move(positions));
  return true;
}

// A short vector of int64 as positions; false for every other object.
bool read_vector(PyObject* item, Ref& array) {
  constexpr py::ssize_t most = 256;
  if (Py_TYPE(item) != py::detail::npy_api::get().PyArray_Type_) return false;
  const auto* const v = py::detail::array_proxy(item);
  if (v->nd != 1 || v->dimensions[0] > most || v->strides[0] != sizeof(int64_t)) return false;
  const auto dtype = py::reinterpret_borrow<py::dtype>(v->descr);
  if (dtype.kind() != 'i' || dtype.itemsize() != sizeof(int64_t) || dtype.byteorder() == '>' ||
      !(v->flags & py::detail::npy_api::NPY_ARRAY_ALIGNED_))
    return false;
  Value positions = Value::empty(DType::int64, Dims{v->dimensions[0]});
  std::copy_n(reinterpret_cast<const int64_t*>(v->data), v->dimensions[0],
              positions.data<int64_t>());
  array = Ref(std::move(positions));
  return true;
}

// A list or a plain array of positions, or a mask; false for everything else.
bool read_plain_array(PyObject* item, IndexEntry& entry, Ref& array) {
  if (Tape::current().tracing()) return false;
  if (read_list(item, array) || read_vector(item, array)) {
    entry = {.kind = IndexEntry::positions};
    return true;
  }
  if (!py::isinstance<py::array>(item)) return false;
  const auto numbers = py::reinterpret_borrow<py::array>(item);
  const char kind = numbers.dtype().kind();
  if (numbers.ndim() == 0 || (kind != 'b' && kind != 'i' && kind != 'u')) return false;
  entry = array_entry(numbers, true, array);
  return true;
}

}  // namespace

Cell* part_by_key(Cell& variable, PyObject* key) {
  std::array<IndexEntry, 4> entries;
  std::array<Ref, 4> arrays;
  size_t n_arrays = 0;
  PyObject* const* items = &key;
  size_t n = 1;
  if (PyTuple_CheckExact(key)) {
    n = static_cast<size_t>(PyTuple_GET_SIZE(key));
    items = PySequence_Fast_ITEMS(key);
  }
  if (n > entries.size()) return nullptr;
  for (size_t i = 0; i < n; ++i)
    if (!read_basic(items[i], entries[i]) &&
        !read_plain_array(items[i], entries[i], arrays[n_arrays++]))
      return nullptr;
  if (n_arrays > 0) return elements_at(variable, {entries.data(), n}, {arrays.data(), n_arrays});
  return part_at(variable, {entries.data(), n});
}

IndexKey index_key(Cell& variable, PyObject* key, KeyUse use) {
  PyObject* const* items = &key;
  size_t n = 1;
  if (PyTuple_Check(key)) {
    n = static_cast<size_t>(PyTuple_GET_SIZE(key));
    items = n == 0 ? nullptr : &PyTuple_GET_ITEM(key, 0);
  }
  const Dims shape = variable.type().shape;
  std::array<IndexEntry, 4> few;
  std::vector<IndexEntry> many;
  std::vector<Ref> arrays;
  const bool fits = n <= few.size();
  if (!fits) many.resize(n);
  IndexEntry* const entries = fits ? few.data() : many.data();
  for (size_t i = 0; i < n; ++i)
    if (!read_basic(items[i], entries[i])) entries[i] = read_other(items[i], arrays);
  if (use == KeyUse::read && !arrays.empty() && Tape::current().tracing() &&
      !variable.lies_in_k_order())
    use = KeyUse::read_elements;
  IndexKey found = resolve_key({entries, n}, std::move(arrays), shape, use);
  if (found.clipped) learn_lengths(variable);
  return found;
}

}  // namespace tapegrad
