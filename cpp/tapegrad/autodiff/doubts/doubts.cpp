#include "tapegrad/autodiff/doubts/doubts.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "tapegrad/autodiff/doubts/probe.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce_spread.h"
#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/scalar/partial.h"
#include "tapegrad/sweep/elementwise_rule.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {

void (*warn_of_doubt)(const std::string&) = nullptr;

namespace {

bool is_finite(const Value& v) {
  if (v.is_scalar()) return std::isfinite(v.as_double());
  if (!v.has_data() || v.size() == 0) return true;
  const Value packed = v.contiguous();
  const auto n = static_cast<size_t>(packed.size());
  // Times zero, only what is not finite is not zero. Eight sums side by side keep the loop fast.
  const auto is_zero_sum = [n]<class T>(const T* x) {
    T sums[8] = {};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
      for (size_t k = 0; k < 8; ++k) sums[k] += x[i + k] * T(0);
    for (; i < n; ++i) sums[0] += x[i] * T(0);
    return std::all_of(sums, sums + 8, [](T s) { return s == 0; });
  };
  if (v.dtype() == DType::float64) return is_zero_sum(packed.data<double>());
  if (v.dtype() == DType::float32) return is_zero_sum(packed.data<float>());
  return true;
}

// How an overflow hides: what flows vanishes where a function is flat at infinity (log, with the
// partial 1 / inf), and the zero then meets an infinite partial (that of exp).
struct Overflow {
  bool vanishes = false, meets_infinity = false;

  void look_at(Tape& tape, const Node& n, std::span<const int32_t> to, const Value& cotangent) {
    const ElementwiseNode node(tape, n);
    for (size_t i = 0; i < to.size(); ++i) {
      const PartialTape& p = partial_tape(static_cast<ScalarFn>(n.op), static_cast<int>(i));
      if (to[i] < 0 || p.constant || (p.strong && !is_ridge(n))) continue;
      const std::optional<Value> slope = node.partial(static_cast<int>(i));
      if (slope && p.strong) hide_at_ridge(cotangent, *slope);
      if (slope && !p.strong) compare(cotangent, *slope, reads_infinity(tape, n));
    }
  }

 private:
  static bool is_ridge(const Node& n) {
    const auto fn = static_cast<ScalarFn>(n.op);
    return fn == scalar_fn_of<Absolute>() || fn == scalar_fn_of<Fabs>();
  }

  // log(|x|) at 0: the slope that is zero by convention meets a pole.
  void hide_at_ridge(const Value& cotangent, const Value& slope) {
    for (int64_t k = 0; k < slope.size(); ++k)
      if (slope.at(k) == 0 && !std::isfinite(cotangent.at(k))) vanishes = meets_infinity = true;
  }

  static bool reads_infinity(Tape& tape, const Node& n) {
    return !is_finite(n.value) || std::ranges::any_of(n.inputs(), [&](uint32_t slot) {
      return slot != 0 && !is_finite(tape.node(slot).value);
    });
  }

  void compare(const Value& cotangent, const Value& partial, bool at_infinity) {
    if (!at_infinity && is_finite(partial)) return;
    for (int64_t k = 0; k < partial.size(); ++k) {
      const double c = cotangent.at(k), slope = partial.at(k);
      vanishes |= at_infinity && c != 0 && slope == 0;
      meets_infinity |= c == 0 && !std::isfinite(slope);
    }
  }
};

// Nodes at the tip of a cone.
struct Tip {
  int32_t pos;
  Value mask;  // 1 at the elements that are there
  // Whether the slope is finite and zero by convention. Otherwise it is infinite, which says itself
  // that there is no derivative, unless a zero cotangent hides it.
  bool by_convention;
  bool is_ridge;  // |x|: what is linear in it has a kink there, and no more than that
  bool is_steep;  // steeper than a square root: its second derivative exceeds its first
};

Value where_zero(const Value& v) { return equal(Ref(v), Ref(Value::scalar(0, v.dtype()))).value(); }

bool any(const Value& mask) {
  for (int64_t k = 0; k < mask.size(); ++k)
    if (mask.at(k) != 0) return true;
  return false;
}

bool is(const Node& n, ScalarFn fn) {
  return n.kind == NodeKind::op && op_by_id(n.op).scalar_fn == static_cast<int>(fn);
}

class Tips {
 public:
  explicit Tips(const Schedule& schedule) : schedule_(schedule), tape_(*schedule.tape) {
    for (size_t pos = 0; pos < schedule.size(); ++pos) look_at(static_cast<int32_t>(pos));
  }
  const std::vector<Tip>& found() const { return found_; }
  const char* name(const Tip& tip) const {
    const Op& op = op_by_id(node(tip.pos).op);
    return op.scalar_fn == static_cast<int>(scalar_fn_of<Select>()) ? "norm" : op.name;
  }
  const Node& node(int32_t pos) const {
    return tape_.node(schedule_.slots[static_cast<size_t>(pos)]);
  }

