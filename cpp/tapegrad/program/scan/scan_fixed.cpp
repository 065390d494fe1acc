#include "tapegrad/program/scan/scan_fixed.h"

#include <algorithm>

#include "tapegrad/program/body/vmap.h"
#include "tapegrad/program/scan/scan_residuals.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

// A body taken apart: what its steps compute alike, of inputs that stay the same; what they look up
// by elements of the xs; and the rest.
struct FixedPart final : BodyExtra {
  Flags fixed_carries;  // by carry: the step hands it on as it came
  bool any = false;     // there is something to take out
  Program before;       // takes all inputs of the scan's body, gives what the rest reads of it
  Program lookups;      // of one step: takes the same and the results of `before`
  Flags keeps;          // by input of the body: the rest reads it
  BodyPtr body;  // its inputs: carries and xs that it keeps, lookups, other inputs, and `before`'s
  size_t n_carry = 0, n_xs = 0;  // of it
};

class Divider {
 public:
  explicit Divider(const ScanForm& f)
      : p_(f.body->program()),
        n_carry_(f.n_carry),
        first_rest_(f.n_carry + f.n_xs),
        may_look_up_(f.checkpoints == 0),
        most_elements_(most_residual_bytes / static_cast<double>(sizeof(double) * f.length)),
        is_fixed_(p_.values.size(), false),
        is_of_xs_(p_.values.size(), false),
        inner_(p_.values.size(), none) {}

  std::shared_ptr<const FixedPart> run() {
    auto found = std::make_shared<FixedPart>();
    if (!divide(*found)) return found;
    write_before(*found);
    write_lookups(*found);
    write_body(*found);
    return found;
  }

 private:
  static constexpr ValueId none = ~ValueId{0};

  bool divide(FixedPart& to) {
    for (size_t c = 0; c < n_carry_; ++c) {
      const bool stays = p_.outputs[c] == p_.inputs[c];
      to.fixed_carries.push_back(stays);
      to.any |= stays;
      is_fixed_[p_.inputs[c]] = stays;
    }
    for (size_t i = first_rest_; i < p_.inputs.size(); ++i) is_fixed_[p_.inputs[i]] = true;
    taken_.assign(p_.steps.size(), false);
    for (size_t k = 0; k < p_.steps.size(); ++k) {
      const Program::Step& s = p_.steps[k];
      const auto stays = [this](ValueId v) { return is_fixed_[v] || p_.is_constant(v); };
      taken_[k] = s.kernel < 0 && !p_.attrs_of(s).calls_host() &&
                  std::ranges::all_of(p_.in(s), stays) &&
                  std::ranges::any_of(p_.in(s), [this](ValueId v) { return is_fixed_[v]; });
      if (!taken_[k]) continue;
      to.any = true;
      for (uint32_t j = 0; j < s.n_out; ++j) is_fixed_[s.first_out + j] = true;
    }
    looked_up_.assign(p_.steps.size(), false);
    if (may_look_up_) find_lookups(to);
    return to.any;
  }

  // Rows that a step takes from arrays that stay the same, at positions among its xs: one lookup
  // takes those of all steps.
  void find_lookups(FixedPart& to) {
    for (size_t i = n_carry_; i < first_rest_; ++i) is_of_xs_[p_.inputs[i]] = true;
    for (size_t k = 0; k < p_.steps.size(); ++k) {
      const Program::Step& s = p_.steps[k];
      const Op& op = op_by_id(s.op);
      const auto is_known = [this](ValueId v) {
        return is_of_xs_[v] || is_fixed_[v] || p_.is_constant(v);
      };
      if (taken_[k] || s.kernel >= 0 || op.key != KeyKind::arrays ||
          op.update != UpdateKind::none || is_of_xs_[p_.in(s)[0]] ||
          !std::ranges::all_of(p_.in(s), is_known) ||
          static_cast<double>(element_count(p_.type_of(s.first_out).shape)) > most_elements_)
        continue;
      looked_up_[k] = to.any = true;
    }
  }

