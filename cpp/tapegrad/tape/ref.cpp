#include "tapegrad/tape/ref.h"

#include <string>

#include "tapegrad/base/error.h"
#include "tapegrad/tape/anomaly/anomaly.h"
#include "tapegrad/tape/data_values.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/ref_algebra.h"
#include "tapegrad/tape/tape.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {

RefAlgebra ref_algebra;

Ref::Ref(Tape* tape, uint32_t slot) : tape_(tape), slot_(slot) { tape->retain(slot); }

Ref Ref::adopt(Tape* tape, uint32_t slot) {
  Ref r;
  r.tape_ = tape;
  r.slot_ = slot;
  return r;
}

Ref::Ref(const Ref& o) : tape_(o.tape_), slot_(o.slot_), value_(o.value_) {
  if (tape_) tape_->retain(slot_);
}

const Value& Ref::node_value() const { return tape_->node(slot_).value; }

void Ref::release() { tape_->release(slot_); }

Value Ref::take_value() && {
  if (!tape_) return std::move(value_);
  Node& n = tape_->node(slot_);
  if (n.value_refs == 1 && !n.value.is_scalar()) {
    Value taken = n.value;  // keeps the layout in the node
    n.value.drop_data();
    return taken;
  }
  return n.value;
}

Tape* recording_tape(const Op& op, std::span<const Ref> inputs) {
  Tape* tape = nullptr;
  for (const Ref& r : inputs) {
    if (!r.tracked()) continue;
    if (!Tape::is_current(r.tape())) throw_wrong_thread(*r.tape(), op.name);
    tape = r.tape();
  }
  return tape && (tape->recording() || tape->tracing()) ? tape : nullptr;
}

namespace {

// Whether eval may take the first input's buffer: nothing but this Ref still needs its value. (A
// program keeps its constants.)
bool can_take(const Ref& r, const Tape* recorded_on) {
  if (!r.tracked()) return recorded_on == nullptr || !recorded_on->tracing();
  return r.tape()->node(r.slot()).value_refs == 1;
}

constexpr size_t few = 3;  // inputs, for which no vectors are made

void check_types(const Op& op, const Attrs& attrs, std::span<const Ref> inputs) {
  TensorType few_types[few];
  std::vector<TensorType> many_types(inputs.size() <= few ? 0 : inputs.size());
  const std::span<TensorType> types =
      inputs.size() <= few ? std::span(few_types, inputs.size()) : std::span(many_types);
  for (size_t i = 0; i < inputs.size(); ++i) types[i] = inputs[i].type();
  op.infer(attrs, types);
}

// `in`: as many as there are inputs.
void evaluate(const Op& op, const Attrs& attrs, std::span<Ref> inputs, std::span<Value> in,
              std::span<Value> out, const Tape* recorded_on) {
  size_t first = 0;
  if (op.in_place && can_take(inputs[0], recorded_on)) {
    if (op.infer) check_types(op, attrs, inputs);  // complaints come before the value is taken
    if (inputs[0].tracked()) {
      Node& n = inputs[0].tape()->node(inputs[0].slot());
      in[0] = n.value;
      n.value.drop_data();
    } else {
      const Value type_only = [&] {
        Value v = inputs[0].value();
        v.drop_data();
        return v;
      }();
      in[0] = std::move(inputs[0]).take_value();
      inputs[0] = Ref(type_only);
    }
    first = 1;
  }
  for (size_t i = first; i < inputs.size(); ++i) in[i] = inputs[i].value();
  op.eval(attrs, in, out);
}

size_t count_outputs(const Op& op, const Attrs& attrs, std::span<const Ref> inputs) {
  if (op.n_out >= 0) return static_cast<size_t>(op.n_out);
  std::vector<TensorType> types;
  for (const Ref& r : inputs) types.push_back(r.type());
  return op.infer(attrs, types).size();
}

}  // namespace

void check_input_count(const Op& op, size_t n) {
  if (op.n_in >= 0 && n != static_cast<size_t>(op.n_in))
    throw_error<TypeError>(op.name, ": takes ", op.n_in, " operands, got ", n);
}