 private:
  const Value* input(const Node& n, size_t i) const {
    const uint32_t slot = n.inputs()[i];
    return slot != 0 && tape_.node(slot).value.has_data() ? &tape_.node(slot).value : nullptr;
  }

  void add(int32_t pos, const Value& mask, bool by_convention, bool ridge = false,
           bool steep = false) {
    if (mask.same_shape(node(pos).value) && any(mask))
      found_.push_back({pos, mask, by_convention, ridge, steep});
  }

  void look_at(int32_t pos) {
    const Node& n = node(pos);
    if (n.kind != NodeKind::op) return;
    const Op& op = op_by_id(n.op);
    const auto fn = static_cast<ScalarFn>(op.scalar_fn);
    if (op.scalar_fn < 0) {
      if (op.id == std_op().id && n.value.has_data()) add(pos, where_zero(n.value), true);
    } else if (fn == scalar_fn_of<Hypot>() || fn == scalar_fn_of<Sqrt>() ||
               fn == scalar_fn_of<Cbrt>()) {
      if (n.value.has_data())
        add(pos, where_zero(n.value), fn == scalar_fn_of<Hypot>(), false,
            fn == scalar_fn_of<Cbrt>());
    } else if (fn == scalar_fn_of<Absolute>() || fn == scalar_fn_of<Fabs>()) {
      if (const Value* x = input(n, 0)) add(pos, where_zero(*x), true, true);
    } else if (fn == scalar_fn_of<Arctan2>()) {
      const Value *a = input(n, 0), *b = input(n, 1);
      if (a && b)
        add(pos, elementwise(scalar_fn_of<LogicalAnd>(), {where_zero(*a), where_zero(*b)}).value(),
            true, false, true);
    } else if (fn == scalar_fn_of<Power>()) {
      look_at_power(pos, n);
    } else if (fn == scalar_fn_of<Select>()) {
      look_at_norm(pos, n);
    }
  }

  void look_at_power(int32_t pos, const Node& n) {
    const Value *x = input(n, 0), *y = input(n, 1);
    if (!x || !y) return;
    if (y->is_scalar() && !(y->as_double() > 0 && y->as_double() < 1)) return;
    const Ref zero(Value::scalar(0, y->dtype())), one(Value::scalar(1, y->dtype()));
    const Ref inside =
        elementwise(scalar_fn_of<LogicalAnd>(), {less(zero, Ref(*y)), less(Ref(*y), one)});
    const bool steep = !y->is_scalar() || y->as_double() < 0.5;
    add(pos, elementwise(scalar_fn_of<LogicalAnd>(), {Ref(where_zero(*x)), inside}).value(), false,
        false, steep);
  }

  // A norm is where(s == 0, 0, root(where(s == 0, 1, s))).
  void look_at_norm(int32_t pos, const Node& n) {
    const Value* mask = input(n, 0);
    const uint32_t root = n.inputs()[2];
    if (!mask || root == 0) return;
    const Node& r = tape_.node(root);
    if (!is(r, scalar_fn_of<Sqrt>()) && !is(r, scalar_fn_of<Power>())) return;
    const uint32_t safe = r.inputs()[0];
    if (safe != 0 && is(tape_.node(safe), scalar_fn_of<Select>())) add(pos, *mask, true);
  }