  // Values of steps that were taken out, which the rest reads or hands out.
  void write_before(FixedPart& to) {
    to.before = p_;
    to.before.outputs.clear();
    std::vector<bool> seen(p_.values.size(), false);
    const auto read = [&](ValueId v) {
      if (!is_fixed_[v] || p_.values[v].source != Source::step || seen[v]) return;
      seen[v] = true;
      to.before.outputs.push_back(v);
    };
    for (size_t k = 0; k < p_.steps.size(); ++k)
      if (!taken_[k]) std::ranges::for_each(p_.in(p_.steps[k]), read);
    for (size_t j = 0; j < p_.outputs.size(); ++j)
      if (j >= n_carry_ || !to.fixed_carries[j]) read(p_.outputs[j]);
    to.before.steps.clear();
    for (size_t k = 0; k < p_.steps.size(); ++k)
      if (taken_[k]) to.before.steps.push_back(p_.steps[k]);
  }

  void write_lookups(FixedPart& to) {
    Program& q = to.lookups = p_;
    for (ValueId v : to.before.outputs) {
      q.values[v] = {Source::input, q.values[v].type, static_cast<uint32_t>(q.inputs.size())};
      q.inputs.push_back(v);
    }
    q.outputs.clear();
    q.steps.clear();
    for (size_t k = 0; k < p_.steps.size(); ++k) {
      if (!looked_up_[k]) continue;
      q.steps.push_back(p_.steps[k]);
      q.outputs.push_back(p_.steps[k].first_out);
      q.values[p_.steps[k].first_out].index = static_cast<uint32_t>(q.steps.size() - 1);
    }
  }

  void write_body(FixedPart& to) {
    ProgramWriter w;
    std::vector<bool> read(p_.values.size(), false);
    for (size_t k = 0; k < p_.steps.size(); ++k)
      if (!taken_[k] && !looked_up_[k])
        for (ValueId v : p_.in(p_.steps[k])) read[v] = true;
    for (size_t j = 0; j < p_.outputs.size(); ++j)
      if (j >= n_carry_ || !to.fixed_carries[j]) read[p_.outputs[j]] = true;
    for (size_t i = 0; i < p_.inputs.size(); ++i) {
      const ValueId v = p_.inputs[i];
      const bool moves = i < n_carry_ && !to.fixed_carries[i];
      to.keeps.push_back(moves || read[v]);
      to.n_carry += moves;
      to.n_xs += i >= n_carry_ && i < first_rest_ && read[v];
    }
    to.n_xs += to.lookups.outputs.size();
    // A carry that stays becomes one of the rest: those come last.
    for (const bool rest : {false, true}) {
      for (size_t i = 0; i < p_.inputs.size(); ++i)
        if (to.keeps[i] && is_rest(to, i) == rest)
          inner_[p_.inputs[i]] = w.input(p_.type_of(p_.inputs[i]));
      if (!rest)
        for (ValueId v : to.lookups.outputs) inner_[v] = w.input(p_.type_of(v));
    }
    for (ValueId v : to.before.outputs) inner_[v] = w.input(p_.type_of(v));
    const auto at = [&](ValueId v) {
      if (inner_[v] == none) inner_[v] = w.constant(p_.constant_of(v));
      return inner_[v];
    };
    for (size_t k = 0; k < p_.steps.size(); ++k) {
      if (taken_[k] || looked_up_[k]) continue;
      const Program::Step& s = p_.steps[k];
      std::vector<ValueId> in;
      for (ValueId v : p_.in(s)) in.push_back(at(v));
      std::vector<TensorType> out;
      for (uint32_t j = 0; j < s.n_out; ++j) out.push_back(p_.type_of(s.first_out + j));
      w.at_line(p_.line_of(s));
      const ValueId first = w.step(op_by_id(s.op), p_.attrs_of(s), in, out, s.held);
      for (uint32_t j = 0; j < s.n_out; ++j) inner_[s.first_out + j] = first + j;
    }
    for (size_t j = 0; j < p_.outputs.size(); ++j)
      if (j >= n_carry_ || !to.fixed_carries[j]) w.output(at(p_.outputs[j]));
    to.body = Body::of(std::move(w).finish());
  }

