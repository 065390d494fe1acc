#include "bindings/convert.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/base/error.h"
#include "tapegrad/base/value_order.h"
#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/tape/data_values.h"
#include "tapegrad/tape/tape.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {
namespace {

using py::detail::array_proxy;
using py::detail::npy_api;

std::mutex pending_mutex;
std::vector<PyObject*> pending_references;
std::atomic<bool> any_pending{false};

// By NumPy's numbers, from NPY_BOOL to NPY_DOUBLE; 7 and 8 are C's long, 9 and 10 long long.
std::optional<DType> dtype_of_type_num(int n) {
  using enum DType;
  static constexpr DType known[] = {bool_, int8,   uint8, int16,  uint16,  int32,  uint32,
                                    int64, uint64, int64, uint64, float32, float64};
  if (sizeof(long) == 4 && (n == 7 || n == 8)) n -= 2;
  if (n < 0 || n >= static_cast<int>(std::size(known))) return std::nullopt;
  return known[n];
}

bool is_plain_array(PyObject* object) { return npy_api::get().PyArray_Check_(object); }
bool is_sequence(PyObject* object) { return PyList_Check(object) || PyTuple_Check(object); }

[[noreturn]] void throw_unsupported(PyObject* object, const char* operation) {
  if (!is_plain_array(object) && !py::hasattr(object, "dtype"))
    throw_error<TypeError>(operation, ": can't compute with an object of type ",
                           Py_TYPE(object)->tp_name,
                           "; pass a number or an array, such as np.array(list(x.values())) of a "
                           "dict, np.stack(list(x)) of what can be iterated over");
  const auto dtype = py::str(py::handle(object).attr("dtype")).cast<std::string>();
  if (dtype.starts_with("complex"))
    throw_error<TypeError>(operation, ": dtype ", dtype,
                           " is not supported; compute with z.real and z.imag apart, two arrays "
                           "of real numbers");
  throw_error<TypeError>(
      operation, ": dtype ", dtype,
      " is not supported; tapegrad works with float64, float32, integers and bool: convert it "
      "first, np.asarray(x).astype(float)");
}

// Subclasses whose arithmetic is not that of arrays: taking their data alone would change what is
// computed.
void refuse_subclass(PyObject* object, const char* operation) {
  for (PyTypeObject* type = Py_TYPE(object); type != nullptr; type = type->tp_base) {
    const std::string_view full = type->tp_name;
    const std::string_view name =
        full.substr(full.rfind('.') == full.npos ? 0 : full.rfind('.') + 1);
    if (name == "MaskedArray")
      throw_error<TypeError>(
          operation,
          ": a masked array can't be combined with a Variable, its mask would be lost; use "
          "np.where(mask, 0, x.data), or x.filled(value)");
    if (name == "matrix")
      throw_error<TypeError>(
          operation,
          ": np.matrix can't be combined with a Variable; use np.asarray(x), and @ for products");
  }
}

Value from_array(PyObject* object, const char* operation) {
  if (reinterpret_cast<PyObject*>(Py_TYPE(object)) !=
      reinterpret_cast<PyObject*>(npy_api::get().PyArray_Type_))
    refuse_subclass(object, operation);
  py::object keep;
  const auto* proxy = array_proxy(object);
  const auto descr = py::reinterpret_borrow<py::dtype>(proxy->descr);
  const char order = descr.byteorder();
  std::optional<DType> dtype = dtype_of_type_num(descr.num());
  constexpr int aligned = npy_api::NPY_ARRAY_ALIGNED_;
  const int type_num_half = 23;
  if (!dtype && descr.num() == type_num_half) dtype = DType::float32;
  if (!dtype) throw_unsupported(object, operation);
  const auto item = static_cast<int64_t>(item_size(*dtype));
  bool direct = descr.num() != type_num_half && (order == '=' || order == '|' || order == '<') &&
                (proxy->flags & aligned);
  for (int i = 0; i < proxy->nd && direct; ++i) direct = proxy->strides[i] % item == 0;
  if (!direct) {
    keep = py::array(py::handle(object).attr("astype")(dtype_object(*dtype)));
    object = keep.ptr();
    proxy = array_proxy(object);
  }
  Dims shape(static_cast<size_t>(proxy->nd)), strides(static_cast<size_t>(proxy->nd));
  for (int i = 0; i < proxy->nd; ++i) {
    shape[static_cast<size_t>(i)] = proxy->dimensions[i];
    strides[static_cast<size_t>(i)] = proxy->strides[i] / item;
  }
  if (shape.empty()) {
    return visit_dtype(*dtype, [&](auto tag) {
      using T = decltype(tag);
      const T x = *reinterpret_cast<const T*>(proxy->data);
      if constexpr (std::is_floating_point_v<T>) {
        return Value::scalar(x, *dtype);
      } else {
        return Value::integer_scalar(static_cast<int64_t>(x), *dtype);
      }
    });
  }
  const int64_t bytes = element_count(shape) * item;
  const bool is_small = static_cast<size_t>(bytes) < hold_by_reference_bytes;
  // A program reads the array itself: while a whole function is recorded the tape makes the copy.
  const bool tracing = Tape::current().tracing();
  if (is_small && !tracing && shape.size() == 1 && strides[0] == 1) {
    Value small = Value::empty(*dtype, shape);
    std::memcpy(small.raw(), proxy->data, static_cast<size_t>(bytes));
    return small;
  }
  Py_INCREF(object);
  const Value borrowed = Value::wrap(
      Buffer::borrow(proxy->data, static_cast<size_t>(bytes), object, release_reference),
      proxy->data, *dtype, shape, strides.data());
  return is_small && !tracing ? copy_as_it_lies(borrowed) : borrowed;
}

void drop_buffer(PyObject* capsule) {
  static_cast<Buffer*>(PyCapsule_GetPointer(capsule, nullptr))->drop();
}

}  // namespace

