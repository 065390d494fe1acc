#include "bindings/program/host_function.h"

#include <pybind11/stl.h>

#include <optional>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/program/program.h"
#include "bindings/recording.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/host/host_function.h"
#include "tapegrad/tape/tape.h"

// What an application calls back: a Python object with the methods of Application in
// python/tapegrad/operations/application.py. What the rules mean is decided there; here operands
// are cast, the lock is taken, and the state of the tape is put aside and back.

namespace tapegrad {
namespace {

// Python code may run here whoever holds the lock, and may sweep itself: computations of its own
// ask for signals with the lock held.
class PythonSection {
 public:
  PythonSection() {
    if (PyGILState_Check()) return;
    try {
      state_ = PyGILState_Ensure();
    } catch (...) {  // the unwinding of pthread_exit
      sleep_until_process_ends();
    }
    taken_ = true;
    if (long_work.interrupted) source_.emplace(long_work.interrupted, nullptr);
  }
  ~PythonSection() {
    source_.reset();
    if (taken_) PyGILState_Release(state_);
  }
  PythonSection(const PythonSection&) = delete;
  PythonSection& operator=(const PythonSection&) = delete;

 private:
  PyGILState_STATE state_{};
  bool taken_ = false;
  std::optional<InterruptSource> source_;
};

// A rule is the user's code: its constants are the user's.
class UserSection {
 public:
  UserSection() : tape_(Tape::current()), in_rule_(tape_.set_in_rule(false)) {}
  ~UserSection() { tape_.set_in_rule(in_rule_); }
  UserSection(const UserSection&) = delete;
  UserSection& operator=(const UserSection&) = delete;

 private:
  Tape& tape_;
  bool in_rule_;
};

// The function itself runs on plain values: no tracer sees what it does, and a Variable that it
// reads shows in its result.
class PlainSection {
 public:
  PlainSection()
      : tape_(Tape::current()),
        tracer_(tape_.tracer()),
        recording_(tape_.set_recording(true)),
        program_only_(tape_.set_program_only({})) {
    tape_.set_tracer(nullptr);
  }
  ~PlainSection() {
    tape_.set_tracer(tracer_);
    tape_.set_recording(recording_);
    tape_.set_program_only(program_only_);
  }
  PlainSection(const PlainSection&) = delete;
  PlainSection& operator=(const PlainSection&) = delete;

 private:
  UserSection user_;
  Tape& tape_;
  Tracer* tracer_;
  bool recording_;
  Tape::ProgramOnly program_only_;
};

// Arrays that Python only looks at; a Variable where the sweep is recorded.
py::object to_operand_object(const Ref& r) {
  if (r.tracked()) return py::reinterpret_steal<py::object>(new_variable(r));
  return to_object(r.value(), false);
}

// Memory of its own: Python may keep an array and write to it.
Value own(const Value& v) { return v.buffer() && v.buffer()->is_foreign() ? v.copy() : v; }

Ref to_own_ref(py::handle h, const char* operation) {
  Ref r = to_operand(h.ptr(), operation).ref;
  return r.tracked() ? r : Ref(own(r.value()));
}

std::vector<Value> call_python(py::handle application, const char* method,
                               std::span<const Value> in) {
  const PlainSection plain;
  py::list operands(in.size());
  for (size_t i = 0; i < in.size(); ++i) operands[i] = to_object(in[i], false);
  std::vector<Value> found;
  for (const py::handle h : py::list(application.attr(method)(operands)))
    found.push_back(own(to_value(h.ptr(), method)));
  return found;
}

class PythonFunction final : public HostFunction {
 public:
  PythonFunction(const py::object& application, std::vector<TensorType> in,
                 std::vector<TensorType> out)
      : application_(application.inc_ref().ptr()),
        hash_(static_cast<size_t>(py::hash(application))),
        in_(std::move(in)),
        out_(std::move(out)) {}
  ~PythonFunction() override { release_reference(application_); }
  PythonFunction(const PythonFunction&) = delete;
  PythonFunction& operator=(const PythonFunction&) = delete;

  size_t hash() const override { return hash_; }
  bool equals(const AttrObject& other) const override {
    const auto* f = dynamic_cast<const PythonFunction*>(&other);
    if (f == nullptr || f->hash_ != hash_ || f->in_ != in_ || f->out_ != out_) return false;
    const PythonSection python;
    return py::handle(application_).equal(py::handle(f->application_));
  }
  void print(std::ostream& out) const override {
    const PythonSection python;
    out << name();
  }

  std::span<const TensorType> in_types() const override { return in_; }
  std::span<const TensorType> out_types() const override { return out_; }

  std::vector<Value> call(std::span<const Value> in) const override {
    const PythonSection python;
    std::vector<Value> found = call_python(application_, "call", in);
    bool same = found.size() == out_.size();
    for (size_t j = 0; j < found.size() && same; ++j) same = type_of(found[j]) == out_[j];
    if (!same)
      throw_error<ValueError>(
          name(), ": the function returned ", list_of(found), " where it returned ", list_of(out_),
          " when it was recorded, for operands of the same shapes and dtypes; let "
          "shapes and dtypes of its results follow from those of its arguments, or call it "
          "outside of tg.compile, tg.vmap, tg.scan and tg.checkpoint");
    return found;
  }