  const Schedule& schedule_;
  const Tape& tape_;
  std::vector<Tip> found_;
};

bool is_zero_at(const Tip& tip, const Value& v) {
  for (int64_t k = 0; k < tip.mask.size(); ++k)
    if (tip.mask.at(k) != 0 && v.at(k) != 0) return false;
  return true;
}

// Of the tips the one that a second derivative rests on; -1: none. What flows back to a tip, c, is
// multiplied there by the convention. A second derivative rests on it where c is not zero, and
// where c itself depends on what stands at a tip: c = 2 norm(v) for norm(v)**2, but not where the
// branch with the norm was not taken.
int32_t resting_on(const Schedule& schedule, const Tips& tips, std::span<const Ref> outputs) {
  Tape& tape = *schedule.tape;
  const std::vector<Tip>& found = tips.found();
  Probe first(schedule);
  for (const Tip& tip : found) first.keep(static_cast<size_t>(tip.pos));
  first.start(true);
  for (size_t k = 0; k < outputs.size(); ++k) first.seed(k, ones_of(outputs[k]));
  first.run(true);
  std::vector<Ref> cotangents;
  std::vector<uint32_t> slots, at;
  std::vector<Value> seeds;
  for (size_t k = 0; k < found.size(); ++k) {
    const Tip& tip = found[k];
    at.push_back(schedule.slots[static_cast<size_t>(tip.pos)]);
    if (!first.has(tip.pos)) continue;
    const Ref c = first.adjoint(tip.pos);
    if (tip.by_convention && !tip.is_ridge && !is_zero_at(tip, c.value()))
      return static_cast<int32_t>(k);
    if (!c.tracked()) continue;
    // One sweep for all of them: with weights that do not cancel.
    const double turn = 0.6180339887498949 * static_cast<double>(k + 1);
    const double weight = 1 + turn - std::floor(turn);
    seeds.push_back(where(Ref(tip.mask), Ref(Value::scalar(weight, c.dtype())),
                          Ref(Value::scalar(0, c.dtype())))
                        .value());
    slots.push_back(c.slot());
    cotangents.push_back(c);
  }
  if (slots.empty()) return -1;
  Schedule between;
  build_schedule(tape, {slots, at, {}, false}, between);
  Probe second(std::move(between));
  second.start(false);
  for (size_t k = 0; k < slots.size(); ++k) second.seed(k, Ref(seeds[k]));
  second.run(false);
  for (size_t k = 0; k < found.size(); ++k) {
    const int32_t pos = second.schedule().node_positions[k];
    // A scalar's zero is not sent on: for a steep tip the way there is enough.
    if (pos >= 0 && found[k].is_steep) return static_cast<int32_t>(k);
    if (second.has(pos) && !is_zero_at(found[k], second.adjoint(pos).value()))
      return static_cast<int32_t>(k);
  }
  return -1;
}

}  // namespace

void doubt_hidden_overflow(const Schedule& schedule, std::span<const Ref> outputs,
                           std::span<const Ref> seeds, const char* operation) {
  const auto bad =
      std::ranges::find_if(outputs, [](const Ref& y) { return !is_finite(y.value()); });
  if (bad == outputs.end() || warn_of_doubt == nullptr) return;
  Probe probe(schedule);
  probe.keep_all();
  probe.start(false);
  for (size_t k = 0; k < outputs.size(); ++k)
    probe.seed(k, seeds.empty() ? ones_of(outputs[k]) : Ref(seeds[k].value()));
  probe.run(false);
  Overflow overflow;
  for (size_t pos = 0; pos < schedule.size(); ++pos) {
    const Node& n = schedule.tape->node(schedule.slots[pos]);
    const auto at = static_cast<int32_t>(pos);
    if (n.kind != NodeKind::op || op_by_id(n.op).scalar_fn < 0) continue;
    if (!probe.has(at) && !n.value.is_scalar()) continue;
    // A scalar's zero is not even sent on.
    const Value cotangent = probe.has(at) ? probe.adjoint(at).value() : Value::scalar(0);
    overflow.meets_infinity = false;
    overflow.look_at(*schedule.tape, n, schedule.inputs_of(pos), cotangent);
    if (!overflow.vanishes || !overflow.meets_infinity) continue;
    warn_of_doubt(std::string(operation) +
                  ": the value is not finite, and on the way back a zero met an infinite or NaN "
                  "derivative of " +
                  op_by_id(n.op).name +
                  ", which it hides: this derivative may be wrong. A number has overflowed or lies "
                  "at a pole; use a form that stays finite, as np.logaddexp(0, x) for "
                  "np.log(1 + np.exp(x)) and np.logaddexp.reduce(x) for np.log(np.sum(np.exp(x)))");
    return;
  }
}

void doubt_tips(const Schedule& schedule, std::span<const Ref> outputs, const char* operation) {
  if (warn_of_doubt == nullptr) return;
  const Untraced untraced(*schedule.tape);
  const Tips tips(schedule);
  if (tips.found().empty()) return;
  const int32_t k = resting_on(schedule, tips, outputs);
  if (k < 0) return;
  warn_of_doubt(std::string(operation) + ": " + tips.name(tips.found()[static_cast<size_t>(k)]) +
                " is at the tip of a cone (at 0), where its first derivative is a convention or "
                "infinite: a second derivative that rests on it may be wrong. Use a form that is "
                "smooth there, as np.sum(v * v) for np.linalg.norm(v)**2, np.var(v) for "
                "np.std(v)**2, x * x for np.abs(x)**2, s for np.sqrt(s)**2");
}

}  // namespace tapegrad
