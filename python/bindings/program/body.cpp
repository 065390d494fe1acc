#include "bindings/program/body.h"

#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/convert.h"
#include "bindings/program/program.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/body/call.h"
#include "tapegrad/program/scan/scan.h"

namespace tapegrad {
namespace {

// A recorded function, to be applied as one operation.
struct PyBody {
  BodyPtr body;
  std::vector<std::string> guards;  // where; their values are the last outputs
};

// Contents of recorded outputs, which outlive their recording.
struct PyValues {
  std::vector<Value> values;
};

// The inputs, then what the recording captured.
std::vector<Ref> inputs_of(const PyBody& body, const py::sequence& inputs,
                           const Recording& recording, const char* operation,
                           const py::object& captures = py::none()) {
  std::vector<Ref> refs;
  for (py::handle h : inputs) refs.push_back(to_operand(h.ptr(), operation).ref);
  if (captures.is_none()) {
    for (const Capture& c : recording.captures) refs.push_back(c.ref());
  } else {
    for (py::handle h : captures) refs.push_back(to_operand(h.ptr(), operation).ref);
  }
  if (refs.size() != body.body->n_in())
    throw_error<TypeError>(operation, ": the body takes ", body.body->n_in(), " inputs, got ",
                           refs.size());
  return refs;
}

Flags tracked_among(const std::vector<Ref>& refs) {
  Flags flags;
  for (const Ref& r : refs) flags.push_back(r.tracked());
  return flags;
}

// The results as Python sees them: recorded where derivatives reach them, or a tracer is at work,
// which also gets what the guards look at.
py::list results_of(const PyBody& body, std::vector<Ref> out, size_t n, const Flags& reached) {
  Tape& tape = Tape::current();
  const size_t first_guard = body.body->n_out() - body.guards.size();
  if (tape.tracing())
    for (size_t k = 0; k < body.guards.size(); ++k)
      if (out[first_guard + k].tracked())
        tape.tracer()->guard(out[first_guard + k], body.guards[k]);
  py::list found;
  for (size_t j = 0; j < n; ++j) {
    if (!out[j].tracked()) {
      found.append(to_object(std::move(out[j]).take_value()));
    } else if (tape.tracing() || reached[j]) {
      found.append(py::reinterpret_steal<py::object>(new_variable(std::move(out[j]))));
    } else {
      found.append(to_object(out[j].value()));
    }
  }
  return found;
}

py::list call_body(const PyBody& body, const py::object& recording, const py::sequence& inputs,
                   const PyValues* values, const py::object& captures) {
  const Recording& r = recording_of(recording);
  std::vector<Ref> in = inputs_of(body, inputs, r, "call", captures);
  const Flags reached = reached_outputs(body.body->program(), tracked_among(in));
  std::vector<Ref> out;
  if (values) {
    std::vector<Value> known = values->values;
    for (size_t j = 0; j < known.size(); ++j)  // Python's whole numbers came without a dtype
      known[j] = known[j].cast(body.body->out_type(j).dtype);
    for (const Program::Guard& g : r.program.guards) known.push_back(g.expected);
    out = call_with(body.body, std::move(in), std::move(known));
  } else {
    out = call(body.body, std::move(in));
  }
  return results_of(body, std::move(out), body.body->n_out() - body.guards.size(), reached);
}

py::list scan_body(const PyBody& body, const py::object& recording, const py::sequence& inputs,
                   int64_t length, size_t n_carry, size_t n_xs, bool reverse, int64_t checkpoints) {
  const Recording& r = recording_of(recording);
  if (!body.guards.empty())
    throw_error<RuntimeError>("internal error: a scan of a body with branches");
  std::vector<Ref> in = inputs_of(body, inputs, r, "scan");
  ScanForm form(body.body, length, n_carry, n_xs, reverse);
  const size_t n_out = body.body->n_out();
  const Flags tracked = tracked_among(in), reached = reached_through(form, tracked);
  form.checkpoints = checkpoints < length ? checkpoints : 0;
  if (form.checkpoints == 0 && std::find(tracked.begin(), tracked.end(), 1) != tracked.end())
    form.body = with_carries(form);
  return results_of(body, scan(form, std::move(in)), n_out, reached);
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
  py::class_<PyValues>(m, "Values", "The contents of recorded outputs.")
      .def(py::init([](const py::sequence& outputs) {
             PyValues found;
             for (py::handle h : outputs)
               found.values.push_back(is_variable(h.ptr()) ? variable_cell(h.ptr()).value()
                                                           : to_value(h.ptr(), "call").copy());
             return found;
           }),
           py::arg("outputs"))
      .def("__getitem__", [](const PyValues& v, size_t k) { return to_object(v.values.at(k)); })
      .def("__len__", [](const PyValues& v) { return v.values.size(); });
  m.def("call", &call_body, py::arg("body"), py::arg("recording"), py::arg("inputs"),
        py::arg("values") = py::none(), py::arg("captures") = py::none(),
        "The outputs of a body; `recording` gives what it captured, where `captures` does not, "
        "`values` the outputs where they are known.");
  m.def("scan", &scan_body, py::arg("body"), py::arg("recording"), py::arg("inputs"),
        py::arg("length"), py::arg("n_carry"), py::arg("n_xs"), py::arg("reverse") = false,
        py::arg("checkpoints") = 0,
        "The body applied step by step: last carries, then stacked ys.");
}

}  // namespace tapegrad
