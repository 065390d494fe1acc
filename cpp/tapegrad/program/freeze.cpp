#include "tapegrad/program/record.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "tapegrad/base/pool_policy.h"
#include "tapegrad/program/writer.h"
#include "tapegrad/tape/record.h"

namespace tapegrad {
namespace {

class Freezer {
 public:
  explicit Freezer(const Tracer& tracer, const Freezer* used = nullptr)
      : tracer_(tracer),
        tape_(tracer.tape()),
        used_(used),
        applications_(tracer.applications()),
        wanted_(applications_.size()),
        ids_(applications_.size(), none) {
    for (size_t k = 0; used == nullptr && k < applications_.size(); ++k)
      tape_.node(applications_[k]).mark = static_cast<uint32_t>(k);
  }

  Recording run(std::span<const Ref> outputs) {
    freeze_what_leads_to(outputs);
    recording_.unused = Freezer(tracer_, this).run_unused();
    return std::move(recording_);
  }

  std::optional<Recording> run_outline(std::span<const Ref> outputs, size_t first_sweep) {
    sweeps_ = std::span(tracer_.sweeps()).subspan(first_sweep);
    std::vector<Ref> all(outputs.begin(), outputs.end());
    for (const Tracer::Sweep& sweep : sweeps_) {
      for (size_t n : {sweep.reads.size(), sweep.wrt.size()})
        all.emplace_back(Value::integer_scalar(static_cast<int64_t>(n)));
      for (const auto& x : sweep.reads)
        all.push_back(x.slot != 0 ? Ref(&tape_, x.slot) : Ref(x.plain));
      for (const auto& x : sweep.wrt) {
        if (x.slot == 0 || !is_alias(x.slot)) return std::nullopt;
        mark_given(x.slot);
        all.emplace_back(&tape_, x.slot);
        all.emplace_back(&tape_, tape_.node(x.slot).in[0]);
      }
      for (const auto& x : sweep.results)
        if (x.slot == 0 || tape_.node(x.slot).seq <= sweep.sequence || !mark_given(x.slot))
          return std::nullopt;
    }
    freeze_what_leads_to(all);
    if (std::ranges::any_of(sweeps_, [&](const auto& s) { return reaches_into(s); }) ||
        std::ranges::any_of(recording_.program.attrs, &Attrs::calls_host))
      return std::nullopt;
    return std::move(recording_);
  }

 private:
  static constexpr ValueId none = ~ValueId{0};

  void freeze_what_leads_to(std::span<const Ref> outputs) {
    for (const Ref& r : outputs)
      if (r.tracked()) want(r.slot());
    const std::vector<Tracer::Guard>& guards = tracer_.guards();
    for (size_t k = 0; k < guards.size(); ++k)
      if (guards[k].value.tracked() && !is_of_sweep(k)) want(guards[k].value.slot());
    collect();
    recording_.refusal = tracer_.refusal();
    recording_.length_read = tracer_.length_read();
    recording_.lost_weakness = tracer_.lost_weakness();
    for (uint32_t slot : tracer_.arguments()) {
      const ValueId id = writer_.input(type_of(tape_.node(slot).value));
      if (is_other(slot)) other_ids_[tape_.node(slot).mark] = id;
    }
    for (uint32_t slot : given_)
      given_ids_.push_back(writer_.input(type_of(tape_.node(slot).value)));
    emit_all();
    for (size_t k = 0; k < guards.size(); ++k) {
      const Tracer::Guard& g = guards[k];
      if (is_of_sweep(k)) continue;
      const ValueId v = id_of(g.value);
      if (!writer_.program().is_constant(v)) writer_.guard(v, g.expected, g.where);
    }
    for (const Ref& r : outputs) writer_.output(id_of(r));
    recording_.program = std::move(writer_).finish();
  }
  bool is_of_sweep(size_t guard) const {
    const auto at = std::ranges::upper_bound(sweeps_, guard, {}, &Tracer::Sweep::last_guard);
    return at != sweeps_.end() && at->first_guard <= guard;
  }
  bool reaches_into(const Tracer::Sweep& s) const {
    const auto end = wanted_.begin() + s.last;
    return std::find(wanted_.begin() + s.first, end, true) != end;
  }

