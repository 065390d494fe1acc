#include "tapegrad/program/passes/local/parts/part_chains.h"

#include <algorithm>

#include "tapegrad/ops/index/index.h"

namespace tapegrad {
namespace {

constexpr int most_looks = 64;  // at writes of other parts at one lead
constexpr int64_t most_leads = int64_t{1} << 31;

// Whether each axis has its item, a position or a range, and one of them is a position.
bool has_lead(const IndexItems& items) {
  bool has_position = false;
  for (size_t k = 0; k < items.size(); ++k) {
    if (items[k].kind != IndexKind::at && items[k].kind != IndexKind::range) return false;
    has_position |= items[k].kind == IndexKind::at;
  }
  return has_position;
}

bool is_element(const IndexItems& items) {
  for (size_t k = 0; k < items.size(); ++k)
    if (items[k].kind != IndexKind::at) return false;
  return true;
}

}  // namespace

PartChains::Part PartChains::part_of(const Program& p, uint32_t attrs, ValueId array) {
  if (attrs >= part_of_attrs_.size()) part_of_attrs_.resize(p.attrs.size());
  const std::vector<int64_t>& code = p.attrs[attrs].integers(index_attrs::code);
  const IndexItems items(code);
  const Dims& shape = p.type_of(array).shape;
  // Of an array with more axes the same key holds for the last ones.
  if (items.size() == 0 || static_cast<int>(items.size()) != shape.ndim() ||
      std::ranges::max(shape) > most_leads)
    return {};
  auto& [part, is_seen] = part_of_attrs_[attrs];
  if (is_seen) return part;
  is_seen = true;
  if (!has_lead(items)) return part;
  uint64_t hash = code.size();
  for (int64_t x : code) hash = mix_hash(hash, static_cast<uint64_t>(x));
  part.number = part_numbers_.find(hash, [&](uint32_t k) { return codes_[k] == code; });
  if (part.number == FlatTable::none) {
    part.number = static_cast<uint32_t>(codes_.size());
    part_numbers_.insert(hash, part.number);
    codes_.push_back(code);
  }
  part.is_element = is_element(items);
  return part;
}

std::optional<uint32_t> PartChains::lead_of(const Part& part, size_t axis) const {
  const IndexItem item = IndexItems(codes_[part.number])[axis];
  if (item.kind != IndexKind::at) return std::nullopt;
  return static_cast<uint32_t>(item.start);
}

size_t PartChains::first_position(const Part& part) const {
  size_t axis = 0;
  while (!lead_of(part, axis)) ++axis;
  return axis;
}

void PartChains::add(ValueId now, ValueId array, const Part& part, ValueId update, bool adds) {
  Version v = version_of(array);
  if (v.chain == none || chains_[v.chain].writes.size() != v.writes ||
      !lead_of(part, chains_[v.chain].axis)) {
    v = {static_cast<uint32_t>(chains_.size()), 0};
    chains_.push_back({array, first_position(part), {}});
  }
  Chain& chain = chains_[v.chain];
  const auto number = static_cast<uint32_t>(chain.writes.size());
  chain.writes.push_back({update, part.number, adds, now});
  of_part_.add(key(v.chain, part.number), number);
  (part.is_element ? elements_ : others_).add(key(v.chain, *lead_of(part, chain.axis)), number);
  if (versions_.size() <= now) versions_.resize(now + 1, Version{});
  versions_[now] = {v.chain, number + 1};
}

PartChains::Touch PartChains::last_touch(uint32_t chain, const Part& part, uint32_t end) const {
  const std::optional<uint32_t> lead = lead_of(part, chains_[chain].axis);
  if (!lead) return {end, Overlap::unclear};
  const uint32_t same = of_part_.last_below(key(chain, part.number), end);
  uint32_t others_end = end, elements_end = end;
  for (int looks = 0; looks < most_looks; ++looks) {
    const uint32_t others = others_.last_below(key(chain, *lead), others_end);
    const uint32_t elements =
        part.is_element ? 0 : elements_.last_below(key(chain, *lead), elements_end);
    const uint32_t number = std::max(others, elements);
    if (number <= same) return same == 0 ? Touch{} : Touch{same, Overlap::same};
    const uint32_t written = chains_[chain].writes[number - 1].part;
    const Overlap how = overlap_of(codes_[part.number], codes_[written]);
    if (how != Overlap::none) return {number, how};
    (number == others ? others_end : elements_end) = number - 1;
  }
  return {end, Overlap::unclear};
}

}  // namespace tapegrad
