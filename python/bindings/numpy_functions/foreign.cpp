#include "bindings/numpy_functions/foreign.h"

#include <pybind11/stl.h>

#include <span>
#include <string>
#include <string_view>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/numpy_functions/foreign_loops.h"
#include "bindings/variable/apply.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/ops/foreign/foreign.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

// The head of PyUFuncObject (numpy/ufuncobject.h), the same since NumPy 1.7. What it says is held
// against what the object itself tells before it is believed.
struct UfuncHead {
  PyObject_HEAD int nin, nout, nargs, identity;
  ForeignLoop* functions;
  void* const* data;
  int ntypes, reserved;
  const char* name;
  const char* types;
};

struct Loops {
  const UfuncHead& head;

  explicit Loops(const py::object& ufunc) : head(*reinterpret_cast<UfuncHead*>(ufunc.ptr())) {
    const auto number = [&](const char* name) { return ufunc.attr(name).cast<int>(); };
    const auto types = ufunc.attr("types").cast<std::vector<std::string>>();
    bool agrees = head.nin == number("nin") && head.nout == number("nout") &&
                  head.nargs == number("nargs") && head.ntypes == number("ntypes") &&
                  static_cast<size_t>(head.ntypes) == types.size() &&
                  ufunc.attr("__name__").cast<std::string>() == head.name;
    for (int k = 0; agrees && k < head.ntypes; ++k)
      agrees = types[static_cast<size_t>(k)] == type(k);
    if (!agrees)
      throw_error<RuntimeError>(
          py::repr(ufunc).cast<std::string>(),
          ": its loops are not where this version of tapegrad looks for them; call it on the plain "
          "value, tg.value(v), or install a version of tapegrad made for this NumPy");
  }

  // "dd->d" of loop k.
  std::string type(int k) const {
    const auto at = static_cast<const char*>(head.types) + k * head.nargs;
    static constexpr std::string_view codes = "?bBhHiIlLqQfdgFDGOSUVMme";  // by NumPy's numbers
    const auto name = [](char code) {
      const auto k = static_cast<size_t>(static_cast<unsigned char>(code));
      return k < codes.size() ? codes[k] : '_';
    };
    std::string text;
    for (int i = 0; i < head.nargs; ++i) {
      if (i == head.nin) text += "->";
      text += name(at[i]);
    }
    return text;
  }
  ForeignFunction::Loop loop(int k) const { return {head.functions[k], head.data[k]}; }
};

bool is_all(const std::string& text, char c) {
  return text.find_first_not_of(std::string("->") + c) == std::string::npos;
}

// What Python holds: the function, and the one that takes its place where the operands of `whole`
// are integers.
struct PyForeign {
  std::shared_ptr<ForeignFunction> function;
  Attrs attrs;  // that name it
  std::shared_ptr<PyForeign> of_integers;
  // Which loops NumPy tries before those over float64 and over integers.
  bool singles_before_doubles = false, singles_before_integers = false;
};
using PyForeignPtr = std::shared_ptr<PyForeign>;

bool takes_integers(const std::string& type) {
  return type.find_first_not_of("ldq->") == std::string::npos &&
         type.find_first_of("lq") != std::string::npos &&
         (sizeof(long) == sizeof(int64_t) || type.find('l') == std::string::npos);
}

PyForeign finished(std::shared_ptr<ForeignFunction> f) {
  if (f->n_in + f->n_out > ForeignFunction::most_operands)
    throw_error<TypeError>(f->name, ": has more operands than can be applied");
  for (size_t j = 0; j < f->n_out; ++j)
    for (size_t i = 0; i < f->n_in; ++i) f->set_partial(j, i, {});
  Attrs attrs = foreign_attrs(f);
  return {std::move(f), std::move(attrs), nullptr};
}

// Of the loops over floats, or of the one over whole numbers.
PyForeign foreign_of(const py::object& ufunc, std::string name, bool whole) {
  const Loops loops(ufunc);
  auto f = std::make_shared<ForeignFunction>();
  f->name = std::move(name);
  f->n_in = static_cast<size_t>(loops.head.nin);
  f->n_out = static_cast<size_t>(loops.head.nout);
  bool any_single = false, before_doubles = false, before_integers = false;
  for (int k = 0; k < loops.head.ntypes; ++k) {
    const std::string type = loops.type(k);
    any_single |= is_all(type, 'f');
    before_doubles |= any_single && is_all(type, 'd');
    before_integers |= any_single && takes_integers(type);
    if (whole && takes_integers(type)) {
      f->whole = loops.loop(k);
      for (size_t i = 0; i < f->n_in; ++i)
        if (type[i] != 'd') f->whole_inputs |= 1u << i;
    } else if (!whole && is_all(type, 'd')) {
      f->f64 = loops.loop(k);
    } else if (!whole && is_all(type, 'f')) {
      f->f32 = loops.loop(k);
    }
  }
  if (f->f64.run == nullptr && f->whole.run == nullptr)
    throw_error<TypeError>(f->name, ": has no loop over ", whole ? "integers" : "float64");
  PyForeign made = finished(std::move(f));
  made.singles_before_doubles = before_doubles;
  made.singles_before_integers = before_integers;
  return made;
}

