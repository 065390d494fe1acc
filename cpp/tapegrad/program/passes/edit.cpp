#include "tapegrad/program/passes/edit.h"

#include <bit>

namespace tapegrad {
namespace {

uint64_t hash_of(const TensorType& t) {
  uint64_t h = static_cast<uint64_t>(t.dtype) + 1;
  for (int64_t n : t.shape) h = mix_hash(h, static_cast<uint64_t>(n));
  return mix_hash(h, t.shape.size());
}

uint64_t hash_of_scalar(const Value& v) {
  return mix_hash(static_cast<uint64_t>(v.dtype()) + 1, std::bit_cast<uint64_t>(v.bits()));
}

}  // namespace

Edit::Edit(const Program& old) : old_(&old) {
  p_.types = old.types;
  p_.attrs = old.attrs;
  p_.constants = old.constants;
  p_.kernels = old.kernels;
  begin();
}

Edit::Edit(Program&& old) : taken_(std::move(old)), old_(&taken_) {
  p_.types = std::move(taken_.types);
  p_.attrs = std::move(taken_.attrs);
  p_.constants = std::move(taken_.constants);
  p_.kernels = std::move(taken_.kernels);
  begin();
}

void Edit::begin() {
  p_.steps.reserve(old_->steps.size());
  p_.values.reserve(old_->values.size());
  p_.operands.reserve(old_->operands.size());
  map_.assign(old_->values.size(), no_value);
  constant_ids_.assign(p_.constants.size(), no_value);
  const auto enter = [&](Source source, const std::vector<ValueId>& from,
                         std::vector<ValueId>& to) {
    for (ValueId v : from) {
      map_[v] = value(source, old_->values[v].type, static_cast<uint32_t>(to.size()));
      to.push_back(map_[v]);
    }
  };
  enter(Source::input, old_->inputs, p_.inputs);
  enter(Source::captured, old_->captures, p_.captures);
}

ValueId Edit::value(Source source, uint32_t type, uint32_t index) {
  p_.values.push_back({source, type, index});
  return static_cast<ValueId>(p_.values.size() - 1);
}

ValueId Edit::constant_at(uint32_t index, uint32_t type) {
  if (index < same_.size()) index = same_[index];
  if (constant_ids_[index] == no_value) constant_ids_[index] = value(Source::constant, type, index);
  return constant_ids_[index];
}

ValueId Edit::write(const Program::Step& like, std::span<const ValueId> in,
                    std::span<const uint32_t> out) {
  Program::Step step = like;
  step.first_in = static_cast<uint32_t>(p_.operands.size());
  step.n_in = static_cast<uint32_t>(in.size());
  p_.operands.insert(p_.operands.end(), in.begin(), in.end());
  step.first_out = static_cast<ValueId>(p_.values.size());
  step.n_out = static_cast<uint32_t>(out.size());
  for (uint32_t t : out) value(Source::step, t, static_cast<uint32_t>(p_.steps.size()));
  p_.steps.push_back(step);
  return step.first_out;
}

ValueId Edit::write(const Op& op, const Attrs& attrs, std::span<const ValueId> in,
                    const TensorType& out) {
  Program::Step like;
  like.op = op.id;
  like.attrs = this->attrs(attrs);
  const uint32_t type = this->type(out);
  return write(like, in, {&type, 1});
}

void Edit::copy(const Program::Step& old) {
  ins_.clear();
  for (ValueId v : old_->in(old)) ins_.push_back(at(v));
  outs_.clear();
  for (uint32_t j = 0; j < old.n_out; ++j) outs_.push_back(old_->values[old.first_out + j].type);
  const ValueId first = write(old, ins_, outs_);
  for (uint32_t j = 0; j < old.n_out; ++j) map_[old.first_out + j] = first + j;
}

ValueId Edit::constant(Value v) {
  const uint32_t t = type(type_of(v));
  uint64_t hash = 0;
  if (v.is_scalar()) {
    if (!scalars_known_) {
      scalars_known_ = true;
      for (size_t k = 0; k < p_.constants.size(); ++k)
        if (p_.constants[k].is_scalar())
          scalars_.insert(hash_of_scalar(p_.constants[k]), static_cast<uint32_t>(k));
    }
    hash = hash_of_scalar(v);
    const uint32_t known =
        scalars_.find(hash, [&](uint32_t k) { return same_bits(p_.constants[k], v); });
    if (known != FlatTable::none) return constant_at(known, t);
  }
  const auto index = static_cast<uint32_t>(p_.constants.size());
  if (v.is_scalar()) scalars_.insert(hash, index);
  p_.constants.push_back(std::move(v));
  constant_ids_.push_back(no_value);
  return constant_at(index, t);
}

ValueId Edit::constants(std::span<Value> list) {
  const auto first = static_cast<ValueId>(p_.values.size());
  for (Value& v : list) {
    const auto index = static_cast<uint32_t>(p_.constants.size());
    constant_ids_.push_back(value(Source::constant, type(type_of(v)), index));
    p_.constants.push_back(std::move(v));
  }
  return first;
}

uint32_t Edit::type(const TensorType& t) {
  if (!types_known_) {
    types_known_ = true;
    for (size_t k = 0; k < p_.types.size(); ++k)
      types_.insert(hash_of(p_.types[k]), static_cast<uint32_t>(k));
  }
  const uint64_t hash = hash_of(t);
  uint32_t k = types_.find(hash, [&](uint32_t i) { return p_.types[i] == t; });
  if (k != FlatTable::none) return k;
  k = static_cast<uint32_t>(p_.types.size());
  p_.types.push_back(t);
  types_.insert(hash, k);
  return k;
}

uint32_t Edit::attrs(const Attrs& a) {
  if (a.empty()) return 0;
  if (!attrs_known_) {
    attrs_known_ = true;
    for (size_t k = 0; k < p_.attrs.size(); ++k)
      attrs_.insert(mix_hash(1, p_.attrs[k].hash()), static_cast<uint32_t>(k));
  }
  const uint64_t hash = mix_hash(1, a.hash());
  uint32_t k = attrs_.find(hash, [&](uint32_t i) { return p_.attrs[i] == a; });
  if (k != FlatTable::none) return k;
  k = static_cast<uint32_t>(p_.attrs.size());
  p_.attrs.push_back(a);
  attrs_.insert(hash, k);
  return k;
}

int32_t Edit::kernel(std::shared_ptr<const StepKernel> k) {
  p_.kernels.push_back(std::move(k));
  return static_cast<int32_t>(p_.kernels.size() - 1);
}

bool Edit::holds_always(const Program::Guard& g) const {
  return p_.is_constant(g.value) && same_bits(p_.constant_of(g.value), g.expected);
}

void Edit::require(ValueId now, Value expected) {
  required_.push_back({now, std::move(expected), "", true});
}

Program Edit::finish() {
  // The first of several guards on one value stays: the others hold where it does.
  std::vector<bool> guarded(p_.values.size() + old_->guards.size(), false);
  for (Program::Guard g : old_->guards) {
    g.value = at(g.value);
    if (guarded[g.value] || holds_always(g)) continue;
    guarded[g.value] = true;
    p_.guards.push_back(std::move(g));
  }
  for (Program::Guard& g : required_) p_.guards.push_back(std::move(g));
  for (ValueId v : old_->outputs) p_.outputs.push_back(at(v));
  return std::move(p_);
}

}  // namespace tapegrad