uint32_t record_application(Tape& tape, const Op& op, const Attrs& attrs,
                            std::span<const Ref> inputs) {
  const bool tracing = tape.tracing();
  ReadMask mask = 0;
  uint32_t origin = ~uint32_t{0};
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].tracked()) continue;
    mask |= op.reads_of(i);
    origin = std::min(origin, tape.node(inputs[i].slot()).origin);
  }
  // What is recorded of constants alone belongs to who records the whole function.
  if (origin == ~uint32_t{0} && tracing) origin = tape.tracer()->scope();
  // Should memory run out, the node can be let go of at any time: its parts are set in that order.
  Ref recorded = Ref::adopt(&tape, tape.new_node(NodeKind::op, op.id));
  Node& n = tape.node(recorded.slot());
  const bool many = inputs.size() > 2;
  n.origin = origin;
  if (!tape.recording()) n.flags |= Node::held_constant;
  if (tracing && origin < tape.tracer()->scope()) tape.tracer()->see_outside();
  if (anomaly::is_watching()) [[unlikely]]  // whoever looks at them later shall find them
    mask |= reads_all_inputs;
  if (tape.is_program_only(origin)) {
    n.flags |= Node::freed;
    mask = 0;
  }
  if (many || !attrs.empty() || op.n_out != 1) {
    n.extra = tape.new_extra();
    n.extra->attrs = attrs;
    if (many) n.extra->inputs.resize(inputs.size());
  }
  n.n_in = many ? Node::many_inputs : static_cast<uint8_t>(inputs.size());
  uint32_t* const in_slots = many ? n.extra->inputs.data() : n.in;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool reads = (mask & reads_in(static_cast<int>(i))) != 0;
    uint32_t in = 0;
    if (tracing) tape.tracer()->see(inputs[i].dtype());
    if (inputs[i].tracked()) {
      in = inputs[i].slot();
      tape.retain_node(in);
    } else if (reads || op.scalar_fn < 0 || tracing) {
      Value v = inputs[i].value();
      if (tracing && v.is_scalar()) {
        in = tape.tracer()->number(std::move(v));
      } else {
        if (!reads && !tracing) v.drop_data();
        in = tape.constant(std::move(v));  // its first counts are ours
        // A program wants the value whoever has read it.
        if (reads) tape.node(in).value_refs = tracing ? 1 : 0;
      }
    }
    if (reads && in != 0) {
      tape.retain_value(in);
      if (many)
        n.extra->read_mask |= reads_in(static_cast<int>(i));
      else
        n.flags |= i == 0 ? Node::reads_in0 : Node::reads_in1;
    }
    in_slots[i] = in;
  }
  if (tracing) tape.tracer()->keep(recorded.slot());
  if (anomaly::is_watching()) [[unlikely]] {
    if (n.extra == nullptr) n.extra = tape.new_extra();
    if (n.extra->rare == nullptr) n.extra->rare = std::make_unique<NodeExtra::Rare>();
    if (current_location) n.extra->rare->where = current_location();
  }
  return std::move(recorded).release_slot();
}

Ref record_single(Tape& tape, const Op& op, const Attrs& attrs, std::span<const Ref> inputs,
                  Value out) {
  if (anomaly::may_watch()) [[unlikely]]
    anomaly::check_results(tape, op, attrs, inputs, {&out, 1});
  const uint32_t slot = record_application(tape, op, attrs, inputs);
  Node& n = tape.node(slot);
  n.value = std::move(out);
  ReadMask mask = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].tracked()) mask |= op.reads_of(i);
  if (mask & reads_out(0) && !(n.flags & Node::freed)) {
    n.flags |= Node::reads_output;
    ++n.value_refs;
  }
  return Ref::adopt(&tape, slot);
}

std::vector<Ref> record_several(Tape& tape, const Op& op, const Attrs& attrs,
                                std::span<const Ref> inputs, std::vector<Value> out) {
  if (anomaly::may_watch()) [[unlikely]]
    anomaly::check_results(tape, op, attrs, inputs, out);
  ReadMask mask = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].tracked()) mask |= op.reads_of(i);
  const Ref primary = Ref::adopt(&tape, record_application(tape, op, attrs, inputs));
  std::vector<Ref> picks;
  for (size_t j = 0; j < out.size(); ++j) {
    picks.push_back(is_recorded(tape, out[j].dtype()) ? pick_output(primary, j, out[j])
                                                      : Ref(out[j]));
    if (!(mask & reads_out(static_cast<int>(j)))) out[j].drop_data();
  }
  tape.node(primary.slot()).extra->outs = std::move(out);
  return picks;
}

