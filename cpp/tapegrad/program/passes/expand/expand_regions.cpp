#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "tapegrad/program/costs.h"
#include "tapegrad/program/passes/batch/batch_scalars.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/passes/tiles/run_cost.h"

// A program over small arrays (vectors of 3, matrices of 4x4) spends its time on the fixed cost of
// its steps. Here such steps are taken apart into scalars, in kernels of one lane: an input or
// output of theirs is an element of an array, and a kernel is a scalar tape. Everything is added in
// the arrays' own order; steps for which that can't be said stay what they are.
//
// As in fuse_plan.h a *stage* ends where a step that stays is needed, so that kernels can't wait
// for one another in a circle.

namespace tapegrad {
namespace {

// An array that a few elements are picked out of may be larger.
constexpr int64_t most_elements = 64, most_picked_from_once = 1024, most_scalars = 600'000;
// Of one kernel: behind it the next one begins.
constexpr size_t most_of_kernel = 100'000;

bool is_small(const Program& p, ValueId v, int64_t most = most_elements) {
  const int64_t n = element_count(p.type_of(v).shape);
  return n > 0 && n <= most;
}

// An array of numbers that kernels have made: as large as what was written for it.
bool joins_numbers(const Program& p, const Program::Step& s) {
  return s.kernel < 0 && !is_elementwise(s.op) && op_by_id(s.op).join == JoinKind::stack &&
         p.type_of(p.in(s)[0]).shape.empty();
}

// Of what is taken apart, a program has to be faster by this share to be worth it.
constexpr double least_gain = 0.1;

// Whether there may be something to take apart: more than elementwise steps, which fuse() takes,
// and enough of it beside numbers, which are scalars as they are.
bool is_worth_a_try(const Program& p) {
  constexpr double most_gain_of_step = 3 * costs::step;  // itself, and kernels that end at it
  int64_t scalars = 0, numbers = 0, others = 0;
  bool found = false;
  for (const Program::Step& s : p.steps) {
    bool small = s.kernel < 0;
    for (uint32_t j = 0; j < s.n_out; ++j) small = small && is_small(p, s.first_out + j);
    if (!small) continue;
    found |= !is_elementwise(s.op);
    ++(is_elementwise(s.op) && p.type_of(s.first_out).shape.empty() ? numbers : others);
    for (uint32_t j = 0; j < s.n_out; ++j)
      scalars += element_count(p.type_of(s.first_out + j).shape);
  }
  const double most_gain = most_gain_of_step * static_cast<double>(others);
  return found && scalars <= most_scalars &&
         most_gain > least_gain * costs::instruction * static_cast<double>(numbers);
}

// Scalars of one lane in the order of the arrays' sums.
class OrderedScalars final : public LaneScalars {
 public:
  using LaneScalars::LaneScalars;
  bool keeps_order() const override { return true; }
};

// A view, perhaps, that no kernel has taken apart.
bool may_be_strided(const Program& p, ValueId v) {
  return p.values[v].source == Source::step && only_moves(p.steps[p.values[v].index]);
}

class Regions {
 public:
  Regions(const Program& p, bool may_require)
      : p_(p),
        may_require_(may_require),
        axes_(p, no_length),
        stage_(p.steps.size(), 0),
        kernel_of_(p.steps.size(), none),
        rows_(p.values.size(), false),
        picks_(p.values.size(), 0),
        is_in_pieces_(p.values.size(), true),
        edit_(p) {
    for (const Program::Step& s : p.steps)
      if (only_moves(s))
        for (ValueId v : p.in(s)) ++picks_[v];
    find_pieces();
  }

  std::optional<Program> run() {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      place(i);
      if (kernel_of_[i] == none) continue;
      const OrderedScalars& scalars = *kernels_[kernel_of_[i]].scalars;
      if (scalars.written() > most_scalars || scalars.takes_too_much()) return std::nullopt;
    }
    find_results();
    return written();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  static constexpr int64_t no_length = -1;  // of no axis
  struct Kernel {
    uint32_t stage;
    std::unique_ptr<OrderedScalars> scalars;
    std::vector<ValueId> results{};
  };

