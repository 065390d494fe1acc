#include "tapegrad/sweep/tangent_sweep.h"

#include <optional>

#include "tapegrad/base/error.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/scalar/partial.h"
#include "tapegrad/sweep/elementwise_rule.h"
#include "tapegrad/sweep/reverse_rule.h"
#include "tapegrad/tape/anomaly/anomaly.h"
#include "tapegrad/tape/ref_algebra.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {

class TangentRule final : public JvpContext {
 public:
  TangentRule(TangentSweep& sweep, size_t pos, const Node& node, const Op& op)
      : sweep_(sweep), pos_(pos), node_(node), op_(op), from_(sweep.schedule_->inputs_of(pos)) {
    attrs_ = &attrs_of(node);
    n_in_ = static_cast<int>(from_.size());
  }

  bool has_tangent(int i) const override {
    return sweep_.has_tangent(from_[static_cast<size_t>(i)]);
  }
  Ref tangent(int i) const override {
    return has_tangent(i) ? sweep_.tangent(from_[static_cast<size_t>(i)])
                          : ref_algebra.zeros(in_type(i));
  }
  bool last_use(int i) const {
    return sweep_.pending_uses_[static_cast<size_t>(from_[static_cast<size_t>(i)])] == 1;
  }
  Ref take_tangent(int i) {
    Ref taken;
    taken.swap(sweep_.tangents_[static_cast<size_t>(from_[static_cast<size_t>(i)])]);
    return taken;
  }
  Ref in(int i) const override {
    return read_input(*sweep_.tape_, node_, op_, i, sweep_.recorded_);
  }
  Ref out(int j) const override {
    return read_output(*sweep_.tape_, sweep_.schedule_->slots[pos_], op_, j, sweep_.recorded_);
  }
  TensorType in_type(int i) const override {
    const uint32_t slot = node_.inputs()[static_cast<size_t>(i)];
    return slot == 0 ? TensorType{} : type_of(sweep_.tape_->node(slot).value);
  }
  TensorType out_type(int j) const override {
    return op_.n_out == 1 ? type_of(node_.value)
                          : type_of(node_.extra->outs[static_cast<size_t>(j)]);
  }
  void set(int j, Ref tangent) override {
    const TensorType want = out_type(j);
    if (tangent.dtype() != want.dtype) tangent = ref_algebra.cast(tangent, want.dtype);
    if (tangent.shape() != want.shape)
      throw_error<RuntimeError>("internal error: ", op_.name, " gave a tangent of shape ",
                                tangent.shape(), " to an output of shape ", want.shape);
    if (op_.n_out == 1) {
      sweep_.set(pos_, std::move(tangent));
    } else {
      auto& outs = sweep_.outputs_[pos_];
      auto& has = sweep_.has_output_[pos_];
      outs.resize(node_.extra->outs.size());
      has.resize(outs.size(), 0);
      outs[static_cast<size_t>(j)] = std::move(tangent);
      has[static_cast<size_t>(j)] = 1;
    }
  }

 private:
  TangentSweep& sweep_;
  size_t pos_;
  const Node& node_;
  const Op& op_;
  std::span<const int32_t> from_;
};

void TangentSweep::start(const Schedule& schedule, bool recorded) {
  schedule_ = &schedule;
  tape_ = schedule.tape;
  recorded_ = recorded;
  present_.assign(schedule.size(), 0);
  tangents_.assign(schedule.size(), Ref());
  outputs_.assign(schedule.size(), {});
  has_output_.assign(schedule.size(), {});
  // A tangent is dropped after its last use.
  pending_uses_.assign(schedule.size(), 0);
  for (int32_t in : schedule.edges)
    if (in >= 0) ++pending_uses_[static_cast<size_t>(in)];
  for (int32_t out : schedule.output_positions)
    if (out >= 0) ++pending_uses_[static_cast<size_t>(out)];
}

void TangentSweep::finish() {
  tangents_.clear();
  outputs_.clear();
  present_.clear();
  if (tangents_.capacity() <= most_kept_positions) return;
  std::vector<Ref>().swap(tangents_);
  std::vector<std::vector<Ref>>().swap(outputs_);
  std::vector<std::vector<uint8_t>>().swap(has_output_);
}

void TangentSweep::seed(int32_t pos, Ref tangent) {
  if (pos < 0) return;
  const auto at = static_cast<size_t>(pos);
  set(at, present_[at] ? ref_algebra.add(tangents_[at], tangent) : std::move(tangent));
}

void TangentSweep::set(size_t pos, Ref tangent) {
  tangents_[pos] = std::move(tangent);
  present_[pos] = 1;
}

void TangentSweep::run() {
  // Where nothing is recorded, other threads may sweep the same tape.
  std::optional<RuleSection> section;
  if (recorded_) section.emplace(*tape_);
  const bool watching = anomaly::is_watching();
  InterruptPoll poll;
  for (size_t pos = present_.size(); pos-- > 0;) {
    const Node& n = tape_->node(schedule_->slots[pos]);
    poll(work_for_polls(n));
    process(pos);
    if (watching && present_[pos] && (n.kind == NodeKind::op || n.kind == NodeKind::pick))
      anomaly::check_derivative(*tape_, n, tangents_[pos].value(), "tangent of its result");
    for (int32_t in : schedule_->inputs_of(pos)) {
      if (in < 0) continue;
      const auto at = static_cast<size_t>(in);
      if (--pending_uses_[at] == 0) {
        tangents_[at] = Ref();
        present_[at] = 0;
        outputs_[at].clear();
      }
    }
  }
}

