#include "bindings/variable/apply.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <string>

#include "bindings/convert.h"
#include "tapegrad/autodiff/learn.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/tape/record.h"

namespace tapegrad {
namespace {

// Of other functions NumPy makes arrays of its operands first, and a number has the dtype of its
// array: np.dot(x, 2.0) is float64 where x * 2.0 has the precision of x.
bool takes_weak_numbers(const Op& op) { return op.by_element || op.update != UpdateKind::none; }

struct Inputs {
  std::span<PyObject* const> objects;
  bool any_variable = false;
  bool only_blanks = true;  // of the Variables

  // refs[i] becomes what objects[i] is.
  void read(const Op& op, std::span<Operand> operands, std::span<Ref> refs) {
    for (size_t i = 0; i < objects.size(); ++i) {
      operands[i] = to_operand(objects[i], op.name);
      any_variable |= is_variable(objects[i]) || operands[i].ref.tracked();
      only_blanks &=
          !operands[i].ref.tracked() && (!is_variable(objects[i]) || is_blank(objects[i]));
    }
    if (objects.size() > 1 && takes_weak_numbers(op)) settle_weak(operands.first(objects.size()));
    for (size_t i = 0; i < objects.size(); ++i) refs[i].swap(operands[i].ref);
  }

  // A mask, which is plain, lies in memory as NumPy's would.
  PyObject* from_plain(Value v, const Op& op, std::span<const Ref> given) const {
    if (v.ndim() < 2 || given.empty() || !(op.by_element || op.converts))
      return to_python(std::move(v), true);
    bool is_packed = true;
    for (size_t i = 0; i < given.size() && is_packed; ++i)
      is_packed = is_variable(objects[i]) ? variable_cell(objects[i]).lies_in_c_order()
                                          : given[i].value().is_contiguous();
    if (is_packed) return to_python(std::move(v), true);
    return to_python_lying_by(v, numpy_strides(lying(given), v.shape()));
  }

  std::vector<Lying> lying(std::span<const Ref> given) const {
    std::vector<Lying> found;
    for (size_t i = 0; i < given.size(); ++i) found.push_back(lying_of(objects[i], given[i]));
    return found;
  }

  // So does what is computed of blanks.
  PyObject* from_blanks(Value v, const Op& op, const Attrs& attrs,
                        std::span<const Ref> given) const {
    if (v.ndim() < 2 || given.empty()) return new_blank(std::move(v));
    const Dims strides = numpy_strides(op, attrs, lying(given), v.shape());
    return new_blank_lying_by(std::move(v), strides);
  }

  PyObject* wrap(Ref r, const Op& op, const Attrs& attrs, std::span<const Ref> given = {}) const {
    if (!r.tracked() && (!any_variable || !is_floating(r.dtype())))
      return from_plain(std::move(r).take_value(), op, given);
    if (only_blanks && !r.tracked() && !(op.shares != MemorySharing::none && is_blank(objects[0])))
      return from_blanks(std::move(r).take_value(), op, attrs, given);
    Cell* first =
        !objects.empty() && is_variable(objects[0]) ? &variable_cell(objects[0]) : nullptr;
    return new_variable(Cell::result_of(op, attrs, first, std::move(r)));
  }
};

}  // namespace

PyObject* apply_to_objects(const Op& op, std::span<PyObject* const> objects, const Attrs& attrs) {
  Inputs inputs{objects};
  const size_t n = objects.size();
  if (op.n_out == 1 && n == 1 && is_variable(objects[0]) && !op.in_place &&
      !Tape::current().tracing()) {
    check_input_count(op, n);
    const Ref given = variable_cell(objects[0]).ref(op.name);
    inputs.any_variable = true;
    inputs.only_blanks = !given.tracked() && is_blank(objects[0]);
    if (op.compose) return inputs.wrap(std::move(op.compose(attrs, {&given, 1})[0]), op, attrs);
    return inputs.wrap(apply_single(op, attrs, {&given, 1}), op, attrs, {&given, 1});
  }
  if (op.n_out == 1 && n > 0 && n <= 3 && !op.in_place) {
    check_input_count(op, n);
    std::array<Operand, 3> operands;
    std::array<Ref, 3> refs;
    inputs.read(op, {operands.data(), n}, {refs.data(), n});
    const std::span<const Ref> given(refs.data(), n);
    if (op.compose) return inputs.wrap(std::move(op.compose(attrs, given)[0]), op, attrs);
    return inputs.wrap(apply_single(op, attrs, given), op, attrs, given);
  }
  std::vector<Operand> operands(n);
  std::vector<Ref> refs(n);
  inputs.read(op, operands, refs);
  const std::vector<Ref> given = inputs.only_blanks ? refs : std::vector<Ref>();
  std::vector<Ref> results = apply(op, attrs, std::move(refs));
  if (op.n_out == 1) return inputs.wrap(std::move(results[0]), op, attrs, given);
  py::tuple out(results.size());
  for (size_t i = 0; i < results.size(); ++i)
    out[i] = pybind11::reinterpret_steal<py::object>(
        inputs.wrap(std::move(results[i]), op, attrs, given));
  return out.release().ptr();
}

bool is_one_mask(PyObject* o) {
  if (!is_variable(o) || !is_recorded_data(o)) return false;
  Cell& cell = variable_cell(o);
  return is_bool(cell.type().dtype) && cell.is_number();
}

PyObject* power_of_mask(PyObject* mask, PyObject* exponent) {
  Cell& cell = variable_cell(mask);
  const NumberKind kind = is_weak(cell) ? NumberKind::python : NumberKind::numpy;
  const auto learned =
      pybind11::reinterpret_steal<py::object>(to_plain_result(learn_value(cell), kind));
  return PyNumber_Power(learned.ptr(), exponent, Py_None);
}

namespace {

bool is_real_number_of_numpys(PyObject* x) {
  static const py::object* numbers = nullptr;
  if (numbers == nullptr) numbers = new py::object(py::module_::import("numpy").attr("generic"));
  const auto& api = py::detail::npy_api::get();
  const bool is_number =
      api.PyArray_Check_(x) ? py::detail::array_proxy(x)->nd == 0 : py::isinstance(x, *numbers);
  if (!is_number) return false;
  const auto kind = py::handle(x).attr("dtype").attr("kind").cast<std::string>();
  return kind == "f" || kind == "i" || kind == "u";
}

}  // namespace

py::object as_power_takes_it(PyObject* exponent, PyObject* base) {
  constexpr unsigned c_api_of_2_3 = 0x14;
  static const bool is_older = py::detail::npy_api::get().PyArray_RUNTIME_VERSION_ < c_api_of_2_3;
  if (is_older && is_variable(base) && !is_variable(exponent) && !variable_cell(base).is_number() &&
      is_floating(variable_cell(base).type().dtype) && is_real_number_of_numpys(exponent)) {
    constexpr std::array short_cuts = {-1.0, 0.0, 0.5, 1.0, 2.0};
    const double p = py::handle(exponent).attr("item")().cast<double>();
    if (std::ranges::count(short_cuts, p) != 0) return py::float_(p);
  }
  return py::reinterpret_borrow<py::object>(exponent);
}

}  // namespace tapegrad