Ref pick_output(const Ref& primary, size_t j, Value value) {
  Tape& tape = *primary.tape();
  const uint32_t slot = tape.new_node(NodeKind::pick, static_cast<uint16_t>(j));
  Node& n = tape.node(slot);
  n.in[0] = primary.slot();
  n.n_in = 1;
  n.origin = tape.node(primary.slot()).origin;
  n.value = std::move(value);
  tape.retain_node(primary.slot());
  return Ref::adopt(&tape, slot);
}

Ref with_value(const Ref& r) {
  const Node& n = r.tape()->node(r.slot());
  if (n.kind != NodeKind::pick || n.value.has_data()) return r;
  const Ref primary(r.tape(), n.in[0]);
  return pick_output(primary, n.op, r.tape()->node(n.in[0]).extra->outs[n.op]);
}

std::vector<Ref> apply(const Op& op, const Attrs& attrs, std::vector<Ref> inputs) {
  check_input_count(op, inputs.size());
  if (op.compose) return op.compose(attrs, inputs);
  Tape* tape = recording_tape(op, inputs);
  std::vector<Value> in(inputs.size()), out(count_outputs(op, attrs, inputs));
  evaluate(op, attrs, inputs, in, out, tape);
  if (tape == nullptr)
    return {std::make_move_iterator(out.begin()), std::make_move_iterator(out.end())};
  if (op.n_out != 1) return record_several(*tape, op, attrs, inputs, std::move(out));
  std::vector<Ref> result;
  if (is_recorded(*tape, out[0].dtype())) {
    result.push_back(record_single(*tape, op, attrs, inputs, std::move(out[0])));
  } else {
    result.push_back(Ref(std::move(out[0])));
  }
  return result;
}

Ref apply(const Op& op, const Attrs& attrs, std::initializer_list<Ref> inputs) {
  check_input_count(op, inputs.size());
  if (op.compose || op.n_out != 1 || op.in_place || inputs.size() > 3)
    return std::move(apply(op, attrs, std::vector<Ref>(inputs))[0]);
  return apply_single(op, attrs, {inputs.begin(), inputs.size()});
}

Ref apply_few(const Op& op, const Attrs& attrs, std::span<Ref> inputs) {
  Tape* tape = recording_tape(op, inputs);
  Value in[few], out[1];
  evaluate(op, attrs, inputs, {in, inputs.size()}, out, tape);
  if (tape && is_recorded(*tape, out[0].dtype()))
    return record_single(*tape, op, attrs, inputs, std::move(out[0]));
  return Ref(std::move(out[0]));
}

namespace {

// The values of inputs, for an eval that reads them (all do that are not in place): counting
// several atomics up and down is much of what a short one costs. The Refs hold them meanwhile.
struct BorrowedValues {
  Value values[3];

  explicit BorrowedValues(std::span<const Ref> inputs) {
    for (size_t i = 0; i < inputs.size(); ++i) values[i].borrow(inputs[i].value());
  }
  BorrowedValues(const BorrowedValues&) = delete;
  BorrowedValues& operator=(const BorrowedValues&) = delete;
  ~BorrowedValues() {
    for (Value& v : values) v.forget();
  }
};

}  // namespace

Ref apply_single(const Op& op, const Attrs& attrs, std::span<const Ref> inputs) {
  Tape* tape = recording_tape(op, inputs);
  Value out[1];
  {
    BorrowedValues in(inputs);
    op.eval(attrs, {in.values, inputs.size()}, {out, 1});
  }
  if (tape && is_recorded(*tape, out[0].dtype()))
    return record_single(*tape, op, attrs, inputs, std::move(out[0]));
  return Ref(std::move(out[0]));
}

}  // namespace tapegrad