  // Makes an input of a node; false where it is one already.
  bool mark_given(uint32_t slot) {
    if (is_given(slot)) return false;
    tape_.node(slot).mark = static_cast<uint32_t>(given_.size());
    given_.push_back(slot);
    return true;
  }

  std::shared_ptr<const UnusedSteps> run_unused() {
    bool any = false;
    for (size_t k = 0; k < wanted_.size(); ++k) {
      if (used_->wanted_[k] || is_of_numbers(tape_.node(applications_[k]))) continue;
      wanted_[k] = any = true;
    }
    if (!any) return nullptr;
    collect();
    emit_all();
    recording_.program = std::move(writer_).finish();
    return std::make_shared<const UnusedSteps>(
        UnusedSteps{std::move(recording_), std::move(reads_)});
  }

  // Numbers that are computed of numbers are possible at all lengths.
  bool is_of_numbers(const Node& n) const {
    const auto is_number = [&](uint32_t in) {
      return in == 0 || tape_.node(in).value.shape().empty();
    };
    return op_by_id(n.op).scalar_fn >= 0 && std::ranges::all_of(n.inputs(), is_number);
  }

  // What leads to the nodes that are wanted. An application's inputs are older than it is, so that
  // one walk from the last to the first finds them.
  void collect() {
    follow_others();
    size_t steps = 0;
    for (size_t k = applications_.size(); k-- > 0;) {
      if (k >= 16) prefetch(applications_[k - 16]);
      if (!wanted_[k]) continue;
      ++steps;
      want_inputs(tape_.node(applications_[k]));
      follow_others();
    }
    std::vector<std::pair<uint64_t, uint32_t>> by_sequence;
    by_sequence.reserve(others_.size());
    for (size_t k = others_.size(); k-- > 0;)
      by_sequence.emplace_back(tape_.node(others_[k]).seq, others_[k]);
    if (!std::ranges::is_sorted(by_sequence)) std::ranges::sort(by_sequence);
    std::ranges::transform(by_sequence, others_.begin(), [](const auto& x) { return x.second; });
    other_ids_.resize(others_.size(), none);
    for (size_t k = 0; k < others_.size(); ++k)
      tape_.node(others_[k]).mark = static_cast<uint32_t>(k);
    writer_.reserve(steps, others_.size());
  }

  void follow_others() {
    for (; followed_ < others_.size(); ++followed_) {
      const uint32_t slot = others_[followed_];
      const Node& n = tape_.node(slot);
      if (!is_older(n) && !is_argument(slot)) want_inputs(n);
    }
  }

  void want_inputs(const Node& n) {
    for (uint32_t in : n.inputs())
      if (in != 0) want(in);
  }

  void want(uint32_t slot) {
    if ((used_ != nullptr && used_->reached(slot)) || is_given(slot)) return;
    Node& n = tape_.node(slot);
    if (is_application(slot)) {
      wanted_[n.mark] = true;
    } else if (!is_other(slot)) {
      n.mark = static_cast<uint32_t>(others_.size());
      others_.push_back(slot);
    }
  }

  void emit_all() {
    // A constant's node is younger than the application that it was made for.
    for (uint32_t slot : others_)
      if (tape_.node(slot).kind == NodeKind::constant) emit_other(slot);
    std::vector<uint32_t> strays;  // applications that another tracer recorded, which has closed
    for (size_t k = 0; k < others_.size(); ++k) {
      const Node& n = tape_.node(others_[k]);
      if (other_ids_[k] != none || is_alias(others_[k])) continue;
      if (n.kind == NodeKind::op && !is_older(n)) {
        strays.push_back(others_[k]);
      } else {
        emit_other(others_[k]);
      }
    }
    auto stray = strays.begin();
    for (size_t k = 0; k < applications_.size(); ++k) {
      if (k + 16 < applications_.size() && wanted_[k + 16]) prefetch(applications_[k + 16]);
      if (k + 8 < applications_.size() && wanted_[k + 8]) prefetch_parts(applications_[k + 8]);
      if (!wanted_[k]) continue;
      const Node& n = tape_.node(applications_[k]);
      for (; stray != strays.end() && tape_.node(*stray).seq < n.seq; ++stray) emit_stray(*stray);
      writer_.at_line(tracer_.line_of(k));
      ids_[k] = application(n);
    }
    writer_.at_line("");
    for (; stray != strays.end(); ++stray) emit_stray(*stray);
  }

