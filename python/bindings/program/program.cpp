#include "bindings/program/program.h"

#include <pybind11/stl.h>

#include <atomic>
#include <optional>

#include "bindings/convert.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/kernels/array/fingerprint.h"
#include "tapegrad/program/body/vmap.h"
#include "tapegrad/program/lengths/lengths.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {
namespace {

struct PyTracer {
  std::unique_ptr<Tracer> tracer;
  Tracer& get() const {
    if (!tracer)
      throw_error<RuntimeError>("the recording is closed; use the tracer inside its with block");
    return *tracer;
  }
};

struct PyRecording {
  Recording recording;

  py::object capture(size_t k) const {
    const Capture& c = recording.captures[k];
    if (c.variable) {
      c.variable->retain();
      return py::reinterpret_steal<py::object>(new_variable(c.variable.get()));
    }
    if (c.recorded.tracked()) return py::reinterpret_steal<py::object>(new_variable(c.recorded));
    return py::reinterpret_borrow<py::object>(static_cast<PyObject*>(c.array.buffer()->owner()));
  }
};

// A program with the things it reads at each run.
class PyProgram {
 public:
  PyProgram(const PyRecording& r, const std::vector<size_t>& fixed, const PassOptions& options)
      : captures_(r.recording.captures),
        executor_(with_fixed_captures(r.recording, fixed), options),
        long_(is_long(executor_.program())) {}

  const Program& program() const { return executor_.program(); }
  const Executor& executor() const { return executor_; }

  void capture_now(py::handle captures, std::vector<Value>& captured) const {
    if (captures.is_none()) {
      for (const Capture& c : captures_) captured.push_back(c.content());
    } else {
      for (py::handle h : captures) captured.push_back(plain_value(h));
    }
  }
  std::string guard_failed() const {
    const size_t failed = guard_failed_;
    return failed < program().guards.size() ? program().guards[failed].where : std::string();
  }

  bool run(std::span<const Value> inputs, py::handle captures, std::vector<Value>& captured,
           std::vector<Value>& outputs) {
    capture_now(captures, captured);
    size_t failed = 0;
    const LongWorkSection section(long_);
    const bool held = executor_.run(inputs, captured, outputs, failed);
    if (!held) guard_failed_ = failed;
    return held;
  }

  py::object run(const py::sequence& inputs, const py::object& captures) {
    std::vector<Value> in, captured, out;
    in.reserve(inputs.size());
    for (py::handle h : inputs) in.push_back(plain_value(h));
    if (!run(in, captures, captured, out)) return py::none();
    in.clear();
    py::list result(out.size());
    for (size_t k = 0; k < out.size(); ++k) result[k] = to_object(std::move(out[k]));
    return result;
  }

 private:
  static Value plain_value(py::handle h) {
    if (is_variable(h.ptr())) return variable_cell(h.ptr()).value();
    return to_value(h.ptr(), "compiled function");
  }

  static bool is_long(const Program& p) {
    if (p.steps.size() > 2000) return true;
    for (size_t v = 0; v < p.values.size(); ++v)
      if (element_count(p.type_of(static_cast<ValueId>(v)).shape) > 2048) return true;
    return false;
  }

  std::vector<Capture> captures_;
  Executor executor_;
  bool long_;
  std::atomic<size_t> guard_failed_{~size_t{0}};
};

// Arrays and numbers, as what they are.
std::vector<TensorType> types_of(const py::sequence& inputs) {
  std::vector<TensorType> types;
  for (py::handle h : inputs) types.push_back(type_of(to_value(h.ptr(), "compiled function")));
  return types;
}

void bind_lengths(py::module_& m) {
  py::class_<Lengths>(m, "Lengths", "A recorded function, for many lengths of its arguments.")
      .def("at",
           [](const Lengths& lengths, const py::sequence& inputs) -> py::object {
             std::string why;
             std::optional<Recording> found = lengths.at(types_of(inputs), why);
             return found ? py::cast(PyRecording{std::move(*found)}) : py::none();
           })
      .def_property_readonly("free_axes", &Lengths::free_axes);
  m.def(
      "across_lengths",
      [](const PyRecording& a, const PyRecording& b) -> py::tuple {
        std::string why;
        std::optional<Lengths> found = Lengths::between(a.recording, b.recording, why);
        return py::make_tuple(found ? py::cast(std::move(*found)) : py::none(), why);
      },
      py::arg("a"), py::arg("b"),
      "Two recordings at different lengths as one of all lengths, or None and why not.");
}

PassOptions options_of(const py::kwargs& kwargs) {
  PassOptions o;
  const std::pair<const char*, bool*> known[] = {
      {"roll", &o.roll},       {"fold", &o.fold},   {"shared", &o.shared},  {"dead", &o.dead},
      {"algebra", &o.algebra}, {"views", &o.views}, {"batch", &o.batch},    {"expand", &o.expand},
      {"tiles", &o.tiles},     {"fuse", &o.fuse},   {"reorder", &o.reorder}};
  for (const auto& [key, value] : kwargs) {
    const auto name = key.cast<std::string>();
    bool found = false;
    for (const auto& [option, field] : known) {
      if (name != option) continue;
      *field = value.cast<bool>();
      found = true;
    }
    if (!found)
      throw_error<TypeError>("passes: there is no pass named '", name,
                             "'; they are roll, fold, shared, dead, algebra, views, batch, expand, "
                             "tiles, fuse, reorder");
  }
  return o;
}

}  // namespace

