#include "body.h"

#include <pybind11/stl.h>

#include <optional>

#include "convert.h"
#include "program.h"
#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/program/call.h"
#include "tapegrad/program/scan.h"
#include "variable_type.h"

namespace tapegrad {
namespace {

// A recorded function, to be applied as one operation.
struct PyBody {
  BodyPtr body;
  std::vector<std::string> guards;  // where; their values are the last outputs
};

// The inputs, then what the recording captured.
std::vector<Ref> inputs_of(const PyBody& body, const py::sequence& inputs,
                           const Recording& recording, size_t n_given, const char* operation) {
  std::vector<Ref> refs;
  for (py::handle h : inputs) refs.push_back(to_operand(h.ptr(), operation).ref);
  for (const Capture& c : recording.captures) refs.push_back(c.ref());
  if (refs.size() != n_given)
    throw_error<TypeError>(operation, ": the body takes ", body.body->n_in(), " inputs, got ",
                           refs.size());
  return refs;
}

// The results as Python sees them; what the guards look at goes to the tracer at work.
py::list results_of(const PyBody& body, std::vector<Ref> out, size_t n) {
  Tape& tape = Tape::current();
  const size_t first_guard = body.body->n_out() - body.guards.size();
  if (tape.tracing())
    for (size_t k = 0; k < body.guards.size(); ++k)
      if (out[first_guard + k].tracked())
        tape.tracer()->guard(out[first_guard + k], body.guards[k]);
  py::list found;
  for (size_t j = 0; j < n; ++j)
    found.append(out[j].tracked()
                     ? py::reinterpret_steal<py::object>(new_variable(std::move(out[j])))
                     : to_object(std::move(out[j]).take_value()));
  return found;
}

py::list call_body(const PyBody& body, const py::object& recording, const py::sequence& inputs,
                   const std::optional<py::list>& values) {
  const Recording& r = recording_of(recording);
  std::vector<Ref> in = inputs_of(body, inputs, r, body.body->n_in(), "call");
  std::vector<Ref> out;
  if (values) {
    std::vector<Value> known;
    for (py::handle h : *values) known.push_back(to_value(h.ptr(), "call").copy());
    for (const Program::Guard& g : r.program.guards) known.push_back(g.expected);
    out = call_with(body.body, std::move(in), std::move(known));
  } else {
    out = call(body.body, std::move(in));
  }
  return results_of(body, std::move(out), body.body->n_out() - body.guards.size());
}

py::list scan_body(const PyBody& body, const py::object& recording, const py::sequence& inputs,
                   int64_t length, size_t n_carry, size_t n_xs, bool reverse) {
  const Recording& r = recording_of(recording);
  if (!body.guards.empty())
    throw_error<RuntimeError>("internal error: a scan of a body with branches");
  std::vector<Ref> in = inputs_of(body, inputs, r, body.body->n_in(), "scan");
  ScanForm form(body.body, length, n_carry, n_xs, reverse);
  const size_t n_out = body.body->n_out();
  bool tracked = false;
  for (const Ref& x : in) tracked |= x.tracked();
  if (tracked) form.body = with_carries(form);
  std::vector<Ref> out;
  {
    const LongWorkSection section(length > 64);
    out = scan(form, std::move(in));
  }
  return results_of(body, std::move(out), n_out);
}

}  // namespace

void bind_bodies(py::module_& m) {
  py::class_<PyBody>(m, "Body", "A recorded function, to be applied as one operation.")
      .def(py::init([](const py::object& recording) {
             const Recording& r = recording_of(recording);
             PyBody body{body_from(r), {}};
             for (const Program::Guard& g : r.program.guards) body.guards.push_back(g.where);
             return body;
           }),
           py::arg("recording"))
      .def("same_as", [](const PyBody& a, const PyBody& b) { return a.body->equals(*b.body); })
      .def_property_readonly("n_steps",
                             [](const PyBody& b) { return b.body->program().steps.size(); })
      .def("__str__", [](const PyBody& b) { return to_string(b.body->program()); });
  m.def("call", &call_body, py::arg("body"), py::arg("recording"), py::arg("inputs"),
        py::arg("values") = py::none(),
        "The outputs of a body; `recording` gives what it captured, `values` the outputs where "
        "they are known.");
  m.def("scan", &scan_body, py::arg("body"), py::arg("recording"), py::arg("inputs"),
        py::arg("length"), py::arg("n_carry"), py::arg("n_xs"), py::arg("reverse") = false,
        "The body applied step by step: last carries, then stacked ys.");
}

}  // namespace tapegrad
