#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/blanks/blanks.h"
#include "bindings/convert.h"
#include "bindings/functions.h"
#include "bindings/interpreter.h"
#include "bindings/recording.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/grad.h"

// Scopes of differentiation, and the short ways of tg.grad, tg.value_and_grad, tg.jacobian, tg.jvp
// and tg.hvp: calls with a number or an array of floats, in which the function returns one number
// (or an array, where that has such derivatives). All of such a call is done here, in the order of
// transforms/gradients.py. A call with other arguments is refused
// before anything has happened (NotImplemented); where the function returned something else, the
// package goes on from there (`rest`).

namespace tapegrad {
namespace {

struct PyScope {
  std::unique_ptr<Scope> scope;
  Scope& get() {
    if (!scope)
      throw_error<RuntimeError>(
          "the differentiation scope is closed; use it inside its with block");
    return *scope;
  }
};

py::object to_object(const Variable& v) {
  v.cell().retain();
  return py::reinterpret_steal<py::object>(new_variable(&v.cell()));
}

// What was recorded in the scope counts, also where a block of no_grad was left open.
Ref ref_of(PyObject* x, const char* what) {
  const RecordingGuard recorded(true);
  return to_operand(x, what).ref;
}

std::vector<Ref> refs_of(const py::iterable& items, const char* what) {
  std::vector<Ref> refs;
  for (py::handle h : items) refs.push_back(ref_of(h.ptr(), what));
  return refs;
}

// Leaves the innermost scope, which it comes from.
py::object leaving(Ref r) { return from_ref(std::move(r), Tape::current().innermost_scope()); }

py::list list_of(std::vector<Ref> refs) {
  py::list out;
  for (Ref& r : refs) out.append(leaving(std::move(r)));
  return out;
}

Variable argument_of(Scope& scope, PyObject* x) {
  Variable v = scope.argument(to_operand(x, "grad").ref);
  if (is_array(x)) v.cell().count_as_array();
  return v;
}

py::object result_of(Scope& scope, const py::object& x) {
  if (!is_variable(x.ptr())) return x;
  const RecordingGuard recorded(true);
  const Ref r = variable_cell(x.ptr()).ref();
  const Ref out = scope.result(r);
  if (!out.tracked()) return from_ref(out);
  learn_result(out, Tape::current().innermost_scope());
  return x;
}

bool is_array_of_floats(PyObject* x) {
  const auto& api = py::detail::npy_api::get();
  if (Py_TYPE(x) != api.PyArray_Type_) return false;
  const int num = py::reinterpret_borrow<py::dtype>(py::detail::array_proxy(x)->descr).num();
  return num == py::detail::npy_api::NPY_DOUBLE_ || num == py::detail::npy_api::NPY_FLOAT_;
}

bool is_leaf_at_once(PyObject* x) {
  return PyFloat_CheckExact(x) || Py_TYPE(x) == variable_type || is_array_of_floats(x);
}

bool are_alike(PyObject* x, PyObject* v) {
  if (PyFloat_CheckExact(x)) return PyFloat_CheckExact(v);
  if (!is_array_of_floats(x) || !is_array_of_floats(v)) return false;
  const auto *a = py::detail::array_proxy(x), *b = py::detail::array_proxy(v);
  return a->nd == b->nd && std::equal(a->dimensions, a->dimensions + a->nd, b->dimensions);
}

bool is_differentiated(PyObject* out) {
  if (Py_TYPE(out) != variable_type) return false;
  Cell& cell = variable_cell(out);
  return !cell.is_blank() && is_floating(cell.value().dtype());
}

bool is_number(PyObject* out) {
  return is_differentiated(out) && variable_cell(out).value().ndim() == 0;
}

// One call of `f` in a scope of its own, with one argument differentiated.
class ScopedCall {
 public:
  explicit ScopedCall(PyObject* x) : chosen_(x), variable_(argument_of(*scope_, x)) {}

  const Variable& variable() const { return variable_; }
  // A handle of f's own: writing to it must not move what is differentiated by.
  py::object handle() const {
    return py::reinterpret_steal<py::object>(new_like(variable_.cell(), variable_.cell().ref()));
  }