  // A kernel takes all elements of an array that it picks from: where many are picked, it may be as
  // large as is worth that.
  int64_t most_picked_from(ValueId v) const {
    constexpr int64_t elements_of_pick = 4;
    return std::max(most_picked_from_once, elements_of_pick * int64_t{picks_[v]});
  }

  // Arrays of which small pieces are read and written, and nothing else until they are results: no
  // version of them need be an array.
  void find_pieces() {
    for (size_t i = p_.steps.size(); i-- > 0;) {
      const Program::Step& s = p_.steps[i];
      for (size_t a = 0; a < s.n_in; ++a)
        if (!touches_piece(s, a)) is_in_pieces_[p_.in(s)[a]] = false;
    }
  }
  bool touches_piece(const Program::Step& s, size_t a) const {
    if (s.kernel >= 0 || is_elementwise(s.op) || a > 0) return false;
    const Op& op = op_by_id(s.op);
    if (op.key != KeyKind::basic) return false;
    return op.update == UpdateKind::none ? is_small(p_, s.first_out)
                                         : is_in_pieces_[s.first_out] && is_small(p_, p_.in(s)[1]);
  }
  bool is_written_in_pieces(const Program::Step& s) const {
    return s.kernel < 0 && !is_elementwise(s.op) && op_by_id(s.op).key == KeyKind::basic &&
           op_by_id(s.op).update != UpdateKind::none && is_in_pieces_[s.first_out] &&
           is_small(p_, s.first_out, most_picked_from_once) && is_small(p_, p_.in(s)[1]);
  }

  // Everything is computed in one dtype; masks go along, and indices that are constant.
  bool can_take(const Program::Step& s) {
    if (s.kernel >= 0) return false;
    for (uint32_t j = 0; j < s.n_out; ++j) {
      const DType d = p_.type_of(s.first_out + j).dtype;
      if (!is_small(p_, s.first_out + j) && !joins_numbers(p_, s) && !is_written_in_pieces(s))
        return false;
      if (is_bool(d)) continue;
      if (!is_floating(d) || (dtype_ && d != *dtype_)) return false;
      dtype_ = d;
    }
    const bool picks = only_moves(s) || is_written_in_pieces(s);
    for (ValueId v : p_.in(s)) {
      const DType d = p_.type_of(v).dtype;
      if (!is_small(p_, v, picks ? most_picked_from(v) : most_elements)) return false;
      if (!is_bool(d) && !is_floating(d) && !p_.is_constant(v)) return false;
      if (is_floating(d) && dtype_ && d != *dtype_) return false;
    }
    return true;
  }

  void place(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    uint32_t of_kernels = 0, of_steps = 0;  // the latest stages that it reads
    for (ValueId v : p_.in(s)) {
      if (p_.values[v].source != Source::step) continue;
      const uint32_t from = p_.values[v].index;
      uint32_t& latest = kernel_of_[from] == none ? of_steps : of_kernels;
      latest = std::max(latest, stage_[from] + (kernel_of_[from] == none ? 0 : 1));
    }
    if (can_take(s)) {
      uint32_t stage = std::max(of_kernels == 0 ? 0 : of_kernels - 1, of_steps);
      while (is_full(stage)) ++stage;
      const uint32_t k = kernel_at(stage);
      for (ValueId v : p_.in(s))
        if (may_be_strided(p_, v) && kernel_of_[p_.values[v].index] != k)
          kernels_[k].scalars->mark_strided(v);
      if (expand_step(*kernels_[k].scalars, s)) {
        kernel_of_[i] = k;
        stage_[i] = stage;
        return;
      }
    }
    stage_[i] = std::max(of_kernels, of_steps);
  }

  bool is_full(uint32_t stage) const {
    const auto at = kernel_at_stage_.find(stage);
    return at != kernel_at_stage_.end() && kernels_[at->second].scalars->written() > most_of_kernel;
  }

