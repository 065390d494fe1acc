#include "tapegrad/sweep/reverse_sweep.h"

#include <algorithm>
#include <optional>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/kernels/partials/partial_product.h"
#include "tapegrad/kernels/reduce/reduce_sum.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/scalar/partial.h"
#include "tapegrad/sweep/elementwise_rule.h"
#include "tapegrad/sweep/reverse_rule.h"
#include "tapegrad/tape/anomaly/anomaly.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/ref_algebra.h"

namespace tapegrad {

void ReverseSweep::start(const Schedule& schedule, bool recorded) {
  const size_t n = schedule.size();
  schedule_ = &schedule;
  tape_ = schedule.tape;
  recorded_ = recorded;
  concurrent_ = false;
  watching_ = anomaly::is_watching();
  picked_.clear();
  state_.assign(n, State::absent);
  numbers_.resize(n);
  if (held_.size() < n) held_.resize(n);
}

void ReverseSweep::seed(int32_t pos, Ref cotangent) {
  if (pos >= 0) add_now(static_cast<size_t>(pos), std::move(cotangent));
}

Ref ReverseSweep::adjoint(int32_t pos) const {
  const auto at = static_cast<size_t>(pos);
  if (state_[at] == State::number)
    return Ref(Value::scalar(numbers_[at], node_at(at).value.dtype()));
  return held_[at];
}

void ReverseSweep::finish() {
  for (size_t pos = 0; pos < state_.size(); ++pos)
    if (state_[pos] == State::held) held_[pos] = Ref();
  state_.clear();
  picked_.clear();
  if (held_.capacity() <= most_kept_positions) return;
  std::vector<Ref>().swap(held_);
  std::vector<double>().swap(numbers_);
}

void ReverseSweep::run() {
  // Where nothing is recorded, other threads may sweep the same tape.
  std::optional<RuleSection> section;
  if (recorded_) section.emplace(*tape_);
  if (!recorded_ && worth_threads()) {
    if (plan_components()) return run_components();
    if (plan_levels()) return run_levels();
  }
  InterruptPoll poll;
  for (size_t pos = 0; pos < state_.size();) {
    poll(work_for_polls(node_at(pos)));
    if (watching_) check_adjoint(pos);
    const size_t end = watching_ ? pos : run_fused(pos);
    if (end == pos) process(pos++);
    pos = end > pos ? end : pos;
  }
}

void ReverseSweep::process(size_t pos) {
  const Node& n = node_at(pos);
  if (n.kind == NodeKind::op && !picked_.empty())
    if (const auto cts = picked_.find(pos); cts != picked_.end())
      return cts->second.empty() ? void() : process_rule(pos, n);
  if (state_[pos] == State::absent) return;
  if (state_[pos] == State::held && n.value.is_scalar() && !held_[pos].tracked()) {
    numbers_[pos] = held_[pos].value().as_double();
    held_[pos] = Ref();
    state_[pos] = State::number;
  }
  switch (n.kind) {
    case NodeKind::op: {
      const Op& op = op_by_id(n.op);
      if (recorded_ || op.scalar_fn < 0) {
        process_rule(pos, n);
      } else if (n.value.is_scalar() && state_[pos] == State::number) {
        process_scalar(pos, n);
      } else {
        process_elementwise(pos, n);
      }
      break;
    }
    case NodeKind::argument:
    case NodeKind::pick:
      pass_on(pos, n);
      break;
    case NodeKind::leaf:
    case NodeKind::constant:
      break;
  }
  if (!schedule_->target[pos]) {  // done with it
    if (state_[pos] == State::held) held_[pos] = Ref();
    state_[pos] = State::absent;
  }
}

void ReverseSweep::pass_on(size_t pos, const Node& n) {
  const int32_t to = schedule_->inputs_of(pos).empty() ? -1 : schedule_->inputs_of(pos)[0];
  if (to < 0) return;
  Ref ct = schedule_->target[pos]
               ? (state_[pos] == State::number ? Ref(Value::scalar(numbers_[pos], n.value.dtype()))
                                               : held_[pos])
               : take(pos);
  if (n.kind == NodeKind::pick) {
    land_pick(pos, static_cast<size_t>(to), n.op, std::move(ct));
  } else {
    land(pos, static_cast<size_t>(to), std::move(ct));
  }
}

void ReverseSweep::process_scalar(size_t pos, const Node& n) {
  const double ct = numbers_[pos];
  if (ct == 0) return;  // strong zero: nothing flows
  const std::span<const int32_t> to = schedule_->inputs_of(pos);
  const bool single = n.value.dtype() == DType::float32;
  const auto fn = static_cast<ScalarFn>(n.op);
  double x[4];
  bool loaded = false;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] < 0) continue;
    const PartialTape& p = partial_tape(fn, static_cast<int>(i));
    if (p.is_zero) continue;
    double partial;
    if (p.constant) {
      partial = *p.constant;
    } else {
      if (!loaded) {
        const std::span<const uint32_t> inputs = n.inputs();
        for (size_t k = 0; k < inputs.size(); ++k)
          x[k] = inputs[k] == 0 ? 0.0 : tape_->node(inputs[k]).value.as_double();
        x[inputs.size()] = n.value.as_double();
        loaded = true;
      }
      partial = partial_at(p, x, single);
    }
    double c = p.strong && partial == 0 ? 0 : ct * partial;
    if (single) c = static_cast<double>(static_cast<float>(c));
    land_number(pos, static_cast<size_t>(to[i]), c);
  }
}