  // With the handle in the k-th place.
  py::tuple arguments(const py::tuple& args, py::ssize_t k) const {
    py::tuple given(args.size());
    for (py::ssize_t i = 0; i < static_cast<py::ssize_t>(args.size()); ++i)
      PyTuple_SET_ITEM(
          given.ptr(), i,
          i == k ? handle().release().ptr() : Py_NewRef(PyTuple_GET_ITEM(args.ptr(), i)));
    return given;
  }

  // The gradient of the number that the function returned, or what `rest` makes of anything else.
  py::object gradient(const py::object& out, bool with_value, const py::object& rest) {
    if (!is_number(out.ptr())) return go_on(out, rest);
    const Ref outputs[] = {ref_of(out.ptr(), "grad")}, wrt[] = {ref()};
    std::vector<Ref> found = scope_->grad(outputs, wrt, {});
    if (!scope_->reached()) return go_on(out, rest);  // which warns of it
    py::object g = leaving(std::move(found[0]));
    if (!with_value) return g;
    return py::make_tuple(result_of(*scope_, out), g);
  }

  // All derivatives, in the mode that takes fewer sweeps where it says none.
  py::object jacobian(const py::object& out, std::optional<bool> reverse, const py::object& rest) {
    if (!is_differentiated(out.ptr())) return go_on(out, rest);
    const Ref output = ref_of(out.ptr(), "jacobian"), wrt = ref();
    const bool backward = reverse.value_or(output.size() <= wrt.size());
    return leaving(std::move(scope_->jacobian(output, {&wrt, 1}, backward)[0]));
  }

  py::object value_and_tangent(const py::object& out, PyObject* direction, const py::object& rest) {
    if (!is_differentiated(out.ptr())) return go_on(out, rest);
    const py::object found = tangent(out, direction);
    return py::make_tuple(result_of(*scope_, out), found);
  }

  py::object tangent(const py::object& out, PyObject* direction) {
    const Ref outputs[] = {ref_of(out.ptr(), "jvp")}, wrt[] = {ref()},
              tangents[] = {ref_of(direction, "jvp")};
    return leaving(std::move(scope_->jvp(outputs, wrt, tangents)[0]));
  }

 private:
  Ref ref() const {
    const RecordingGuard recorded(true);
    return variable_.cell().ref("grad");
  }

  py::object go_on(const py::object& out, const py::object& rest) {
    const py::object scope = py::cast(PyScope{std::move(scope_)});
    struct Closing {
      const py::object& scope;
      ~Closing() { scope.cast<PyScope&>().scope.reset(); }
    } closing{scope};
    return in_python([&] { return rest(scope, py::handle(chosen_), to_object(variable_), out); });
  }

