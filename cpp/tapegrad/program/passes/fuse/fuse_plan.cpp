#include "tapegrad/program/passes/fuse/fuse_plan.h"

#include <algorithm>
#include <numeric>

#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

// Instructions of one kernel over arrays. Short ones (a time loop's) have no limit: handing values
// from kernel to kernel costs more than computing them, and their live values stay in the cache.
constexpr uint32_t most_lanes = 4096;
constexpr int64_t short_space = 64;

// What is made again in every kernel that reads it costs less than this, in ns per element, and
// reads no more from memory than its result would be.
constexpr double most_copied_ns = 1.0;

bool has_elements(const TensorType& t) { return element_count(t.shape) > 0; }

}  // namespace

FusePlan::FusePlan(const Program& p) : p_(p) {
  FlatTable shapes;
  for (const TensorType& t : p.types) {
    const auto k = static_cast<uint32_t>(shape_of_type_.size());
    uint64_t h = t.shape.size();
    for (int64_t n : t.shape) h = mix_hash(h, static_cast<uint64_t>(n));
    const uint32_t known = shapes.find(h, [&](uint32_t i) { return p.types[i].shape == t.shape; });
    if (known == FlatTable::none) shapes.insert(h, k);
    shape_of_type_.push_back(known == FlatTable::none ? k : known);
  }
  find_sources();
  windows.emplace(p, source);
  find_kinds();
  find_live();
  find_stages();
  sink();
  unsink();
  make_groups();
  find_copied();
  find_stored();
}

ValueId FusePlan::source_of(const Program::Step& s) const {
  const ValueId out = s.first_out;
  if (s.kernel >= 0 || s.n_in != 1 || s.n_out != 1) return out;
  const ValueId x = p_.in(s)[0];
  const TensorType &from = p_.type_of(x), &to = p_.type_of(out);
  bool passes = false;
  const Op& op = op_by_id(s.op);
  if (op.view == ViewKind::broadcast) {
    passes = true;
  } else if (s.op == op_of_fn<Positive>() || s.op == op_of_fn<Conjugate>()) {
    passes = from == to;
  } else if (op.converts) {
    passes = to.dtype == DType::float64;
  } else if (op.view == ViewKind::reshaped) {
    const size_t lead = to.shape.size() - from.shape.size();
    passes = from.shape.size() <= to.shape.size();
    for (size_t i = 0; passes && i < to.shape.size(); ++i)
      passes = to.shape[i] == (i < lead ? 1 : from.shape[i - lead]);
  }
  return passes ? source[x] : out;
}

void FusePlan::find_sources() {
  source.resize(p_.values.size());
  std::iota(source.begin(), source.end(), 0);
  for (const Program::Step& s : p_.steps)
    for (uint32_t j = 0; j < s.n_out; ++j) source[s.first_out + j] = source_of(s) + j;
}

// Comparisons of float32 with narrower data alone are made in float32, as the op does. Masks made
// of masks go with those.
DType FusePlan::lane_dtype(const Program::Step& s) const {
  const DType out = p_.type_of(s.first_out).dtype;
  if (!is_bool(out)) return out;
  DType common = DType::bool_;
  for (ValueId v : p_.in(s)) common = promote(common, p_.type_of(v).dtype);
  if (!is_bool(common)) return common == DType::float32 ? common : DType::float64;
  for (ValueId v : p_.in(s))
    if (const uint32_t step = lane_of(source[v]); step != none) return key_[step].dtype;
  return DType::float64;
}

void FusePlan::find_kinds() {
  kind.assign(p_.steps.size(), Kind::other);
  key_.resize(p_.steps.size());
  for (size_t i = 0; i < p_.steps.size(); ++i) {
    const Program::Step& s = p_.steps[i];
    if (s.kernel >= 0 || s.n_out != 1) continue;
    const uint32_t type = p_.values[s.first_out].type;
    if (!has_elements(p_.types[type])) continue;
    if (is_elementwise(s.op) || windows->at(static_cast<uint32_t>(i))) {
      kind[i] = Kind::lane;
      key_[i] = {shape_of_type_[type], lane_dtype(s)};
    } else if (op_by_id(s.op).adds_up()) {
      const ValueId x = p_.in(s)[0];
      const uint32_t lane = lane_of(source[x]);
      const Key key = {shape_of_type_[p_.values[x].type], p_.types[type].dtype};
      if (lane == none || !(key_[lane] == key) || p_.type_of(x).dtype != key.dtype ||
          p_.type_of(x).shape.empty())
        continue;
      kind[i] = Kind::sum;
      key_[i] = key;
    }
  }
}