void ReverseSweep::process_elementwise(size_t pos, const Node& n) {
  const std::span<const int32_t> to = schedule_->inputs_of(pos);
  const ElementwiseNode e(*tape_, n);
  const Value ct = state_[pos] == State::number ? Value::scalar(numbers_[pos], n.value.dtype())
                   : schedule_->target[pos]     ? held_[pos].value()
                                                : std::move(take(pos)).take_value();
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] < 0) continue;
    const auto at = static_cast<size_t>(to[i]);
    if (!waits(at) && !watching_ && state_[at] == State::held && !held_[at].tracked()) {
      Value adjoint = std::move(held_[at]).take_value();
      held_[at] = Ref();
      e.add_pullback(static_cast<int>(i), ct, adjoint);
      held_[at] = Ref(std::move(adjoint));
    } else if (e.flows(static_cast<int>(i))) {
      land(pos, at, Ref(e.pullback(static_cast<int>(i), ct)));
    }
  }
}

void ReverseSweep::process_rule(size_t pos, const Node& n) {
  const Op& op = op_by_id(n.op);
  if (op.vjp == nullptr)
    throw_error<TypeError>(
        op.name,
        ": has no derivative rule; apply it to tg.value(x) where its derivative is not needed");
  ReverseRule rule(*this, pos, n, op);
  op.vjp(rule);
}

void ReverseSweep::land(size_t from, size_t to, Ref contribution) {
  const Value& target = node_at(to).value;
  if (contribution.dtype() != target.dtype())
    contribution = ref_algebra.cast(contribution, target.dtype());
  if (contribution.shape() != target.shape())
    throw_error<RuntimeError>("internal error: ", op_by_id(node_at(from).op).name,
                              " gave an adjoint of shape ", contribution.shape(),
                              " to an input of shape ", target.shape());
  if (watching_) check_contribution(from, to, contribution.value());
  if (waits(to)) {
    outbox_[from].push_back(
        {static_cast<uint32_t>(to), -1, nullptr, {}, {std::move(contribution)}});
  } else {
    add_now(to, std::move(contribution));
  }
}

void ReverseSweep::check_contribution(size_t from, size_t to, const Value& contribution) const {
  const Node& n = node_at(from);
  if (n.kind != NodeKind::op) return;
  const std::span<const int32_t> inputs = schedule_->inputs_of(from);
  const auto input = std::find(inputs.begin(), inputs.end(), static_cast<int32_t>(to));
  anomaly::check_derivative(*tape_, n, contribution,
                            join_text("cotangent of input ", input - inputs.begin()));
}

void ReverseSweep::check_adjoint(size_t pos) const {
  if (state_[pos] == State::absent) return;
  anomaly::check_sum(*tape_, node_at(pos), adjoint(static_cast<int32_t>(pos)).value());
}

void ReverseSweep::land_number(size_t from, size_t to, double c) {
  if (watching_ || waits(to)) {
    land(from, to, Ref(Value::scalar(c, node_at(to).value.dtype())));
  } else {
    add_number_now(to, c);
  }
}

