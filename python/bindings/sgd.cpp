#include "tapegrad/autodiff/sgd.h"

#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/functions.h"
#include "bindings/variable/complex.h"
#include "bindings/variable/variable_type.h"

namespace tapegrad {
namespace {

// Python's own Variables are kept beside their cells: pickled together with a model, an optimiser
// must come back with that model's parameters.
struct BoundSgd {
  SGD sgd;
  py::tuple params;
};

BoundSgd make_sgd(const py::object& params, const SgdSettings& settings) {
  if (is_variable(params.ptr()))
    throw_error<TypeError>("SGD: params must be a list of Variables; write SGD([w], lr=...)");
  if (!py::isinstance<py::iterable>(params))
    throw_error<TypeError>("SGD: params must be a list of Variables, got ",
                           py::repr(params).cast<std::string>());
  const py::tuple held(params);
  std::vector<py::object> leaves;
  for (py::handle h : held) {
    const bool is_pair = is_complex(h.ptr()) && is_variable(h.attr("_re").ptr());
    if (is_pair) leaves.insert(leaves.end(), {h.attr("_re"), h.attr("_im")});
    if (!is_pair) leaves.push_back(py::reinterpret_borrow<py::object>(h));
  }
  std::vector<Variable> all;
  for (const py::object& h : leaves) {
    if (!is_variable(h.ptr()))
      throw_error<TypeError>("SGD: parameter ", all.size(), " is no Variable but ",
                             py::repr(h).cast<std::string>(), "; wrap it with tg.Variable(x)");
    Cell& c = variable_cell(h.ptr());
    c.retain();
    all.emplace_back(CellPtr(&c));
  }
  return {SGD(std::move(all), settings), held};
}

// The settings, the parameters, a velocity for each (None before its first step), and what a
// subclass in Python keeps.
py::tuple state_of(const py::object& self) {
  const auto& s = self.cast<const BoundSgd&>();
  py::list velocities;
  for (size_t i = 0; i < s.sgd.params().size(); ++i) {
    const Value* v = s.sgd.velocity(i);
    velocities.append(v ? to_object(v->copy()) : py::none());
  }
  const SgdSettings& settings = s.sgd.settings();
  return py::make_tuple(s.params,
                        py::make_tuple(settings.lr, settings.momentum, settings.dampening,
                                       settings.nesterov, settings.weight_decay),
                        velocities, py::getattr(self, "__dict__", py::dict()));
}

std::pair<BoundSgd, py::dict> from_state(const py::tuple& state) {
  if (state.size() != 4) throw_error<ValueError>("SGD: this is no pickled state of an SGD");
  const auto settings = state[1].cast<py::tuple>();
  BoundSgd s =
      make_sgd(state[0], SgdSettings{settings[0].cast<double>(), settings[1].cast<double>(),
                                     settings[2].cast<double>(), settings[3].cast<bool>(),
                                     settings[4].cast<double>()});
  size_t i = 0;
  for (py::handle v : state[2]) {
    if (!v.is_none()) s.sgd.set_velocity(i, to_value(v.ptr(), "SGD"));
    ++i;
  }
  return {std::move(s), state[3].cast<py::dict>()};
}

}  // namespace

void bind_sgd(py::module_& m) {
  py::class_<BoundSgd>(
      m, "SGD",
      "Stochastic gradient descent on Variables, in place.\n\n"
      "params: the leaves to update. lr, momentum, dampening, weight_decay: numbers of at least "
      "0.\n"
      "Each step: g = grad + weight_decay * p; v = momentum * v + (1 - dampening) * g (v = g at "
      "first);\n"
      "p -= lr * v, or lr * (g + momentum * v) with nesterov (Sutskever et al., ICML 2013).\n"
      "ValueError for settings out of range and for parameters that are not leaves.\n\n"
      ">>> import tapegrad as tg\n"
      ">>> w = tg.Variable(1.0)\n"
      ">>> optimizer = tg.SGD([w], lr=0.5)\n"
      ">>> (w * w).backward()\n"
      ">>> optimizer.step()\n"
      ">>> optimizer.zero_grad()\n"
      ">>> w.value, w.grad\n"
      "(0.0, None)\n")
      .def(py::init([](const py::object& params, double lr, double momentum, double dampening,
                       bool nesterov, double weight_decay) {
             return make_sgd(params, {lr, momentum, dampening, nesterov, weight_decay});
           }),
           py::arg("params"), py::arg("lr") = 0.01, py::arg("momentum") = 0.0,
           py::arg("dampening") = 0.0, py::arg("nesterov") = false, py::arg("weight_decay") = 0.0)
      .def(
          "step", [](BoundSgd& s) { s.sgd.step(); }, "Updates every parameter that has a gradient.")
      .def(
          "zero_grad", [](BoundSgd& s) { s.sgd.zero_grad(); }, "Sets every .grad to None.")
      .def_property(
          "lr", [](const BoundSgd& s) { return s.sgd.settings().lr; },
          [](BoundSgd& s, double lr) { s.sgd.set_lr(lr); }, "The step size. Settable.")
      .def(py::pickle(&state_of, &from_state));
}

}  // namespace tapegrad