  // A node leads to its layout and attributes: three waits, which overlap from node to node.
  void prefetch([[maybe_unused]] uint32_t slot) const {
#if defined(__GNUC__)
    __builtin_prefetch(&tape_.node(slot));
#endif
  }
  void prefetch_parts([[maybe_unused]] uint32_t slot) const {
#if defined(__GNUC__)
    __builtin_prefetch(tape_.node(slot).value.layout());
    __builtin_prefetch(tape_.node(slot).extra);
#endif
  }

  // Recorded before the tracer was opened; a rule may ask for an output of such a node at any time.
  bool is_older(const Node& n) const {
    if (n.kind == NodeKind::pick) return is_older(tape_.node(n.in[0]));
    return n.seq <= tracer_.first_sequence() && n.kind != NodeKind::leaf &&
           n.kind != NodeKind::constant;
  }

  // What an argument may be linked to is no part of the function.
  bool is_argument(uint32_t slot) const {
    const std::vector<uint32_t>& all = tracer_.arguments();
    return tape_.node(slot).kind == NodeKind::argument && std::ranges::count(all, slot) != 0;
  }

  // What has no value of its own in the program, but that of its input or a part of it.
  bool is_alias(uint32_t slot) const {
    const Node& n = tape_.node(slot);
    if (is_older(n)) return false;
    return n.kind == NodeKind::pick ||
           (n.kind == NodeKind::argument && n.n_in == 1 && !is_argument(slot));
  }

  // Whether a node's mark is its place in the list.
  bool is_in(const std::vector<uint32_t>& list, uint32_t slot) const {
    const uint32_t at = tape_.node(slot).mark;
    return at < list.size() && list[at] == slot;
  }
  bool is_application(uint32_t slot) const { return is_in(applications_, slot); }
  bool is_other(uint32_t slot) const { return is_in(others_, slot); }
  bool is_given(uint32_t slot) const { return is_in(given_, slot); }
  bool reached(uint32_t slot) const {
    return is_application(slot) ? wanted_[tape_.node(slot).mark] : is_other(slot);
  }