void ReverseSweep::land_in_place(size_t from, size_t to, const Op& op, const Attrs& attrs,
                                 std::vector<Ref> rest) {
  if (watching_)
    for (const Ref& r : rest) check_contribution(from, to, r.value());
  if (waits(to)) {
    outbox_[from].push_back({static_cast<uint32_t>(to), -1, &op, attrs, std::move(rest)});
  } else {
    add_in_place_now(to, op, attrs, std::move(rest));
  }
}

void ReverseSweep::land_pick(size_t from, size_t to, size_t output, Ref contribution) {
  if (waits(to)) {
    outbox_[from].push_back({static_cast<uint32_t>(to),
                             static_cast<int32_t>(output),
                             nullptr,
                             {},
                             {std::move(contribution)}});
  } else {
    add_pick_now(to, output, std::move(contribution));
  }
}

void ReverseSweep::add_number_now(size_t to, double c) {
  const DType d = node_at(to).value.dtype();
  if (state_[to] == State::absent) {
    state_[to] = State::number;
    numbers_[to] = d == DType::float32 ? static_cast<double>(static_cast<float>(c)) : c;
  } else if (state_[to] == State::number) {
    const double sum = numbers_[to] + c;
    numbers_[to] = d == DType::float32 ? static_cast<double>(static_cast<float>(sum)) : sum;
  } else {
    add_now(to, Ref(Value::scalar(c, d)));
  }
}

void ReverseSweep::add_now(size_t to, Ref contribution) {
  if (!contribution.tracked() && contribution.value().is_scalar() && state_[to] != State::held)
    return add_number_now(to, contribution.value().as_double());
  if (state_[to] == State::absent) {
    held_[to] = std::move(contribution);
    state_[to] = State::held;
    return;
  }
  if (state_[to] == State::number) {
    held_[to] = Ref(Value::scalar(numbers_[to], node_at(to).value.dtype()));
    state_[to] = State::held;
  }
  Ref& held = held_[to];
  if (held.tracked() || contribution.tracked() || held.value().is_scalar()) {
    held = ref_algebra.add(held, contribution);
    return;
  }
  Value sum = std::move(held).take_value();
  held = Ref();
  add_into(sum, contribution.value());
  held = Ref(std::move(sum));
}

void ReverseSweep::add_in_place_now(size_t to, const Op& op, const Attrs& attrs,
                                    std::vector<Ref> rest) {
  if (state_[to] == State::absent) {
    held_[to] = ref_algebra.zeros(type_of(node_at(to).value));
    state_[to] = State::held;
  } else if (state_[to] == State::number) {
    held_[to] = Ref(Value::scalar(numbers_[to], node_at(to).value.dtype()));
    state_[to] = State::held;
  }
  if (rest.size() == 1 && op.n_out == 1 && op.compose == nullptr) {  // and that very often
    Ref in[] = {std::move(held_[to]), std::move(rest[0])};
    held_[to] = Ref();
    held_[to] = apply_few(op, attrs, in);
    return;
  }
  rest.insert(rest.begin(), std::move(held_[to]));
  held_[to] = Ref();
  held_[to] = std::move(apply(op, attrs, std::move(rest))[0]);
}

void ReverseSweep::add_pick_now(size_t to, size_t output, Ref contribution) {
  std::vector<Ref>& cts = picked_[to];
  const size_t n_out = node_at(to).extra->outs.size();
  if (cts.size() < n_out) cts.resize(n_out, Ref(Value::integer_scalar(0)));
  // An integer scalar marks an output that got no cotangent.
  cts[output] = cts[output].dtype() == DType::int64 ? std::move(contribution)
                                                    : ref_algebra.add(cts[output], contribution);
}

Ref ReverseSweep::take(size_t pos) {
  const State s = state_[pos];
  state_[pos] = State::absent;
  if (s == State::number) return Ref(Value::scalar(numbers_[pos], node_at(pos).value.dtype()));
  Ref r = std::move(held_[pos]);
  held_[pos] = Ref();
  return r;
}

void add_into(Value& adjoint, const Value& v) {
  if (adjoint.is_scalar()) {
    adjoint.set_scalar(adjoint.as_double() + v.as_double());
  } else {
    add_in_place(adjoint, v);
  }
}

}  // namespace tapegrad
