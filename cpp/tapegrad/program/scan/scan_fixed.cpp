#include "tapegrad/program/scan/scan_fixed.h"

#include <algorithm>

#include "tapegrad/program/scan/scan_residuals.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

// A body taken apart: what its steps compute alike, of inputs that stay the same, and the rest.
struct FixedPart final : BodyExtra {
  Flags fixed_carries;  // by carry: the step hands it on as it came
  bool any = false;     // there is something to take out
  Program before;       // takes all inputs of the scan's body, gives what the rest reads of it
  Flags keeps;          // by input of the body: the rest reads it
  BodyPtr body;         // its inputs: those that it keeps, then the results of `before`
  size_t n_carry = 0;   // of it
};

class Divider {
 public:
  explicit Divider(const ScanForm& f)
      : p_(f.body->program()),
        n_carry_(f.n_carry),
        first_rest_(f.n_carry + f.n_xs),
        is_fixed_(p_.values.size(), false),
        inner_(p_.values.size(), none) {}

  std::shared_ptr<const FixedPart> run() {
    auto found = std::make_shared<FixedPart>();
    if (!divide(*found)) return found;
    write_before(*found);
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
    return to.any;
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

  void write_body(FixedPart& to) {
    ProgramWriter w;
    std::vector<bool> read(p_.values.size(), false);
    for (size_t k = 0; k < p_.steps.size(); ++k)
      if (!taken_[k])
        for (ValueId v : p_.in(p_.steps[k])) read[v] = true;
    for (size_t j = 0; j < p_.outputs.size(); ++j)
      if (j >= n_carry_ || !to.fixed_carries[j]) read[p_.outputs[j]] = true;
    for (size_t i = 0; i < p_.inputs.size(); ++i) {
      const ValueId v = p_.inputs[i];
      const bool moves = i < first_rest_ && !(i < n_carry_ && to.fixed_carries[i]);
      to.keeps.push_back(moves || read[v]);
      if (moves && i < n_carry_) ++to.n_carry;
    }
    // A carry that stays becomes one of the rest: those come last.
    for (const bool rest : {false, true})
      for (size_t i = 0; i < p_.inputs.size(); ++i)
        if (to.keeps[i] && is_rest(to, i) == rest)
          inner_[p_.inputs[i]] = w.input(p_.type_of(p_.inputs[i]));
    for (ValueId v : to.before.outputs) inner_[v] = w.input(p_.type_of(v));
    const auto at = [&](ValueId v) {
      if (inner_[v] == none) inner_[v] = w.constant(p_.constant_of(v));
      return inner_[v];
    };
    for (size_t k = 0; k < p_.steps.size(); ++k) {
      if (taken_[k]) continue;
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
  std::vector<bool> is_fixed_;  // by value: the same at every step, and no constant
  std::vector<bool> taken_;     // by step
  std::vector<ValueId> inner_;  // by value: the new body's
};

std::shared_ptr<const FixedPart> fixed_part(const ScanForm& f) {
  const uint64_t key = uint64_t{1} << 63 | uint64_t{f.n_carry} << 32 | f.n_xs;
  return std::static_pointer_cast<const FixedPart>(
      f.body->extra(key, [&] { return Divider(f).run(); }));
}

Flags tracked_among(const std::vector<Ref>& refs) {
  Flags flags;
  for (const Ref& r : refs) flags.push_back(r.tracked());
  return flags;
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
  ScanForm rest = form;
  rest.body = part->body;
  rest.n_carry = part->n_carry;
  std::vector<Ref> in;
  for (const bool stays : {false, true})
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool is_rest =
          i >= form.n_carry + form.n_xs || (i < form.n_carry && part->fixed_carries[i]);
      if (part->keeps[i] && is_rest == stays) in.push_back(inputs[i]);
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
