#include "tapegrad/program/passes/local/local.h"

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/shape/shape.h"

namespace tapegrad {

std::optional<double> UniformConstants::at(const Program& p, ValueId v) {
  if (!p.is_constant(v)) return std::nullopt;
  const uint32_t k = p.values[v].index;
  const Value& c = p.constants[k];
  if (c.is_scalar()) return c.as_double();
  if (k >= states_.size()) {
    states_.resize(p.constants.size(), State::unseen);
    numbers_.resize(p.constants.size());
  }
  if (states_[k] == State::unseen) {
    const int64_t n = c.size();
    bool same = n > 0, repeats = true;
    const Dims shape = c.shape(), strides = c.strides();
    for (size_t i = 0; i < shape.size(); ++i) repeats &= strides[i] == 0 || shape[i] == 1;
    const double first = same ? c.at(0) : 0;
    const auto bits = std::bit_cast<uint64_t>(first);
    for (int64_t i = 1; !repeats && same && i < n; ++i)
      same = std::bit_cast<uint64_t>(c.at(i)) == bits;
    states_[k] = same ? State::uniform : State::varied;
    numbers_[k] = first;
  }
  if (states_[k] == State::varied) return std::nullopt;
  return numbers_[k];
}

const Program::Step* LocalPass::producer(ValueId v) const {
  const Program::ValueInfo& info = program().values[v];
  if (info.source != Source::step) return nullptr;
  const Program::Step& s = program().steps[info.index];
  return s.kernel >= 0 || s.held ? nullptr : &s;
}

ValueId LocalPass::emit(uint16_t op, uint32_t attrs, std::span<const ValueId> in, uint32_t out) {
  Program::Step like;
  like.op = op;
  like.attrs = attrs;
  const ValueId v = place({like, in, {&out, 1}});
  same_layout_ = no_value;  // that was said of v; of what the rule returns, the rule will say it
  return v;
}

ValueId LocalPass::as_type(ValueId x, uint32_t out) {
  if (type_number(x) == out) return x;
  const TensorType &from = program().type_of(x), &to = type(out);
  if (from.dtype != to.dtype) return no_value;
  const uint32_t attrs = edit_.attrs(Attrs{to_vector(to.shape)});
  return emit(broadcast_to_op().id, attrs, {&x, 1}, out);
}

namespace {

// Whether a key takes elements that lie side by side in a packed array of this shape.
bool takes_one_stretch(const IndexItems& items, const Dims& shape) {
  if (static_cast<int>(items.size()) != shape.ndim()) return false;
  bool in_rows = false;
  for (size_t k = 0; k < items.size(); ++k) {
    const IndexItem item = items[k];
    const bool is_range = item.kind == IndexKind::range && item.step == 1;
    if (in_rows ? !is_range || item.length != shape[k] : !is_range && item.kind != IndexKind::at)
      return false;
    in_rows |= is_range;
  }
  return true;
}

}  // namespace

bool is_packed(const Program& p, ValueId v, bool is_part) {
  for (;;) {
    if (p.type_of(v).shape.empty()) return true;
    if (p.is_constant(v)) return p.constant_of(v).is_contiguous();
    if (p.values[v].source != Source::step) return false;
    const Program::Step& s = p.steps[p.values[v].index];
    if (s.kernel >= 0 || is_elementwise(s.op)) return true;
    const Op& op = op_by_id(s.op);
    if (op.join == JoinKind::stack && p.type_of(v).shape.ndim() == 1) return true;
    if (is_part && op.key == KeyKind::basic && op.view == ViewKind::none) return true;
    v = p.in(s)[0];
    if (op.view == ViewKind::part && op.key == KeyKind::basic) {
      const IndexItems items(p.attrs_of(s).integers(index_attrs::code));
      if (!takes_one_stretch(items, p.type_of(v).shape)) return false;
    } else if (op.view != ViewKind::reshaped) {
      return false;
    }
  }
}

void LocalPass::find_layout_free() {
  const Program& old = edit_.old();
  layout_free_.assign(old.values.size(), true);
  for (size_t i = old.steps.size(); i-- > 0;) {
    const Program::Step& s = old.steps[i];
    if (s.kernel >= 0 || is_elementwise(s.op)) continue;
    if (op_by_id(s.op).is_whole_view() && layout_free_[s.first_out]) continue;
    for (ValueId v : old.in(s)) layout_free_[v] = false;
  }
}

ValueId LocalPass::place(const Application& a) {
  if (a.like.kernel < 0) {
    for (const auto& rule : rules_) {
      same_layout_ = no_value;
      const ValueId instead = rule->replace(*this, a);
      if (instead != no_value &&
          (may_be_strided_ || instead == same_layout_ || is_packed(program(), instead)))
        return instead;
    }
  }
  const ValueId first = edit_.write(a.like, a.in, a.out);
  if (a.like.kernel < 0)
    for (const auto& rule : rules_) rule->written(*this, {program().steps.back(), a.in, a.out});
  return first;
}

bool LocalPass::place_each(const Application& a, ValueId first_old) {
  if (a.like.kernel >= 0) return false;
  std::vector<ValueId> instead;
  for (const auto& rule : rules_)
    if (rule->replace_each(*this, a, instead)) {
      for (size_t j = 0; j < instead.size(); ++j)
        edit_.set(first_old + static_cast<ValueId>(j), instead[j]);
      return true;
    }
  return false;
}

Program LocalPass::run() {
  find_layout_free();
  std::vector<ValueId> in;
  std::vector<uint32_t> out;
  const Program& old = edit_.old();
  for (const Program::Step& s : old.steps) {
    in.clear();
    for (ValueId v : old.in(s)) in.push_back(edit_.at(v));
    out.clear();
    may_be_strided_ = true;
    for (uint32_t j = 0; j < s.n_out; ++j) {
      out.push_back(old.values[s.first_out + j].type);
      may_be_strided_ = may_be_strided_ && layout_free_[s.first_out + j];
    }
    if (s.n_out > 1 && place_each({s, in, out}, s.first_out)) continue;
    const ValueId first = place({s, in, out});
    for (uint32_t j = 0; j < s.n_out; ++j) edit_.set(s.first_out + j, first + j);
  }
  return edit_.finish();
}

namespace {

template <class P>
Program rewritten(P&& p, const PassOptions& options) {
  std::vector<std::unique_ptr<LocalRule>> rules;
  if (options.parts) {
    rules.push_back(part_rule());
    rules.push_back(update_rule());
  }
  if (options.fold) rules.push_back(folding_rule());
  if (options.fuse) rules.push_back(mean_rule());
  if (options.views) rules.push_back(view_rule());
  if (options.algebra) rules.push_back(algebra_rule(options.reorder));
  if (options.shared) rules.push_back(sharing_rule());
  if (rules.empty()) return std::forward<P>(p);
  std::vector<uint32_t> same;
  if (options.shared) same = equal_constants(p);
  LocalPass pass(std::forward<P>(p), std::move(rules));
  pass.edit().share_constants(std::move(same));
  return pass.run();
}

}  // namespace

Program rewrite_locally(const Program& p, const PassOptions& options) {
  return rewritten(p, options);
}

Program rewrite_locally(Program&& p, const PassOptions& options) {
  return rewritten(std::move(p), options);
}

}  // namespace tapegrad
