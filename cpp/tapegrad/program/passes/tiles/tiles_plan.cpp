#include "tapegrad/program/passes/tiles/tiles_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tapegrad/program/costs.h"
#include "tapegrad/program/passes/batch/batch_cost.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

constexpr size_t tile_bytes = size_t{1} << 21;       // that a tile makes,
constexpr size_t most_tile_bytes = size_t{6} << 20;  // and with all that it reads
constexpr double sum_byte_ns = 0.05;                 // to add a tile's sum to others
constexpr double step_ns = 500;
constexpr double least_gain_ns = 1e5, least_share = 0.45;

size_t bytes_of(const TensorType& t) {
  return static_cast<size_t>(element_count(t.shape)) * item_size(t.dtype);
}

bool is_view(const Program::Step& s) { return s.kernel < 0 && op_by_id(s.op).is_whole_view(); }

// What the steps read from memory and write to it: the arrays that are too large for the cache.
double traffic(const Program& p) {
  double all = 0;
  const auto add = [&](ValueId v) {
    if (const size_t n = bytes_of(p.type_of(v)); n > TilesPlan::large_bytes)
      all += static_cast<double>(n);
  };
  for (const Program::Step& s : p.steps) {
    if (is_view(s)) continue;
    for (ValueId v : p.in(s)) add(v);
    for (uint32_t j = 0; j < s.n_out; ++j) add(s.first_out + j);
  }
  return all;
}

}  // namespace

TilesPlan::TilesPlan(const Program& p, int64_t n, bool always)
    : p_(p),
      always_(always),
      axes_(p, n),
      together_(p),
      region_of_(p.steps.size(), none),
      in_(p.steps.size(), 0),
      seen_(p.values.size(), 0) {
  take_steps();
  make_regions();
  connect();
  for (Region& r : regions_) measure(r);
  std::erase_if(regions_, [](const Region& r) { return r.length == 0; });
  connect();
}

double TilesPlan::gain_ns() const {
  double all = 0;
  for (const Region& r : regions_) all += r.gain_ns;
  return all;
}

bool TilesPlan::continues(uint32_t i, ValueId v) const {
  return p_.values[v].source == Source::step && axes_.is_taken(p_.values[v].index) &&
         axes_.has_lanes(v) && axes_.is_taken(i);
}

void TilesPlan::take_steps() {
  std::vector<bool> guarded(p_.steps.size(), false);
  for (const Program::Guard& g : p_.guards)
    if (p_.values[g.value].source == Source::step) guarded[p_.values[g.value].index] = true;
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (guarded[i] || !axes_.take(i) || axes_.goes_on_with_sums(i)) axes_.leave(i);
    together_.add(axes_, i, [&](ValueId v) { return continues(i, v); });
  }
}

void TilesPlan::make_regions() {
  std::map<std::pair<uint32_t, uint32_t>, size_t> made;  // by root and stage
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (!axes_.is_taken(i)) continue;
    const auto [at, is_new] =
        made.try_emplace({together_.root(i), together_.stages()[i]}, regions_.size());
    if (is_new) regions_.emplace_back().stage = together_.stages()[i];
    regions_[at->second].own.push_back(i);
  }
  std::erase_if(regions_, [&](const Region& r) {
    return std::ranges::count_if(r.own, [&](uint32_t i) { return is_large(p_.steps[i]); }) < 2;
  });
}

// What goes into each region and comes out, beginning with the last.
void TilesPlan::connect() {
  std::ranges::stable_sort(regions_, {}, &Region::stage);
  std::ranges::fill(region_of_, none);
  for (uint32_t r = 0; r < regions_.size(); ++r)
    for (uint32_t i : regions_[r].own) region_of_[i] = r;
  std::vector<bool> wanted(p_.values.size(), false);
  for (ValueId v : p_.outputs) wanted[v] = true;
  for (uint32_t i = 0; i < p_.steps.size(); ++i)
    if (region_of_[i] == none)
      for (ValueId v : p_.in(p_.steps[i])) wanted[v] = true;
  for (size_t r = regions_.size(); r-- > 0;) find_steps(regions_[r], wanted);
}

// What is as quickly made again as it is read.
bool TilesPlan::is_copied(const Program::Step& s) const {
  constexpr double most_ns = 1;
  if (is_view(s)) return true;
  if (!is_elementwise(s.op) || scalar_fn_info(static_cast<ScalarFn>(s.op)).ns > most_ns)
    return false;
  return std::ranges::count_if(p_.in(s),
                               [&](ValueId v) { return 4 * bytes(v) > bytes(s.first_out); }) < 2;
}

void TilesPlan::find_steps(Region& region, std::vector<bool>& wanted) {
  region.steps.clear();
  region.inputs.clear();
  region.results.clear();
  std::vector<ValueId> open;
  for (uint32_t i : region.own)
    for (uint32_t j = 0; j < p_.steps[i].n_out; ++j)
      if (const ValueId v = p_.steps[i].first_out + j; wanted[v]) {
        region.results.push_back(v);
        open.push_back(v);
      }
  if (open.empty()) return;
  const uint32_t own = region_of_[region.own[0]];
  ++mark_;
  while (!open.empty()) {
    const ValueId v = open.back();
    open.pop_back();
    if (std::exchange(seen_[v], mark_) == mark_) continue;
    if (p_.is_constant(v) && !axes_.has_lanes(v)) continue;
    const uint32_t i = p_.values[v].source == Source::step ? p_.values[v].index : none;
    const uint32_t from = i == none ? none : region_of_[i];
    if (from == none || (from != own && !is_copied(p_.steps[i]))) {
      region.inputs.push_back(v);
      wanted[v] = true;
    } else if (std::exchange(in_[i], mark_) != mark_) {
      region.steps.push_back(i);
      for (ValueId x : p_.in(p_.steps[i])) open.push_back(x);
    }
  }
  std::ranges::sort(region.steps);
  std::ranges::sort(region.inputs);
}

