#include "tapegrad/sweep/reverse_rule.h"

#include "tapegrad/base/error.h"
#include "tapegrad/tape/record.h"

namespace tapegrad {

const Attrs& attrs_of(const Node& node) {
  static const Attrs none;
  return node.extra ? node.extra->attrs : none;
}

namespace {

[[noreturn]] void throw_unread(const Op& op, const char* what, int i) {
  throw_error<RuntimeError>("internal error: the rule of ", op.name, " reads ", what, ' ', i,
                            ", which it did not declare");
}

}  // namespace

Ref read_input(Tape& tape, const Node& node, const Op& op, int i, bool recorded) {
  const uint32_t slot = node.inputs()[static_cast<size_t>(i)];
  if (slot == 0) throw_unread(op, "input", i);
  const Node& input = tape.node(slot);
  if (!input.value.has_data()) throw_unread(op, "input", i);
  if (recorded && (input.kind != NodeKind::constant || tape.tracing())) return Ref(&tape, slot);
  return Ref(input.value);
}

Ref read_output(Tape& tape, uint32_t slot, const Op& op, int j, bool recorded) {
  const Node& node = tape.node(slot);
  if (op.n_out == 1) {
    if (!node.value.has_data()) throw_unread(op, "output", j);
    return recorded ? Ref(&tape, slot) : Ref(node.value);
  }
  const Value& v = node.extra->outs[static_cast<size_t>(j)];
  if (!v.has_data()) throw_unread(op, "output", j);
  return recorded && (is_floating(v.dtype()) || tape.tracing())
             ? pick_output(Ref(&tape, slot), static_cast<size_t>(j), v)
             : Ref(v);
}

ReverseRule::ReverseRule(ReverseSweep& sweep, size_t pos, const Node& node, const Op& op)
    : sweep_(sweep), pos_(pos), node_(node), op_(op), to_(sweep.schedule_->inputs_of(pos)) {
  attrs_ = &attrs_of(node);
  n_in_ = static_cast<int>(to_.size());
  if (op.n_out == 1) {
    ct_ = sweep.schedule_->target[pos] && sweep.state_[pos] == ReverseSweep::State::held
              ? sweep.held_[pos]
          : sweep.state_[pos] == ReverseSweep::State::number
              ? Ref(Value::scalar(sweep.numbers_[pos], node.value.dtype()))
              : sweep.take(pos);
  } else {
    cts_.swap(sweep.picked_.at(pos));
    if (!sweep.concurrent_) sweep.picked_.erase(pos);
  }
}

Ref ReverseRule::in(int i) const {
  return read_input(*sweep_.tape_, node_, op_, i, sweep_.recorded_);
}

Ref ReverseRule::out(int j) const {
  return read_output(*sweep_.tape_, sweep_.schedule_->slots[pos_], op_, j, sweep_.recorded_);
}

TensorType ReverseRule::in_type(int i) const {
  const uint32_t slot = node_.inputs()[static_cast<size_t>(i)];
  return slot == 0 ? TensorType{} : type_of(sweep_.tape_->node(slot).value);
}

TensorType ReverseRule::out_type(int j) const {
  return op_.n_out == 1 ? type_of(node_.value) : type_of(node_.extra->outs[static_cast<size_t>(j)]);
}

bool ReverseRule::has_ct(int j) const {
  if (op_.n_out == 1) return j == 0;
  const auto at = static_cast<size_t>(j);
  return at < cts_.size() && cts_[at].dtype() != DType::int64;
}

Ref ReverseRule::ct(int j) const { return op_.n_out == 1 ? ct_ : cts_[static_cast<size_t>(j)]; }

Ref ReverseRule::take_ct(int j) {
  return std::move(op_.n_out == 1 ? ct_ : cts_[static_cast<size_t>(j)]);
}

void ReverseRule::add(int i, Ref contribution) {
  if (needs(i))
    sweep_.land(pos_, static_cast<size_t>(to_[static_cast<size_t>(i)]), std::move(contribution));
}

void ReverseRule::add_in_place(int i, const Op& op, const Attrs& attrs, std::vector<Ref> rest) {
  if (needs(i))
    sweep_.land_in_place(pos_, static_cast<size_t>(to_[static_cast<size_t>(i)]), op, attrs,
                         std::move(rest));
}

}  // namespace tapegrad
