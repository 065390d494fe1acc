#include "bindings/numpy_functions/calls/einsum.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <array>
#include <span>

#include "bindings/interpreter.h"
#include "bindings/numpy_functions/calls/known_functions.h"
#include "bindings/variable/apply.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/ops/einsum/einsum.h"
#include "tapegrad/tape/tape.h"

// np.einsum(subscripts, a, b, ...) of arrays that lie in C order, where the result does so too:
// the operation alone. How NumPy's result lies follows from the subscripts and from which axes are
// longer than 1; the package finds it out once for each of these. All other calls are the
// package's.

namespace tapegrad {
namespace {

namespace py = pybind11;

constexpr size_t most_arrays = 4, n_kept = 64;
constexpr int most_axes = 12;

// What was found out of a call.
struct Kept {
  PyObject* subscripts = nullptr;
  std::array<uint32_t, most_arrays> shapes{};  // 0 where there is no array
  bool in_core = false;
  Attrs attrs{};
};
std::array<Kept, n_kept> all_kept;

// A digit of base 4 for each axis, behind a 1: 0, 1, or 2 for all greater lengths.
uint32_t shape_code(std::span<const int64_t> shape) {
  uint32_t code = 1;
  for (const int64_t n : shape) code = 4 * code + static_cast<uint32_t>(std::min<int64_t>(n, 2));
  return code;
}

py::tuple lengths_of(uint32_t shape_code) {
  py::list found;
  for (; shape_code > 1; shape_code /= 4) found.insert(0, py::int_(shape_code % 4));
  return py::tuple(found);
}

struct Arrays {
  std::array<uint32_t, most_arrays> shapes{};
  size_t n = 0;
  bool any_recorded = false;
  bool any_with_axes = false;  // two of them or more

  bool add(std::span<const int64_t> shape) {
    if (shape.size() > most_axes) return false;
    any_with_axes |= shape.size() > 1;
    shapes[n++] = shape_code(shape);
    return true;
  }

  // False where the package must look.
  bool add(PyObject* x) {
    if (Py_TYPE(x) == variable_type) {
      Cell& cell = variable_cell(x);
      if (cell.is_blank()) return false;
      any_recorded = true;
      const Value& v = cell.value();
      if (v.is_scalar()) return add(std::span<const int64_t>());
      return (v.ndim() < 2 || cell.lies_in_c_order()) &&
             add({v.layout()->dims(), static_cast<size_t>(v.ndim())});
    }
    const auto& api = py::detail::npy_api::get();
    if (Py_TYPE(x) != api.PyArray_Type_) return false;
    const auto* const array = py::detail::array_proxy(x);
    if (py::detail::array_descriptor_proxy(array->descr)->kind != 'f' ||
        (array->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_) == 0)
      return false;
    std::array<int64_t, most_axes> shape;
    if (array->nd > most_axes) return false;
    std::copy_n(array->dimensions, array->nd, shape.begin());
    return add({shape.data(), static_cast<size_t>(array->nd)});
  }
};

bool ask_whether_in_core(PyObject* subscripts, const Arrays& arrays) {
  if (!arrays.any_with_axes) return true;
  py::tuple lengths(arrays.n);
  for (size_t i = 0; i < arrays.n; ++i) lengths[i] = lengths_of(arrays.shapes[i]);
  return in_python([&] {
    const py::object ask =
        py::module_::import("tapegrad.numpy.layout").attr("is_einsum_in_c_order");
    return ask(py::handle(subscripts), lengths).cast<bool>();
  });
}

Kept& kept_for(PyObject* subscripts, const Arrays& arrays) {
  const Py_hash_t hash = PyObject_Hash(subscripts);
  uint64_t place = static_cast<uint64_t>(hash);
  for (const uint32_t shape : arrays.shapes) place = 31 * place + shape;
  return all_kept[place % n_kept];
}

bool is_of(const Kept& kept, PyObject* subscripts, const Arrays& arrays) {
  return kept.subscripts != nullptr && kept.shapes == arrays.shapes &&
         (kept.subscripts == subscripts || PyUnicode_Compare(kept.subscripts, subscripts) == 0);
}

PyObject* call_einsum(PyObject* const* args, Py_ssize_t n, PyObject* names) {
  if (names != nullptr || n < 3 || n > static_cast<Py_ssize_t>(1 + most_arrays) ||
      !PyUnicode_CheckExact(args[0]) || !PyUnicode_IS_ASCII(args[0]) || Tape::current().tracing())
    return nullptr;
  return guard([&]() -> PyObject* {
    Arrays arrays;
    if (!std::all_of(args + 1, args + n, [&](PyObject* x) { return arrays.add(x); }) ||
        !arrays.any_recorded)
      return nullptr;
    Kept& kept = kept_for(args[0], arrays);
    if (!is_of(kept, args[0], arrays)) {
      const bool in_core = ask_whether_in_core(args[0], arrays);
      Py_XSETREF(kept.subscripts, Py_NewRef(args[0]));
      kept.shapes = arrays.shapes;
      kept.in_core = in_core;
      kept.attrs = Attrs{std::string(PyUnicode_AsUTF8(args[0]))};
    }
    if (!kept.in_core) return nullptr;
    const Attrs attrs = kept.attrs;
    PyObject* const made = apply_to_objects(einsum_op(), {args + 1, arrays.n}, attrs);
    if (arrays.any_with_axes && is_variable(made) && !variable_cell(made).lies_in_c_order()) {
      Py_DECREF(made);  // the package packs it
      if (is_of(kept, args[0], arrays)) kept.in_core = false;
      return nullptr;
    }
    return made;
  });
}

}  // namespace

void take_einsum() { make_known(py::module_::import("numpy").attr("einsum")).call = call_einsum; }

}  // namespace tapegrad