void FusePlan::find_live() {
  live.assign(p_.values.size(), false);
  pinned_.assign(p_.steps.size(), false);
  const auto pin = [&](ValueId v) {
    live[v] = true;
    if (p_.values[v].source == Source::step) pinned_[p_.values[v].index] = true;
  };
  for (ValueId v : p_.outputs) pin(v);
  for (const Program::Guard& g : p_.guards) pin(g.value);
  for (size_t i = p_.steps.size(); i-- > 0;) {
    const Program::Step& s = p_.steps[i];
    bool needed = false;
    for (uint32_t j = 0; j < s.n_out; ++j) needed |= live[s.first_out + j];
    if (!needed) continue;
    for (ValueId v : shifted(static_cast<uint32_t>(i))) pin(v);
    for (ValueId v : in(static_cast<uint32_t>(i))) {
      if (kind[i] == Kind::other) {
        pin(v);
      } else {
        live[source[v]] = true;
        const uint32_t lane = lane_of(source[v]);
        if (lane != none && !(key_[lane] == key_[i])) pinned_[lane] = true;
      }
    }
  }
}

void FusePlan::find_stages() {
  stage_.assign(p_.steps.size(), 0);
  for (size_t i = 0; i < p_.steps.size(); ++i) {
    const bool fused = kind[i] != Kind::other;
    for (ValueId v : in(static_cast<uint32_t>(i))) {
      const Program::ValueInfo& info = p_.values[fused ? source[v] : v];
      if (info.source != Source::step) continue;
      const uint32_t from = info.index;
      const bool stays =
          kind[from] == Kind::other || (fused && kind[from] == Kind::lane && key_[from] == key_[i]);
      stage_[i] = std::max(stage_[i], stage_[from] + (stays ? 0 : 1));
    }
    for (ValueId v : shifted(static_cast<uint32_t>(i)))
      if (p_.values[v].source == Source::step) {
        const uint32_t from = p_.values[v].index;
        stage_[i] = std::max(stage_[i], stage_[from] + (kind[from] == Kind::other ? 0 : 1));
      }
  }
}

// What is read in its own space alone, and only later, is computed where it is first read.
void FusePlan::sink() {
  early_ = stage_;
  std::vector<uint32_t> first_read(p_.steps.size(), none);
  for (size_t i = p_.steps.size(); i-- > 0;) {
    if (kind[i] == Kind::other || !live[p_.steps[i].first_out]) continue;
    if (kind[i] == Kind::lane && !pinned_[i] && first_read[i] != none)
      stage_[i] = std::max(stage_[i], first_read[i]);
    for (ValueId v : in(static_cast<uint32_t>(i)))
      if (const uint32_t lane = lane_of(source[v]); lane != none && key_[lane] == key_[i])
        first_read[lane] = std::min(first_read[lane], stage_[i]);
  }
}

// A step that would have two inputs stored for it, where it alone would be stored, goes back.
void FusePlan::unsink() {
  std::vector<bool> kept(p_.steps.size(), false);  // in memory, as far as is known by now
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (kind[i] != Kind::lane || stage_[i] == early_[i] || !live[p_.steps[i].first_out]) continue;
    uint32_t earlier = early_[i], fresh = 0;
    const auto lanes = [&](auto&& f) {
      for (ValueId v : in(i))
        if (const uint32_t lane = lane_of(source[v]); lane != none && key_[lane] == key_[i])
          f(lane);
    };
    lanes([&](uint32_t lane) {
      earlier = std::max(earlier, stage_[lane]);
      fresh += stage_[lane] < stage_[i] && !pinned_[lane] && !kept[lane];
    });
    if (fresh >= 2) {
      stage_[i] = earlier;
      continue;
    }
    lanes([&](uint32_t lane) {
      if (stage_[lane] < stage_[i]) kept[lane] = true;
    });
  }
}