void release_reference(void* owner) {
  auto* object = static_cast<PyObject*>(owner);
  if (PyGILState_Check()) {
    Py_DECREF(object);
    return;
  }
  std::lock_guard lock(pending_mutex);
  pending_references.push_back(object);
  any_pending.store(true, std::memory_order_release);
}

void release_pending_references() {
  if (!any_pending.load(std::memory_order_acquire)) return;
  std::vector<PyObject*> objects;
  {
    std::lock_guard lock(pending_mutex);
    objects.swap(pending_references);
    any_pending.store(false, std::memory_order_release);
  }
  for (PyObject* o : objects) Py_DECREF(o);
}

Value to_value(PyObject* object, const char* operation) {
  return to_operand(object, operation).ref.value();
}

const py::object& numpy_asarray() {
  static const auto* const found =
      new py::object(py::module_::import("numpy._core.multiarray").attr("asarray"));
  return *found;
}

Operand to_operand(PyObject* object, const char* operation) {
  if (is_variable(object)) {
    Ref ref = variable_cell(object).ref(operation);
    const Tracer* tracer = Tape::current().tracer();
    if (tracer == nullptr || !tracer->is_weak(ref)) return {std::move(ref)};
    if (ref.dtype() != DType::int64) return {std::move(ref), PythonNumber::recorded};
    const int64_t i = learn(ref).as_int64();
    return {Ref(static_cast<double>(i)), PythonNumber::integer, i};
  }
  if (PyFloat_CheckExact(object)) return {Ref(PyFloat_AS_DOUBLE(object)), PythonNumber::floating};
  if (PyBool_Check(object))
    return {Ref(Value::integer_scalar(object == Py_True, DType::bool_)), PythonNumber::bool_};
  if (PyLong_Check(object)) {
    int overflow = 0;
    const int64_t i = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) return {Ref(static_cast<double>(i)), PythonNumber::integer, i};
    const double d = PyLong_AsDouble(object);
    if (d == -1.0 && PyErr_Occurred()) throw py::error_already_set();
    return {Ref(d), PythonNumber::large_int};
  }
  release_pending_references();
  constexpr int type_num_object = 17;  // such an array may hold Variables: see below
  if (is_plain_array(object) &&
      py::reinterpret_borrow<py::dtype>(array_proxy(object)->descr).num() != type_num_object)
    return {Ref(from_array(object, operation))};
  if (PyFloat_Check(object)) return {Ref(PyFloat_AS_DOUBLE(object))};  // numpy.float64
  if (PyComplex_Check(object))
    throw_error<TypeError>(
        operation, ": complex numbers are not supported; compute with z.real and z.imag apart");
  if (PyUnicode_Check(object) || PyBytes_Check(object))
    throw_error<TypeError>(operation, ": can't compute with the string ",
                           py::repr(py::handle(object)).cast<std::string>(),
                           "; convert it to a number first, float(text)");
  if (object == Py_None)
    throw_error<TypeError>(operation, ": got None where a number or an array is needed");
  py::object array = numpy_asarray()(py::handle(object));
  if (array_proxy(array.ptr())->nd >= 0 &&
      py::reinterpret_borrow<py::dtype>(array_proxy(array.ptr())->descr).kind() == 'O') {
    static const py::object* pack = nullptr;
    if (pack == nullptr && py::hasattr(py::module_::import("tapegrad"), "_pack"))
      pack = new py::object(py::module_::import("tapegrad").attr("_pack"));
    if (pack != nullptr) {
      const py::object packed = (*pack)(array);
      if (is_variable(packed.ptr())) return {variable_cell(packed.ptr()).ref()};
      if (is_plain_array(packed.ptr()) && !packed.is(array))
        return {Ref(from_array(packed.ptr(), operation))};
      if (is_complex(packed.ptr()))
        throw_error<TypeError>(
            operation, ": complex numbers are not supported; compute with z.real and z.imag apart");
    }
    throw_unsupported(is_sequence(object) ? array.ptr() : object, operation);
  }
  return {Ref(from_array(array.ptr(), operation))};
}