PyForeign foreign_of_pairs(const py::object& ufunc, std::string name) {
  const Loops loops(ufunc);
  auto f = std::make_shared<ForeignFunction>();
  f->name = std::move(name);
  for (int k = 0; k < loops.head.ntypes; ++k) {
    const std::string type = loops.type(k);
    if (type.find('D') == std::string::npos) continue;
    set_paired_loops(*f, loops.loop(k), type);
    return finished(std::move(f));
  }
  throw_error<TypeError>(f->name, ": has no loop over complex numbers of double precision");
}

PyForeign foreign_of_own(std::string name) {
  auto f = std::make_shared<ForeignFunction>();
  f->name = std::move(name);
  set_own_loops(*f, f->name);
  return finished(std::move(f));
}

bool is_integer(PyObject* x) {
  if (PyLong_CheckExact(x)) return true;
  if (is_variable(x)) return !is_floating(variable_cell(x).type().dtype);
  if (!py::hasattr(x, "dtype")) return false;
  const auto kind = py::handle(x).attr("dtype").attr("kind").cast<std::string>();
  return kind == "i" || kind == "u" || kind == "b";
}

double number_of(PyObject* x) {
  const double number = PyFloat_CheckExact(x) ? PyFloat_AS_DOUBLE(x) : PyLong_AsDouble(x);
  if (number == -1.0 && PyErr_Occurred()) throw py::error_already_set();
  return number;
}

int64_t whole_number_of(PyObject* x) {
  const long long number = PyLong_AsLongLong(x);
  if (number == -1 && PyErr_Occurred()) throw py::error_already_set();
  return number;
}

bool is_python_number(PyObject* x) { return PyFloat_CheckExact(x) || PyLong_CheckExact(x); }

bool is_single(PyObject* x) {
  if (is_variable(x)) return variable_cell(x).type().dtype == DType::float32;
  return py::hasattr(x, "dtype") && py::handle(x).attr("dtype").attr("char").cast<char>() == 'f';
}

// The function for these operands.
const PyForeign& chosen(const PyForeign& f, std::span<PyObject* const> operands) {
  if (!f.of_integers) return f;
  bool single = f.singles_before_integers;  // of float32, beside which Python's ints are that too
  for (size_t i = 0; i < operands.size(); ++i) {
    if (f.of_integers->function->whole_inputs >> i & 1 && !is_integer(operands[i])) return f;
    single &= is_python_number(operands[i]) || is_single(operands[i]);
  }
  return single ? f : *f.of_integers;
}

// (constants, ((what, operands), ...), result): `what` is the name of an op or a Foreign.
Formula to_formula(const ForeignFunction& f, const py::tuple& given) {
  Formula made;
  made.n_inputs = static_cast<uint32_t>(f.n_in + f.n_out);
  made.constants = given[0].cast<std::vector<double>>();
  auto next = made.n_inputs + static_cast<uint32_t>(made.constants.size());
  for (const auto& item : given[1].cast<py::tuple>()) {
    const auto pair = item.cast<py::tuple>();
    Formula::Step step;
    step.args = pair[1].cast<std::vector<uint32_t>>();
    step.first_out = next;
    size_t n_out = 1;
    if (py::isinstance<py::str>(pair[0])) {
      const auto name = pair[0].cast<std::string>();
      step.op = find_op(name);
      if (step.op == nullptr)
        throw_error<ValueError>(f.name, ": its derivative needs an operation named '", name,
                                "', and there is none");
    } else {
      const auto other = pair[0].cast<PyForeignPtr>()->function;
      step.op = &foreign_op(*other);
      step.attrs = foreign_attrs(other);
      n_out = other->n_out;
    }
    next += static_cast<uint32_t>(n_out);
    made.steps.push_back(std::move(step));
  }
  made.result = given[2].cast<uint32_t>();
  return made;
}

// Loops run without the interpreter's lock where they are long. What they report comes as Python's
// error of this thread.
constexpr int64_t long_loop = 20000;

void* begin_loop(int64_t n) {
  return n >= long_loop && PyGILState_Check() ? PyEval_SaveThread() : nullptr;
}

