#include "tapegrad/autodiff/grad.h"

#include <algorithm>
#include <optional>

#include "tapegrad/autodiff/doubts/doubts.h"
#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/shape/shape.h"

namespace tapegrad {

LongWork long_work;

LongWorkSection::LongWorkSection(const Schedule& schedule) {
  if (long_work.begin == nullptr) return;
  bool long_enough = schedule.size() > 20000;
  for (size_t pos = 0; pos < schedule.size() && !long_enough; ++pos)
    long_enough = schedule.tape->node(schedule.slots[pos]).value.size() > 2048;
  if (long_enough) begin();
}

namespace {

Tape& own_tape(const Ref& r, const char* operation) {
  if (!Tape::is_current(r.tape())) throw_wrong_thread(*r.tape(), operation);
  return *r.tape();
}

// An output stands for its recording, whether more is being recorded or not.
Ref recorded_ref(Cell& output, const char* operation) {
  const RecordingGuard on(true);
  return output.ref(operation);
}

void check_seed(const Ref& output, const Ref& seed, size_t k, const char* operation) {
  if (seed.shape() != output.shape())
    throw_error<ValueError>(operation, ": seed ", k, " has shape ", seed.shape(),
                            " but its output has shape ", output.shape(),
                            "; a seed has its output's shape");
  if (!is_floating(seed.dtype()))
    throw_error<TypeError>(operation, ": seed ", k, " must be floating, got ",
                           describe(seed.value()));
}

Ref seed_of(const Ref& output, std::span<const Ref> seeds, size_t k, const char* operation) {
  if (!seeds.empty()) {
    check_seed(output, seeds[k], k, operation);
    return cast(seeds[k], output.dtype());
  }
  if (output.ndim() != 0)
    throw_error<ValueError>(operation, ": output ", k, " has shape ", output.shape(),
                            " but a gradient belongs to a scalar; reduce it (for instance with "
                            "np.sum), give a seed of that "
                            "shape, or use jacobian / elementwise_grad");
  return Ref(Value::scalar(1.0, output.dtype()));
}

double ns_to_record(const Schedule& schedule) {
  double ns = 0;
  for (uint32_t slot : schedule.slots)
    ns += 1000 + 0.5 * static_cast<double>(schedule.tape->node(slot).value.size());
  return ns;
}

// One reverse sweep; wrt as nodes and leaves.
class ReverseRequest {
 public:
  void add_output(const Ref& output, Ref seed) {
    if (!output.tracked()) return;  // does not depend on anything recorded
    tape_ = &own_tape(output, "grad");
    outputs_.push_back(output.slot());
    values_.push_back(output);
    seeds_.push_back(std::move(seed));
  }
  Tape* tape() const { return tape_; }
  std::vector<uint32_t> nodes;
  std::vector<Leaf*> leaves;
  uint32_t program_only_from = 0;  // see Tape::ProgramOnly
  std::optional<Tracer::Sweep> noted;
  bool left_out() const { return noted && noted->left_out; }  // see Tracer::leaves_out

  // `nested`: what is recorded may be differentiated by who asked for it, and not for a program
  // alone.
  bool run(Workspace& w, bool recorded, bool nested) {
    if (tape_ == nullptr) return false;
    build_schedule(*tape_, {outputs_, nodes, leaves, false}, w.schedule);
    check_constants(w.schedule);
    if (recorded && program_only_from != 0 && !reads_from_before(program_only_from)) {
      noted = tape_->tracer()->begin_sweep(values_, seeds_);
      noted->left_out = tape_->tracer()->leaves_out(ns_to_record(w.schedule));
    }
    if (left_out()) {
      recorded = false;
      for (Ref& s : seeds_) s = Ref(s.value());
    }
    const uint64_t silent = silent_ties();
    sweep(w, recorded);
    if (silent_ties() != silent) doubt_ties(w.schedule, values_, seeds_, "grad");
    if (nested) {
      doubt_tips(w.schedule, values_, "second derivative");
    } else {
      doubt_hidden_overflow(w.schedule, values_, seeds_, "grad");
    }
    return true;
  }