void bind_programs(py::module_& m) {
  py::class_<PyRecording>(m, "Recording", "A function's recorded operations.")
      .def(py::init<>(), "Of nothing.")
      .def_property_readonly("refusal", [](const PyRecording& r) { return r.recording.refusal; })
      .def_property_readonly("lost_weakness",
                             [](const PyRecording& r) { return r.recording.lost_weakness; })
      .def_property_readonly("length_read",
                             [](const PyRecording& r) { return r.recording.length_read; })
      .def_property_readonly("captures",
                             [](const PyRecording& r) {
                               py::list out;
                               for (size_t k = 0; k < r.recording.captures.size(); ++k)
                                 out.append(r.capture(k));
                               return out;
                             })
      .def_property_readonly("constants",
                             [](const PyRecording& r) {
                               py::list out;
                               for (const PlainConstant& c : r.recording.constants)
                                 out.append(to_object(c.content));
                               return out;
                             })
      .def_property_readonly("guards",
                             [](const PyRecording& r) {
                               py::list out;
                               for (const Program::Guard& g : r.recording.program.guards)
                                 out.append(g.where);
                               return out;
                             })
      .def_property_readonly("n_steps",
                             [](const PyRecording& r) { return r.recording.program.steps.size(); })
      .def("same_as", [](const PyRecording& a,
                         const PyRecording& b) { return same_recording(a.recording, b.recording); })
      .def("__str__", [](const PyRecording& r) { return to_string(r.recording.program); });

  bind_lengths(m);

  m.def(
      "replay_lanes",
      [](const PyRecording& r, const py::sequence& inputs, const std::vector<bool>& has_lanes,
         int64_t n, bool seeds) {
        std::vector<Ref> refs, captures;
        for (py::handle h : inputs) refs.push_back(to_operand(h.ptr(), "vmap").ref);
        std::optional<RuleSection> rules;
        if (seeds) {  // what is recorded is a sweep; no user wrote its constants
          rules.emplace(Tape::current());
          for (Ref& x : refs)
            if (!x.tracked()) x = Ref(x.value().copy());
        }
        for (const Capture& c : r.recording.captures) captures.push_back(c.ref());
        if (Tape& tape = Tape::current();
            tape.tracing() && r.recording.unused && may_fail_at_other_lengths(*r.recording.unused))
          tape.tracer()->read_length();
        const std::vector<uint8_t> flags(has_lanes.begin(), has_lanes.end());
        Program p = drop_dead(share_common(r.recording.program));
        // For a program, small arrays are taken apart: their scalars become lanes of one kernel.
        if (Tape::current().tracing() && n > 1 && !seeds) p = drop_dead(expand_small(p));
        LanesResult found = replay_lanes(p, refs, flags, captures, n);
        py::list out;
        for (size_t k = 0; k < found.outputs.size(); ++k) {
          Ref& y = found.outputs[k];
          out.append(py::make_tuple(
              y.tracked() ? py::reinterpret_steal<py::object>(new_variable(std::move(y)))
                          : to_object(std::move(y).take_value()),
              found.has_lanes[k] != 0));
        }
        return out;
      },
      py::arg("recording"), py::arg("inputs"), py::arg("has_lanes"), py::arg("n"),
      py::arg("seeds") = false,
      "The recorded function of one lane, applied to n lanes; each output with whether it has "
      "them.");

  py::class_<PyTracer>(m, "Tracer", "Records a whole function on this thread's tape.")
      .def(py::init([] { return PyTracer{}; }))
      .def("__enter__",
           [](py::object self) {
             self.cast<PyTracer&>().tracer = std::make_unique<Tracer>();
             return self;
           })
      .def("__exit__", [](PyTracer& self, const py::args&) { self.tracer.reset(); })
      .def("argument",
           [](PyTracer& self, const py::object& x) {
             Value v = is_variable(x.ptr()) ? variable_cell(x.ptr()).value()
                                            : to_value(x.ptr(), "compile");
             if (v.buffer() != nullptr) v = v.copy();
             const Ref r = self.get().argument(std::move(v));
             if (PyFloat_CheckExact(x.ptr())) self.get().mark_weak(r);
             return py::reinterpret_steal<py::object>(new_variable(r));
           })
      .def("linked_argument",
           [](PyTracer& self, const py::object& x) {
             Ref r = to_operand(x.ptr(), "recorded function").ref;
             if (!r.tracked() && !r.value().is_scalar()) r = Ref(r.value().copy());
             return py::reinterpret_steal<py::object>(new_variable(linked_argument(self.get(), r)));
           })
      .def("lane_argument",
           [](PyTracer& self, const py::object& x) {
             const Value all =
                 is_variable(x.ptr()) ? variable_cell(x.ptr()).value() : to_value(x.ptr(), "vmap");
             Dims shape(all.shape().data() + 1, all.shape().size() - 1);
             Value lane = Value::zeros(all.dtype(), shape);
             if (all.dim(0) > 0)
               lane = all.view(shape, {all.layout()->strides() + 1, shape.size()}, 0).copy();
             return py::reinterpret_steal<py::object>(
                 new_variable(self.get().argument(std::move(lane))));
           })
      .def("freeze",
           [](PyTracer& self, const py::sequence& outputs) {
             std::vector<Ref> refs;
             for (py::handle h : outputs) refs.push_back(to_operand(h.ptr(), "compile").ref);
             return PyRecording{freeze(self.get(), refs)};
           })
      .def("allow_leaving_out", [](PyTracer& self) { self.get().allow_leaving_out(); })
      .def_property_readonly("may_have_promoted",
                             [](PyTracer& self) { return self.get().may_have_promoted(); })
      .def("used_outside",
           [](PyTracer& self, const py::sequence& outputs) {
             const Tracer& tracer = self.get();
             bool found = tracer.used_outside();
             for (py::handle h : outputs) {
               const Ref r = to_operand(h.ptr(), "compile").ref;
               found |= r.tracked() && tracer.tape().node(r.slot()).origin < tracer.scope();
             }
             return found;
           })
      .def_property_readonly("left_out", [](PyTracer& self) { return self.get().left_out(); })
      .def("refuse", [](PyTracer& self, const std::string& why) { self.get().refuse(why); })
      .def_property_readonly("refusal", [](PyTracer& self) { return self.get().refusal(); });

  py::class_<PyProgram>(m, "Program", "An optimised recording, ready to run.")
      .def(py::init([](const PyRecording& r, const std::vector<size_t>& fixed,
                       const py::kwargs& passes) {
             return std::make_unique<PyProgram>(r, fixed, options_of(passes));
           }),
           py::arg("recording"), py::arg("fixed") = std::vector<size_t>(),
           "`fixed`: the numbers of captured arrays that are constants.")
      .def("run", py::overload_cast<const py::sequence&, const py::object&>(&PyProgram::run),
           py::arg("inputs"), py::arg("captures") = py::none())
      .def_property_readonly("guard_failed", &PyProgram::guard_failed)
      .def_property_readonly("n_steps", [](const PyProgram& p) { return p.program().steps.size(); })
      .def_property_readonly("n_kernels",
                             [](const PyProgram& p) { return p.program().kernels.size(); })
      .def_property_readonly("memory", [](const PyProgram& p) { return p.executor().peak_bytes(); })
      .def("__str__", [](const PyProgram& p) { return to_string(p.program()); });

  m.def(
      "fingerprint",
      [](const py::object& array) { return fingerprint(to_value(array.ptr(), "fingerprint")); },
      py::arg("array"), "64 bits that differ where an array's content differs.");

  m.def("set_most_ns_of_sweeps", &Tracer::set_most_ns_of_sweeps, py::arg("ns"),
        "How long the sweeps of a first recording may take; returns what it was.");

  m.def(
      "same_node",
      [](const py::object& a, const py::object& b) {
        const Ref x = variable_cell(a.ptr()).ref(), y = variable_cell(b.ptr()).ref();
        return x.tracked() && y.tracked() && x.slot() == y.slot();
      },
      py::arg("a"), py::arg("b"), "Whether two Variables are one value of the tape.");

  m.def(
      "tracing", [] { return Tape::current().tracing(); },
      "Whether a whole function is being recorded on this thread.");
}

const Executor& executor_of(py::handle program) {
  return program.cast<const PyProgram&>().executor();
}

const Recording& recording_of(py::handle recording) {
  return recording.cast<const PyRecording&>().recording;
}

std::vector<Value> captured_values(py::handle program, py::handle captures) {
  std::vector<Value> captured;
  program.cast<const PyProgram&>().capture_now(captures, captured);
  return captured;
}

bool run_program(py::handle program, std::span<const Value> inputs, py::handle captures,
                 std::vector<Value>& captured, std::vector<Value>& outputs) {
  return program.cast<PyProgram&>().run(inputs, captures, captured, outputs);
}

}  // namespace tapegrad