void FusePlan::make_groups() {
  group.assign(p_.steps.size(), none);
  FlatTable table;
  std::vector<uint32_t> open;  // the group that takes the next step of its space and stage
  std::vector<std::pair<Key, uint32_t>> places;
  const auto place_of = [&](const std::pair<Key, uint32_t>& place) {
    const auto& [key, stage] = place;
    const uint64_t hash = mix_hash(mix_hash(key.space, static_cast<uint64_t>(key.dtype)), stage);
    uint32_t k = table.find(hash, [&](uint32_t other) { return places[other] == place; });
    if (k != FlatTable::none) return k;
    k = static_cast<uint32_t>(places.size());
    places.push_back(place);
    open.push_back(none);
    table.insert(hash, k);
    return k;
  };
  uint32_t at = FlatTable::none;
  for (size_t i = 0; i < p_.steps.size(); ++i) {
    if (kind[i] == Kind::other || !live[p_.steps[i].first_out]) continue;
    if (kind[i] == Kind::sum) {
      group[i] = group[lane_of(source[in(static_cast<uint32_t>(i))[0]])];
      ++groups[group[i]].count;
      continue;
    }
    const std::pair<Key, uint32_t> place{key_[i], stage_[i]};
    if (at == FlatTable::none || !(places[at] == place)) at = place_of(place);
    const bool is_short = element_count(p_.types[place.first.space].shape) <= short_space;
    if (open[at] == none || (!is_short && groups[open[at]].lanes >= most_lanes)) {
      open[at] = static_cast<uint32_t>(groups.size());
      groups.push_back({place.first.space, place.first.dtype});
    }
    group[i] = open[at];
    ++groups[open[at]].lanes;
    ++groups[open[at]].count;
  }
  uint32_t first = 0;
  for (Group& g : groups) {
    g.first = first;
    first += g.count;
    g.count = 0;
  }
  members.resize(first);
  for (uint32_t i = 0; i < p_.steps.size(); ++i)
    if (group[i] != none) {
      Group& g = groups[group[i]];
      members[g.first + g.count++] = i;
    }
}

// One array of the space's size at most is read to make a value again.
void FusePlan::find_copied() {
  copied.assign(p_.steps.size(), false);
  struct Recipe {
    double ns = 0;
    ValueId array = no_value;
  };
  std::vector<Recipe> recipes(p_.steps.size());
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (group[i] == none || kind[i] != Kind::lane || pinned_[i] || windows->at(i)) continue;
    const int64_t size = element_count(p_.types[key_[i].space].shape);
    Recipe r{scalar_fn_info(static_cast<ScalarFn>(p_.steps[i].op)).ns};
    bool fits = true;
    for (ValueId v : in(i)) {
      ValueId array = source[v];
      const uint32_t lane = lane_of(array);
      if (lane != none && key_[lane] == key_[i] && !pinned_[lane]) {
        fits = fits && copied[lane];
        r.ns += recipes[lane].ns;
        array = recipes[lane].array;
      } else if (element_count(p_.type_of(array).shape) < size || uniform_.at(p_, array)) {
        array = no_value;
      }
      fits = fits && (array == no_value || r.array == no_value || r.array == array);
      if (array != no_value) r.array = array;
    }
    copied[i] = fits && r.ns <= most_copied_ns;
    recipes[i] = r;
  }
}

void FusePlan::find_stored() {
  stored.assign(p_.values.size(), false);
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (group[i] == none) continue;
    if (pinned_[i]) stored[p_.steps[i].first_out] = true;
    for (ValueId v : in(i)) {
      const uint32_t lane = lane_of(source[v]);
      if (lane != none && group[lane] != group[i] && !copied[lane]) stored[source[v]] = true;
    }
  }
}

}  // namespace tapegrad
