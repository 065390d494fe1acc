#include "tapegrad/program/passes/fuse/fuse_windows.h"

#include <algorithm>

#include "tapegrad/ops/shape/shape.h"

namespace tapegrad {
namespace {

// Computing a value again may cost as much as to store it and read it, in ns per element.
constexpr double most_again_ns = 2;
// A part is large that has this share of the array.
constexpr double large_share = 0.25;
// Rough times in ns per element of an array. As an instruction a part takes its time for all of the
// array, as a step for itself alone; what a kernel computes need not be stored.
constexpr double instruction_ns = 0.25, step_ns = 0.6, store_ns = 0.6, fill_ns = 0.4;
constexpr double least_gain_ns = 0.15;
constexpr size_t most_joined = 8;

double count(const Dims& shape) { return static_cast<double>(element_count(shape)); }

}  // namespace

FuseWindows::FuseWindows(const Program& p, const std::vector<ValueId>& source)
    : p_(p), source_(source), reads_(p, source), number_(p.steps.size(), FuseReads::none) {
  for (uint32_t i = 0; i < p.steps.size(); ++i) {
    std::optional<Step> step = found(p.steps[i]);
    if (!step) continue;
    number_[i] = static_cast<uint32_t>(steps_.size());
    steps_.push_back(std::move(*step));
  }
  choose();
}

// A chain goes into a kernel where that gains time. Small parts at its end that would have the
// kernel read more arrays are written in place after it.
void FuseWindows::choose() {
  std::vector<bool> taken(steps_.size(), false);
  for (uint32_t k = 0; k < steps_.size(); ++k) {
    Chain& chain = chains_[steps_[k].chain];
    chain.is_cut = chain.is_cut || (k > chain.last_large && !steps_[k].is_free);
    taken[k] = chain.has_large && !chain.is_cut;
    if (taken[k]) chain.gain += steps_[k].gain;
  }
  for (uint32_t& k : number_)
    if (k != FuseReads::none && !(taken[k] && chains_[steps_[k].chain].gain >= least_gain_ns))
      k = FuseReads::none;
}

void FuseWindows::weigh(Step& step) const {
  if (step.fill || (step.base != no_value && reads_.elementwise(source_[step.base])))
    step.gain = fill_ns;
  if (step.base != no_value && step.chain == chains_.size() &&
      !reads_.elementwise(source_[step.base]))
    step.gain = -step_ns;  // it is no longer written in place
  for (const Part& part : step.parts) {
    const bool computes = reads_[part.read].how == FuseReads::How::computed;
    step.is_large = step.is_large || part.share >= large_share;
    step.gain += part.share * (step_ns + (computes ? store_ns : 0));
    if (!step.is_free)
      step.gain -= instruction_ns + (1 - part.share) * reads_.computing_ns(part.read);
  }
}

std::optional<FuseWindows::Step> FuseWindows::found(const Program::Step& s) {
  if (s.kernel >= 0 || s.n_out != 1) return std::nullopt;
  const Op& op = op_by_id(s.op);
  const bool updates = writes_box(op), pads = op.frame == FrameKind::pads;
  if (!updates && !pads && op.join != JoinKind::concatenate) return std::nullopt;
  const uint32_t type = p_.values[s.first_out].type;
  space_ = {type, p_.types[type].shape, p_.types[type].dtype};
  if (!is_floating(space_.dtype) || space_.shape.empty() || count(space_.shape) == 0)
    return std::nullopt;
  Step step;
  step.chain = static_cast<uint32_t>(chains_.size());
  if (!(updates ? update(step, s) : pads ? pad(step, s) : join(step, s))) return std::nullopt;
  list_reads(step);
  std::vector<ValueId> known;
  if (step.chain < chains_.size()) known = chains_[step.chain].reads;
  const auto is_known = [&](ValueId v) {
    return v == step.base || count(p_.type_of(v).shape) == 1 ||
           std::ranges::find(known, v) != known.end();
  };
  step.is_free = std::ranges::all_of(step.plain, is_known) &&
                 std::ranges::all_of(step.shifted, is_known) &&
                 std::ranges::all_of(step.parts, [&](const Part& part) {
                   return reads_[part.read].how != FuseReads::How::computed;
                 });
  weigh(step);
  if (step.chain == chains_.size()) chains_.emplace_back();
  Chain& chain = chains_[step.chain];
  for (const std::vector<ValueId>& reads : {step.plain, step.shifted})
    chain.reads.insert(chain.reads.end(), reads.begin(), reads.end());
  if (step.is_large) chain.last_large = static_cast<uint32_t>(steps_.size());
  chain.has_large = chain.has_large || step.is_large;
  return step;
}

const FuseWindows::Step* FuseWindows::window_step(ValueId v) const {
  return p_.values[v].source == Source::step ? at(p_.values[v].index) : nullptr;
}

bool FuseWindows::add_part(Step& step, ValueId v, const Box& box, bool adds) {
  const double share = count(box.length) / count(space_.shape);
  if (share == 0) return true;
  const uint32_t read = reads_.find(space_, v, box, most_again_ns * share);
  if (read == FuseReads::none) return false;
  const bool fills =
      reads_[read].how == FuseReads::How::shifted && reads_[read].value == source_[v];
  step.parts.push_back(
      {read, window_of_box(space_.shape, box.start, box.length), adds, fills, share});
  return true;
}

// An array that is there already is written in place: a pass over it has to pay.
bool FuseWindows::set_base(Step& step, ValueId base) {
  if (const auto number = uniform_.at(p_, source_[base])) {
    step.fill = number;
    return true;
  }
  step.base = base;
  if (const Step* before = window_step(source_[base])) {
    step.chain = before->chain;
    return true;
  }
  return reads_.elementwise(source_[base]) || (!step.parts.empty() && step.parts[0].share >= 0.5);
}

bool FuseWindows::update(Step& step, const Program::Step& s) {
  const auto box = box_of_code(p_.attrs_of(s).integers(index_attrs::code), space_.shape);
  const bool adds = op_by_id(s.op).update == UpdateKind::add;
  return box && add_part(step, p_.in(s)[1], *box, adds) && set_base(step, p_.in(s)[0]);
}

// Arrays in memory are copied as fast by the op itself.
bool FuseWindows::computes_most(const Step& step) const {
  return std::ranges::any_of(step.parts, [&](const Part& part) {
    return part.share >= 0.5 && reads_[part.read].how == FuseReads::How::computed;
  });
}

bool FuseWindows::pad(Step& step, const Program::Step& s) {
  const std::vector<int64_t>& widths = p_.attrs_of(s).integers(pad_attrs::widths);
  Box box{{}, p_.type_of(p_.in(s)[0]).shape};
  for (size_t i = 0; i < box.length.size(); ++i) box.start.push_back(widths[2 * i]);
  step.fill = Value::scalar(p_.attrs_of(s).real(pad_attrs::fill)).cast(space_.dtype).as_double();
  return add_part(step, p_.in(s)[0], box, false) && computes_most(step);
}

// The largest part is there first.
bool FuseWindows::join(Step& step, const Program::Step& s) {
  if (p_.attrs_of(s).is_none(join_attrs::axis) || s.n_in > most_joined) return false;
  const auto axis = static_cast<size_t>(
      normalize_axis(p_.attrs_of(s).integer(join_attrs::axis), space_.shape.ndim(), "concatenate"));
  Box box{Dims(space_.shape.size()), {}};
  for (ValueId v : p_.in(s)) {
    box.length = p_.type_of(v).shape;
    if (p_.type_of(v).dtype != space_.dtype || !add_part(step, v, box, false)) return false;
    box.start[axis] += box.length[axis];
  }
  const auto largest = std::ranges::max_element(step.parts, {}, &Part::share);
  std::swap(step.parts.front(), *largest);
  return computes_most(step);
}

void FuseWindows::list_reads(Step& step) const {
  const auto add = [](std::vector<ValueId>& to, ValueId v) {
    if (std::ranges::find(to, v) == to.end()) to.push_back(v);
  };
  if (step.base != no_value) add(step.plain, step.base);
  for (const Part& part : step.parts)
    reads_.visit(part.read, [&](const FuseReads::Read& read) {
      if (read.how == FuseReads::How::plain) add(step.plain, read.value);
      if (read.how == FuseReads::How::shifted) add(step.shifted, read.value);
    });
}

}  // namespace tapegrad
