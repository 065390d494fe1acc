#include "tapegrad/program/passes/batch.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "tapegrad/ops/registry.h"
#include "tapegrad/program/passes/batch_scalars.h"
#include "tapegrad/tape/op.h"

// A model that treats many points alike (a mixture, a small network) is written over arrays with a
// long axis and short ones. Its products are then small matrices, its sums are short, and its
// intermediate arrays large. Here the long axis becomes the lanes of a kernel and all others are
// taken apart into scalars: what stood in memory between steps stays in the cache, products become
// sums of products of rows, and what is added over the long axis is added as it is computed.
//
// Steps that can be applied lane by lane (BatchAxes) and hand lanes to one another form a region.
// It becomes a kernel, or several: a *stage* ends where a sum over all lanes is needed, as in
// fuse_plan.h. Regions in which arrays are faster are left alone.

namespace tapegrad {
namespace {

// Where few lanes share an instruction's fixed cost, arrays are as good.
constexpr int64_t least_lanes = 256;

struct Ops {
  uint16_t matmul, einsum, max, min, prod, mean, logsumexp, tie_shares;
  std::vector<bool> moves_memory;  // by op: it copies elements
};

const Ops& ops() {
  static const Ops all = [] {
    register_all_ops();
    const auto id = [](const char* name) { return find_op(name)->id; };
    Ops o{id("matmul"), id("einsum"),    id("max"),        id("min"), id("prod"),
          id("mean"),   id("logsumexp"), id("tie_shares"), {}};
    o.moves_memory.resize(static_cast<size_t>(op_count()), false);
    for (const char* name : {"gather", "concatenate", "stack", "slice_copy", "slice_set",
                             "slice_add", "gather_add", "flip"})
      o.moves_memory[id(name)] = true;
    return o;
  }();
  return all;
}

bool is_product(uint16_t op) { return op == ops().matmul || op == ops().einsum; }
bool reduces(uint16_t op) {
  const Ops& o = ops();
  return op == known_ops().sum || op == known_ops().sum_to_shape || op == o.max || op == o.min ||
         op == o.prod || op == o.mean || op == o.logsumexp || op == o.tie_shares;
}

// Nanoseconds for one lane, as arrays and as scalars: rough, but they need only tell one from the
// other.
struct Cost {
  double arrays = 0, scalars = 0;
  Cost& operator+=(const Cost& o) {
    arrays += o.arrays;
    scalars += o.scalars;
    return *this;
  }
};

class Costs {
 public:
  Costs(const Program& p, const BatchAxes& axes) : p_(p), axes_(axes) {}

  Cost of(const Program::Step& s) const {
    const auto read = static_cast<double>(axes_.elements(p_.in(s)[0]));
    const auto made = static_cast<double>(axes_.elements(s.first_out));
    if (is_product(s.op)) return product(s);
    if (reduces(s.op)) return {(is_last(p_.in(s)[0]) ? 0.25 : 0.6) * read, 0.08 * read};
    if (is_elementwise(s.op)) {
      const double ns = scalar_fn_info(static_cast<ScalarFn>(s.op)).ns;
      return {ns * made, ns * made};
    }
    return {ops().moves_memory[s.op] ? 0.4 * made : 0.0, 0};
  }

  // A row of lanes read from an array, or written to it.
  double rows(ValueId v) const {
    return (is_last(v) ? 0.1 : 0.5) * static_cast<double>(axes_.elements(v));
  }

  // Products of larger matrices, which stay what they are.
  bool is_large(const Program::Step& s) const {
    const std::vector<int64_t> lengths = matrix(s);
    return !lengths.empty() && lengths[0] >= 32;
  }

 private:
  bool is_last(ValueId v) const { return axes_.axis(v) == p_.type_of(v).shape.ndim() - 1; }

  int64_t length(ValueId v, int from_end) const {
    const Dims& shape = p_.type_of(v).shape;
    const int axis = shape.ndim() - from_end;
    return axis < 0 || axis == axes_.axis(v) ? 1 : shape[static_cast<size_t>(axis)];
  }

  // The lengths of a matmul that one lane has, sorted: two where the lanes are one of the three.
  std::vector<int64_t> matrix(const Program::Step& s) const {
    if (s.op != ops().matmul) return {};
    const ValueId a = p_.in(s)[0], b = p_.in(s)[1];
    std::vector<int64_t> lengths;
    const auto add = [&](ValueId v, int from_end) {
      if (axes_.axis(v) != p_.type_of(v).shape.ndim() - from_end)
        lengths.push_back(length(v, from_end));
    };
    add(a, 2);
    add(a, 1);
    add(b, 1);
    std::sort(lengths.begin(), lengths.end());
    return lengths;
  }

  Cost product(const Program::Step& s) const {
    double made = static_cast<double>(axes_.elements(s.first_out)), terms = made;
    double per_product = 0.1;
    if (s.op == ops().matmul) {
      terms = made * static_cast<double>(length(p_.in(s)[0], 1));
      if (const auto lengths = matrix(s); !lengths.empty() && lengths[0] > 1)
        per_product = 0.03 + 0.7 / static_cast<double>(lengths[0]);
    } else {
      double most = 1;
      for (ValueId v : p_.in(s)) most = std::max(most, static_cast<double>(axes_.elements(v)));
      terms = std::max(made, most);
    }
    return {per_product * terms, 0.06 * terms};
  }