  std::unique_ptr<Scope> scope_ = std::make_unique<Scope>();
  PyObject* chosen_;
  Variable variable_;
};

py::object gradient_of_call(const py::object& f, const py::tuple& args, const py::dict& kwargs,
                            py::ssize_t k, bool with_value, const py::object& rest) {
  const auto n = static_cast<py::ssize_t>(args.size());
  if (k >= n || !is_leaf_at_once(PyTuple_GET_ITEM(args.ptr(), k)))
    return py::reinterpret_borrow<py::object>(Py_NotImplemented);
  ScopedCall call(PyTuple_GET_ITEM(args.ptr(), k));
  const py::object out = call_with_blanks(f, call.arguments(args, k), kwargs);
  return call.gradient(out, with_value, rest);
}

// A program records the seeds of many sweeps as lanes.
py::object jacobian_of_call(const py::object& f, const py::tuple& args, const py::dict& kwargs,
                            py::ssize_t k, const py::object& mode, const py::object& rest) {
  if (k >= static_cast<py::ssize_t>(args.size()) || Tape::current().tracing() ||
      !is_leaf_at_once(PyTuple_GET_ITEM(args.ptr(), k)))
    return py::reinterpret_borrow<py::object>(Py_NotImplemented);
  ScopedCall call(PyTuple_GET_ITEM(args.ptr(), k));
  const py::object out = call_with_blanks(f, call.arguments(args, k), kwargs);
  std::optional<bool> reverse;
  if (!mode.is_none()) reverse = mode.cast<std::string>() == "reverse";
  return call.jacobian(out, reverse, rest);
}

py::object tangent_of_call(const py::object& f, const py::tuple& primals, const py::tuple& tangents,
                           const py::object& rest) {
  if (primals.size() != 1 || tangents.size() != 1 ||
      !are_alike(PyTuple_GET_ITEM(primals.ptr(), 0), PyTuple_GET_ITEM(tangents.ptr(), 0)))
    return py::reinterpret_borrow<py::object>(Py_NotImplemented);
  ScopedCall call(PyTuple_GET_ITEM(primals.ptr(), 0));
  const py::object out = call_with_blanks(f, call.arguments(primals, 0), py::dict());
  return call.value_and_tangent(out, PyTuple_GET_ITEM(tangents.ptr(), 0), rest);
}

// Forward over reverse.
py::object hessian_product(const py::object& f, const py::object& x, const py::object& v,
                           const py::object& rest) {
  if (!are_alike(x.ptr(), v.ptr())) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
  ScopedCall outer(x.ptr());
  const auto gradient = [&] {
    const py::object point = outer.handle();
    ScopedCall inner(point.ptr());
    const py::object out = call_with_blanks(f, py::make_tuple(inner.handle()), py::dict());
    return inner.gradient(out, false, rest);
  };
  const py::object g = gradient();
  if (is_variable(g.ptr())) return outer.tangent(g, v.ptr());
  const TensorType type =
      outer.variable().cell().type();  // the same at each point: its own is zero
  return leaving(Ref(Value::zeros(type.dtype, type.shape)));
}

template <class F>
PyObject* fast(F&& f) {
  return guard([&] { return f().release().ptr(); });
}

PyObject* gradient_of_call_function(PyObject*, PyObject* const* a, Py_ssize_t n) {
  return fast([&] {
    if (n != 6 || !PyTuple_Check(a[1]) || !PyDict_Check(a[2]))
      throw_error<TypeError>("gradient_of_call(f, args, kwargs, argnum, with_value, rest)");
    const auto object = [a](int i) { return py::reinterpret_borrow<py::object>(a[i]); };
    return gradient_of_call(object(0), py::reinterpret_borrow<py::tuple>(a[1]),
                            py::reinterpret_borrow<py::dict>(a[2]), PyLong_AsSsize_t(a[3]),
                            a[4] == Py_True, object(5));
  });
}

PyObject* jacobian_of_call_function(PyObject*, PyObject* const* a, Py_ssize_t n) {
  return fast([&] {
    if (n != 6 || !PyTuple_Check(a[1]) || !PyDict_Check(a[2]))
      throw_error<TypeError>("jacobian_of_call(f, args, kwargs, argnum, mode, rest)");
    const auto object = [a](int i) { return py::reinterpret_borrow<py::object>(a[i]); };
    return jacobian_of_call(object(0), py::reinterpret_borrow<py::tuple>(a[1]),
                            py::reinterpret_borrow<py::dict>(a[2]), PyLong_AsSsize_t(a[3]),
                            object(4), object(5));
  });
}

PyObject* tangent_of_call_function(PyObject*, PyObject* const* a, Py_ssize_t n) {
  return fast([&] {
    if (n != 4 || !PyTuple_Check(a[1]) || !PyTuple_Check(a[2]))
      throw_error<TypeError>("tangent_of_call(f, primals, tangents, rest)");
    return tangent_of_call(
        py::reinterpret_borrow<py::object>(a[0]), py::reinterpret_borrow<py::tuple>(a[1]),
        py::reinterpret_borrow<py::tuple>(a[2]), py::reinterpret_borrow<py::object>(a[3]));
  });
}

PyObject* hessian_product_function(PyObject*, PyObject* const* a, Py_ssize_t n) {
  return fast([&] {
    if (n != 4) throw_error<TypeError>("hessian_product(f, x, v, rest)");
    const auto object = [a](int i) { return py::reinterpret_borrow<py::object>(a[i]); };
    return hessian_product(object(0), object(1), object(2), object(3));
  });
}

template <class F>
PyCFunction c_function(F* f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

PyMethodDef short_ways[] = {
    {"gradient_of_call", c_function(gradient_of_call_function), METH_FASTCALL,
     "gradient_of_call(f, args, kwargs, argnum, with_value, rest, /)\n--\n\nThe gradient of a "
     "call, "
     "or the pair of value and gradient; NotImplemented, before anything is called, where the "
     "argument is no number and no array of floats. rest(scope, argument, variable, out) makes the "
     "result of what is no number."},
    {"jacobian_of_call", c_function(jacobian_of_call_function), METH_FASTCALL,
     "jacobian_of_call(f, args, kwargs, argnum, mode, rest, /)\n--\n\nAll derivatives of a call, "
     "in the same way; mode is 'reverse', 'forward' or None."},
    {"tangent_of_call", c_function(tangent_of_call_function), METH_FASTCALL,
     "tangent_of_call(f, primals, tangents, rest, /)\n--\n\nThe pair of value and tangent of a "
     "call, in the same way."},
    {"hessian_product", c_function(hessian_product_function), METH_FASTCALL,
     "hessian_product(f, x, v, rest, /)\n--\n\nThe Hessian times v, in the same way: rest makes "
     "the "
     "gradient of what is no number."}};

}  // namespace

void bind_scope(py::module_& m) {
  for (PyMethodDef& way : short_ways)
    m.attr(way.ml_name) = py::reinterpret_steal<py::object>(PyCFunction_New(&way, nullptr));
  py::class_<PyScope>(m, "Scope", "A differentiation scope on this thread.")
      .def(py::init([] { return PyScope{}; }))
      .def("__enter__",
           [](py::object self) {
             see_context();
             self.cast<PyScope&>().scope = std::make_unique<Scope>();
             return self;
           })
      .def("__exit__", [](PyScope& self, const py::args&) { self.scope.reset(); })
      .def("argument",
           [](PyScope& self, const py::object& x) {
             return to_object(argument_of(self.get(), x.ptr()));
           })
      .def(
          "grad",
          [](PyScope& self, const py::iterable& outputs, const py::iterable& wrt,
             const py::object& seeds) {
            std::vector<Ref> outs = refs_of(outputs, "grad"), ins = refs_of(wrt, "grad"), s;
            if (!seeds.is_none()) s = refs_of(py::reinterpret_borrow<py::iterable>(seeds), "grad");
            return list_of(self.get().grad(outs, ins, s));
          },
          py::arg("outputs"), py::arg("wrt"), py::arg("seeds") = py::none())
      .def_property_readonly(
          "reached", [](PyScope& self) { return self.get().reached(); },
          "Whether the outputs of the last grad depended on any of its wrt.")
      .def("jvp",
           [](PyScope& self, const py::iterable& outputs, const py::iterable& wrt,
              const py::iterable& tangents) {
             return list_of(self.get().jvp(refs_of(outputs, "jvp"), refs_of(wrt, "jvp"),
                                           refs_of(tangents, "jvp")));
           })
      .def(
          "jacobian",
          [](PyScope& self, const py::object& output, const py::iterable& wrt,
             const std::string& mode) {
            if (mode != "reverse" && mode != "forward")
              throw_error<ValueError>("jacobian: mode must be 'reverse' or 'forward', got '", mode,
                                      "'");
            py::list outputs;
            outputs.append(output);
            return list_of(self.get().jacobian(refs_of(outputs, "jacobian")[0],
                                               refs_of(wrt, "jacobian"), mode == "reverse"));
          },
          py::arg("output"), py::arg("wrt"), py::arg("mode") = "reverse")
      .def("result", [](PyScope& self, const py::object& x) { return result_of(self.get(), x); });
}

}  // namespace tapegrad