void end_loop(void* state) {
  if (state != nullptr) take_lock(static_cast<PyThreadState*>(state));
  if (!PyGILState_Check()) {
    if (in_parallel()) return;
    const py::gil_scoped_acquire lock;
    if (PyErr_Occurred()) throw py::error_already_set();
  } else if (PyErr_Occurred()) {
    throw py::error_already_set();
  }
}

}  // namespace

PyObject* apply_foreign(PyObject* object, PyObject* const* given, Py_ssize_t n) {
  return guard([&] {
    auto* const instance = reinterpret_cast<py::detail::instance*>(object);
    const auto* const held = static_cast<PyForeign*>(instance->get_value_and_holder().value_ptr());
    std::span<PyObject* const> operands(given, static_cast<size_t>(n));
    const PyForeign& known = chosen(*held, operands);
    const auto& f = known.function;
    // Python's numbers take the dtype of what they meet. Where NumPy tries the loop over float64
    // first they lead to that one.
    const bool as_doubles = !known.singles_before_doubles && f->f64.run != nullptr;
    std::vector<py::object> numbers;
    std::vector<PyObject*> replaced;
    for (size_t i = 0; i < operands.size(); ++i) {
      const bool whole = f->whole_inputs >> i & 1 && PyLong_CheckExact(operands[i]);
      if (!whole && !(as_doubles && is_python_number(operands[i]))) continue;
      PyObject* const number =
          whole ? to_plain_result(Value::integer_scalar(whole_number_of(operands[i])),
                                  NumberKind::array)
                : to_plain_result(Value(number_of(operands[i])), NumberKind::numpy);
      numbers.push_back(py::reinterpret_steal<py::object>(number));
      if (replaced.empty()) replaced.assign(operands.begin(), operands.end());
      replaced[i] = numbers.back().ptr();
    }
    if (!replaced.empty()) operands = replaced;
    return apply_to_objects(foreign_op(*f), operands, known.attrs);
  });
}

void bind_foreign(py::module_& m) {
  foreign_host = {begin_loop, end_loop};
  py::class_<PyForeign, PyForeignPtr>(
      m, "Foreign", "A universal function of another library, which runs by its own loops.")
      .def(py::init(&foreign_of), py::arg("ufunc"), py::arg("name"), py::arg("whole") = false)
      .def_static("of_pairs", &foreign_of_pairs, py::arg("ufunc"), py::arg("name"),
                  "Its loop over complex numbers, as one over real and imaginary parts.")
      .def_static("of_own", &foreign_of_own, py::arg("name"),
                  "A function of parameters of the core's own.")
      .def_property_readonly("n_in", [](const PyForeign& f) { return f.function->n_in; })
      .def_property_readonly("n_out", [](const PyForeign& f) { return f.function->n_out; })
      .def(
          "set_partial",
          [](const PyForeign& f, size_t output, size_t input, const py::object& partial) {
            ForeignFunction& function = *f.function;
            if (partial.is_none()) {
              function.set_partial(output, input, {});
            } else if (py::isinstance<py::str>(partial)) {
              function.set_partial(output, input, partial.cast<std::string>());
            } else {
              function.set_partial(output, input, to_formula(function, partial.cast<py::tuple>()));
            }
          },
          py::arg("output"), py::arg("input"), py::arg("partial"),
          "The derivative of an output by an input: a formula, None where it is 0, or the text of "
          "its refusal.")
      .def(
          "set_of_integers", [](PyForeign& f, const PyForeignPtr& other) { f.of_integers = other; },
          py::arg("other"),
          "What takes its place where arguments that are whole numbers are integers.")
      .def("__call__", [](const py::object& self, const py::args& args) {
        PyObject* found = apply_foreign(self.ptr(), PySequence_Fast_ITEMS(args.ptr()),
                                        PyTuple_GET_SIZE(args.ptr()));
        if (found == nullptr) throw py::error_already_set();
        return py::reinterpret_steal<py::object>(found);
      });
  m.def(
      "add_ufunc",
      [](const py::object& ufunc, const py::object& what) {
        if (!py::isinstance<py::str>(what)) return add_to_ufunc_table(ufunc.ptr(), -1, what.ptr());
        const auto name = what.cast<std::string>();
        const std::optional<ScalarFn> fn = find_scalar_fn(name);
        if (!fn) throw_error<ValueError>("there is no elementwise operation named '", name, "'");
        add_to_ufunc_table(ufunc.ptr(), static_cast<int>(*fn), nullptr);
      },
      py::arg("ufunc"), py::arg("what"),
      "Lets the core answer for a universal function: by the name of an op, or a Foreign.");
}

}  // namespace tapegrad
