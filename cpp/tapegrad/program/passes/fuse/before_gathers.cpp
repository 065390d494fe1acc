#include <algorithm>

#include "tapegrad/program/passes/fuse/gathers.h"

// f(x[i]) as f(x)[i], where x has no more elements than x[i] and nothing else reads x[i]: f is
// applied to fewer elements, and beside what made x. Chains of such steps go one by one.

namespace tapegrad {
namespace {

class BeforeGathers {
 public:
  explicit BeforeGathers(const Program& p)
      : p_(p),
        readers_(count_readers(p)),
        from_(p.steps.size(), nullptr),
        awaited_(p.values.size(), false) {
    for (size_t i = 0; i < p_.steps.size(); ++i) from_[i] = gather_before(p_.steps[i]);
    for (size_t i = 0; i < p_.steps.size(); ++i)
      if (from_[i]) awaited_[gathered_operand(p_.steps[i])] = any_ = true;
  }

  bool any() const { return any_; }

  Program run() {
    Edit edit(p_);
    std::vector<ValueId> waiting(p_.values.size(), no_value);  // the new value to gather from
    std::vector<ValueId> in;
    for (size_t i = 0; i < p_.steps.size(); ++i) {
      const Program::Step& s = p_.steps[i];
      if (is_gather(s) && awaited_[s.first_out]) {
        waiting[s.first_out] = edit.at(p_.in(s)[0]);
        continue;
      }
      const Program::Step* gather = from_[i];
      if (!gather) {
        edit.copy(s);
        continue;
      }
      const ValueId operand = gathered_operand(s);
      in.clear();
      for (ValueId v : p_.in(s)) in.push_back(v == operand ? waiting[v] : edit.at(v));
      const Dims& shape = p_.type_of(p_.in(*gather)[0]).shape;
      const uint32_t type = edit.type({p_.type_of(s.first_out).dtype, shape});
      const ValueId made = edit.write(s, in, {&type, 1});
      if (awaited_[s.first_out]) {
        waiting[s.first_out] = made;
        continue;
      }
      in.assign({made});
      for (ValueId v : p_.in(*gather).subspan(1)) in.push_back(edit.at(v));
      const uint32_t out = p_.values[s.first_out].type;
      edit.set(s.first_out, edit.write(*gather, in, {&out, 1}));
    }
    return edit.finish();
  }

 private:
  // The operand of an elementwise step that is an array, where there is one alone and it has the
  // result's shape; the others are single numbers.
  ValueId gathered_operand(const Program::Step& s) const {
    ValueId found = no_value;
    for (ValueId v : p_.in(s)) {
      const Dims& shape = p_.type_of(v).shape;
      if (shape.empty() || v == found) continue;
      if (found != no_value || !(shape == p_.type_of(s.first_out).shape)) return no_value;
      found = v;
    }
    return found;
  }

  // The gather that the step may go before: its operand's, or that which its operand goes before.
  const Program::Step* gather_before(const Program::Step& s) const {
    if (s.kernel >= 0 || s.held || !is_elementwise(s.op)) return nullptr;
    const ValueId v = gathered_operand(s);
    if (v == no_value || readers_[v] != 1 || p_.values[v].source != Source::step) return nullptr;
    const uint32_t maker = p_.values[v].index;
    const Program::Step* gather = is_gather(p_.steps[maker]) ? &p_.steps[maker] : from_[maker];
    if (!gather) return nullptr;
    const int64_t before = element_count(p_.type_of(p_.in(*gather)[0]).shape);
    return before <= element_count(p_.type_of(v).shape) ? gather : nullptr;
  }

  const Program& p_;
  std::vector<uint32_t> readers_;           // by value
  std::vector<const Program::Step*> from_;  // by step: the gather that it goes before
  std::vector<bool> awaited_;               // by value: gathered after the step that reads it
  bool any_ = false;
};

}  // namespace

Program compute_before_gathers(Program p) {
  if (std::none_of(p.steps.begin(), p.steps.end(), is_gather)) return p;
  BeforeGathers pass(p);
  return pass.any() ? share_common(pass.run()) : p;
}

}  // namespace tapegrad