// Whether it works on an array that does not stay in the cache.
bool TilesPlan::is_large(const Program::Step& s) const {
  const auto large = [&](ValueId v) { return bytes(v) > large_bytes; };
  return !is_view(s) && (always_ || large(s.first_out) || std::ranges::any_of(p_.in(s), large));
}

size_t TilesPlan::bytes(ValueId v) const { return bytes_of(p_.type_of(v)); }

Program TilesPlan::body(const Region& region, const Program& q) {
  ProgramWriter w;
  std::map<ValueId, ValueId> at;
  for (ValueId v : region.inputs) at[v] = w.input(q.type_of(v));
  std::vector<ValueId> in;
  std::vector<TensorType> out;
  for (uint32_t i : region.steps) {
    const Program::Step& s = q.steps[i];
    in.clear();
    out.clear();
    for (ValueId v : q.in(s)) {
      if (const auto known = at.find(v); known == at.end()) at[v] = w.constant(q.constant_of(v));
      in.push_back(at[v]);
    }
    for (uint32_t j = 0; j < s.n_out; ++j) out.push_back(q.type_of(s.first_out + j));
    const ValueId first = w.step(op_by_id(s.op), q.attrs_of(s), in, out, s.held);
    for (uint32_t j = 0; j < s.n_out; ++j) at[s.first_out + j] = first + j;
  }
  for (ValueId v : region.results) w.output(at.at(v));
  return drop_dead(fuse(std::move(w).finish()));
}

// Products of matrices of which the positions are rows want some of them.
int64_t TilesPlan::least_length(const Region& region) const {
  constexpr int64_t least_rows = 96;
  for (uint32_t i : region.steps) {
    const Program::Step& s = p_.steps[i];
    if (!BatchCosts::is_product(s.op)) continue;
    for (ValueId v : p_.in(s))
      if (axes_.has_lanes(v) && axes_.axis(v) >= p_.type_of(v).shape.ndim() - 2) return least_rows;
  }
  return 1;
}

double TilesPlan::tiled_bytes(const Region& region, int64_t tiles) const {
  double all = 0;
  for (ValueId v : region.inputs)
    if (bytes(v) > large_bytes)
      all +=
          static_cast<double>(bytes(v)) * (axes_.has_lanes(v) ? 1.0 : static_cast<double>(tiles));
  for (ValueId v : region.results) {
    const auto size = static_cast<double>(bytes(v));
    if (!axes_.has_lanes(v)) {
      all += size * static_cast<double>(tiles) * sum_byte_ns / costs::far_byte;
    } else if (bytes(v) > large_bytes) {
      all += 2 * size;  // the tile's result is copied
    }
  }
  return all;
}

// How many positions fit; 0 where a tile does not stay in the cache, or nothing is cut.
int64_t TilesPlan::tile_length(const Region& region, const Program& whole) const {
  const int64_t n = axes_.n();
  if (always_) return std::max<int64_t>(1, n / 3);
  size_t once = 0, shared = 0;  // whatever the length: made in each tile, read by each
  for (ValueId v : region.results)
    if (!axes_.has_lanes(v)) once += bytes(v);
  for (ValueId v : region.inputs)
    if (!axes_.has_lanes(v)) shared += bytes(v);
  const size_t peak = std::max(peak_bytes(whole, plan_in_order(whole)), once + 1);
  const double each = static_cast<double>(peak - once) / static_cast<double>(n);
  const int64_t fit = static_cast<int64_t>(static_cast<double>(tile_bytes) / each);
  const int64_t length = std::max({fit, least_length(region), int64_t{1}});
  const double all = static_cast<double>(length) * each + static_cast<double>(once + shared);
  if (2 * length > n || all > static_cast<double>(most_tile_bytes)) return 0;
  const int64_t tiles = (n + length - 1) / length;
  return (n + tiles - 1) / tiles;  // all of about one length
}

// Whether what is cut out of large arrays lies together.
bool TilesPlan::cuts_well(const Region& region, int64_t length) const {
  constexpr int64_t least_run = 1024;  // bytes
  const auto lies_together = [&](ValueId v) {
    if (!axes_.has_lanes(v) || bytes(v) <= large_bytes) return true;
    const TensorType& t = p_.type_of(v);
    int64_t run = length * static_cast<int64_t>(item_size(t.dtype));
    for (size_t k = static_cast<size_t>(axes_.axis(v)) + 1; k < t.shape.size(); ++k)
      run *= t.shape[k];
    return run >= least_run;
  };
  return std::ranges::all_of(region.inputs, lies_together) &&
         std::ranges::all_of(region.results, lies_together);
}

// What tiles save; they have no length where that is little.
void TilesPlan::measure(Region& region) const {
  if (region.results.empty()) return;
  const Program whole = body(region, p_);
  const int64_t length = tile_length(region, whole);
  if (length == 0 || !cuts_well(region, length)) return;
  const int64_t tiles = (axes_.n() + length - 1) / length;
  const double now = costs::far_byte * traffic(whole);
  const double steps = static_cast<double>(tiles) * static_cast<double>(whole.steps.size());
  region.ns = now;
  region.gain_ns =
      always_ ? 0 : now - costs::far_byte * tiled_bytes(region, tiles) - step_ns * steps;
  if (always_ || (region.gain_ns > least_gain_ns && region.gain_ns > least_share * now))
    region.length = length;
}

}  // namespace tapegrad
