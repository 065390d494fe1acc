#include <algorithm>

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/kernels/partials/partial_stretch.h"
#include "tapegrad/scalar/partial.h"
#include "tapegrad/sweep/reverse_sweep.h"

// A stretch of consecutive elementwise nodes over arrays of one shape and dtype, swept in one pass,
// block by block. One op after the other, such a sweep moves every adjoint through memory several
// times, and memory is what the threads share. Here the adjoints of the stretch live in the cache;
// only those of the nodes outside it (leaves, and what a later node needs) are arrays. The steps
// are those of the serial sweep in its order, so the bits are the same.

namespace tapegrad {
namespace {

constexpr int64_t least_elements = 16 * 1024;  // below that the adjoints stay in the cache anyway
constexpr size_t most_nodes = 64;
constexpr size_t least_nodes = 2;
constexpr uint32_t nowhere = ~uint32_t{0};

// Places of adjoints while the steps are written down. A scratch place is free again when its node
// has been swept.
class Places {
 public:
  explicit Places(size_t positions) : at_(positions, nowhere) {}
  uint32_t& operator[](size_t i) { return at_[i]; }
  uint32_t take() {
    if (free_.empty()) return count_++;
    const uint32_t place = free_.back();
    free_.pop_back();
    return place;
  }
  void give_back(uint32_t place) { free_.push_back(place); }
  uint32_t count() const { return count_; }

 private:
  std::vector<uint32_t> at_, free_;
  uint32_t count_ = 0;
};

}  // namespace

// Whether the node at pos may belong to a stretch of the shape and dtype of `like`.
bool ReverseSweep::is_fusable(size_t pos, const Value& like) const {
  const Node& n = node_at(pos);
  if (n.kind != NodeKind::op || schedule_->target[pos] || op_by_id(n.op).scalar_fn < 0 ||
      n.value.dtype() != like.dtype() || !n.value.same_shape(like))
    return false;
  const std::span<const int32_t> to = schedule_->inputs_of(pos);
  const std::span<const uint32_t> inputs = n.inputs();
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] < 0) continue;
    const Value& in = node_at(static_cast<size_t>(to[i])).value;
    if (in.dtype() != like.dtype() || !in.same_shape(like)) return false;
    const PartialTape& p = partial_tape(static_cast<ScalarFn>(n.op), static_cast<int>(i));
    for (size_t k = 0; k < inputs.size(); ++k)
      if ((p.reads & (1u << k)) && (inputs[k] == 0 || !tape_->node(inputs[k]).value.has_data()))
        return false;
    if ((p.reads & PartialTape::reads_output) && !n.value.has_data()) return false;
  }
  return !held_[pos].tracked();
}

// Gives the end of the stretch that begins at pos, or pos where there is none worth the name.
size_t ReverseSweep::fused_end(size_t pos) const {
  const Value& like = node_at(pos).value;
  if (like.is_scalar() || like.size() < least_elements || !is_floating(like.dtype())) return pos;
  size_t end = pos, last = pos, nodes = 0;
  for (; end < state_.size() && nodes < most_nodes; ++end) {
    const Node& n = node_at(end);
    if (n.kind == NodeKind::leaf || n.kind == NodeKind::constant) continue;  // nothing to sweep
    if (!is_fusable(end, like)) break;
    ++nodes;
    last = end + 1;
  }
  return nodes < least_nodes ? pos : last;
}

