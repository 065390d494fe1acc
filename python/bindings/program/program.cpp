#include "bindings/program/program.h"

#include <pybind11/stl.h>

#include <optional>

#include "bindings/convert.h"
#include "bindings/program/view.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/learn.h"
#include "tapegrad/kernels/array/fingerprint.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/program/arguments.h"
#include "tapegrad/program/body/vmap.h"
#include "tapegrad/program/lengths/lengths.h"
#include "tapegrad/program/passes/pass_switches.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {
namespace {

Value plain_value(py::handle h, const char* operation) {
  return is_variable(h.ptr()) ? variable_cell(h.ptr()).value() : to_value(h.ptr(), operation);
}

py::object to_variable(const Ref& r) { return py::reinterpret_steal<py::object>(new_variable(r)); }

// What enters as an array is one in the function.
py::object to_argument(const Ref& r, py::handle given) {
  py::object made = to_variable(r);
  if (is_array(given.ptr())) variable_cell(made.ptr()).count_as_array();
  return made;
}

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
    if (c.recorded.tracked()) return to_variable(c.recorded);
    return py::reinterpret_borrow<py::object>(static_cast<PyObject*>(c.array.buffer()->owner()));
  }
};

// Gives None where a guard does not hold.
py::object run(const CapturedProgram& p, const py::sequence& inputs, const py::object& captures,
               const py::object& numbers) {
  std::vector<Value> in, captured, out;
  in.reserve(inputs.size());
  for (const py::object x : inputs) in.push_back(plain_value(x, "compiled function"));
  read_captures(p, captures, captured);
  if (!p.run(in, captured, out)) return py::none();
  in.clear();
  return to_plain_results(out, numbers);
}

