#include "tapegrad/sweep/schedule.h"

#include <algorithm>
#include <limits>

#include "tapegrad/base/error.h"
#include "tapegrad/tape/anomaly/anomaly.h"

namespace tapegrad {
namespace {

class Builder {
 public:
  Builder(Tape& tape, const SweepRequest& request, Schedule& schedule)
      : tape_(tape), request_(request), s_(schedule), slots_(schedule.slots) {}

  void run() {
    s_.tape = &tape_;
    slots_.clear();
    lowest_ = lowest_target();
    for (uint32_t slot : request_.outputs) visit(slot);
    for (size_t next = 0; next < slots_.size(); ++next) {
      const Node& n = tape_.node(slots_[next]);
      for (uint32_t in : n.inputs())
        if (in != 0) visit(in);
    }
    sort();
    connect();
    s_.output_positions.clear();
    for (uint32_t slot : request_.outputs) s_.output_positions.push_back(useful_position(slot));
    s_.node_positions.clear();
    for (uint32_t slot : request_.nodes) s_.node_positions.push_back(position(slot));
  }

 private:
  // What was recorded before every target cannot depend on one.
  uint64_t lowest_target() const {
    if (request_.every_leaf || !request_.leaves.empty()) return 0;
    uint64_t lowest = std::numeric_limits<uint64_t>::max();
    for (uint32_t slot : request_.nodes) lowest = std::min(lowest, tape_.node(slot).seq);
    return lowest;
  }

  int32_t position(uint32_t slot) const {
    const uint32_t at = tape_.node(slot).mark;
    return at < slots_.size() && slots_[at] == slot ? static_cast<int32_t>(at) : -1;
  }

  int32_t useful_position(uint32_t slot) const {
    const int32_t at = position(slot);
    return at >= 0 && useful_[static_cast<size_t>(at)] ? at : -1;
  }

  void visit(uint32_t slot) {
    Node& n = tape_.node(slot);
    if (n.kind == NodeKind::constant || n.seq < lowest_ || position(slot) >= 0) return;
    n.mark = static_cast<uint32_t>(slots_.size());
    slots_.push_back(slot);
  }

  void sort() {
    bool sorted = true;
    for (size_t i = 1; i < slots_.size() && sorted; ++i)
      sorted = tape_.node(slots_[i - 1]).seq > tape_.node(slots_[i]).seq;
    if (sorted) return;
    std::vector<std::pair<uint64_t, uint32_t>> keys;
    keys.reserve(slots_.size());
    for (uint32_t slot : slots_) keys.emplace_back(~tape_.node(slot).seq, slot);
    if (keys.size() < 512) {
      std::sort(keys.begin(), keys.end());
    } else {
      radix_sort(keys);
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      slots_[i] = keys[i].second;
      tape_.node(slots_[i]).mark = static_cast<uint32_t>(i);
    }
  }

  static void radix_sort(std::vector<std::pair<uint64_t, uint32_t>>& keys) {
    uint64_t low = ~uint64_t{0}, high = 0;
    for (const auto& k : keys) {
      low = std::min(low, k.first);
      high = std::max(high, k.first);
    }
    constexpr int bits = 11;
    std::vector<std::pair<uint64_t, uint32_t>> other(keys.size());
    for (int shift = 0; shift < 64 && ((high - low) >> shift) != 0; shift += bits) {
      std::vector<size_t> count(size_t{1} << bits, 0);
      const auto digit = [&](const auto& k) {
        return ((k.first - low) >> shift) & ((1u << bits) - 1);
      };
      for (const auto& k : keys) ++count[digit(k)];
      size_t sum = 0;
      for (size_t& c : count) {
        const size_t here = c;
        c = sum;
        sum += here;
      }
      for (const auto& k : keys) other[count[digit(k)]++] = k;
      keys.swap(other);
    }
  }

  bool is_wanted_leaf(const Node& n) const {
    return n.kind == NodeKind::leaf &&
           (request_.every_leaf || std::find(request_.leaves.begin(), request_.leaves.end(),
                                             n.leaf) != request_.leaves.end());
  }

  // Find the edges, and which nodes lead to a target: inputs stand behind their consumers, so this
  // goes backwards.
  void connect() {
    const size_t count = slots_.size();
    s_.target.assign(count, 0);
    useful_.assign(count, 0);
    for (uint32_t slot : request_.nodes)
      if (const int32_t at = position(slot); at >= 0) s_.target[static_cast<size_t>(at)] = 1;
    s_.first_edge.resize(count + 1);
    uint32_t edge_count = 0;
    for (size_t i = 0; i < count; ++i) {
      s_.first_edge[i] = edge_count;
      edge_count += static_cast<uint32_t>(tape_.node(slots_[i]).inputs().size());
    }
    s_.first_edge[count] = edge_count;
    s_.edges.resize(edge_count);
    for (size_t i = count; i-- > 0;) {
      const Node& n = tape_.node(slots_[i]);
      if (is_wanted_leaf(n)) s_.target[i] = 1;
      useful_[i] = s_.target[i];
      uint32_t e = s_.first_edge[i];
      for (uint32_t in : n.inputs()) {
        const int32_t at = in == 0 || !passes_derivatives(n, in) ? -1 : useful_position(in);
        s_.edges[e++] = at;
        useful_[i] |= at >= 0;
        if (at >= 0 && (n.flags & Node::freed)) throw_freed(n);
      }
    }
  }

  // Masks and indices are recorded only while a whole function is.
  bool passes_derivatives(const Node& n, uint32_t in) const {
    return !(n.flags & Node::held_constant) && is_floating(tape_.node(in).value.dtype());
  }

  [[noreturn]] static void throw_freed(const Node& n) {
    throw_error<RuntimeError>("the reverse sweep reached ",
                              n.kind == NodeKind::op ? op_by_id(n.op).name : "a node", " of shape ",
                              n.value.shape(),
                              " whose recording was freed; compute the output again before "
                              "differentiating it, or keep the "
                              "recording with backward(free=False)");
  }

  Tape& tape_;
  const SweepRequest& request_;
  Schedule& s_;
  std::vector<uint32_t>& slots_;
  std::vector<uint8_t> useful_;
  uint64_t lowest_ = 0;
};

}  // namespace

void build_schedule(Tape& tape, const SweepRequest& request, Schedule& schedule) {
  Builder(tape, request, schedule).run();
}

bool stays_on_this_thread(const Schedule& schedule) {
  if (anomaly::is_watching()) return true;
  return std::any_of(schedule.slots.begin(), schedule.slots.end(), [&](uint32_t slot) {
    const Node& n = schedule.tape->node(slot);
    return n.extra != nullptr && n.extra->attrs.calls_host();
  });
}

void check_constants(const Schedule& schedule) {
  for (size_t pos = 0; pos < schedule.size(); ++pos) {
    const Node& n = schedule.tape->node(schedule.slots[pos]);
    if (n.kind != NodeKind::op) continue;
    const std::span<const uint32_t> inputs = n.inputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == 0 || !n.reads_input(i)) continue;
      const Node& c = schedule.tape->node(inputs[i]);
      if (!(c.flags & Node::held_by_reference) ||
          fingerprint_of(c.value) == c.extra->rare->fingerprint)
        continue;
      throw_error<ValueError>(op_by_id(n.op).name, ": operand ", i, ", a NumPy ", describe(c.value),
                              ", was changed after it was recorded",
                              c.extra->where().empty() ? "" : " at ", c.extra->where(),
                              ", and the derivative needs its old values; record with a copy "
                              "(x.copy()), or change the array after the sweep");
    }
  }
}

}  // namespace tapegrad