  const Program& p_;
  const BatchAxes& axes_;
};

}  // namespace

BatchPlan::BatchPlan(const Program& p, int64_t n, const std::vector<bool>& banned)
    : p_(p),
      axes_(p, n),
      stage_(p.steps.size(), 0),
      parent_(p.steps.size()),
      kernel_of_(p.steps.size(), none) {
  std::iota(parent_.begin(), parent_.end(), 0);
  take_steps(banned);
  find_regions();
}

uint32_t BatchPlan::root(uint32_t i) {
  while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
  return i;
}

// Whether step i works on v lane by lane, or on a sum that is still open.
bool BatchPlan::continues(uint32_t i, ValueId v) const {
  if (p_.values[v].source != Source::step || !axes_.is_taken(p_.values[v].index)) return false;
  return axes_.has_lanes(v) ? axes_.is_taken(i) : axes_.goes_on_with_sums(i);
}

bool BatchPlan::take_step(uint32_t i) {
  constexpr int64_t most_elements = 4096;
  const Program::Step& s = p_.steps[i];
  if (!axes_.take(i)) return false;
  for (ValueId v : p_.in(s))
    if (axes_.has_lanes(v) && axes_.elements(v) > most_elements) return false;
  for (uint32_t j = 0; j < s.n_out; ++j)
    if (axes_.elements(s.first_out + j) > most_elements * 16) return false;
  if (Costs(p_, axes_).is_large(s)) return false;
  if (!axes_.goes_on_with_sums(i)) return true;
  const uint32_t stage = stage_of(i);  // where sums are open, and nowhere else
  for (ValueId v : p_.in(s))
    if (continues(i, v) && stage_[p_.values[v].index] != stage) return false;
  return true;
}

uint32_t BatchPlan::stage_of(uint32_t i) const {
  uint32_t stage = 0;
  for (ValueId v : p_.in(p_.steps[i])) {
    if (p_.values[v].source != Source::step) continue;
    const uint32_t from = p_.values[v].index;
    stage = std::max(stage, stage_[from] + (axes_.is_taken(from) && !continues(i, v) ? 1 : 0));
  }
  return stage;
}

void BatchPlan::take_steps(const std::vector<bool>& banned) {
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (banned[i] || !take_step(i)) axes_.leave(i);
    stage_[i] = stage_of(i);
    for (ValueId v : p_.in(p_.steps[i]))
      if (continues(i, v)) parent_[root(i)] = root(p_.values[v].index);
  }
}

// The regions that are faster as kernels, cut at their stages.
void BatchPlan::find_regions() {
  constexpr double least_gain_ns = 20000, most_scalars_ns = 20000;
  const Costs costs(p_, axes_);
  std::map<uint32_t, Cost> regions;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> made;  // kernels by region and stage
  std::vector<uint32_t> seen(p_.values.size(), none);
  const auto place = [&](uint32_t i) { return std::pair{root(i), stage_[i]}; };
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (!axes_.is_taken(i)) continue;
    const uint32_t region = root(i);
    Cost& cost = regions[region];
    if (!axes_.goes_on_with_sums(i)) cost += costs.of(p_.steps[i]);
    for (ValueId v : p_.in(p_.steps[i])) {
      if (!axes_.has_lanes(v) || p_.is_constant(v)) continue;
      const bool inside = p_.values[v].source == Source::step &&
                          axes_.is_taken(p_.values[v].index) &&
                          place(p_.values[v].index) == place(i);
      if (!inside && seen[v] != region) cost.scalars += costs.rows(v), seen[v] = region;
    }
  }
  const auto writes = [&](ValueId v) {
    if (p_.values[v].source != Source::step || !axes_.is_taken(p_.values[v].index)) return;
    if (axes_.has_lanes(v)) regions[root(p_.values[v].index)].scalars += costs.rows(v);
  };
  for (uint32_t i = 0; i < p_.steps.size(); ++i)
    for (ValueId v : p_.in(p_.steps[i]))
      if (p_.values[v].source == Source::step && axes_.is_taken(p_.values[v].index) &&
          !(axes_.is_taken(i) && place(i) == place(p_.values[v].index)))
        writes(v);
  for (ValueId v : p_.outputs) writes(v);
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (!axes_.is_taken(i)) continue;
    const Cost& cost = regions[root(i)];
    const double gain = (cost.arrays - cost.scalars) * static_cast<double>(axes_.n());
    if (gain < least_gain_ns || cost.arrays < 1.2 * cost.scalars || cost.scalars > most_scalars_ns)
      continue;
    const auto [at, is_new] = made.try_emplace(place(i), static_cast<uint32_t>(kernels_.size()));
    if (is_new) kernels_.push_back({stage_[i], {}, {}});
    kernel_of_[i] = at->second;
    kernels_[at->second].steps.push_back(i);
  }
  find_results();
}