  uint32_t kernel_at(uint32_t stage) {
    const auto [at, is_new] =
        kernel_at_stage_.try_emplace(stage, static_cast<uint32_t>(kernels_.size()));
    if (is_new)
      kernels_.push_back({stage, std::make_unique<OrderedScalars>(p_, p_, axes_, may_require_)});
    return at->second;
  }

  void find_results() {
    std::vector<bool> wanted(p_.values.size(), false);
    const auto want = [&](ValueId v, uint32_t reader) {
      if (p_.values[v].source != Source::step || wanted[v]) return;
      const uint32_t k = kernel_of_[p_.values[v].index];
      if (k == none || k == reader) return;
      wanted[v] = true;
      kernels_[k].results.push_back(v);
    };
    for (uint32_t k = 0; k < kernels_.size(); ++k)  // which look through what only moves elements
      for (ValueId v : kernels_[k].scalars->arrays()) want(v, k);
    for (uint32_t i = 0; i < p_.steps.size(); ++i)
      for (ValueId v : p_.in(p_.steps[i]))
        if (kernel_of_[i] == none) want(v, none);
    for (const Program::Guard& g : p_.guards) want(g.value, none);
    for (ValueId v : p_.outputs) want(v, none);
  }

  Program written() {
    std::vector<uint32_t> order(p_.steps.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return stage_[a] < stage_[b]; });
    uint32_t stage = 0;
    const auto write_stage = [&] {
      if (const auto at = kernel_at_stage_.find(stage); at != kernel_at_stage_.end())
        write(kernels_[at->second]);
      ++stage;
    };
    for (uint32_t i : order) {
      while (stage < stage_[i]) write_stage();
      if (kernel_of_[i] == none) edit_.copy(p_.steps[i]);
    }
    write_stage();
    return edit_.finish();
  }

  void write(Kernel& k) {
    if (k.results.empty()) return;
    std::vector<uint32_t> out;
    for (ValueId v : k.results) out.push_back(p_.values[v].type);
    write_kernel(edit_, batch_kernel(*k.scalars, p_, axes_, dtype(), rows_, k.results), Dims{1},
                 k.results, std::move(out));
  }

  DType dtype() const { return dtype_.value_or(DType::float64); }

  const Program& p_;
  const bool may_require_;
  const BatchAxes axes_;
  std::optional<DType> dtype_;
  std::vector<uint32_t> stage_, kernel_of_;
  std::map<uint32_t, uint32_t> kernel_at_stage_;
  std::vector<Kernel> kernels_;
  const std::vector<bool> rows_;
  LongVector<uint32_t> picks_;      // by value: how many steps that only move elements read it
  std::vector<bool> is_in_pieces_;  // by value
  Edit edit_;
};

// What is faster than p, if it is.
std::optional<Program> expanded(const Program& p, bool may_require) {
  std::optional<Program> found = Regions(p, may_require).run();
  if (!found) return std::nullopt;
  // Both are fused, as they will be: what counts is how many steps are left, and their kind.
  double made = 0;
  for (const auto& k : found->kernels)
    if (const auto* fused = dynamic_cast<const FusedKernel*>(k.get());
        fused && fused->space == Dims{1})
      made += run_cost(*fused);
  const double gain = run_cost(fuse(p)) - run_cost(fuse(drop_dead(*found)));
  if (gain <= least_gain * made) return std::nullopt;
  return found;
}

bool has_systems(const Program& p) {
  return std::any_of(p.steps.begin(), p.steps.end(), [](const Program::Step& s) {
    return s.kernel < 0 && op_by_id(s.op).matrix_stack;
  });
}

}  // namespace

Program expand(Program p, bool may_require) {
  if (!is_worth_a_try(p)) return p;
  p = drop_dead(p);
  std::optional<Program> found = expanded(p, may_require);
  // Linear systems take many scalars: the others alone may be worth it.
  if (!found && may_require && has_systems(p)) found = expanded(p, false);
  return found ? std::move(*found) : std::move(p);
}

}  // namespace tapegrad