std::vector<TensorType> types_of(const py::sequence& inputs) {
  std::vector<TensorType> types;
  for (const py::object x : inputs)
    types.push_back(type_of(to_value(x.ptr(), "compiled function")));
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

// Where the array lies that a view shows parts of; nowhere for what shows all of its own.
MemoryBlock block_of(py::handle view) {
  PyObject* base = view.ptr();
  while (PyObject* next = is_array(base) ? py::detail::array_proxy(base)->base : nullptr)
    base = next;
  if (base == view.ptr() || !is_array(base)) return {};
  const auto array = py::reinterpret_borrow<py::array>(base);
  constexpr int packed = py::array::c_style | py::array::f_style;
  if ((array.flags() & packed) == 0) return {};
  const auto* begin = static_cast<const char*>(array.data());
  return {base, begin, begin + array.nbytes()};
}

std::vector<MemoryBlock> blocks_of(const Recording& r, const std::vector<size_t>& views) {
  std::vector<MemoryBlock> blocks(r.captures.size());
  for (size_t k : views) {
    const Value& array = r.captures.at(k).array;
    if (array.buffer() != nullptr && array.buffer()->owner() != nullptr)
      blocks[k] = block_of(static_cast<PyObject*>(array.buffer()->owner()));
  }
  return blocks;
}

PassOptions options_of(const py::kwargs& kwargs) {
  PassOptions options;
  for (const auto& [name, on] : kwargs)
    switch_pass(options, name.cast<std::string>(), on.cast<bool>());
  return options;
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
      .def_property_readonly("view",
                             [](const PyRecording& r) { return view_of(r.recording.program); })
      .def("__str__", [](const PyRecording& r) { return to_string(r.recording.program); });

  bind_lengths(m);

  m.def(
      "replay_lanes",
      [](const PyRecording& r, const py::sequence& inputs, const std::vector<bool>& has_lanes,
         int64_t n, bool seeds) {
        const std::vector<uint8_t> flags(has_lanes.begin(), has_lanes.end());
        LanesResult found = replay_lanes(r.recording, refs_of(inputs, "vmap"), flags, n, seeds);
        py::list out;
        for (size_t k = 0; k < found.outputs.size(); ++k) {
          Ref& y = found.outputs[k];
          out.append(py::make_tuple(
              y.tracked() ? to_variable(in_c_order(y)) : to_object(std::move(y).take_value()),
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
             see_context();
             self.cast<PyTracer&>().tracer = std::make_unique<Tracer>();
             return self;
           })
      .def("__exit__", [](PyTracer& self, const py::args&) { self.tracer.reset(); })
      .def("argument",
           [](PyTracer& self, const py::object& x) {
             return to_argument(own_argument(self.get(), plain_value(x, "compile"),
                                             PyFloat_CheckExact(x.ptr()) != 0),
                                x);
           })
      .def("number_argument",
           [](PyTracer& self, const py::object& x) {
             const bool python = PyLong_CheckExact(x.ptr()) != 0;
             const Value number = python ? Value::integer_scalar(PyLong_AsLongLong(x.ptr()))
                                         : plain_value(x, "compile");
             return to_variable(self.get().number_argument(number, python));
           })
      .def_property_readonly("learned_number",
                             [](PyTracer& self) { return self.get().learned_number(); })
      .def("linked_argument",
           [](PyTracer& self, const py::object& x) {
             const Ref r = to_operand(x.ptr(), "recorded function").ref;
             return to_argument(linked_own_argument(self.get(), r), x);
           })
      .def("lane_argument",
           [](PyTracer& self, const py::object& x) {
             return to_variable(lane_argument(self.get(), to_operand(x.ptr(), "vmap").ref));
           })
      .def("freeze",
           [](PyTracer& self, const py::sequence& outputs) {
             return PyRecording{freeze(self.get(), refs_of(outputs, "compile"))};
           })
      .def(
          "outline",
          [](PyTracer& self, const py::sequence& outputs, size_t first_sweep) -> py::object {
            std::optional<Recording> r =
                outline(self.get(), refs_of(outputs, "compile"), first_sweep);
            return r ? py::cast(PyRecording{std::move(*r)}) : py::none();
          },
          py::arg("outputs"), py::arg("first_sweep"),
          "What was recorded but for the sweeps from a number on; None where that says too little.")
      .def_property_readonly("first_left_out",
                             [](PyTracer& self) { return first_left_out(self.get()); })
      .def(
          "number_kinds",
          [](PyTracer& self, const py::sequence& outputs) {
            std::string kinds;
            for (py::handle h : outputs) {
              const bool weak =
                  is_variable(h.ptr()) && self.get().is_weak(variable_cell(h.ptr()).ref());
              const NumberKind kind = weak                ? NumberKind::python
                                      : is_array(h.ptr()) ? NumberKind::array
                                                          : NumberKind::numpy;
              kinds.push_back(static_cast<char>(kind));
            }
            return py::bytes(kinds);
          },
          py::arg("outputs"),
          "Of each output what it is in the function itself, if it has no axes: 0 for a number of "
          "NumPy's, 1 for one of Python's, 2 for an array.")
      .def("allow_leaving_out", [](PyTracer& self) { self.get().allow_leaving_out(); })
      .def("keep_lines", [](PyTracer& self) { self.get().keep_lines(); })
      .def_property_readonly("may_have_promoted",
                             [](PyTracer& self) { return self.get().may_have_promoted(); })
      .def("used_outside",
           [](PyTracer& self, const py::sequence& outputs) {
             return used_outside(self.get(), refs_of(outputs, "compile"));
           })
      .def_property_readonly("left_out", [](PyTracer& self) { return self.get().left_out(); })
      .def("refuse", [](PyTracer& self, const std::string& why) { self.get().refuse(why); })
      .def_property_readonly("refusal", [](PyTracer& self) { return self.get().refusal(); });

  py::class_<CapturedProgram>(m, "Program", "An optimised recording, ready to run.")
      .def(
          py::init([](const PyRecording& r, const std::vector<size_t>& fixed,
                      const std::vector<size_t>& unnamed, const py::kwargs& passes) {
            return std::make_unique<CapturedProgram>(r.recording, fixed, options_of(passes),
                                                     blocks_of(r.recording, unnamed));
          }),
          py::arg("recording"), py::arg("fixed") = std::vector<size_t>(),
          py::arg("unnamed") = std::vector<size_t>(),
          "`fixed`: the numbers of captured arrays that are constants. `unnamed`: of those that no "
          "other array will ever replace, which may be read as parts of larger ones.")
      .def("run", &run, py::arg("inputs"), py::arg("captures") = py::none(),
           py::arg("numbers") = py::none(), "`numbers`: see Tracer.number_kinds.")
      .def_property_readonly("guard_failed", &CapturedProgram::guard_failed)
      .def_property_readonly("n_steps",
                             [](const CapturedProgram& p) { return p.program().steps.size(); })
      .def_property_readonly("n_kernels",
                             [](const CapturedProgram& p) { return p.program().kernels.size(); })
      .def_property_readonly("memory",
                             [](const CapturedProgram& p) { return p.executor().peak_bytes(); })
      .def(
          "machine_code", [](const CapturedProgram& p) { return machine_code(p.program()); },
          "What its kernels were compiled to by now, an instruction a line.")
      .def_property_readonly("view", [](const CapturedProgram& p) { return view_of(p.program()); })
      .def("__str__", [](const CapturedProgram& p) { return to_string(p.program()); });
  m.def(
      "pass_names",
      [] {
        py::list names;
        for (std::string_view name : pass_names()) names.append(py::str(name.data(), name.size()));
        return names;
      },
      "The passes of the optimiser that can be switched, in the order in which they run.");

  m.def(
      "byte_bounds",
      [](const std::vector<py::array>& arrays) {
        py::list lows, highs;
        for (const py::array& array : arrays) {
          if (array.size() == 0) continue;
          auto low = reinterpret_cast<intptr_t>(array.data()), high = low + array.itemsize();
          for (py::ssize_t k = 0; k < array.ndim(); ++k)
            (array.strides(k) < 0 ? low : high) += (array.shape(k) - 1) * array.strides(k);
          lows.append(low);
          highs.append(high);
        }
        return py::make_tuple(lows, highs);
      },
      py::arg("arrays"),
      "Where the first bytes of NumPy arrays lie, and where their last ones end, but of empty "
      "ones.");
  m.def(
      "is_same_view",
      [](const py::array& x, const py::array& y) {
        return x.data() == y.data() && x.dtype().equal(y.dtype()) && x.ndim() == y.ndim() &&
               std::equal(x.shape(), x.shape() + x.ndim(), y.shape()) &&
               std::equal(x.strides(), x.strides() + x.ndim(), y.strides());
      },
      py::arg("x"), py::arg("y"), "Whether two NumPy arrays show the same memory alike.");
  m.def(
      "fingerprint",
      [](const py::object& array) { return fingerprint(to_value(array.ptr(), "fingerprint")); },
      py::arg("array"), "64 bits that differ where an array's content differs.");

  m.def("set_most_ns_of_sweeps", &Tracer::set_most_ns_of_sweeps, py::arg("ns"),
        "How long the sweeps of a first recording may take; returns what it was.");

  m.def(
      "same_node",
      [](const py::object& a, const py::object& b) {
        if (!is_variable(a.ptr()) || !is_variable(b.ptr()))
          throw_error<TypeError>("same_node: expects two Variables");
        const Ref x = variable_cell(a.ptr()).ref(), y = variable_cell(b.ptr()).ref();
        return x.tracked() && y.tracked() && x.slot() == y.slot();
      },
      py::arg("a"), py::arg("b"), "Whether two Variables are one value of the tape.");

  m.def(
      "tracing", [] { return Tape::current().tracing(); },
      "Whether a whole function is being recorded on this thread.");
}

std::vector<Ref> refs_of(const py::sequence& items, const char* operation) {
  std::vector<Ref> refs;
  // An object, since the items of some sequences are made when they are read (an array's rows).
  for (const py::object x : items)
    refs.push_back(is_variable(x.ptr()) ? variable_cell(x.ptr()).ref(operation)
                                        : to_operand(x.ptr(), operation).ref);
  return refs;
}

NumberKind number_kind(py::handle numbers, size_t k) {
  const bool is_known = numbers && PyBytes_Check(numbers.ptr()) &&
                        k < static_cast<size_t>(PyBytes_GET_SIZE(numbers.ptr()));
  return is_known ? NumberKind{PyBytes_AS_STRING(numbers.ptr())[k]} : NumberKind::numpy;
}

py::list to_plain_results(std::vector<Value>& values, py::handle numbers) {
  py::list found(values.size());
  for (size_t k = 0; k < values.size(); ++k)
    found[k] = py::reinterpret_steal<py::object>(
        to_plain_result(std::move(values[k]), number_kind(numbers, k)));
  return found;
}

const CapturedProgram& program_of(py::handle program) {
  return program.cast<const CapturedProgram&>();
}

const Recording& recording_of(py::handle recording) {
  return recording.cast<const PyRecording&>().recording;
}

void read_captures(const CapturedProgram& program, py::handle captures,
                   std::vector<Value>& captured) {
  if (captures.is_none()) return program.read_captures(captured);
  const auto all = py::reinterpret_borrow<py::sequence>(captures);
  for (size_t k : program.kept_captures())
    captured.push_back(plain_value(py::object(all[k]), "compiled function"));
  for (const Capture& c : program.own_captures()) captured.push_back(c.content());
}

}  // namespace tapegrad