py::object dtype_object(DType d) {
  static const py::object* dtypes[dtype_count] = {};
  const auto i = static_cast<size_t>(d);
  if (dtypes[i] == nullptr) dtypes[i] = new py::object(py::dtype(dtype_name(d)));
  return *dtypes[i];
}

DType to_dtype(py::handle dtype) {
  const py::dtype d = py::dtype::from_args(py::reinterpret_borrow<py::object>(dtype));
  const std::optional<DType> found = dtype_of_type_num(d.num());
  if (!found)
    throw_error<TypeError>("dtype ", py::str(d).cast<std::string>(),
                           " is not supported; use float64, or float32, integers or bool");
  return *found;
}

namespace {

PyObject* scalar_type(DType d) {
  static PyObject* types[dtype_count] = {};
  PyObject*& found = types[static_cast<size_t>(d)];
  if (found == nullptr) found = py::object(dtype_object(d).attr("type")).release().ptr();
  return found;
}

// A numpy.float64 is a float with another class.
PyObject* numpy_float64(double x) {
  auto* type = reinterpret_cast<PyTypeObject*>(scalar_type(DType::float64));
  PyObject* made = type->tp_alloc(type, 0);
  if (made == nullptr) throw py::error_already_set();
  reinterpret_cast<PyFloatObject*>(made)->ob_fval = x;
  return made;
}

PyObject* numpy_scalar(const Value& value) {
  const DType d = value.dtype();
  if (d == DType::float64) return numpy_float64(value.as_double());
  if (is_bool(d)) {
    static PyObject* const truths[2] = {PyObject_CallOneArg(scalar_type(d), Py_False),
                                        PyObject_CallOneArg(scalar_type(d), Py_True)};
    return Py_NewRef(truths[value.as_int64() != 0]);
  }
  const py::object number = is_floating(d) ? py::object(py::float_(value.as_double()))
                                           : py::object(py::int_(value.as_int64()));
  PyObject* made = PyObject_CallOneArg(scalar_type(d), number.ptr());
  if (made == nullptr) throw py::error_already_set();
  return made;
}

// An array over the memory of a Value, which it holds.
PyObject* array_over(const Value& v, bool writable) {
  const Dims shape = v.shape(), strides = v.strides();
  const auto item = static_cast<py::ssize_t>(item_size(v.dtype()));
  py::ssize_t dims[max_ndim], steps[max_ndim];
  for (size_t i = 0; i < shape.size(); ++i) {
    dims[i] = shape[i];
    steps[i] = strides[i] * item;
  }
  v.buffer()->retain();
  py::object base =
      py::reinterpret_steal<py::object>(PyCapsule_New(v.buffer(), nullptr, drop_buffer));
  const auto& api = npy_api::get();
  PyObject* descr = dtype_object(v.dtype()).release().ptr();  // stolen by the constructor
  PyObject* array = api.PyArray_NewFromDescr_(
      api.PyArray_Type_, descr, static_cast<int>(shape.size()), dims, steps, v.raw(),
      writable ? npy_api::NPY_ARRAY_WRITEABLE_ : 0, nullptr);
  if (array == nullptr) throw py::error_already_set();
  api.PyArray_SetBaseObject_(array, base.release().ptr());
  return array;
}

}  // namespace

