#include "bindings/program/view.h"

#include <pybind11/stl.h>

#include <sstream>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/program/program.h"
#include "bindings/recording.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/program/body/body.h"
#include "tapegrad/program/costs.h"
#include "tapegrad/program/run/step_times.h"

namespace tapegrad {
namespace {

const char* source_name(Source source) {
  switch (source) {
    case Source::input:
      return "input";
    case Source::captured:
      return "captured";
    case Source::constant:
      return "constant";
    case Source::step:
      break;
  }
  return "step";
}

py::tuple to_tuple(std::span<const int64_t> numbers) {
  py::tuple out(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) out[i] = numbers[i];
  return out;
}

py::tuple to_tuple(std::span<const ValueId> ids) {
  py::tuple out(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) out[i] = ids[i];
  return out;
}

struct ToObject {
  py::object operator()(std::monostate) const { return py::none(); }
  py::object operator()(bool x) const { return py::bool_(x); }
  py::object operator()(int64_t x) const { return py::int_(x); }
  py::object operator()(double x) const { return py::float_(x); }
  py::object operator()(const std::string& x) const { return py::str(x); }
  py::object operator()(const std::vector<int64_t>& x) const { return to_tuple(x); }
  py::object operator()(const AttrRef& x) const {
    if (const auto* body = dynamic_cast<const Body*>(&*x)) return view_of(body->program());
    std::ostringstream text;
    (*x).print(text);
    return py::str(text.str());
  }
};

py::tuple type_tuple(const TensorType& t) {
  return py::make_tuple(dtype_name(t.dtype), to_tuple(std::span(t.shape.begin(), t.shape.size())));
}

py::dict attributes_of(const Op& op, const Attrs& attrs) {
  py::dict out;
  for (size_t k = 0; k < attrs.size(); ++k)
    out[op.attrs[k].key.name] = std::visit(ToObject(), attrs[k]);
  return out;
}

py::tuple step_tuple(const Program& p, const Program::Step& s) {
  py::tuple outputs(s.n_out);
  for (uint32_t j = 0; j < s.n_out; ++j) outputs[j] = s.first_out + j;
  std::ostringstream kernel;
  if (s.kernel >= 0) p.kernels[static_cast<size_t>(s.kernel)]->print(kernel);
  const Op* op = s.kernel >= 0 ? nullptr : &op_by_id(s.op);
  return py::make_tuple(op ? op->name : "", op ? attributes_of(*op, p.attrs_of(s)) : py::dict(),
                        to_tuple(p.in(s)), outputs, kernel.str(), p.line_of(s), s.held);
}

std::vector<Value> values_of(const py::sequence& items) {
  std::vector<Value> out;
  for (const py::object x : items)
    out.push_back(is_variable(x.ptr()) ? variable_cell(x.ptr()).value()
                                       : to_value(x.ptr(), "step_times"));
  return out;
}

std::vector<Ref> captured_refs(const Recording& r) {
  std::vector<Ref> out;
  for (const Capture& c : r.captures) out.push_back(c.ref());
  return out;
}

}  // namespace

py::dict view_of(const Program& p) {
  py::list values, steps, constants, guards;
  for (const Program::ValueInfo& v : p.values)
    values.append(py::make_tuple(source_name(v.source), v.index, type_tuple(p.types[v.type])));
  for (const Program::Step& s : p.steps) steps.append(step_tuple(p, s));
  for (const Value& c : p.constants) constants.append(to_object(c));
  for (const Program::Guard& g : p.guards)
    guards.append(py::make_tuple(g.value, to_object(g.expected), g.where));
  py::dict out;
  out["values"] = values;
  out["steps"] = steps;
  out["constants"] = constants;
  out["inputs"] = to_tuple(p.inputs);
  out["captures"] = to_tuple(p.captures);
  out["outputs"] = to_tuple(p.outputs);
  out["guards"] = guards;
  return out;
}

void bind_views(py::module_& m) {
  m.def(
      "replay_values",
      [](const py::object& recording, const py::sequence& inputs) {
        see_context();
        const Recording& r = recording_of(recording);
        const std::vector<Ref> in = refs_of(inputs, "replay_values");
        if (in.size() != r.program.inputs.size())
          throw_error<ValueError>("replay_values: the recording takes ", r.program.inputs.size(),
                                  " inputs, got ", in.size());
        py::list out;
        for (Ref& y : replay_values(r.program, in, captured_refs(r)))
          out.append(y.tracked() ? py::reinterpret_steal<py::object>(new_variable(std::move(y)))
                                 : to_object(std::move(y).take_value()));
        return out;
      },
      py::arg("recording"), py::arg("inputs"),
      "All values of a recorded function, by number: its steps applied one after the other, and "
      "recorded where recording is on.");
  m.def(
      "step_times",
      [](const py::object& program, const py::sequence& inputs, int runs) {
        std::vector<Value> captured;
        const Program* p = nullptr;
        if (py::isinstance<CapturedProgram>(program)) {
          const CapturedProgram& optimised = program_of(program);
          optimised.read_captures(captured);
          p = &optimised.program();
        } else {
          const Recording& r = recording_of(program);
          for (const Capture& c : r.captures) captured.push_back(c.content());
          p = &r.program;
        }
        return step_times(*p, values_of(inputs), captured, runs);
      },
      py::arg("program"), py::arg("inputs"), py::arg("runs") = 1,
      "Nanoseconds of each step of a Recording or a Program, the least of `runs` runs.");
  m.def(
      "cost_table",
      [] {
        py::dict out;
        for (const CostEntry& e : cost_table()) out[e.name] = py::make_tuple(e.ns, e.what);
        return out;
      },
      "By name, the nanoseconds that passes reckon with, and of what.");
}

}  // namespace tapegrad