  bool is_rest(const FixedPart& to, size_t i) const {
    return i >= first_rest_ || (i < n_carry_ && to.fixed_carries[i]);
  }

  const Program& p_;
  const size_t n_carry_, first_rest_;
  const bool may_look_up_;  // before the scan; else memory is short
  const double most_elements_;
  std::vector<bool> is_fixed_;   // by value: the same at every step, and no constant
  std::vector<bool> is_of_xs_;   // by value
  std::vector<bool> taken_;      // by step
  std::vector<bool> looked_up_;  // by step
  std::vector<ValueId> inner_;   // by value: the new body's
};

std::shared_ptr<const FixedPart> fixed_part(const ScanForm& f) {
  // What is looked up at one length is at others.
  const uint64_t key =
      uint64_t{1} << 63 | uint64_t{f.checkpoints != 0} << 62 | uint64_t{f.n_carry} << 32 | f.n_xs;
  return std::static_pointer_cast<const FixedPart>(
      f.body->extra(key, [&] { return Divider(f).run(); }));
}

Flags tracked_among(const std::vector<Ref>& refs) {
  Flags flags;
  for (const Ref& r : refs) flags.push_back(r.tracked());
  return flags;
}

std::vector<Ref> looked_up(const FixedPart& part, const ScanForm& form,
                           const std::vector<Ref>& inputs, const std::vector<Ref>& fixed) {
  if (part.lookups.steps.empty()) return {};
  std::vector<Ref> in = inputs;
  in.insert(in.end(), fixed.begin(), fixed.end());
  Flags has_lanes(in.size(), 0);
  std::fill_n(has_lanes.begin() + static_cast<std::ptrdiff_t>(form.n_carry), form.n_xs, 1);
  return replay_lanes(part.lookups, in, has_lanes, {}, form.length).outputs;
}

}  // namespace

std::vector<Ref> scan_without_fixed(ScanForm form, std::vector<Ref> inputs, bool hands_out) {
  const auto whole = [&] {
    if (hands_out) form.body = with_residuals(form, tracked_among(inputs));
    return scan(form, std::move(inputs));
  };
  const bool has_kernels =
      std::ranges::any_of(form.body->program().steps, [](const auto& s) { return s.kernel >= 0; });
  const auto part = form.length == 0 || has_kernels ? nullptr : fixed_part(form);
  if (!part || !part->any) return whole();
  std::vector<Ref> fixed = replay(part->before, inputs, {});
  std::vector<Ref> rows = looked_up(*part, form, inputs, fixed);
  ScanForm rest = form;
  rest.body = part->body;
  rest.n_carry = part->n_carry;
  rest.n_xs = part->n_xs;
  std::vector<Ref> in;
  for (const bool stays : {false, true})
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool is_rest =
          i >= form.n_carry + form.n_xs || (i < form.n_carry && part->fixed_carries[i]);
      if (part->keeps[i] && is_rest == stays) in.push_back(inputs[i]);
      if (!stays && i + 1 == inputs.size()) std::ranges::move(rows, std::back_inserter(in));
    }
  std::ranges::move(fixed, std::back_inserter(in));
  if (hands_out) rest.body = with_residuals(rest, tracked_among(in));
  std::vector<Ref> found = scan(rest, std::move(in)), out;
  size_t at = 0;
  for (size_t c = 0; c < form.n_carry; ++c)
    out.push_back(part->fixed_carries[c] ? inputs[c] : std::move(found[at++]));
  while (at < found.size()) out.push_back(std::move(found[at++]));
  return out;
}

}  // namespace tapegrad
