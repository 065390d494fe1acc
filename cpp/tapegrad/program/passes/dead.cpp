#include <algorithm>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/shape/shape.h"
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
  uint32_t add(Item item) {
    items.push_back(std::move(item));
    return static_cast<uint32_t>(items.size() - 1);
  }
  std::vector<Item> items;

 private:
  const std::vector<Item>& all_;
  std::vector<uint32_t> numbers_;
};

// An array is taken apart, and few of its parts are of use: these are read by themselves.
bool is_read_in_few(const Program& p, const Program::Step& s, const std::vector<bool>& live) {
  constexpr std::ptrdiff_t few = 8;  // of so many parts, one
  if (s.kernel >= 0 || s.held || s.n_out < few || op_by_id(s.op).join != JoinKind::unstack ||
      p.in(s).size() != 1)
    return false;
  const auto from = live.begin() + s.first_out;
  return std::count(from, from + s.n_out, true) * few <= std::ptrdiff_t{s.n_out};
}

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
    if (is_read_in_few(p, s, live)) {
      const Dims& shape = p.type_of(p.in(s)[0]).shape;
      const int axis = normalize_axis(p.attrs_of(s).integer(join_attrs::axis), shape.ndim(),
                                      op_by_id(s.op).name);
      const ValueId from = at(p.in(s)[0]);
      for (uint32_t j = 0; j < s.n_out; ++j) {
        if (!live[s.first_out + j]) continue;
        Program::Step part = s;
        part.op = slice_op().id;
        part.attrs = attrs.add(IndexSpec::entry(shape, axis, j).attrs());
        part.first_in = static_cast<uint32_t>(out.operands.size());
        out.operands.push_back(from);
        part.n_out = 1;
        part.first_out = add(s.first_out + j, Source::step, out.steps.size());
        out.steps.push_back(part);
      }
      continue;
    }
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
