#include "tapegrad/program/record.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "tapegrad/base/error.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

class Freezer {
 public:
  explicit Freezer(const Tracer& tracer, const Freezer* used = nullptr)
      : tracer_(tracer), tape_(tracer.tape()), used_(used) {}

  Recording run(std::span<const Ref> outputs) {
    for (const Ref& r : outputs)
      if (r.tracked()) visit(r.slot());
    for (const Tracer::Guard& g : tracer_.guards())
      if (g.value.tracked()) visit(g.value.slot());
    collect();
    recording_.refusal = tracer_.refusal();
    recording_.length_read = tracer_.length_read();
    recording_.lost_weakness = tracer_.lost_weakness();
    for (size_t k = 0; k < tracer_.arguments().size(); ++k) {
      const uint32_t slot = tracer_.arguments()[k];
      set(slot, writer_.input(type_of(tape_.node(slot).value)));
    }
    emit_all();
    for (const Tracer::Guard& g : tracer_.guards()) {
      const ValueId v = id_of(g.value);
      if (!writer_.program().is_constant(v)) writer_.guard(v, g.expected, g.where);
    }
    for (const Ref& r : outputs) writer_.output(id_of(r));
    recording_.program = std::move(writer_).finish();
    recording_.unused = Freezer(tracer_, this).run_unused();
    return std::move(recording_);
  }

 private:
  static constexpr ValueId none = ~ValueId{0};

  std::shared_ptr<const UnusedSteps> run_unused() {
    for (uint32_t slot : tracer_.applications()) visit(slot);
    if (slots_.empty()) return nullptr;
    collect();
    emit_all();
    recording_.program = std::move(writer_).finish();
    return std::make_shared<const UnusedSteps>(
        UnusedSteps{std::move(recording_), std::move(reads_)});
  }

  // What leads to the nodes that were visited.
  void collect() {
    for (size_t next = 0; next < slots_.size(); ++next) {
      const Node& n = tape_.node(slots_[next]);
      if (is_older(n) || is_argument(slots_[next])) continue;
      for (uint32_t in : n.inputs())
        if (in != 0) visit(in);
    }
    sort_by_sequence();
    ids_.resize(slots_.size(), none);
    for (size_t k = 0; k < slots_.size(); ++k)
      tape_.node(slots_[k]).mark = static_cast<uint32_t>(k);
  }

  void emit_all() {
    // A constant's node is younger than the application that it was made for.
    for (uint32_t slot : slots_)
      if (tape_.node(slot).kind == NodeKind::constant) emit(slot);
    for (size_t k = 0; k < slots_.size(); ++k) {
      prefetch(k);
      if (!known(slots_[k])) emit(slots_[k]);
    }
  }

  // A node leads to its layout and attributes: three waits for memory, which overlap from node to
  // node.
  void prefetch(size_t k) const {
#if defined(__GNUC__)
    if (k + 16 < slots_.size()) __builtin_prefetch(&tape_.node(slots_[k + 16]));
    if (k + 8 >= slots_.size()) return;
    const Node& n = tape_.node(slots_[k + 8]);
    __builtin_prefetch(n.value.layout());
    __builtin_prefetch(n.extra);
#endif
  }

  // Sequence numbers are dense: digits of them are sorted one after the other.
  void sort_by_sequence() {
    struct Item {
      uint64_t seq;
      uint32_t slot;
    };
    std::vector<Item> items, other(slots_.size());
    items.reserve(slots_.size());
    uint64_t lowest = ~uint64_t{0}, highest = 0;
    for (uint32_t slot : slots_) {
      const uint64_t seq = tape_.node(slot).seq;
      items.push_back({seq, slot});
      lowest = std::min(lowest, seq);
      highest = std::max(highest, seq);
    }
    constexpr int bits = 11;
    std::vector<uint32_t> first(size_t{1} << bits);
    for (int shift = 0; shift < 64 && !items.empty() && (highest - lowest) >> shift;
         shift += bits) {
      const auto digit = [&](const Item& x) {
        return (x.seq - lowest) >> shift & (first.size() - 1);
      };
      std::fill(first.begin(), first.end(), 0);
      for (const Item& x : items) ++first[digit(x)];
      uint32_t at = 0;
      for (uint32_t& f : first) at += std::exchange(f, at);
      for (const Item& x : items) other[first[digit(x)]++] = x;
      items.swap(other);
    }
    for (size_t k = 0; k < items.size(); ++k) slots_[k] = items[k].slot;
  }

  // Recorded before the tracer was opened.
  bool is_older(const Node& n) const {
    return n.seq <= tracer_.first_sequence() && n.kind != NodeKind::leaf &&
           n.kind != NodeKind::constant;
  }