 private:
  void sweep(Workspace& w, bool recorded) {
    const RecordingGuard guard(recorded);
    w.reverse.start(w.schedule, recorded);
    for (size_t k = 0; k < outputs_.size(); ++k)
      w.reverse.seed(w.schedule.output_positions[k], as_recorded(seeds_[k], recorded));
    const LongWorkSection section(w.schedule);
    const ProgramOnlySection section_of_program(*tape_, recorded ? program_only_from : 0);
    w.reverse.run();
  }

  // Whether an output or a seed depends on what is older than this origin.
  bool reads_from_before(uint32_t origin) const {
    const auto is_before = [&](uint32_t slot) { return tape_->node(slot).origin < origin; };
    return std::any_of(outputs_.begin(), outputs_.end(), is_before) ||
           std::any_of(seeds_.begin(), seeds_.end(),
                       [&](const Ref& s) { return s.tracked() && is_before(s.slot()); });
  }

  // For a program the seed 1 has a node: what rules make of it (1 / n) is then recorded as well,
  // and depends on lengths in a way that can be seen.
  Ref as_recorded(Ref seed, bool recorded) const {
    if (!recorded || !tape_->tracing() || seed.tracked() || seed.ndim() > 0) return seed;
    const RuleSection rules(*tape_);
    return Ref::adopt(tape_, tape_->constant(std::move(seed).take_value()));
  }

