#include "tapegrad/program/run/tiles.h"

#include <algorithm>
#include <map>
#include <optional>

#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/passes/tiles/tiles_plan.h"

// Steps over arrays of many megabytes hand each other what they make through memory. Where such
// steps treat the positions of one axis alike, and apart (BatchAxes), they are run for a few
// positions at a time: what a tile makes stays in the cache, and is never an array of all
// positions. Products of matrices stay what they are, unlike in batch.cpp.
//
// Steps that hand positions to one another, or read the same, form a region of a *stage*, as there.
// A region becomes one step. What an earlier region made is read from an array, except views of
// arrays and cheap functions of small ones, which are made again.

namespace tapegrad {
namespace {

class TilesWriter {
 public:
  TilesWriter(const Program& p, const TilesPlan& plan)
      : p_(p), plan_(plan), edit_(p), written_(p.steps.size(), false) {}

  // Nothing where a step would come before a guard of the function that it was behind.
  std::optional<Program> run() {
    for (uint32_t i = 0; i < p_.steps.size(); ++i)
      if (plan_.region_of()[i] == TilesPlan::none) write(i);
    for (ValueId v : p_.outputs) require(v);
    const bool guarded = std::any_of(p_.guards.begin(), p_.guards.end(),
                                     [](const Program::Guard& g) { return !g.of_pass; });
    if (moved_ && guarded) return std::nullopt;
    return edit_.finish();
  }

 private:
  // A step, or the region that it is in, after what that reads.
  void write(uint32_t i) {
    std::vector<uint32_t> open{i};
    while (!open.empty()) {
      const uint32_t top = open.back();
      const uint32_t r = plan_.region_of()[top];
      const bool first_seen = !written_[top];
      const std::span<const ValueId> in =
          r == TilesPlan::none ? p_.in(p_.steps[top]) : std::span(plan_.regions()[r].inputs);
      const size_t before = open.size();
      if (first_seen)
        for (ValueId v : in)
          if (p_.values[v].source == Source::step && !edit_.has(v))
            open.push_back(p_.values[v].index);
      if (open.size() > before) continue;
      open.pop_back();
      if (!first_seen) continue;
      if (r == TilesPlan::none) {
        moved_ |= top < newest_;
        newest_ = std::max(newest_, top);
        written_[top] = true;
        edit_.copy(p_.steps[top]);
      } else {
        write(plan_.regions()[r]);
      }
    }
  }

  void require(ValueId v) {
    if (p_.values[v].source == Source::step && !edit_.has(v)) write(p_.values[v].index);
  }

  void write(const TilesPlan::Region& region) {
    for (uint32_t i : region.own) written_[i] = true;
    const BatchAxes& axes = plan_.axes();
    const auto axis = [&](ValueId v) { return axes.has_lanes(v) ? axes.axis(v) : Tiles::whole; };
    Tiles::Form form;
    form.n = axes.n();
    form.length = region.length;
    form.body = plan_.body(region, lanes(form.length));
    if (const int64_t rest = form.n % form.length) form.last = plan_.body(region, lanes(rest));
    std::vector<ValueId> in;
    std::vector<uint32_t> out;
    for (ValueId v : region.inputs) {
      form.in_axes.push_back(axis(v));
      in.push_back(edit_.at(v));
    }
    for (ValueId v : region.results) {
      form.out_axes.push_back(axis(v));
      form.out.push_back(p_.type_of(v));
      out.push_back(p_.values[v].type);
    }
    form.ns = region.ns;
    Program::Step like;
    like.kernel = edit_.kernel(std::make_shared<const Tiles>(std::move(form)));
    const ValueId first = edit_.write(like, in, out);
    for (size_t j = 0; j < out.size(); ++j)
      edit_.set(region.results[j], first + static_cast<ValueId>(j));
  }

  const Program& lanes(int64_t count) {
    auto [at, is_new] = lanes_.try_emplace(count);
    if (is_new) at->second = plan_.axes().of_lanes(count);
    return at->second;
  }

  const Program& p_;
  const TilesPlan& plan_;
  std::map<int64_t, Program> lanes_;
  Edit edit_;
  std::vector<bool> written_;
  uint32_t newest_ = 0;
  bool moved_ = false;
};

// The lengths of the axes of large arrays, most bytes first; or of all, the longest first.
std::vector<int64_t> candidates(const Program& p, bool always) {
  constexpr size_t most_candidates = 4;
  std::map<int64_t, double> found;
  for (const Program::Step& s : p.steps)
    for (uint32_t j = 0; j < s.n_out; ++j) {
      const TensorType& t = p.type_of(s.first_out + j);
      const size_t size = static_cast<size_t>(element_count(t.shape)) * item_size(t.dtype);
      if (size < TilesPlan::large_bytes && !always) continue;
      for (int64_t n : t.shape)
        if (n > 1) found[n] += static_cast<double>(size);
    }
  std::vector<int64_t> lengths;
  for (const auto& [n, size] : found) lengths.push_back(n);
  std::ranges::reverse(lengths);
  if (!always)
    std::ranges::stable_sort(lengths, std::greater<>(), [&](int64_t n) { return found[n]; });
  if (lengths.size() > most_candidates) lengths.resize(most_candidates);
  return lengths;
}

// The program with tiles along the axis where they save most.
std::optional<Program> tiled_once(const Program& p, bool always) {
  std::optional<TilesPlan> best;
  for (int64_t n : candidates(p, always)) {
    TilesPlan plan(p, n, always);
    if (!plan.regions().empty() && (!best || plan.gain_ns() > best->gain_ns()))
      best.emplace(std::move(plan));
  }
  if (!best) return std::nullopt;
  return TilesWriter(p, *best).run();
}

}  // namespace

Program tile(Program p, bool always) {
  constexpr int most_axes = 4;
  for (int k = 0; k < most_axes; ++k) {
    std::optional<Program> found = tiled_once(p, always);
    if (!found) break;
    p = std::move(*found);
  }
  return p;
}

}  // namespace tapegrad