void TangentSweep::process(size_t pos) {
  const Node& n = tape_->node(schedule_->slots[pos]);
  const std::span<const int32_t> from = schedule_->inputs_of(pos);
  // The target's own seed stays what it is; a target upstream of another adds to it.
  const bool seeded = present_[pos];
  Ref own = seeded ? tangents_[pos] : Ref();
  bool any = false;
  for (int32_t in : from)
    any |= has_tangent(in) || (in >= 0 && !outputs_[static_cast<size_t>(in)].empty());
  if (!any) return;
  present_[pos] = 0;
  if (n.kind == NodeKind::argument) {
    set(pos, tangents_[static_cast<size_t>(from[0])]);
  } else if (n.kind == NodeKind::pick) {
    const auto primary = static_cast<size_t>(from[0]);
    if (n.op < has_output_[primary].size() && has_output_[primary][n.op])
      set(pos, outputs_[primary][n.op]);
  } else if (n.kind == NodeKind::op) {
    const Op& op = op_by_id(n.op);
    if (op.n_out == 1 && !is_floating(n.value.dtype())) {
      // Nothing flows through a mask or an index of a function that is recorded whole.
    } else if (recorded_ || op.scalar_fn < 0) {
      process_rule(pos, n);
    } else if (n.value.is_scalar()) {
      process_scalar(pos, n);
    } else {
      process_elementwise(pos, n);
    }
  }
  if (seeded) set(pos, present_[pos] ? ref_algebra.add(own, tangents_[pos]) : std::move(own));
}

void TangentSweep::process_scalar(size_t pos, const Node& n) {
  const std::span<const uint32_t> inputs = n.inputs();
  const std::span<const int32_t> from = schedule_->inputs_of(pos);
  const auto fn = static_cast<ScalarFn>(n.op);
  const bool single = n.value.dtype() == DType::float32;
  double x[4];
  for (size_t k = 0; k < inputs.size(); ++k)
    x[k] = inputs[k] == 0 || !tape_->node(inputs[k]).value.has_data()
               ? 0.0
               : tape_->node(inputs[k]).value.as_double();
  x[inputs.size()] = n.value.as_double();
  double sum = 0;
  bool any = false;
  for (size_t i = 0; i < from.size(); ++i) {
    if (!has_tangent(from[i])) continue;
    const PartialTape& p = partial_tape(fn, static_cast<int>(i));
    if (p.is_zero) continue;
    const double dot = tangent(from[i]).value().as_double();
    if (dot != 0) {
      const double partial = p.constant ? *p.constant : partial_at(p, x, single);
      double c = p.strong && partial == 0 ? 0 : dot * partial;
      if (single) c = static_cast<double>(static_cast<float>(c));
      sum = any ? sum + c : c;
      if (single) sum = static_cast<double>(static_cast<float>(sum));
    }
    any = true;
  }
  if (any) set(pos, Ref(Value::scalar(sum, n.value.dtype())));
}

void TangentSweep::process_elementwise(size_t pos, const Node& n) {
  const std::span<const int32_t> from = schedule_->inputs_of(pos);
  const ElementwiseNode e(*tape_, n);
  Value sum;
  bool any = false;
  for (size_t i = 0; i < from.size(); ++i) {
    if (!has_tangent(from[i]) || !e.flows(static_cast<int>(i))) continue;
    e.pushforward(static_cast<int>(i), tangent(from[i]).value(), sum, any);
    any = true;
  }
  if (any) set(pos, Ref(std::move(sum)));
}

void TangentSweep::process_rule(size_t pos, const Node& n) {
  const Op& op = op_by_id(n.op);
  TangentRule rule(*this, pos, n, op);
  if (op.jvp) {
    op.jvp(rule);
    return;
  }
  if (!op.linear)
    throw_error<TypeError>(
        op.name,
        ": has no derivative rule; apply it to tg.value(x) where its derivative is not needed");
  std::vector<Ref> inputs;
  for (int i = 0; i < rule.n_in(); ++i) {
    const TensorType type = rule.in_type(i);
    if (op.in_place && i == 0 && rule.has_tangent(0) && rule.last_use(0)) {
      inputs.push_back(rule.take_tangent(0));  // nobody else wants it: it may be overwritten
    } else if (rule.has_tangent(i) || is_floating(type.dtype)) {
      inputs.push_back(rule.tangent(i));
    } else {
      inputs.push_back(rule.in(i));  // data: indices and the like
    }
  }
  std::vector<Ref> outs = apply(op, rule.attrs(), std::move(inputs));
  for (size_t j = 0; j < outs.size(); ++j) rule.set(static_cast<int>(j), std::move(outs[j]));
}

}  // namespace tapegrad
