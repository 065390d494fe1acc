#include <utility>
#include <vector>

#include "bindings/convert.h"
#include "bindings/numpy_functions/foreign.h"
#include "bindings/variable/apply.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/ops/linalg/matmul.h"
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
    if (info.arity == 1 && !info.returns_bool && py::hasattr(numpy, info.name))
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

// Whether an op takes it as it is: object arrays may hold Variables.
bool is_plain_operand(PyObject* x) {
  if (is_variable(x)) return true;
  if (!py::isinstance<py::array>(x)) return false;
  const char kind = py::reinterpret_borrow<py::array>(x).dtype().kind();
  return kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b';
}

bool are_simple_operands(PyObject* const* args, Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; ++i)
    if (!PyFloat_Check(args[i]) && !PyLong_CheckExact(args[i]) && !is_plain_operand(args[i]))
      return false;
  return true;
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
    if (info.returns_bool || !py::hasattr(np, info.name)) continue;
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

PyObject* variable_array_ufunc(PyObject* self, PyObject* const* args, Py_ssize_t n,
                               PyObject* names) {
  if (n >= 3 && (names == nullptr || PyTuple_GET_SIZE(names) == 0) &&
      (args[1] == ufuncs.call || PyUnicode_Compare(args[1], ufuncs.call) == 0)) {
    if (args[0] == ufuncs.matmul && n == 4 && is_plain_operand(args[2]) &&
        is_plain_operand(args[3]))
      return multiply_matrices(args[2], args[3]);
    const UfuncTable::Entry& known = ufuncs.find(args[0]);
    if (known.foreign != nullptr && are_simple_operands(args + 2, n - 2))
      return apply_foreign(known.foreign, args + 2, n - 2);
    if (known.fn >= 0) {
      const auto f = static_cast<ScalarFn>(known.fn);
      const int arity = scalar_fn_info(f).arity;
      if (n - 2 == arity) {
        if (f == scalar_fn_of<Power>() && is_variable(args[2]) && PyFloat_Check(args[3]) &&
            PyFloat_AS_DOUBLE(args[3]) == 2.0 &&
            variable_cell(args[2]).type().dtype == DType::float64)
          return apply_elementwise(scalar_fn_of<Square>(), args[2], nullptr, CalledAs::function);
        return apply_elementwise(f, args[2], arity == 2 ? args[3] : nullptr, CalledAs::function);
      }
    }
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
    return PyObject_CallFunctionObjArgs(hooks.array_ufunc, self, args[0], args[1], inputs.ptr(),
                                        kwargs.ptr(), nullptr);
  });
}

}  // namespace tapegrad