PyObject* to_plain_result(Value&& value, NumberKind kind) {
  if (!value.is_scalar()) return to_python(std::move(value), true);
  if (kind == NumberKind::array)
    return numpy_asarray()(py::reinterpret_steal<py::object>(numpy_scalar(value))).release().ptr();
  if (kind == NumberKind::numpy) return numpy_scalar(value);
  if (is_bool(value.dtype())) return PyBool_FromLong(value.as_int64() != 0);
  if (value.dtype() == DType::int64) return PyLong_FromLongLong(value.as_int64());
  return value.dtype() == DType::float64 ? PyFloat_FromDouble(value.as_double())
                                         : numpy_scalar(value);
}

namespace {

// Of few bytes, which cost less to copy than to share.
bool is_small(const Value& value) {
  constexpr size_t few = 512;
  return !value.is_scalar() && value.has_data() && value.is_contiguous() &&
         value.byte_count() <= few;
}

// In memory of NumPy's own.
PyObject* copied(const Value& value) {
  const auto& api = npy_api::get();
  const Dims shape = value.shape();
  py::ssize_t dims[max_ndim];
  std::copy(shape.begin(), shape.end(), dims);
  PyObject* const array =
      api.PyArray_NewFromDescr_(api.PyArray_Type_, dtype_object(value.dtype()).release().ptr(),
                                shape.ndim(), dims, nullptr, nullptr, 0, nullptr);
  if (array == nullptr) throw py::error_already_set();
  if (value.size() > 0) std::memcpy(array_proxy(array)->data, value.raw(), value.byte_count());
  return array;
}

}  // namespace

PyObject* to_python(Value&& value, bool writable) {
  if (writable && is_small(value)) return copied(value);
  if (value.is_scalar())
    return value.dtype() == DType::float64 ? PyFloat_FromDouble(value.as_double())
                                           : numpy_scalar(value);
  if (!value.has_data())
    throw_error<RuntimeError>("the value of shape ", value.shape(), " was released");
  if (writable && !(value.owns_buffer() && value.is_contiguous())) value = packed_copy(value);
  return array_over(value, writable);
}

PyObject* to_python_lying_by(const Value& value, std::span<const int64_t> strides) {
  return array_over(copy_lying_by(value, strides), true);
}

PyObject* to_python(const Value& value, bool writable) {
  if (writable && is_small(value)) return copied(value);
  return to_python(writable ? packed_copy(value) : Value(value), writable);
}

py::object to_object(Value&& value, bool writable) {
  return py::reinterpret_steal<py::object>(to_python(std::move(value), writable));
}

py::object to_object(const Value& value, bool writable) {
  return py::reinterpret_steal<py::object>(to_python(value, writable));
}

namespace {

// The folders of this package and of NumPy, with a slash at the end: what runs there is not the
// user's.
const std::vector<std::string>& library_folders() {
  static const auto* const folders = [] {
    auto* found = new std::vector<std::string>;
    for (const char* name : {"tapegrad", "numpy"})
      for (const py::handle folder : py::module_::import(name).attr("__path__"))
        found->push_back(folder.cast<std::string>() + "/");
    return found;
  }();
  return *folders;
}

bool is_in_library(const std::string& path) {
  return std::ranges::any_of(library_folders(),
                             [&](const std::string& folder) { return path.starts_with(folder); });
}

}  // namespace

void install_location_hook() {
  library_folders();
  current_location = []() -> std::string {
    if (!PyGILState_Check()) return "";
    // The innermost frame outside this package is the user's.
    PyFrameObject* frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    std::string where;
    while (frame != nullptr) {
      PyCodeObject* code = PyFrame_GetCode(frame);
      const char* file = PyUnicode_AsUTF8(code->co_filename);
      const std::string path = file ? file : "";
      Py_DECREF(code);
      if (!is_in_library(path)) {
        where = path + ":" + std::to_string(PyFrame_GetLineNumber(frame));
        Py_DECREF(frame);
        break;
      }
      PyFrameObject* back = PyFrame_GetBack(frame);
      Py_DECREF(frame);
      frame = back;
    }
    return where;
  };
}

}  // namespace tapegrad
