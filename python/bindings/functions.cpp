#include "bindings/functions.h"

#include <pybind11/stl.h>

#include <string_view>
#include <unordered_map>

#include "bindings/convert.h"
#include "bindings/recording.h"
#include "bindings/variable/apply.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/autodiff/learn.h"
#include "tapegrad/ops/integers.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/tape/data_values.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {

py::object from_ref(Ref r, uint32_t scope) {
  r = in_c_order(r);
  learn_result(r, scope);
  if (!r.tracked()) return to_object(std::move(r).take_value());
  return py::reinterpret_steal<py::object>(new_variable(std::move(r)));
}

namespace {

int64_t to_int(py::handle h) {
  const py::object n = py::reinterpret_steal<py::object>(PyNumber_Index(h.ptr()));
  if (!n) throw py::error_already_set();
  int overflow = 0;
  const int64_t found = PyLong_AsLongLongAndOverflow(n.ptr(), &overflow);
  if (overflow == 0) return found;
  PyErr_Format(PyExc_OverflowError, "the integer %R does not fit in 64 bits", n.ptr());
  throw py::error_already_set();
}

Attr to_attr(py::handle h) {
  if (h.is_none()) return {};
  if (PyBool_Check(h.ptr())) return h.ptr() == Py_True;
  if (PyLong_Check(h.ptr())) return to_int(h);
  if (PyFloat_Check(h.ptr())) return h.cast<double>();
  if (PyUnicode_Check(h.ptr())) return h.cast<std::string>();
  if (PyTuple_Check(h.ptr()) || PyList_Check(h.ptr())) {
    std::vector<int64_t> items;
    for (py::handle item : h) items.push_back(to_int(item));
    return items;
  }
  if (PyIndex_Check(h.ptr())) return to_int(h);
  throw_error<TypeError>(
      "an attribute must be None, bool, int, float, str or a sequence of ints, got ",
      py::repr(h).cast<std::string>());
}

// Names are mostly the same interned strings: remembered by address.
const Op& named_op(PyObject* name) {
  static std::unordered_map<PyObject*, const Op*> known;
  const auto it = known.find(name);
  if (it != known.end()) return *it->second;
  if (!PyUnicode_Check(name))
    throw_error<TypeError>("apply: the name of the operation must be a string");
  const char* text = PyUnicode_AsUTF8(name);
  const Op* op = find_op(text);
  if (op == nullptr) throw_error<ValueError>("there is no operation named '", text, "'");
  if (PyUnicode_CHECK_INTERNED(name)) {
    Py_INCREF(name);
    known.emplace(name, op);
  }
  return *op;
}

// A tuple in the op's order, or a dict by name.
Attrs to_attrs(const Op& op, py::handle h) {
  if (PyTuple_Check(h.ptr())) {
    const auto n = static_cast<size_t>(PyTuple_GET_SIZE(h.ptr()));
    std::vector<Attr> items;
    items.reserve(n);
    for (size_t i = 0; i < n; ++i)
      items.push_back(to_attr(PySequence_Fast_GET_ITEM(h.ptr(), static_cast<Py_ssize_t>(i))));
    Attrs attrs(std::move(items));
    check_attrs(op, attrs);
    return attrs;
  }
  if (!PyDict_Check(h.ptr()))
    throw_error<TypeError>(op.name, ": attributes come as a tuple or as a dict of names");
  std::vector<std::pair<std::string_view, Attr>> given;
  for (const auto& [name, item] : py::reinterpret_borrow<py::dict>(h)) {
    if (!PyUnicode_Check(name.ptr()))
      throw_error<TypeError>(op.name, ": names of attributes are strings");
    given.emplace_back(PyUnicode_AsUTF8(name.ptr()), to_attr(item));
  }
  return named_attrs(op, given);
}

// apply(name, inputs, attrs=()) -> Variable, plain value, or a tuple of them.
PyObject* apply_function(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guard([&]() -> PyObject* {
    if (n < 2 || n > 3 || !PyTuple_Check(args[1]))
      throw_error<TypeError>("apply(name, inputs, attrs=()): inputs are a tuple");
    const Op& op = named_op(args[0]);
    Attrs attrs;
    if (n == 3) {
      attrs = to_attrs(op, args[2]);
    } else {
      check_attrs(op, attrs);
    }
    PyObject** const inputs = PySequence_Fast_ITEMS(args[1]);
    return apply_to_objects(op, {inputs, static_cast<size_t>(PyTuple_GET_SIZE(args[1]))}, attrs);
  });
}

PyMethodDef apply_definition = {
    "apply", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(apply_function)),
    METH_FASTCALL, "apply(name, inputs, attrs=(), /)\n--\n\nApplies an operation by name."};

