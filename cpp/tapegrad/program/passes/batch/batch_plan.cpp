#include "tapegrad/program/passes/batch/batch_plan.h"

#include <algorithm>
#include <map>

#include "tapegrad/program/costs.h"

namespace tapegrad {

BatchPlan::BatchPlan(const Program& p, int64_t n, const std::vector<bool>& banned)
    : p_(p),
      axes_(p, n),
      regions_(p),
      kernel_of_(p.steps.size(), none),
      rows_(p.values.size(), false) {
  take_steps(banned);
  find_regions();
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
  if (BatchCosts(p_, axes_).is_large(s)) return false;
  if (!axes_.goes_on_with_sums(i)) return true;
  const auto goes_on = [&](ValueId v) { return continues(i, v); };
  const uint32_t stage = regions_.stage_of(axes_, i, goes_on);  // where sums are open
  for (ValueId v : p_.in(s))
    if (goes_on(v) && stages()[p_.values[v].index] != stage) return false;
  return true;
}

void BatchPlan::take_steps(const std::vector<bool>& banned) {
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (banned[i] || !take_step(i)) axes_.leave(i);
    regions_.add(axes_, i, [&](ValueId v) { return continues(i, v); });
  }
}

// Finds who reads what a taken step makes: somebody as a whole, or kernels of other stages alone.
void BatchPlan::find_readers() {
  std::vector<bool> whole(p_.values.size(), false);
  wanted_.assign(p_.values.size(), false);
  const auto read_whole = [&](ValueId v) { whole[v] = wanted_[v] = true; };
  for (ValueId v : p_.outputs) read_whole(v);
  for (const Program::Guard& g : p_.guards) read_whole(g.value);
  for (uint32_t i = 0; i < p_.steps.size(); ++i)
    for (ValueId v : p_.in(p_.steps[i])) {
      if (p_.values[v].source != Source::step) continue;
      const uint32_t kernel = kernel_of_[p_.values[v].index];
      if (kernel_of_[i] == none) read_whole(v);
      if (kernel_of_[i] != kernel) wanted_[v] = true;
    }
  for (ValueId v = 0; v < p_.values.size(); ++v)
    rows_[v] = axes_.has_lanes(v) && p_.values[v].source == Source::step &&
               kernel_of_[p_.values[v].index] != none && !whole[v];
}

// The cost of a region is that of its steps, and of the rows that its kernels read and write.
std::vector<BatchCost> BatchPlan::region_costs() {
  constexpr double row_ns = 0.1;
  const BatchCosts costs(p_, axes_);
  std::vector<BatchCost> regions(p_.steps.size());
  std::vector<uint32_t> reader(p_.values.size(), none);
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    if (kernel_of_[i] == none) continue;
    BatchCost& cost = regions[regions_.root(i)];
    if (!axes_.goes_on_with_sums(i)) cost += costs.of(p_.steps[i]);
    const auto rows = [&](ValueId v) {
      const double ns = rows_[v] ? row_ns * static_cast<double>(axes_.elements(v)) : costs.rows(v);
      if (axes_.has_lanes(v)) cost.scalars += ns;
    };
    for (ValueId v : p_.in(p_.steps[i])) {
      const bool inside =
          p_.values[v].source == Source::step && kernel_of_[p_.values[v].index] == kernel_of_[i];
      if (inside || p_.is_constant(v) || reader[v] == kernel_of_[i]) continue;
      reader[v] = kernel_of_[i];
      rows(v);
    }
    for (uint32_t j = 0; j < p_.steps[i].n_out; ++j)
      if (wanted_[p_.steps[i].first_out + j]) rows(p_.steps[i].first_out + j);
  }
  return regions;
}

// The regions that are faster as kernels, cut at their stages.
void BatchPlan::find_regions() {
  constexpr double least_gain_ns = 5000, most_instructions = 400000;
  // The time to compile an instruction, and how many calls shall pay for it: more where compiling
  // is over in milliseconds.
  constexpr double few_instructions = 20000, few_calls = 50, many_calls = 150;
  make_kernels([](uint32_t) { return true; });
  find_readers();
  const std::vector<BatchCost> region = region_costs();
  make_kernels([&](uint32_t r) {
    const BatchCost& c = region[r];
    const double gain = (c.arrays - c.scalars) * static_cast<double>(axes_.n());
    const double calls = c.instructions < few_instructions ? many_calls : few_calls;
    return gain > least_gain_ns && c.arrays > 1.3 * c.scalars &&
           c.instructions < most_instructions &&
           costs::compiled_instruction * c.instructions < calls * gain;
  });
  find_readers();
  for (Kernel& k : kernels_)
    for (uint32_t i : k.steps)
      for (uint32_t j = 0; j < p_.steps[i].n_out; ++j)
        if (wanted_[p_.steps[i].first_out + j]) k.results.push_back(p_.steps[i].first_out + j);
}

template <class Takes>
void BatchPlan::make_kernels(Takes takes) {
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> made;  // kernels by region and stage
  kernels_.clear();
  for (uint32_t i = 0; i < p_.steps.size(); ++i) {
    kernel_of_[i] = none;
    if (!axes_.is_taken(i) || !takes(regions_.root(i))) continue;
    const auto [at, is_new] =
        made.try_emplace({regions_.root(i), stages()[i]}, static_cast<uint32_t>(kernels_.size()));
    if (is_new) kernels_.push_back({stages()[i], {}, {}});
    kernel_of_[i] = at->second;
    kernels_[at->second].steps.push_back(i);
  }
}

}  // namespace tapegrad