  // What an argument may be linked to is no part of the function.
  bool is_argument(uint32_t slot) const {
    const std::vector<uint32_t>& all = tracer_.arguments();
    return tape_.node(slot).kind == NodeKind::argument &&
           std::find(all.begin(), all.end(), slot) != all.end();
  }

  void visit(uint32_t slot) {
    if (reached(slot) || is_used(slot)) return;
    Node& n = tape_.node(slot);
    n.mark = static_cast<uint32_t>(slots_.size());
    slots_.push_back(slot);
  }

  bool reached(uint32_t slot) const {
    const uint32_t at = tape_.node(slot).mark;
    return at < slots_.size() && slots_[at] == slot;
  }
  bool known(uint32_t slot) const { return ids_[tape_.node(slot).mark] != none; }
  void set(uint32_t slot, ValueId id) {
    if (reached(slot)) ids_[tape_.node(slot).mark] = id;
  }
  bool is_used(uint32_t slot) const { return used_ != nullptr && used_->reached(slot); }
  ValueId id_at(uint32_t slot) {
    return is_used(slot) ? read(used_->ids_[tape_.node(slot).mark]) : ids_[tape_.node(slot).mark];
  }
  // A value of the used program, as an input.
  ValueId read(ValueId used) {
    const auto [at, is_new] = read_ids_.try_emplace(used, none);
    if (is_new) {
      at->second = writer_.input(used_->recording_.program.type_of(used));
      reads_.push_back(used);
    }
    return at->second;
  }
  ValueId id_of(const Ref& r) {
    return r.tracked() ? id_at(r.slot()) : writer_.constant(r.value());
  }

  void emit(uint32_t slot) {
    const Node& n = tape_.node(slot);
    if (is_older(n)) {
      recording_.captures.push_back({CellPtr(), Value(), Ref(&tape_, slot)});
      return set(slot, writer_.capture(type_of(n.value)));
    }
    switch (n.kind) {
      case NodeKind::constant:
        set(slot, plain_constant(n));
        break;
      case NodeKind::leaf:
        set(slot, leaf(n));
        break;
      case NodeKind::argument:
        set(slot, argument(slot));
        break;
      case NodeKind::pick:
        set(slot, is_used(n.in[0]) ? read(used_->ids_[tape_.node(n.in[0]).mark] + n.op)
                                   : id_at(n.in[0]) + n.op);
        break;
      case NodeKind::op:
        set(slot, application(n));
    }
  }

  ValueId argument(uint32_t slot) {
    const std::vector<uint32_t>& all = tracer_.arguments();
    const auto k = std::find(all.begin(), all.end(), slot) - all.begin();
    if (used_ != nullptr && k < std::ssize(all))
      return read(used_->recording_.program.inputs[static_cast<size_t>(k)]);
    const Node& n = tape_.node(slot);
    return n.n_in == 1 ? id_at(n.in[0]) : writer_.constant(n.value);
  }

  ValueId application(const Node& n) {
    ins_.clear();
    for (uint32_t in : n.inputs()) ins_.push_back(id_at(in));
    outs_.clear();
    const Op& op = op_by_id(n.op);
    if (op.n_out == 1) {
      outs_.push_back(type_of(n.value));
    } else {
      for (const Value& v : n.extra->outs) outs_.push_back(type_of(v));
    }
    static const Attrs no_attrs;
    return writer_.step(op, n.extra ? n.extra->attrs : no_attrs, ins_, outs_,
                        (n.flags & Node::held_constant) != 0);
  }

  ValueId plain_constant(const Node& n) {
    const bool is_users =
        n.flags & Node::held_by_reference || (n.extra && n.extra->origin.buffer());
    if (n.flags & Node::made_by_rule && !is_users) {
      recording_.made.push_back(writer_.constant(n.value));
      return recording_.made.back();
    }
    const bool by_reference = n.flags & Node::held_by_reference;
    if (by_reference && fingerprint_of(n.value) != n.extra->fingerprint) {
      if (recording_.refusal.empty())
        recording_.refusal = "a NumPy " + describe(n.value) + " was changed after it was used" +
                             (n.extra->where.empty() ? "" : " at " + n.extra->where);
      return writer_.constant(n.value);
    }
    const Value origin = by_reference ? n.value : n.extra ? n.extra->origin : Value();
    if (origin.buffer() == nullptr || !same_bits(origin.contiguous(), n.value.contiguous())) {
      const ValueId id = writer_.constant(n.value);
      recording_.constants.push_back({id, n.value});
      return id;
    }
    for (size_t k = 0; k < recording_.captures.size(); ++k) {
      const Value& a = recording_.captures[k].array;
      if (a.buffer() != nullptr && a.raw() == origin.raw() && type_of(a) == type_of(origin) &&
          a.strides() == origin.strides())
        return writer_.program().captures[k];
    }
    recording_.captures.push_back({CellPtr(), origin, Ref()});
    return writer_.capture(type_of(origin));
  }