Cell& cell_of(py::handle h, const char* what) {
  if (!is_variable(h.ptr()))
    throw_error<TypeError>(what, " must be Variables, got ", py::repr(h).cast<std::string>());
  return variable_cell(h.ptr());
}

std::vector<Variable> to_variables(const py::iterable& items, const char* what) {
  std::vector<Variable> all;
  for (py::handle h : items) {
    Cell& c = cell_of(h, what);
    c.retain();
    all.emplace_back(CellPtr(&c));
  }
  return all;
}

py::object to_object(const Variable& v) {
  v.cell().retain();
  return py::reinterpret_steal<py::object>(new_variable(&v.cell()));
}

py::list grad_of_variables(const py::iterable& outputs, const py::iterable& wrt,
                           const py::object& seeds, const py::object& record) {
  see_context();
  const std::vector<Variable> outs = to_variables(outputs, "grad: outputs"),
                              ins = to_variables(wrt, "grad: wrt");
  std::vector<Ref> given;
  if (!seeds.is_none())
    for (py::handle h : seeds) {
      Ref r = to_operand(h.ptr(), "grad: seeds").ref;
      if (given.size() < outs.size() && !r.tracked())
        r = Ref(r.value().cast(outs[given.size()].value().dtype()));
      given.push_back(std::move(r));
    }
  if (!seeds.is_none() && given.size() != outs.size())
    throw_error<ValueError>("grad: ", outs.size(), " outputs but ", given.size(),
                            " seeds; give one for each");
  const std::optional<bool> recorded =
      record.is_none() ? std::nullopt : std::optional(record.cast<bool>());
  py::list out;
  for (Variable& g : grad(outs, ins, given, recorded)) {
    if (g.cell().is_leaf()) {
      Value plain = g.value();
      g = Variable(CellPtr());  // the buffer is the array's alone
      out.append(from_ref(Ref(std::move(plain))));
    } else {
      if (Tape::current().tracing()) learn_result(g.cell().ref());
      out.append(to_object(g));
    }
  }
  return out;
}

}  // namespace