void BatchPlan::find_results() {
  std::vector<bool> wanted(p_.values.size(), false);
  for (uint32_t i = 0; i < p_.steps.size(); ++i)
    for (ValueId v : p_.in(p_.steps[i]))
      if (p_.values[v].source == Source::step &&
          (kernel_of_[i] == none || kernel_of_[i] != kernel_of_[p_.values[v].index]))
        wanted[v] = true;
  for (ValueId v : p_.outputs) wanted[v] = true;
  for (const Program::Guard& g : p_.guards) wanted[g.value] = true;
  for (Kernel& k : kernels_)
    for (uint32_t i : k.steps)
      for (uint32_t j = 0; j < p_.steps[i].n_out; ++j)
        if (wanted[p_.steps[i].first_out + j]) k.results.push_back(p_.steps[i].first_out + j);
}

namespace {

class BatchWriter {
 public:
  BatchWriter(const Program& p, const BatchPlan& plan)
      : p_(p), plan_(plan), one_lane_(plan.axes().of_one_lane()), edit_(p) {}

  // The program, or the step that could not be taken apart.
  std::optional<Program> run(uint32_t& failed) {
    std::vector<std::optional<BatchKernel>> kernels;
    for (const BatchPlan::Kernel& k : plan_.kernels()) {
      kernels.push_back(made(k, failed));
      if (!kernels.back()) return std::nullopt;
    }
    std::vector<uint32_t> order(p_.steps.size());
    std::iota(order.begin(), order.end(), 0);
    const std::vector<uint32_t>& stages = plan_.stages();
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return stages[a] < stages[b]; });
    const auto write_kernels = [&](uint32_t stage) {
      for (size_t k = 0; k < kernels.size(); ++k)
        if (plan_.kernels()[k].stage == stage) write(plan_.kernels()[k], std::move(*kernels[k]));
    };
    uint32_t stage = 0;
    for (uint32_t i : order) {
      for (; stage < stages[i]; ++stage) write_kernels(stage);
      if (plan_.kernel_of()[i] == BatchPlan::none) edit_.copy(p_.steps[i]);
    }
    write_kernels(stage);
    return edit_.finish();
  }

 private:
  std::optional<BatchKernel> made(const BatchPlan::Kernel& k, uint32_t& failed) {
    LaneScalars w(p_, one_lane_, plan_.axes());
    for (uint32_t i : k.steps) {
      const Program::Step& s = one_lane_.steps[i];
      failed = i;
      if (!expand_step(w, s)) return std::nullopt;
      if (plan_.axes().adds_over_lanes(i))
        for (uint32_t j = 0; j < s.n_out; ++j) w.sum_over_lanes(s.first_out + j);
      if (!w.fits()) return std::nullopt;
    }
    return batch_kernel(w, p_, plan_.axes(), k.results);
  }

  void write(const BatchPlan::Kernel& k, BatchKernel made) {
    Program::Step like;
    like.kernel = edit_.kernel(
        std::make_shared<const FusedKernel>(std::move(made.kernel), Dims{plan_.axes().n()}));
    std::vector<uint32_t> out;
    for (ValueId v : k.results) out.push_back(p_.values[v].type);
    for (ValueId& v : made.inputs) v = edit_.at(v);
    const ValueId first = edit_.write(like, made.inputs, out);
    for (size_t j = 0; j < out.size(); ++j)
      edit_.set(k.results[j], first + static_cast<ValueId>(j));
  }

  const Program& p_;
  const BatchPlan& plan_;
  const Program one_lane_;
  Edit edit_;
};

// The lengths that short products and sums have along with their own axes, most work first.
std::vector<int64_t> candidates(const Program& p) {
  std::vector<std::pair<int64_t, int64_t>> found;  // elements, length
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0 || (!is_product(s.op) && !reduces(s.op))) continue;
    for (ValueId v : p.in(s)) {
      const Dims& shape = p.type_of(v).shape;
      for (int64_t n : shape) {
        if (n < least_lanes || shape.size() < 2) continue;
        const auto at =
            std::find_if(found.begin(), found.end(), [&](const auto& x) { return x.second == n; });
        if (at == found.end()) {
          found.emplace_back(element_count(shape), n);
        } else {
          at->first += element_count(shape);
        }
      }
    }
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  std::vector<int64_t> lengths;
  for (const auto& [elements, n] : found)
    if (lengths.size() < 2) lengths.push_back(n);
  return lengths;
}

}  // namespace

Program batch(const Program& p) {
  constexpr int most_tries = 8;
  for (int64_t n : candidates(p)) {
    std::vector<bool> banned(p.steps.size(), false);
    for (int i = 0; i < most_tries; ++i) {
      const BatchPlan plan(p, n, banned);
      if (plan.kernels().empty()) break;
      uint32_t failed = 0;
      if (std::optional<Program> found = BatchWriter(p, plan).run(failed)) return std::move(*found);
      banned[failed] = true;
    }
  }
  return p;
}

}  // namespace tapegrad
