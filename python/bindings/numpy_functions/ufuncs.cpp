#include <algorithm>
#include <utility>
#include <vector>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/numpy_functions/array_function.h"
#include "bindings/numpy_functions/entries.h"
#include "bindings/numpy_functions/foreign.h"
#include "bindings/variable/apply.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/operand.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/scalar/functions/functions.h"

// NumPy's universal functions of Variables, and the methods of the same names.

namespace tapegrad {

// v.sin() and the like: a method for every function of one operand, without NumPy's dispatch.
namespace {

template <size_t Fn>
PyObject* unary_method(PyObject* self, PyObject*) {
  return apply_elementwise(static_cast<ScalarFn>(Fn), self, nullptr, CalledAs::function);
}

template <size_t... Fn>
void add_unary_methods(std::vector<PyMethodDef>& methods, std::index_sequence<Fn...>) {
  const py::module_ numpy = py::module_::import("numpy");
  const auto add = [&](size_t f, PyCFunction call) {
    const ScalarFnInfo& info = scalar_fn_info(static_cast<ScalarFn>(f));
    if (info.arity == 1 && !info.returns_bool && py::hasattr(numpy, info.name) &&
        py::isinstance(numpy.attr(info.name), numpy.attr("ufunc")))
      methods.push_back(
          {info.name, call, METH_NOARGS, "NumPy's function of this name, of this Variable."});
  };
  (add(Fn, unary_method<Fn>), ...);
}

}  // namespace

std::vector<PyMethodDef> unary_methods() {
  std::vector<PyMethodDef> methods;
  add_unary_methods(methods, std::make_index_sequence<scalar_fn_count>());
  return methods;
}

// np.sin(v) and the like: the ufunc's address leads to its function.
namespace {

struct UfuncTable {
  static constexpr size_t size = 1024;
  static constexpr size_t most = size / 2;  // beyond it nothing more is added: the hook serves it
  struct Entry {
    PyObject* ufunc = nullptr;
    int fn = -1;
    PyObject* foreign = nullptr;
  } entries[size];
  size_t count = 0;
  PyObject* call = nullptr;  // the interned "__call__"
  PyObject* matmul = nullptr;