  ValueId leaf(const Node& n) {
    if (tracer_.owns(n.leaf)) {
      const ValueId id = writer_.constant(n.value);
      recording_.constants.push_back({id, n.value});
      return id;
    }
    auto* cell = static_cast<Cell*>(n.leaf);
    for (size_t k = 0; k < recording_.captures.size(); ++k)
      if (recording_.captures[k].variable.get() == cell) return writer_.program().captures[k];
    cell->retain();
    recording_.captures.push_back({CellPtr(cell), Value(), Ref()});
    return writer_.capture(type_of(n.value));
  }

  const Tracer& tracer_;
  Tape& tape_;
  const Freezer* used_;  // of the steps that a run takes, where this one freezes the others
  std::vector<uint32_t> slots_;
  std::vector<ValueId> ids_;  // by mark
  std::vector<ValueId> ins_;
  std::vector<TensorType> outs_;
  ProgramWriter writer_;
  Recording recording_;
  std::unordered_map<ValueId, ValueId> read_ids_;
  std::vector<ValueId> reads_;
};

}  // namespace

Ref linked_argument(Tracer& tracer, const Ref& x) {
  Ref argument = tracer.argument(x.value());
  if (!x.tracked()) return argument;
  Tape& tape = tracer.tape();
  Node& n = tape.node(argument.slot());
  n.n_in = 1;
  n.in[0] = x.slot();
  n.origin = std::min(n.origin, tape.node(x.slot()).origin);
  tape.retain_node(x.slot());
  return argument;
}

bool may_fail_at_other_lengths(const UnusedSteps& unused) {
  // What goes by elements or sums them fails at no lengths but those that its operands exclude.
  static const uint16_t sum = find_op("sum")->id, mean = find_op("mean")->id;
  const std::vector<Program::Step>& steps = unused.recording.program.steps;
  return std::any_of(steps.begin(), steps.end(), [](const Program::Step& s) {
    return op_by_id(s.op).scalar_fn < 0 && s.op != sum && s.op != mean;
  });
}

Recording freeze(const Tracer& tracer, std::span<const Ref> outputs) {
  return Freezer(tracer).run(outputs);
}

Program with_fixed_captures(const Recording& r, std::span<const size_t> fixed) {
  Program p = r.program;
  for (size_t k : fixed) {
    const ValueId old = p.captures.at(k), now = static_cast<ValueId>(p.values.size());
    p.values.push_back(
        {Source::constant, p.values[old].type, static_cast<uint32_t>(p.constants.size())});
    p.constants.push_back(r.captures[k].content().copy());
    std::replace(p.operands.begin(), p.operands.end(), old, now);
    std::replace(p.outputs.begin(), p.outputs.end(), old, now);
    for (Program::Guard& g : p.guards)
      if (g.value == old) g.value = now;
  }
  return p;
}

bool same_recording(const Recording& a, const Recording& b) {
  const auto same_captures = [](const Capture& x, const Capture& y) {
    return x.variable.get() == y.variable.get() && x.recorded.slot() == y.recorded.slot();
  };
  return same_program(a.program, b.program) &&
         std::equal(a.captures.begin(), a.captures.end(), b.captures.begin(), b.captures.end(),
                    same_captures);
}

std::vector<Ref> replay(const Program& p, std::span<const Ref> inputs,
                        std::span<const Ref> captures) {
  std::vector<Ref> values(p.values.size());
  for (size_t v = 0; v < p.values.size(); ++v) {
    const Program::ValueInfo& info = p.values[v];
    if (info.source == Source::input) values[v] = inputs[info.index];
    if (info.source == Source::captured) values[v] = captures[info.index];
    if (info.source == Source::constant) values[v] = Ref(p.constants[info.index]);
  }
  for (const Program::Step& s : p.steps) {
    std::vector<Ref> in;
    for (ValueId v : p.in(s)) in.push_back(values[v]);
    if (s.kernel >= 0)
      throw_error<RuntimeError>("internal error: a fused program can't be replayed by its ops");
    const RecordingGuard recording(Tape::current().recording() && !s.held);
    std::vector<Ref> out = apply(op_by_id(s.op), p.attrs_of(s), std::move(in));
    for (uint32_t j = 0; j < s.n_out; ++j) values[s.first_out + j] = std::move(out[j]);
  }
  std::vector<Ref> outputs;
  for (ValueId v : p.outputs) outputs.push_back(values[v]);
  return outputs;
}

}  // namespace tapegrad