  ValueId id_at(uint32_t slot) {
    const Node& n = tape_.node(slot);
    if (used_ != nullptr && used_->reached(slot)) return read(used_->known_id(slot));
    if (is_given(slot)) return given_ids_[n.mark];
    if (is_application(slot)) return ids_[n.mark];
    ValueId& id = other_ids_[n.mark];
    if (id == none) id = alias(n);
    return id;
  }
  ValueId known_id(uint32_t slot) const {
    const Node& n = tape_.node(slot);
    if (is_application(slot)) return ids_[n.mark];
    const ValueId id = other_ids_[n.mark];
    return id != none ? id : known_id(n.in[0]) + (n.kind == NodeKind::pick ? n.op : 0);
  }
  ValueId alias(const Node& n) {
    if (n.kind != NodeKind::pick) return id_at(n.in[0]);
    return used_ != nullptr && used_->reached(n.in[0]) ? read(used_->known_id(n.in[0]) + n.op)
                                                       : id_at(n.in[0]) + n.op;
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

  void emit_stray(uint32_t slot) {
    other_ids_[tape_.node(slot).mark] = application(tape_.node(slot));
  }
  void emit_other(uint32_t slot) {
    const Node& n = tape_.node(slot);
    other_ids_[n.mark] = is_older(n)                    ? recorded(slot)
                         : n.kind == NodeKind::constant ? plain_constant(n)
                         : n.kind == NodeKind::leaf     ? leaf(n)
                                                        : argument(slot);
  }
  ValueId recorded(uint32_t slot) {
    recording_.captures.push_back({CellPtr(), Value(), with_value(Ref(&tape_, slot))});
    return writer_.capture(type_of(tape_.node(slot).value));
  }

  ValueId argument(uint32_t slot) {
    const std::vector<uint32_t>& all = tracer_.arguments();
    const auto k = std::find(all.begin(), all.end(), slot) - all.begin();
    if (used_ != nullptr && k < std::ssize(all))
      return read(used_->recording_.program.inputs[static_cast<size_t>(k)]);
    return writer_.constant(tape_.node(slot).value);
  }

  ValueId application(const Node& n) {
    ins_.clear();
    for (uint32_t in : n.inputs()) ins_.push_back(id_at(in));
    outs_.clear();
    const Op& op = op_by_id(n.op);
    if (op.n_out == 1) {
      outs_.push_back(writer_.type_number(n.value));
    } else {
      for (const Value& v : n.extra->outs) outs_.push_back(writer_.type_number(v));
    }
    static const Attrs no_attrs;
    return writer_.step(op, n.extra ? n.extra->attrs : no_attrs, ins_, outs_,
                        (n.flags & Node::held_constant) != 0);
  }

  static Value origin_of(const Node& n) {
    return n.extra && n.extra->rare ? n.extra->rare->origin : Value();
  }

  ValueId plain_constant(const Node& n) {
    const bool is_users = n.flags & Node::held_by_reference || origin_of(n).buffer() != nullptr;
    if (n.flags & Node::made_by_rule && !is_users) {
      recording_.made.push_back(writer_.constant(n.value));
      return recording_.made.back();
    }
    const bool by_reference = n.flags & Node::held_by_reference;
    if (by_reference && fingerprint_of(n.value) != n.extra->rare->fingerprint) {
      if (recording_.refusal.empty())
        recording_.refusal = "a NumPy " + describe(n.value) + " was changed after it was used" +
                             (n.extra->where().empty() ? "" : " at " + n.extra->where());
      return writer_.constant(n.value);
    }
    const Value origin = by_reference ? n.value : origin_of(n);
    if (origin.buffer() == nullptr || !same_bits(origin.contiguous(), n.value.contiguous())) {
      const ValueId id = writer_.constant(n.value);
      recording_.constants.push_back({id, n.value});
      return id;
    }
    std::vector<size_t>& known = arrays_at_[origin.raw()];
    for (size_t k : known)
      if (const Value& a = recording_.captures[k].array;
          type_of(a) == type_of(origin) && a.strides() == origin.strides())
        return writer_.program().captures[k];
    known.push_back(recording_.captures.size());
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
  const std::vector<uint32_t>& applications_;  // by sequence; a node's mark is its place here
  std::vector<bool> wanted_;
  LongVector<ValueId> ids_;
  std::vector<uint32_t> others_;  // all other nodes; a mark is a place here
  std::vector<ValueId> other_ids_;
  size_t followed_ = 0;
  std::vector<ValueId> ins_;
  std::vector<uint32_t> outs_;  // types by number
  ProgramWriter writer_;
  Recording recording_;
  std::span<const Tracer::Sweep> sweeps_;  // of which an outline is made
  std::vector<uint32_t> given_;            // nodes that are its inputs; a mark is a place here
  std::unordered_map<const void*, std::vector<size_t>> arrays_at_;  // captures, by first element
  std::unordered_map<ValueId, ValueId> read_ids_;
  std::vector<ValueId> reads_, given_ids_;
};

}  // namespace

Recording freeze(const Tracer& tracer, std::span<const Ref> outputs) {
  const OrdinaryPages pages;
  return Freezer(tracer).run(outputs);
}

std::optional<Recording> outline(const Tracer& tracer, std::span<const Ref> outputs,
                                 size_t first_sweep) {
  if (first_sweep >= tracer.sweeps().size()) return std::nullopt;
  const OrdinaryPages pages;
  return Freezer(tracer).run_outline(outputs, first_sweep);
}

}  // namespace tapegrad