  void vjp(VjpContext& ctx) const override {
    const PythonSection python;
    const UserSection user;
    py::tuple needs(in_.size());
    py::list in(in_.size()), out(out_.size()), cts(out_.size());
    for (size_t i = 0; i < in_.size(); ++i) {
      const int at = static_cast<int>(i);
      needs[i] = py::bool_(ctx.needs(at) && is_floating(in_[i].dtype));
      in[i] = to_operand_object(ctx.in(at));
    }
    for (size_t j = 0; j < out_.size(); ++j) {
      const int at = static_cast<int>(j);
      out[j] = to_operand_object(ctx.out(at));
      cts[j] = ctx.has_ct(at) ? to_operand_object(ctx.ct(at)) : py::none();
    }
    const py::list found(py::handle(application_).attr("vjp")(needs, in, out, cts));
    for (size_t i = 0; i < in_.size(); ++i)
      if (const py::handle h = found[i]; needs[i].cast<bool>() && !h.is_none())
        ctx.add(static_cast<int>(i), to_own_ref(h, "vjp"));
  }

  void jvp(JvpContext& ctx) const override {
    const PythonSection python;
    const UserSection user;
    py::list in(in_.size()), out(out_.size()), tangents(in_.size());
    for (size_t i = 0; i < in_.size(); ++i) {
      const int at = static_cast<int>(i);
      const bool has = ctx.has_tangent(at) && is_floating(in_[i].dtype);
      in[i] = to_operand_object(ctx.in(at));
      tangents[i] = has ? to_operand_object(ctx.tangent(at)) : py::none();
    }
    for (size_t j = 0; j < out_.size(); ++j)
      out[j] = to_operand_object(ctx.out(static_cast<int>(j)));
    const py::list found(py::handle(application_).attr("jvp")(in, out, tangents));
    for (size_t j = 0; j < out_.size(); ++j)
      if (const py::handle h = found[j]; is_floating(out_[j].dtype) && !h.is_none())
        ctx.set(static_cast<int>(j), to_own_ref(h, "jvp"));
  }

  std::vector<Ref> lanes(const LanesCall& call) const override {
    const PythonSection python;
    const UserSection user;
    py::list in(in_.size());
    py::tuple has_lanes(in_.size());
    for (size_t i = 0; i < in_.size(); ++i) {
      in[i] = to_operand_object(call.in[i]);
      has_lanes[i] = py::bool_(call.has_lanes[i] != 0);
    }
    const py::object found = py::handle(application_).attr("lanes")(call.n, has_lanes, in);
    std::vector<Ref> refs;
    if (!found.is_none())
      for (const py::handle h : py::list(found)) refs.push_back(to_own_ref(h, "vmap"));
    return refs;
  }

 private:
  std::string name() const { return py::str(py::handle(application_)).cast<std::string>(); }

  template <class Items>
  static std::string list_of(const Items& items) {
    std::string text;
    for (const auto& x : items) {
      TensorType t;
      if constexpr (std::is_same_v<std::decay_t<decltype(x)>, Value>)
        t = type_of(x);
      else
        t = x;
      text += join_text(text.empty() ? "" : ", ", dtype_name(t.dtype), ' ', t.shape);
    }
    return text.empty() ? "nothing" : text;
  }

  PyObject* application_;
  size_t hash_;
  std::vector<TensorType> in_, out_;
};

// The results of one application, which `start` computes: Variables where they are recorded.
py::list apply_host_function(const py::object& application, const py::sequence& inputs) {
  see_context();
  bool any_variable = false;
  std::vector<Ref> refs;
  for (const py::object x : inputs) {
    any_variable |= is_variable(x.ptr());
    refs.push_back(to_operand(x.ptr(), "primitive").ref);
  }
  std::vector<Value> values;
  for (const Ref& r : refs) values.push_back(r.value());
  std::vector<Value> results = call_python(application, "start", values);
  std::vector<TensorType> in, out;
  for (const Value& v : values) in.push_back(type_of(v));
  for (const Value& v : results) out.push_back(type_of(v));
  const auto f = std::make_shared<const PythonFunction>(application, std::move(in), std::move(out));
  py::list found;
  for (Ref& r : record_host_function(f, refs, std::move(results))) {
    if (r.tracked() || (any_variable && is_floating(r.dtype())))
      found.append(py::reinterpret_steal<py::object>(new_variable(std::move(r))));
    else
      found.append(to_object(std::move(r).take_value()));
  }
  return found;
}

}  // namespace

void bind_host_functions(py::module_& m) {
  m.def("apply_host_function", &apply_host_function, py::arg("application"), py::arg("inputs"),
        "The results of a function of Python's, applied as one operation: see Application.");
}

}  // namespace tapegrad
