#include "bindings/program/body.h"

#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/program/program.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/learn.h"
#include "tapegrad/program/body/recorded_body.h"

namespace tapegrad {
namespace {

// The contents of recorded outputs: they outlive their recording.
struct PyValues {
  std::vector<Value> values;
  py::object numbers;
};

// The inputs, then what the recording captured, or what stands in its place.
std::vector<Ref> inputs_of(const RecordedBody& body, const py::sequence& inputs,
                           const Recording& recording, const char* operation,
                           const py::object& captures) {
  see_context();
  std::vector<Ref> refs = refs_of(inputs, operation);
  if (captures.is_none()) {
    for (const Capture& c : recording.captures) refs.push_back(c.ref());
  } else {
    for (py::handle h : captures) refs.push_back(to_operand(h.ptr(), operation).ref);
  }
  if (refs.size() != body.body()->n_in())
    throw_error<TypeError>(operation, ": the body takes ", body.body()->n_in(), " inputs, got ",
                           refs.size());
  return refs;
}

py::list to_list(RecordedBody::Results results) {
  py::list found;
  for (size_t j = 0; j < results.outputs.size(); ++j) {
    Ref& y = results.outputs[j];
    if (results.recorded[j]) {
      found.append(py::reinterpret_steal<py::object>(new_variable(std::move(y))));
    } else {
      const bool counts = y.type() == TensorType{DType::int64, {}};  // as range does
      found.append(counts        ? py::int_(y.value().as_int64())
                   : y.tracked() ? to_object(y.value())
                                 : to_object(std::move(y).take_value()));
    }
  }
  return found;
}

py::list call_body(const RecordedBody& body, const py::object& recording,
                   const py::sequence& inputs, const PyValues* values, const py::object& captures) {
  const Recording& r = recording_of(recording);
  std::vector<Ref> in = inputs_of(body, inputs, r, "call", captures);
  return to_list(values ? body.call_with(std::move(in), r, values->values)
                        : body.call(std::move(in)));
}

py::list scan_body(const RecordedBody& body, const py::object& recording,
                   const py::sequence& inputs, int64_t length, size_t n_carry, size_t n_xs,
                   bool reverse, int64_t checkpoints) {
  std::vector<Ref> in = inputs_of(body, inputs, recording_of(recording), "scan", py::none());
  RecordedBody::Results found =
      body.scan(std::move(in), length, n_carry, n_xs, reverse, checkpoints);
  for (size_t j = 0; j < found.outputs.size(); ++j)
    if (found.recorded[j] && Tape::current().tracing()) learn_result(found.outputs[j]);
  return to_list(std::move(found));
}

}  // namespace

void bind_bodies(py::module_& m) {
  py::class_<RecordedBody>(m, "Body", "A recorded function, to be applied as one operation.")
      .def(py::init(
               [](const py::object& recording) { return RecordedBody(recording_of(recording)); }),
           py::arg("recording"))
      .def("same_as",
           [](const RecordedBody& a, const RecordedBody& b) { return a.body()->equals(*b.body()); })
      .def_property_readonly("n_steps",
                             [](const RecordedBody& b) { return b.body()->program().steps.size(); })
      .def("__str__", [](const RecordedBody& b) { return to_string(b.body()->program()); });
  py::class_<PyValues>(m, "Values", "The contents of recorded outputs.")
      .def(py::init([](const py::sequence& outputs, const py::object& numbers) {
             PyValues found{{}, numbers};
             for (const py::object h : outputs) {  // packed, as a program gives them
               const bool known =
                   is_variable(h.ptr()) && variable_cell(h.ptr()).value().is_contiguous();
               found.values.push_back(known ? variable_cell(h.ptr()).value()
                                            : to_value(h.ptr(), "call").copy());
             }
             return found;
           }),
           py::arg("outputs"), py::arg("numbers") = py::none())
      .def("__getitem__",
           [](const PyValues& v, size_t k) {
             return py::reinterpret_steal<py::object>(
                 to_plain_result(v.values.at(k).copy(), number_kind(v.numbers, k)));
           })
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