size_t ReverseSweep::run_fused(size_t begin) {
  if (recorded_ || concurrent_ || !picked_.empty() || state_[begin] == State::absent) return begin;
  const size_t end = fused_end(begin);
  if (end == begin) return begin;
  const TensorType type = type_of(node_at(begin).value);
  for (size_t pos = begin; pos < end; ++pos)
    for (int32_t to : schedule_->inputs_of(pos))
      if (to >= 0 && held_[static_cast<size_t>(to)].tracked()) return begin;

  constexpr uint32_t in_memory = uint32_t{1} << 31;  // until the scratch places are counted
  std::vector<ProductStep> steps;
  std::vector<Value> memory, starts;
  std::vector<size_t> memory_position;
  std::unordered_map<size_t, uint32_t> outside;
  Places places(end - begin);
  starts.reserve(end - begin);  // steps point to them

  // The node's adjoint so far, as an array of its own.
  const auto open_memory = [&](size_t to, bool& present) {
    const State before = state_[to];
    Value v;
    if (before == State::number) {
      v = Value::full(type.dtype, type.shape, numbers_[to]);
    } else if (before == State::held) {
      v = std::move(held_[to]).take_value();
      held_[to] = Ref();
      if (v.is_scalar()) {
        v = Value::full(type.dtype, type.shape, v.as_double());
      } else if (!(v.owns_buffer() && v.is_contiguous())) {
        v = packed_copy(v);
      }
    } else {
      v = Value::empty(type.dtype, type.shape);
    }
    present = before != State::absent;
    memory.push_back(std::move(v));
    memory_position.push_back(to);
    return in_memory | static_cast<uint32_t>(memory.size() - 1);
  };
  // A scratch place that holds the node's adjoint so far; nowhere where there is none.
  const auto open_scratch = [&](size_t pos) {
    uint32_t& place = places[pos - begin];
    if (place != nowhere || state_[pos] == State::absent) return place;
    starts.push_back(state_[pos] == State::number ? Value::scalar(numbers_[pos], type.dtype)
                                                  : held_[pos].value());
    place = places.take();
    steps.push_back({ProductStep::Kind::load, place, place, nullptr, {&starts.back()}});
    return place;
  };

  for (size_t pos = begin; pos < end; ++pos) {
    const Node& n = node_at(pos);
    if (n.kind != NodeKind::op) continue;
    const uint32_t from = open_scratch(pos);
    if (from == nowhere) continue;
    bool given_on = false;  // the place is an input's now
    const std::span<const int32_t> edges = schedule_->inputs_of(pos);
    const std::span<const uint32_t> inputs = n.inputs();
    for (size_t i = 0; i < edges.size(); ++i) {
      if (edges[i] < 0) continue;
      const auto to = static_cast<size_t>(edges[i]);
      const PartialTape& p = partial_tape(static_cast<ScalarFn>(n.op), static_cast<int>(i));
      if (p.is_zero) continue;
      bool present;
      uint32_t place;
      if (to < end && node_at(to).kind == NodeKind::op) {
        place = open_scratch(to);
        present = place != nowhere;
        const bool last = std::all_of(edges.begin() + static_cast<ptrdiff_t>(i) + 1, edges.end(),
                                      [](int32_t e) { return e < 0; });
        if (!present && last && p.constant == 1.0) {
          places[to - begin] = from;
          given_on = true;
          continue;
        }
        if (!present) place = places[to - begin] = places.take();
      } else if (const auto known = outside.find(to); known != outside.end()) {
        place = known->second;
        present = true;
      } else {
        place = open_memory(to, present);
        outside.emplace(to, place);
      }
      ProductStep step{present ? ProductStep::Kind::add : ProductStep::Kind::set, from, place, &p};
      for (size_t k = 0; k < inputs.size(); ++k)
        if (p.reads & (1u << k)) step.inputs[k] = &tape_->node(inputs[k]).value;
      if (p.reads & PartialTape::reads_output) step.inputs[p.arity()] = &n.value;
      steps.push_back(step);
    }
    if (!given_on) places.give_back(from);
  }
  for (ProductStep& s : steps)
    if (s.to & in_memory) s.to = places.count() + (s.to & ~in_memory);
  run_products(steps, places.count(), memory, type);

  for (size_t k = 0; k < memory.size(); ++k) {
    held_[memory_position[k]] = Ref(std::move(memory[k]));
    state_[memory_position[k]] = State::held;
  }
  for (size_t pos = begin; pos < end; ++pos) {
    if (node_at(pos).kind != NodeKind::op) continue;
    if (state_[pos] == State::held) held_[pos] = Ref();
    state_[pos] = State::absent;
  }
  return end;
}

}  // namespace tapegrad
