#include "tapegrad/program/passes/batch/batch_scalars.h"

#include <algorithm>
#include <bit>

namespace tapegrad {

ValueId LaneScalars::constant(Value scalar) {
  const uint64_t hash =
      mix_hash(static_cast<uint64_t>(scalar.dtype()) + 1, std::bit_cast<uint64_t>(scalar.bits()));
  const uint32_t known = known_numbers_.find(
      hash, [&](uint32_t v) { return same_bits(numbers_[nodes_[v].args[0]], scalar); });
  if (known != FlatTable::none) return known;
  const auto k = static_cast<uint32_t>(constants_.size());
  const ValueId v = add_node(
      {LaneNode::Kind::constant, {}, scalar.dtype(), false, {k, LaneNode::none, LaneNode::none}});
  known_numbers_.insert(hash, v);
  constants_.push_back(scalar.as_double());
  numbers_.push_back(std::move(scalar));
  return v;
}

const Value* LaneScalars::constant_at(ValueId v) const {
  return nodes_[v].kind == LaneNode::Kind::constant ? &numbers_[nodes_[v].args[0]] : nullptr;
}

std::vector<ValueId> LaneScalars::load(ValueId old) {
  constexpr int64_t most_moved = 1 << 16;
  constexpr int most_depth = 256;  // of moves of moves: each is a call inside another
  const auto n = static_cast<size_t>(axes_.elements(old));
  const DType dtype = p_.type_of(old).dtype;
  if (const auto c = uniform_.at(p_, old)) return std::vector<ValueId>(n, number(*c, dtype));
  // What only moves elements is looked through: some may turn out to be constants, and many
  // unneeded.
  if (axes_.axis(old) == BatchAxes::uniform && p_.values[old].source == Source::step) {
    const uint32_t step = p_.values[old].index;
    const Program::Step& s = p_.steps[step];
    bool moves = only_moves(s) && static_cast<int64_t>(n) <= most_moved && !axes_.is_taken(step) &&
                 depth_ < most_depth && !takes_too_much();
    for (ValueId v : p_.in(s))
      moves = moves && axes_.axis(v) == BatchAxes::uniform && axes_.elements(v) <= most_moved;
    ++depth_;
    moves = moves && expand_step(*this, s);
    --depth_;
    if (moves) return elements(old);
  }
  const auto array = static_cast<uint32_t>(arrays_.size());
  arrays_.push_back(old);
  std::vector<ValueId> found;
  for (uint32_t k = 0; k < n; ++k)
    found.push_back(add_node(
        {LaneNode::Kind::input, {}, dtype, axes_.has_lanes(old), {array, k, LaneNode::none}}));
  return found;
}

ValueId LaneScalars::write(ScalarFn fn, DType dtype, std::span<const ValueId> in) {
  LaneNode node{LaneNode::Kind::result, fn, dtype, false};
  for (size_t i = 0; i < in.size(); ++i) {
    if (nodes_[in[i]].kind == LaneNode::Kind::sum) return write_sum(fn, dtype, in);
    node.args[i] = in[i];
    node.varies |= nodes_[in[i]].varies;
  }
  return add_node(node);
}

// Sums of lanes are added and negated lane by lane.
ValueId LaneScalars::write_sum(ScalarFn fn, DType dtype, std::span<const ValueId> in) {
  const bool linear =
      fn == scalar_fn_of<Add>() || fn == scalar_fn_of<Subtract>() || fn == scalar_fn_of<Negative>();
  std::array<uint32_t, 2> lanes{LaneNode::none, LaneNode::none}, once = lanes;
  for (size_t i = 0; i < in.size() && linear; ++i) {
    const LaneNode& x = nodes_[in[i]];
    const bool sum = x.kind == LaneNode::Kind::sum;
    fits_ = fits_ && (sum || !x.varies);
    lanes[i] = sum ? x.args[0] : LaneNode::none;
    once[i] = sum ? x.args[1] : in[i];
  }
  fits_ = fits_ && linear;
  if (!fits_) return in[0];
  const auto combined = [&](const std::array<uint32_t, 2>& x) -> uint32_t {
    const bool first = x[0] != LaneNode::none, second = x[1] != LaneNode::none;
    if (fn == scalar_fn_of<Negative>()) return first ? apply(fn, dtype, x[0]) : LaneNode::none;
    if (first && second) return apply(fn, dtype, x[0], x[1]);
    if (!second) return x[0];
    return fn == scalar_fn_of<Subtract>() ? apply(scalar_fn_of<Negative>(), dtype, x[1]) : x[1];
  };
  const uint32_t a = combined(lanes), b = combined(once);
  return add_node({LaneNode::Kind::sum, {}, dtype, false, {a, b, LaneNode::none}});
}

void LaneScalars::require(ValueId condition) {
  if (const Value* c = constant_at(condition); c && c->as_double() != 0) return;
  required_ = required_ == no_operand
                  ? condition
                  : apply(scalar_fn_of<LogicalAnd>(), DType::bool_, required_, condition);
}

void LaneScalars::sum_over_lanes(ValueId v) {
  const DType d = p_.type_of(v).dtype;
  std::vector<ValueId> sums = elements(v);
  for (ValueId& x : sums) {
    if (nodes_[x].varies) {
      x = add_node({LaneNode::Kind::sum, {}, d, false, {x, LaneNode::none, LaneNode::none}});
    } else {
      x = multiply(d, x, number(static_cast<double>(axes_.n()), d));
    }
  }
  set_elements(v, std::move(sums));
}

}  // namespace tapegrad