void bind_functions(py::module_& m) {
  m.attr("apply") = py::reinterpret_steal<py::object>(PyCFunction_New(&apply_definition, nullptr));
  m.def("op_names", [] {
    py::list names;
    for (int i = 0; i < op_count(); ++i) names.append(op_by_id(static_cast<uint16_t>(i)).name);
    return names;
  });
  m.def("op_summary", [](const std::string& name) {
    const Op* op = find_op(name);
    if (op == nullptr) throw_error<ValueError>("there is no operation named '", name, "'");
    return std::string(op->summary);
  });
  m.def(
      "infer",
      [](const std::string& name, const py::tuple& inputs, const py::object& attrs) {
        const Op* op = find_op(name);
        if (op == nullptr || op->infer == nullptr)
          throw_error<ValueError>("no shape rule for '", name, "'");
        std::vector<TensorType> types;
        for (py::handle h : inputs) types.push_back(to_operand(h.ptr(), op->name).ref.type());
        py::list out;
        for (const TensorType& t : op->infer(to_attrs(*op, attrs), types))
          out.append(
              py::make_tuple(py::tuple(py::cast(to_vector(t.shape))), dtype_object(t.dtype)));
        return out;
      },
      py::arg("name"), py::arg("inputs"), py::arg("attrs") = py::tuple(),
      "Shapes and dtypes of an operation's results.");
  m.def(
      "set_hooks",
      [](const py::object& array_function, const py::object& array_ufunc) {
        hooks.array_function = array_function.inc_ref().ptr();
        hooks.array_ufunc = array_ufunc.inc_ref().ptr();
      },
      py::arg("array_function"), py::arg("array_ufunc"));
  m.def(
      "set_complex_type", [](const py::object& type) { set_complex_type(type.ptr()); },
      py::arg("type"), "Says which class stands for complex arrays.");
  m.def(
      "holds_complex", [](const py::object& x) { return holds_complex(x.ptr()); }, py::arg("x"),
      "Whether there is a complex number, array or dtype in a nesting of arguments.");
  m.def("grad", &grad_of_variables, py::arg("outputs"), py::arg("wrt"),
        py::arg("seeds") = py::none(), py::arg("record") = py::none(),
        "Gradients of the outputs with respect to each Variable of wrt.\n\n"
        ">>> import tapegrad as tg\n>>> w = tg.Variable(3.0)\n>>> tg.grad([w * w], [w])\n[6.0]\n");
  m.def(
      "value",
      [](const py::object& x) -> py::object {
        if (!is_variable(x.ptr())) return x;
        Cell& v = variable_cell(x.ptr());
        if (!Tape::current().tracing()) return to_object(v.value());
        // What the plain function has there.
        return py::reinterpret_steal<py::object>(
            to_plain_result(learn_value(v).copy(), is_weak(v)      ? NumberKind::python
                                                   : v.is_number() ? NumberKind::numpy
                                                                   : NumberKind::array));
      },
      py::arg("x"));
  m.def(
      "stop_gradient",
      [](const py::object& x) -> py::object {
        if (!is_variable(x.ptr())) return x;
        Ref r = stop_gradient(variable_cell(x.ptr()));
        if (r.tracked())
          return py::reinterpret_steal<py::object>(new_like(variable_cell(x.ptr()), std::move(r)));
        return py::reinterpret_steal<py::object>(to_plain_result(
            std::move(r).take_value(), is_array(x.ptr()) ? NumberKind::array : NumberKind::numpy));
      },
      py::arg("x"));
  m.def(
      "constant",
      [](const py::object& x) {
        if (Tape::current().tracing())
          throw_error<RuntimeError>("constant: no program may keep a copy of what it reads");
        Ref r(to_value(x.ptr(), "constant").copy());
        return py::reinterpret_steal<py::object>(new_variable(std::move(r)));
      },
      py::arg("x"), "A Variable that holds a copy of floats, without a derivative.");
  m.def("is_variable", [](const py::handle& x) { return is_variable(x.ptr()); });
  m.def(
      "free_shape",
      [](const py::handle& x) {
        if (!is_variable(x.ptr())) throw_error<TypeError>("free_shape: expects a Variable");
        return py::tuple(py::cast(to_vector(variable_cell(x.ptr()).type().shape)));
      },
      py::arg("x"),
      "The shape of a Variable, for what does the same with every length: a program may serve "
      "other lengths.");
  m.def(
      "read_length", [] { learn_lengths(); },
      "Notes that plain code depends on a length: what is being recorded holds for it alone.");
  m.def(
      "lose_weakness",
      [](const py::handle& x) {
        if (is_variable(x.ptr())) lose_weakness(variable_cell(x.ptr()));
      },
      py::arg("x"), "Notes that a recorded Python float is seen as a float64.");
  m.def(
      "index_number",
      [](const py::handle& x) -> py::object {
        Cell& cell = variable_cell(x.ptr());
        if (!is_python_integer(cell)) return py::reinterpret_borrow<py::object>(x);
        const Operand operand[] = {{.ref = cell.ref("index")}};
        return py::reinterpret_steal<py::object>(
            new_variable(integer_arithmetic(scalar_fn_of<Positive>(), operand).value()));
      },
      py::arg("x"), "A recorded whole number as a position: one of NumPy's where it is Python's.");
  m.def(
      "memory_strides",
      [](const py::handle& v) -> py::object {
        if (!is_variable(v.ptr())) throw_error<TypeError>("memory_strides: expects a Variable");
        Cell& cell = variable_cell(v.ptr());
        if (cell.lies_in_c_order()) return py::none();
        return py::tuple(py::cast(to_vector(cell.numpy_strides())));
      },
      py::arg("v"),
      "The strides, in elements, that NumPy's array would have; None where it would be packed in C "
      "order.");
  m.def(
      "as_float",
      [](const py::object& x) -> py::object {
        if (is_variable(x.ptr()))
          return py::reinterpret_steal<py::object>(new_variable(as_weak(variable_cell(x.ptr()))));
        return PyFloat_Check(x.ptr()) ? py::object(py::float_(PyFloat_AS_DOUBLE(x.ptr()))) : x;
      },
      py::arg("x"), "A float64 as a Python float, which takes the precision of what it meets.");
  m.def(
      "is_weak",
      [](const py::handle& x) { return is_variable(x.ptr()) && is_weak(variable_cell(x.ptr())); },
      py::arg("x"), "Whether a recorded number is one of Python's in the function itself.");
  m.def("is_leaf", [](const py::handle& x) {
    return is_variable(x.ptr()) && variable_cell(x.ptr()).is_leaf();
  });
  m.def("live_nodes", [] {
    Tape::current().drain_releases();
    return Tape::current().live_nodes();
  });
}

}  // namespace tapegrad