  Tape* tape_ = nullptr;
  std::vector<uint32_t> outputs_;
  std::vector<Ref> values_;  // the outputs again
  std::vector<Ref> seeds_;
};

void check_counts(size_t outputs, size_t seeds, const char* operation) {
  if (seeds != 0 && seeds != outputs)
    throw_error<ValueError>(operation, ": ", outputs, " outputs but ", seeds,
                            " seeds; give one seed for each output");
}

Ref leaf_gradient(Workspace& w, const Leaf* leaf, const TensorType& type) {
  Ref sum;
  bool any = false;
  for (size_t pos = 0; pos < w.schedule.size(); ++pos) {
    const Node& n = w.schedule.tape->node(w.schedule.slots[pos]);
    if (n.kind != NodeKind::leaf || n.leaf != leaf ||
        !w.reverse.has_adjoint(static_cast<int32_t>(pos)))
      continue;
    Ref one = w.reverse.adjoint(static_cast<int32_t>(pos));
    sum = any ? add(sum, one) : std::move(one);
    any = true;
  }
  return any ? sum : constant_full(type, 0.0);
}

}  // namespace

void add_to_gradient(Value& sum, const Value& g) { add_into(sum, g); }

std::vector<Variable> grad(std::span<const Variable> outputs, std::span<const Variable> wrt,
                           std::span<const Ref> seeds, std::optional<bool> record) {
  check_counts(outputs.size(), seeds.size(), "grad");
  ReverseRequest request;
  std::vector<Ref> keep;
  for (size_t k = 0; k < outputs.size(); ++k) {
    keep.push_back(recorded_ref(outputs[k].cell(), "grad"));
    request.add_output(keep.back(), seed_of(keep.back(), seeds, k, "grad"));
  }
  for (const Variable& v : wrt) {
    Cell& c = v.cell();
    if (c.is_view()) c.refresh();
    if (c.is_leaf()) {
      request.leaves.push_back(&c);
    } else {
      if (!Tape::is_current(c.tape())) throw_wrong_thread(*c.tape(), "grad");
      request.nodes.push_back(c.slot());
    }
  }
  bool recorded = record.value_or(Tape::current().innermost_scope() != 0);
  recorded |= Tape::current().tracing();
  for (const Ref& s : seeds) recorded |= s.tracked();
  WorkspaceLease w;
  const bool ran = request.run(*w, recorded, recorded && !Tape::current().tracing());
  std::vector<Variable> result;
  size_t node_index = 0;
  for (const Variable& v : wrt) {
    Cell& c = v.cell();
    const TensorType type = c.type();
    if (c.is_leaf()) {
      result.push_back(
          Variable::from(ran ? leaf_gradient(*w, &c, type) : constant_full(type, 0.0)));
      continue;
    }
    const int32_t pos = ran ? w->schedule.node_positions[node_index] : -1;
    ++node_index;
    result.push_back(Variable::from(ran && w->reverse.has_adjoint(pos) ? w->reverse.adjoint(pos)
                                                                       : constant_full(type, 0.0)));
  }
  return result;
}

void backward(Cell& output, const Value* seed, bool free) {
  if (Tape& here = Tape::current(); here.tracing())
    here.tracer()->refuse("it calls backward(), which adds to the .grad of Variables");
  if (output.is_unrecorded())
    throw_error<RuntimeError>("backward: this Variable of shape ", output.type().shape,
                              " was computed with recording off (tg.no_grad), so nothing leads "
                              "back from it; compute it outside "
                              "the no_grad block");
  const Ref out = recorded_ref(output, "backward");
  Tape& tape = own_tape(out, "backward");
  tape.drain_releases();
  std::vector<Ref> seeds;
  if (seed) seeds.push_back(Ref(*seed));
  const Ref start = seed_of(out, seeds, 0, "backward");
  WorkspaceLease w;
  const uint32_t slot = out.slot();
  build_schedule(tape, {{&slot, 1}, {}, {}, true}, w->schedule);
  check_constants(w->schedule);
  w->reverse.start(w->schedule, false);
  const uint64_t silent = silent_ties();
  {
    const RecordingGuard off(false);
    w->reverse.seed(w->schedule.output_positions[0], start);
    const LongWorkSection section(w->schedule);
    w->reverse.run();
  }
  if (silent_ties() != silent) doubt_ties(w->schedule, {&out, 1}, {&start, 1}, "backward");
  doubt_hidden_overflow(w->schedule, {&out, 1}, {&start, 1}, "backward");
  // Gradients land only now: an error above leaves every .grad as it was.
  for (size_t pos = 0; pos < w->schedule.size(); ++pos) {
    if (!w->schedule.target[pos]) continue;
    Node& n = tape.node(w->schedule.slots[pos]);
    const auto at = static_cast<int32_t>(pos);
    // What only zeros led to has a gradient too.
    static_cast<Cell*>(n.leaf)->add_grad(w->reverse.has_adjoint(at)
                                             ? w->reverse.adjoint(at).value()
                                             : Value::zeros(n.value.dtype(), n.value.shape()));
  }
  if (free) {
    for (uint32_t s : w->schedule.slots) tape.free_recording(s);
  }
}

Variable Scope::argument(const Ref& x) {
  if (!is_floating(x.dtype()))
    throw_error<TypeError>("grad: an argument must be floating to be differentiated, got ",
                           describe(x.value()), "; convert it first, np.asarray(x, dtype=float)");
  if (x.tracked() && !Tape::is_current(x.tape())) throw_wrong_thread(*x.tape(), "grad");
  if (!x.tracked() && tape_.tracing()) {
    // A program reads the array itself, or has it as a constant: a node says which.
    const Ref plain = Ref::adopt(&tape_, tape_.constant(x.value()));
    tape_.retain_value(plain.slot());  // beyond the last rule that reads it
    const uint32_t slot = tape_.argument(plain.slot(), plain.value());
    return Variable(CellPtr(Cell::adopt(&tape_, slot)));
  }
  const uint32_t outer = x.tracked() && recording_before_ ? x.slot() : 0;
  // A plain array may change while the scope is open.
  const uint32_t slot = tape_.argument(outer, x.tracked() ? x.value() : x.value().copy());
  return Variable(CellPtr(Cell::adopt(&tape_, slot)));
}

bool Scope::outside(const Ref& r) const {
  return recording_before_ && r.tracked() && tape_.node(r.slot()).origin < serial_;
}

// A result that is no more than a constant, but passes for one that depends on the arguments.
Ref Scope::stand_in(Ref result, uint32_t origin) const {
  const uint32_t slot = tape_.constant(std::move(result).take_value());
  tape_.node(slot).origin = origin;
  return Ref::adopt(&tape_, slot);
}

// What a tracer records of the sweep is for its program alone where nobody else, inside or outside,
// differentiates.
uint32_t Scope::program_only_from() const {
  if (!tape_.tracing()) return 0;
  const uint32_t tracer = tape_.tracer()->scope();
  return tape_.is_innermost_but_for(tracer, serial_) ? tracer : 0;
}

Ref Scope::result(const Ref& r) const { return !r.tracked() || outside(r) ? r : Ref(r.value()); }

std::vector<Ref> Scope::grad(std::span<const Ref> outputs, std::span<const Ref> wrt,
                             std::span<const Ref> seeds) {
  check_counts(outputs.size(), seeds.size(), "grad");
  ReverseRequest request;
  bool recorded = false;
  for (size_t k = 0; k < outputs.size(); ++k) {
    request.add_output(outputs[k], seed_of(outputs[k], seeds, k, "grad"));
    recorded |= outside(outputs[k]);
  }
  for (const Ref& s : seeds) recorded |= s.tracked();
  for (const Ref& x : wrt) request.nodes.push_back(x.slot());
  request.program_only_from = program_only_from();
  WorkspaceLease w;
  const bool ran = request.run(*w, recorded, recorded && request.program_only_from == 0);
  reached_ = false;
  if (ran)
    for (int32_t pos : w->schedule.output_positions) reached_ |= pos >= 0;
  std::vector<Ref> result;
  for (size_t k = 0; k < wrt.size(); ++k) {
    const int32_t pos = ran ? w->schedule.node_positions[k] : -1;
    result.push_back(ran && w->reverse.has_adjoint(pos) ? w->reverse.adjoint(pos)
                                                        : constant_full(wrt[k].type(), 0.0));
    if (request.left_out())
      result.back() = stand_in(std::move(result.back()), request.program_only_from);
  }
  if (request.noted) tape_.tracer()->end_sweep(std::move(*request.noted), wrt, result);
  return result;
}

std::vector<Ref> Scope::jvp(std::span<const Ref> outputs, std::span<const Ref> wrt,
                            std::span<const Ref> tangents) {
  if (tangents.size() != wrt.size())
    throw_error<ValueError>("jvp: ", wrt.size(), " arguments but ", tangents.size(),
                            " tangents; give one for each");
  std::vector<uint32_t> out_slots, wrt_slots;
  std::vector<Ref> tracked;
  bool recorded = false;
  for (const Ref& y : outputs) {
    if (!y.tracked()) continue;
    own_tape(y, "jvp");
    out_slots.push_back(y.slot());
    tracked.push_back(y);
    recorded |= outside(y);
  }
  for (size_t k = 0; k < wrt.size(); ++k) {
    check_seed(wrt[k], tangents[k], k, "jvp");
    wrt_slots.push_back(wrt[k].slot());
    recorded |= tangents[k].tracked();
  }
  WorkspaceLease w;
  if (!out_slots.empty()) {
    build_schedule(tape_, {out_slots, wrt_slots, {}, false}, w->schedule);
    check_constants(w->schedule);
    {
      const RecordingGuard guard(recorded);
      w->tangent.start(w->schedule, recorded);
      for (size_t k = 0; k < wrt.size(); ++k)
        w->tangent.seed(w->schedule.node_positions[k], cast(tangents[k], wrt[k].dtype()));
      const LongWorkSection section(w->schedule);
      const ProgramOnlySection section_of_program(tape_, recorded ? program_only_from() : 0);
      w->tangent.run();
    }
    if (recorded && program_only_from() == 0) doubt_tips(w->schedule, tracked, "second derivative");
  }
  std::vector<Ref> result;
  size_t at = 0;
  for (const Ref& y : outputs) {
    const int32_t pos = y.tracked() ? w->schedule.output_positions[at++] : -1;
    result.push_back(pos >= 0 && w->tangent.has_tangent(pos) ? w->tangent.tangent(pos)
                                                             : constant_full(y.type(), 0.0));
  }
  return result;
}

}  // namespace tapegrad
