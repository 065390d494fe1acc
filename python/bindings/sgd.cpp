#include "tapegrad/autodiff/sgd.h"

#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/functions.h"
#include "bindings/variable/variable_type.h"

namespace tapegrad {

void bind_sgd(py::module_& m) {
  py::class_<SGD>(
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
             std::vector<Variable> all;
             if (is_variable(params.ptr()))
               throw_error<TypeError>(
                   "SGD: params must be a list of Variables; write SGD([w], lr=...)");
             if (!py::isinstance<py::iterable>(params))
               throw_error<TypeError>("SGD: params must be a list of Variables, got ",
                                      py::repr(params).cast<std::string>());
             for (py::handle h : py::reinterpret_borrow<py::iterable>(params)) {
               if (!is_variable(h.ptr()))
                 throw_error<TypeError>("SGD: parameter ", all.size(), " is no Variable but ",
                                        py::repr(h).cast<std::string>(),
                                        "; wrap it with tg.Variable(x)");
               Cell& c = variable_cell(h.ptr());
               c.retain();
               all.emplace_back(CellPtr(&c));
             }
             return SGD(std::move(all),
                        SgdSettings{lr, momentum, dampening, nesterov, weight_decay});
           }),
           py::arg("params"), py::arg("lr") = 0.01, py::arg("momentum") = 0.0,
           py::arg("dampening") = 0.0, py::arg("nesterov") = false, py::arg("weight_decay") = 0.0)
      .def(
          "step", [](SGD& s) { s.step(); }, "Updates every parameter that has a gradient.")
      .def(
          "zero_grad", [](SGD& s) { s.zero_grad(); }, "Sets every .grad to None.")
      .def_property(
          "lr", [](const SGD& s) { return s.settings().lr; }, &SGD::set_lr,
          "The step size. Settable.");
}

}  // namespace tapegrad
