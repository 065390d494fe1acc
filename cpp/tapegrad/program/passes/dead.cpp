#include <algorithm>

#include "tapegrad/program/passes/passes.h"

namespace tapegrad {
namespace {

constexpr uint32_t unused = ~uint32_t{0};

// Gives the entries of a table that are asked for numbers of their own, in that order.
template <class Item>
class Kept {
 public:
  explicit Kept(const std::vector<Item>& all) : all_(all), numbers_(all.size(), unused) {}
  uint32_t operator()(uint32_t k) {
    if (numbers_[k] == unused) {
      numbers_[k] = static_cast<uint32_t>(items.size());
      items.push_back(all_[k]);
    }
    return numbers_[k];
  }
  std::vector<Item> items;

 private:
  const std::vector<Item>& all_;
  std::vector<uint32_t> numbers_;
};

}  // namespace

Program drop_dead(const Program& p) {
  std::vector<bool> live(p.values.size(), false);
  for (ValueId v : p.outputs) live[v] = true;
  for (const Program::Guard& g : p.guards) live[g.value] = true;
  std::vector<bool> needed(p.steps.size(), false);
  for (size_t k = p.steps.size(); k-- > 0;) {
    const Program::Step& s = p.steps[k];
    for (uint32_t j = 0; j < s.n_out; ++j)
      if (live[s.first_out + j]) needed[k] = true;
    if (needed[k])
      for (ValueId v : p.in(s)) live[v] = true;
  }

  Program out;
  const auto count = static_cast<size_t>(std::count(needed.begin(), needed.end(), true));
  out.steps.reserve(count);
  out.values.reserve(p.values.size());
  out.operands.reserve(p.operands.size());
  Kept types(p.types);
  Kept attrs(p.attrs);
  Kept constants(p.constants);
  Kept kernels(p.kernels);
  attrs(0);
  LongVector<ValueId> map(p.values.size(), unused);
  const auto add = [&](ValueId old, Source source, size_t index) {
    map[old] = static_cast<ValueId>(out.values.size());
    out.values.push_back({source, types(p.values[old].type), static_cast<uint32_t>(index)});
    return map[old];
  };
  const auto at = [&](ValueId old) {
    return map[old] == unused ? add(old, Source::constant, constants(p.values[old].index))
                              : map[old];
  };
  for (ValueId v : p.inputs) out.inputs.push_back(add(v, Source::input, out.inputs.size()));
  for (ValueId v : p.captures)
    out.captures.push_back(add(v, Source::captured, out.captures.size()));
  for (size_t k = 0; k < p.steps.size(); ++k) {
    if (!needed[k]) continue;
    Program::Step s = p.steps[k];
    const auto first_in = static_cast<uint32_t>(out.operands.size());
    for (ValueId v : p.in(s)) out.operands.push_back(at(v));
    s.first_in = first_in;
    s.attrs = attrs(s.attrs);
    if (s.kernel >= 0) s.kernel = static_cast<int32_t>(kernels(static_cast<uint32_t>(s.kernel)));
    const ValueId first_out = static_cast<ValueId>(out.values.size());
    for (uint32_t j = 0; j < s.n_out; ++j) add(s.first_out + j, Source::step, out.steps.size());
    s.first_out = first_out;
    out.steps.push_back(s);
  }
  for (const Program::Guard& g : p.guards)
    out.guards.push_back({at(g.value), g.expected, g.where, g.of_pass});
  for (ValueId v : p.outputs) out.outputs.push_back(at(v));
  out.types = std::move(types.items);
  out.attrs = std::move(attrs.items);
  out.constants = std::move(constants.items);
  out.kernels = std::move(kernels.items);
  return out;
}

}  // namespace tapegrad
