#include "tapegrad/program/writer.h"

#include <algorithm>
#include <bit>

namespace tapegrad {
namespace {

size_t mix(size_t h, size_t x) { return (h ^ x) * 0x9E3779B97F4A7C15u; }

size_t hash_of(const TensorType& t) {
  size_t h = static_cast<size_t>(t.dtype) + 1;
  for (int64_t n : t.shape) h = mix(h, static_cast<size_t>(n));
  return h;
}

// Constants of few elements are shared, and so are uniform ones; other large arrays are told apart
// by their memory.
constexpr int64_t most_compared = 64;

size_t hash_of(const Value& v) {
  size_t h = mix(static_cast<size_t>(v.dtype()), static_cast<size_t>(v.size()));
  if (v.is_scalar()) return mix(h, std::bit_cast<uint64_t>(v.bits()));
  if (v.size() > most_compared)
    return mix(
        h, is_uniform(v) ? std::bit_cast<uint64_t>(v.at(0)) : reinterpret_cast<size_t>(v.raw()));
  for (int64_t i = 0; i < v.size(); ++i) h = mix(h, std::bit_cast<uint64_t>(v.at(i)));
  return h;
}

bool same_constant(const Value& a, const Value& b) {
  if (a.size() > most_compared)
    return type_of(a) == type_of(b) && a.strides() == b.strides() &&
           (a.raw() == b.raw() ||
            (is_uniform(a) && is_uniform(b) && same_bits(Value(a.at(0)), Value(b.at(0)))));
  return same_bits(a, b);
}

template <class Item>
uint32_t intern(FlatTable& table, std::vector<Item>& items, size_t hash, const Item& item) {
  const uint32_t known = table.find(hash, [&](uint32_t k) { return items[k] == item; });
  if (known != FlatTable::none) return known;
  const auto index = static_cast<uint32_t>(items.size());
  items.push_back(item);
  table.insert(hash, index);
  return index;
}

}  // namespace

bool is_uniform(const Value& v) {
  if (v.size() == 0 || is_integer(v.dtype())) return false;
  const Value first(v.at(0));
  for (int64_t i = 1; i < v.size(); ++i)
    if (!same_bits(Value(v.at(i)), first)) return false;
  return true;
}

void ProgramWriter::reserve(size_t n_steps, size_t n_others) {
  p_.steps.reserve(n_steps);
  p_.operands.reserve(2 * n_steps);
  p_.values.reserve(n_steps + n_others);
}

uint32_t ProgramWriter::type(const TensorType& t) {
  if (last_type_ < p_.types.size() && p_.types[last_type_] == t) return last_type_;
  return last_type_ = intern(types_, p_.types, mix(1, hash_of(t)), t);
}

uint32_t ProgramWriter::attrs(const Attrs& a) {
  if (a.empty()) return 0;
  return intern(attrs_, p_.attrs, mix(1, a.hash()), a);
}

uint32_t ProgramWriter::type_number(const Value& v) {
  if (v.is_scalar()) {
    const auto at = static_cast<size_t>(v.dtype());
    if (at >= number_types_.size()) number_types_.resize(at + 1, none);
    if (number_types_[at] == none) number_types_[at] = type(tapegrad::type_of(v));
    return number_types_[at];
  }
  if (last_type_ < p_.types.size()) {
    const TensorType& last = p_.types[last_type_];
    if (last.dtype == v.dtype() && last.shape.ndim() == v.ndim() &&
        std::equal(last.shape.begin(), last.shape.end(), v.layout()->dims()))
      return last_type_;
  }
  return type(tapegrad::type_of(v));
}

ValueId ProgramWriter::value(Source source, uint32_t type, size_t index) {
  p_.values.push_back({source, type, static_cast<uint32_t>(index)});
  return static_cast<ValueId>(p_.values.size() - 1);
}

ValueId ProgramWriter::input(const TensorType& t) {
  p_.inputs.push_back(value(Source::input, type(t), p_.inputs.size()));
  return p_.inputs.back();
}

ValueId ProgramWriter::capture(const TensorType& t) {
  p_.captures.push_back(value(Source::captured, type(t), p_.captures.size()));
  return p_.captures.back();
}

ValueId ProgramWriter::constant(Value v) {
  const size_t hash = hash_of(v);
  const uint32_t known =
      constants_.find(hash, [&](uint32_t k) { return same_constant(p_.constant_of(k), v); });
  if (known != FlatTable::none) return known;
  const ValueId id = value(Source::constant, type_number(v), p_.constants.size());
  p_.constants.push_back(std::move(v));
  constants_.insert(hash, id);
  return id;
}

Program::Step& ProgramWriter::append(Program::Step step, std::span<const ValueId> in,
                                     size_t n_out) {
  step.first_in = static_cast<uint32_t>(p_.operands.size());
  step.n_in = static_cast<uint32_t>(in.size());
  p_.operands.insert(p_.operands.end(), in.begin(), in.end());
  step.first_out = static_cast<ValueId>(p_.values.size());
  step.n_out = static_cast<uint32_t>(n_out);
  step.line = line_;
  return p_.steps.emplace_back(step);
}

ValueId ProgramWriter::outputs(const Program::Step& step, std::span<const TensorType> out) {
  for (const TensorType& t : out) value(Source::step, type(t), p_.steps.size() - 1);
  return step.first_out;
}

ValueId ProgramWriter::step(const Op& op, const Attrs& a, std::span<const ValueId> in,
                            std::span<const TensorType> out, bool held) {
  Program::Step s;
  s.held = held;
  s.op = op.id;
  s.attrs = attrs(a);
  return outputs(append(s, in, out.size()), out);
}

ValueId ProgramWriter::step(const Op& op, const Attrs& a, std::span<const ValueId> in,
                            std::span<const uint32_t> out, bool held) {
  Program::Step s;
  s.held = held;
  s.op = op.id;
  s.attrs = attrs(a);
  const ValueId first = append(s, in, out.size()).first_out;
  for (uint32_t t : out) value(Source::step, t, p_.steps.size() - 1);
  return first;
}

ValueId ProgramWriter::kernel(std::shared_ptr<const StepKernel> kernel, std::span<const ValueId> in,
                              std::span<const TensorType> out) {
  Program::Step s;
  s.kernel = static_cast<int32_t>(p_.kernels.size());
  p_.kernels.push_back(std::move(kernel));
  return outputs(append(s, in, out.size()), out);
}

void ProgramWriter::at_line(const std::string& line) {
  line_ = 0;
  if (line.empty()) return;
  const auto [at, is_new] = lines_.try_emplace(line, static_cast<uint32_t>(p_.lines.size()));
  if (is_new) p_.lines.push_back(line);
  line_ = at->second;
}

void ProgramWriter::guard(ValueId value, Value expected, std::string where, bool of_pass) {
  if (!guarded_.insert(value).second) return;
  p_.guards.push_back({value, std::move(expected), std::move(where), of_pass});
}

void Rewriter::begin() {
  for (ValueId v : from_.inputs) map_[v] = to_.input(from_.type_of(v));
  for (ValueId v : from_.captures) map_[v] = to_.capture(from_.type_of(v));
}

ValueId Rewriter::at(ValueId old) {
  if (map_[old] == none) map_[old] = to_.constant(from_.constant_of(old));
  return map_[old];
}

void Rewriter::copy(const Program::Step& s) {
  ins_.clear();
  for (ValueId v : from_.in(s)) ins_.push_back(at(v));
  outs_.clear();
  for (uint32_t j = 0; j < s.n_out; ++j) outs_.push_back(from_.type_of(s.first_out + j));
  to_.at_line(from_.line_of(s));
  const ValueId first = s.kernel >= 0
                            ? to_.kernel(from_.kernels[static_cast<size_t>(s.kernel)], ins_, outs_)
                            : to_.step(op_by_id(s.op), from_.attrs_of(s), ins_, outs_, s.held);
  to_.at_line("");
  for (uint32_t j = 0; j < s.n_out; ++j) map_[s.first_out + j] = first + j;
}

void Rewriter::end() {
  for (const Program::Guard& g : from_.guards)
    to_.guard(at(g.value), g.expected, g.where, g.of_pass);
  for (ValueId v : from_.outputs) to_.output(at(v));
}

}  // namespace tapegrad
