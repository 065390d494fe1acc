#include "tapegrad/tape/tracer.h"

#include <algorithm>
#include <bit>

namespace tapegrad {

Tracer::Tracer()
    : tape_(Tape::current()),
      outer_(tape_.tracer()),
      recording_before_(tape_.set_recording(true)),
      scope_(tape_.open_scope(Tape::ScopeKind::tracer)),
      first_sequence_(tape_.sequence()) {
  tape_.set_tracer(this);
}

Tracer::~Tracer() {
  // The shape of one lane may come from what the outer one records.
  if (outer_ && outer_->length_read_.empty()) outer_->length_read_ = length_read_;
  if (outer_) {
    outer_->lost_weakness_ |= lost_weakness_;
    outer_->saw_float32_ |= saw_float32_;
    outer_->used_outside_ |= used_outside_;
    outer_->learned_number_ |= learned_number_;
  }
  for (size_t k = applications_.size(); k-- > 0;) tape_.release_node(applications_[k]);
  for (const Sweep& sweep : sweeps_)
    for (const auto* list : {&sweep.reads, &sweep.wrt, &sweep.results})
      for (const Sweep::Value& v : *list)
        if (v.slot != 0) tape_.release_node(v.slot);
  tape_.close_scope(scope_);
  tape_.set_recording(recording_before_);
  tape_.set_tracer(outer_);
}

namespace {

void append(std::vector<Tracer::Sweep::Value>& list, std::span<const Ref> refs,
            const auto& is_plain) {
  for (const Ref& r : refs)
    list.push_back(is_plain(r) ? Tracer::Sweep::Value{0, r.value()}
                               : Tracer::Sweep::Value{r.slot()});
}

}  // namespace

Tracer::Sweep Tracer::begin_sweep(std::span<const Ref> outputs, std::span<const Ref> seeds) const {
  Sweep sweep;
  sweep.first = applications_.size();
  sweep.first_guard = guards_.size();
  sweep.sequence = tape_.sequence();
  // A constant is nothing but its memory; what stands in for a sweep's result passes for none.
  const auto is_constant = [&](const Ref& r) {
    if (!r.tracked()) return true;
    const Node& n = tape_.node(r.slot());
    return n.kind == NodeKind::constant && n.origin == ~uint32_t{0};
  };
  append(sweep.reads, outputs, is_constant);
  append(sweep.reads, seeds, is_constant);
  return sweep;
}

void Tracer::end_sweep(Sweep sweep, std::span<const Ref> wrt, std::span<const Ref> results) {
  sweep.last = applications_.size();
  sweep.last_guard = guards_.size();
  const auto is_plain = [](const Ref& r) { return !r.tracked(); };
  append(sweep.wrt, wrt, is_plain);
  append(sweep.results, results, is_plain);
  sweeps_.push_back(std::move(sweep));
  for (const auto* list : {&sweeps_.back().reads, &sweeps_.back().wrt, &sweeps_.back().results})
    for (const Sweep::Value& v : *list)
      if (v.slot != 0) tape_.retain_node(v.slot);
}

Ref Tracer::argument(const Value& value) {
  held_.push_back(Ref::adopt(&tape_, tape_.argument(0, value)));
  arguments_.push_back(held_.back().slot());
  return held_.back();
}

uint32_t Tracer::number(Value value) {
  const auto bits = std::bit_cast<uint64_t>(value.bits());
  const uint64_t hash = (bits + static_cast<uint64_t>(value.dtype())) * 0x9E3779B97F4A7C15u;
  NumberEntry& known = number_entries_[(hash >> 32) % number_entry_count];
  if (known.slot != 0) {
    const Node& n = tape_.node(known.slot);
    const bool by_rule = (n.flags & Node::made_by_rule) != 0;
    if (n.seq == known.seq && n.refs > 0 && by_rule == tape_.in_rule() &&
        same_bits(n.value, value)) {
      tape_.retain_node(known.slot);
      return known.slot;
    }
  }
  const uint32_t slot = tape_.constant(std::move(value));
  known = {slot, tape_.node(slot).seq};
  return slot;
}

Ref Tracer::number_argument(const Value& value, bool python) {
  Ref made = argument(value);
  number_arguments_.insert(made.slot());
  if (python) mark_weak(made);
  return made;
}

// Only integers and masks are followed: a branch on a float that a number chose is one on the
// float.
bool Tracer::comes_of_number(uint32_t slot, int steps) const {
  if (number_arguments_.contains(slot)) return true;
  const Node& n = tape_.node(slot);
  if (n.kind != NodeKind::op || is_floating(n.value.dtype())) return false;
  return steps == 0 || std::ranges::any_of(n.inputs(), [&](uint32_t in) {
           return in != 0 && comes_of_number(in, steps - 1);
         });
}

void Tracer::guard(Ref value) {
  guard(std::move(value), current_location ? current_location() : "");
}

void Tracer::guard(Ref value, std::string where) {
  Value expected = value.value();
  guards_.push_back({std::move(value), std::move(expected), std::move(where)});
}

void Tracer::mark_weak(const Ref& value) {
  if (value.tracked()) weak_.emplace(value.slot(), value);
}

bool Tracer::is_weak(const Ref& value) const {
  if (!value.tracked()) return false;
  return weak_.contains(value.slot()) || (outer_ && outer_->is_weak(value));
}

void Tracer::read_length() {
  if (!length_read_.empty()) return;
  if (current_location) length_read_ = current_location();
  if (length_read_.empty()) length_read_ = "an unknown line";
}

void Tracer::refuse(std::string reason) {
  if (refusal_.empty()) refusal_ = std::move(reason);
}

void Tracer::keep_line() {
  lines_.resize(applications_.size());
  if (current_location) lines_.back() = current_location();
}

const std::string& Tracer::line_of(size_t application) const {
  static const std::string none;
  return application < lines_.size() ? lines_[application] : none;
}

}  // namespace tapegrad