  static size_t slot(PyObject* u) {
    return (reinterpret_cast<uintptr_t>(u) >> 4) * 0x9E3779B97F4A7C15u >> 54;
  }
  void add(PyObject* u, int fn, PyObject* foreign = nullptr) {
    size_t i = slot(u);
    while (entries[i].ufunc != nullptr && entries[i].ufunc != u) i = (i + 1) % size;
    if (entries[i].ufunc == nullptr && count++ >= most) return;
    entries[i] = {u, fn, foreign};
  }
  const Entry& find(PyObject* u) const {
    static constexpr Entry none;
    for (size_t i = slot(u); entries[i].ufunc != nullptr; i = (i + 1) % size)
      if (entries[i].ufunc == u) return entries[i];
    return none;
  }
};
UfuncTable ufuncs;

// Whether an op takes the array as it is: object arrays may hold Variables.
bool has_plain_kind(PyObject* array) {
  const char kind = py::detail::array_descriptor_proxy(py::detail::array_proxy(array)->descr)->kind;
  return kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b';
}

bool is_plain_operand(PyObject* x) {
  return is_variable(x) || (py::detail::npy_api::get().PyArray_Check_(x) && has_plain_kind(x));
}

bool are_simple_operands(PyObject* const* args, Py_ssize_t n) {
  return std::all_of(args, args + n, [](PyObject* x) {
    return PyFloat_Check(x) || PyLong_CheckExact(x) || is_plain_operand(x);
  });
}

// Of no class that NumPy would ask.
bool are_exact_operands(PyObject* const* args, Py_ssize_t n) {
  static PyTypeObject* const arrays = py::detail::npy_api::get().PyArray_Type_;
  static PyTypeObject* const float64 = reinterpret_cast<PyTypeObject*>(
      py::object(py::module_::import("numpy").attr("float64")).release().ptr());
  return std::all_of(args, args + n, [](PyObject* x) {
    PyTypeObject* const type = Py_TYPE(x);
    return type == variable_type || type == &PyFloat_Type || type == &PyLong_Type ||
           type == float64 || (type == arrays && has_plain_kind(x));
  });
}

// data @ weights: the array's operator asks NumPy, which asks here.
PyObject* multiply_matrices(PyObject* a, PyObject* b) {
  return guard([&] {
    PyObject* const operands[] = {a, b};
    return apply_to_objects(matmul_op(), operands, {});
  });
}

}  // namespace

void fill_ufunc_table() {
  ufuncs.call = PyUnicode_InternFromString("__call__");
  const py::module_ np = py::module_::import("numpy");
  ufuncs.matmul = py::object(np.attr("matmul")).release().ptr();
  for (size_t f = 0; f < scalar_fn_count; ++f) {
    const ScalarFnInfo& info = scalar_fn_info(static_cast<ScalarFn>(f));
    if (!py::hasattr(np, info.name)) continue;
    const py::object u = np.attr(info.name);
    if (py::isinstance(u, np.attr("ufunc")) && u.attr("nin").cast<int>() == info.arity &&
        u.attr("nout").cast<int>() == 1)
      ufuncs.add(u.inc_ref().ptr(), static_cast<int>(f));
  }
  for (const char* alias : {"deg2rad", "rad2deg"})
    ufuncs.add(
        py::object(np.attr(alias)).inc_ref().ptr(),
        static_cast<int>(alias[0] == 'd' ? scalar_fn_of<Radians>() : scalar_fn_of<Degrees>()));
}

void add_to_ufunc_table(PyObject* ufunc, int fn, PyObject* foreign) {
  Py_INCREF(ufunc);
  Py_XINCREF(foreign);
  ufuncs.add(ufunc, fn, foreign);
}

namespace {

// A new reference; null without an error where the package is to be asked.
PyObject* apply_ufunc(PyObject* ufunc, PyObject* const* operands, Py_ssize_t n) {
  if (ufunc == ufuncs.matmul && n == 2 && is_plain_operand(operands[0]) &&
      is_plain_operand(operands[1]))
    return multiply_matrices(operands[0], operands[1]);
  const UfuncTable::Entry& known = ufuncs.find(ufunc);
  if (known.foreign != nullptr && are_simple_operands(operands, n))
    return apply_foreign(known.foreign, operands, n);
  if (known.fn < 0) return nullptr;
  const auto f = static_cast<ScalarFn>(known.fn);
  const ScalarFnInfo& info = scalar_fn_info(f);
  if (n != info.arity) return nullptr;
  if (info.returns_bool && !are_tested_as_floats({operands, static_cast<size_t>(n)}))
    return nullptr;
  if (f == scalar_fn_of<Power>() && is_variable(operands[0]) && PyFloat_Check(operands[1]) &&
      PyFloat_AS_DOUBLE(operands[1]) == 2.0 &&
      variable_cell(operands[0]).type().dtype == DType::float64)
    return apply_elementwise(scalar_fn_of<Square>(), operands[0], nullptr, CalledAs::function);
  return apply_elementwise(f, operands[0], n == 2 ? operands[1] : nullptr, CalledAs::function);
}

// fn of every element of a with every one of b: a gets an axis of length 1 for each of b's.
PyObject* apply_outer(PyObject* ufunc, PyObject* a, PyObject* b) {
  PyObject* const operands[] = {a, b};
  const UfuncTable::Entry& known = ufuncs.find(ufunc);
  if (known.fn < 0 || !are_exact_operands(operands, 2)) return nullptr;
  const auto f = static_cast<ScalarFn>(known.fn);
  if (scalar_fn_info(f).arity != 2 || scalar_fn_info(f).returns_bool) return nullptr;
  return guard([&]() -> PyObject* {
    const auto is_array_of_its_own = [](PyObject* x) {
      return is_variable(x) ? !variable_cell(x).is_blank() : is_array(x);
    };
    if (Tape::current().tracing() || !std::ranges::all_of(operands, is_array_of_its_own))
      return nullptr;
    Operand given[] = {to_operand(a, scalar_fn_info(f).name),
                       to_operand(b, scalar_fn_info(f).name)};
    Dims shape = given[0].ref.shape();
    for (int i = 0; i < given[1].ref.ndim(); ++i) shape.push_back(1);
    given[0].ref = reshape(given[0].ref, shape);
    std::optional<Ref> found = apply_to_operands(f, given);
    return found ? new_variable(std::move(*found)) : nullptr;
  });
}

// np.add.reduce(v), np.multiply.outer(v, w).
PyObject* apply_method(PyObject* ufunc, PyObject* method, PyObject* const* args, Py_ssize_t n,
                       PyObject* names) {
  if (n == 2 && names == nullptr && PyUnicode_CompareWithASCIIString(method, "outer") == 0)
    return apply_outer(ufunc, args[0], args[1]);
  return guard([&] { return call_fold(ufunc, method, args, n, names); });
}

}  // namespace

PyObject* call_known_ufunc(PyObject* ufunc, PyObject* const* operands, Py_ssize_t n) {
  return are_exact_operands(operands, n) ? apply_ufunc(ufunc, operands, n) : nullptr;
}

PyObject* variable_array_ufunc(PyObject* self, PyObject* const* args, Py_ssize_t n,
                               PyObject* names) {
  // Beside objects of other classes that NumPy asks, the package decides who answers.
  const bool is_ours = std::all_of(args + std::min<Py_ssize_t>(n, 2), args + n, [](PyObject* x) {
    return is_variable(x) || is_complex(x) || !is_asked(x);
  });
  if (is_ours && n >= 3 && PyUnicode_CheckExact(args[1])) {
    const bool has_names = names != nullptr && PyTuple_GET_SIZE(names) > 0;
    const bool is_call = args[1] == ufuncs.call || PyUnicode_Compare(args[1], ufuncs.call) == 0;
    PyObject* found = nullptr;
    if (!is_call) {
      found = apply_method(args[0], args[1], args + 2, n - 2, has_names ? names : nullptr);
    } else if (!has_names) {
      found = apply_ufunc(args[0], args + 2, n - 2);
    }
    if (found != nullptr || PyErr_Occurred()) return found;
  }
  if (hooks.array_ufunc == nullptr) Py_RETURN_NOTIMPLEMENTED;
  return guard([&]() -> PyObject* {
    if (n < 2) throw_error<TypeError>("__array_ufunc__: expects a ufunc, a method and operands");
    py::tuple inputs(static_cast<size_t>(n - 2));
    for (Py_ssize_t i = 2; i < n; ++i) inputs[static_cast<size_t>(i - 2)] = py::handle(args[i]);
    py::dict kwargs;
    const Py_ssize_t k = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < k; ++i)
      kwargs[py::handle(PyTuple_GET_ITEM(names, i))] = py::handle(args[n + i]);
    if (holds_complex(inputs.ptr()) || (k > 0 && holds_complex(kwargs.ptr())))
      return call_complex("array_ufunc", {args[0], args[1], inputs.ptr(), kwargs.ptr()});
    return in_python([&] {
      return PyObject_CallFunctionObjArgs(hooks.array_ufunc, self, args[0], args[1], inputs.ptr(),
                                          kwargs.ptr(), nullptr);
    });
  });
}

}  // namespace tapegrad
