#include "tapegrad/program/run/static/static_plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tapegrad/kernels/fused/arena.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/program/run/static/static_kernels.h"

namespace tapegrad {

class StaticPlanner {
 public:
  // `strided`: carries, by flags, that come as views with strides from one step to the next.
  StaticPlanner(const Program& p, size_t n_carry, size_t n_series, std::vector<bool>& strided)
      : plan_(std::make_unique<StaticPlan>()), p_(plan_->program_), strided_carries_(strided) {
    plan_->program_ = p;
    plan_->n_carry_ = n_carry;
    plan_->n_series_ = n_series;
  }

  std::unique_ptr<const StaticPlan> run() {
    if (!fits()) return nullptr;
    plan_->at_.resize(p_.values.size());
    is_strided_.assign(p_.values.size(), false);
    hides_strides_.assign(p_.values.size(), false);
    varies_.assign(p_.values.size(), false);
    find_last_uses();
    for (size_t i = 0; i < p_.inputs.size(); ++i) place_input(i);
    for (size_t c = 0; c < n_carry(); ++c) hides_strides_[p_.inputs[c]] = strided_carries_[c];
    for (ValueId v = 0; v < p_.values.size(); ++v)
      if (p_.is_constant(v) && is_short(v)) at(v) = new_place(v, false);
    for (uint32_t k = 0; k < p_.steps.size(); ++k)
      if (!plan_step(k)) return nullptr;
    for (ValueId v : p_.outputs)
      if (at(v).place == none) return nullptr;
    for (const Program::Guard& g : p_.guards) {
      if (at(g.value).place == none) return nullptr;
      plan_->guards_.push_back({at(g.value), g.expected});
    }
    for (size_t c = 0; c < n_carry(); ++c)
      if (is_strided_[p_.outputs[c]] || hides_strides_[p_.outputs[c]]) strided_carries_[c] = true;
    if (std::ranges::all_of(plan_->steps_, [this](const Step& s) { return is_op(s); }))
      return nullptr;
    plan_carries();
    for (size_t j = plan_->n_carry_; j < p_.outputs.size(); ++j)
      plan_->ys_.push_back(at(p_.outputs[j]));
    return std::move(plan_);
  }

 private:
  using Operand = StaticPlan::Operand;
  using Place = StaticPlan::Place;
  using Step = StaticPlan::Step;
  using Kind = Step::Kind;
  static constexpr uint32_t none = StaticPlan::none;
  static constexpr uint32_t at_end = none - 1;
  static constexpr int64_t most_copied = 128;

  size_t n_carry() const { return plan_->n_carry_; }
  Operand& at(ValueId v) { return plan_->at_[v]; }
  int64_t count(ValueId v) const { return element_count(p_.type_of(v).shape); }
  size_t item(ValueId v) const { return item_size(p_.type_of(v).dtype); }
  size_t bytes(ValueId v) const { return static_cast<size_t>(count(v)) * item(v); }
  bool is_short(ValueId v) const { return count(v) <= most_bound_lanes; }

  bool fits() const {
    if (!p_.captures.empty()) return false;
    for (const Program::Guard& g : p_.guards)
      if (!p_.type_of(g.value).shape.empty()) return false;
    for (size_t i = 0; i < plan_->n_carry_ + plan_->n_series_; ++i)
      if (!is_short(p_.inputs[i])) return false;
    for (const Program::Step& s : p_.steps)
      for (uint32_t j = 0; j < s.n_out && !is_view(s); ++j)
        if (!is_short(s.first_out + j)) return false;
    return true;
  }
  static bool is_view(const Program::Step& s) {
    return s.kernel < 0 && s.n_out == 1 && op_by_id(s.op).view != ViewKind::none;
  }

  void find_last_uses() {
    last_use_.assign(p_.values.size(), 0);
    for (uint32_t k = 0; k < p_.steps.size(); ++k)
      for (ValueId v : p_.in(p_.steps[k])) last_use_[v] = k;
    for (ValueId v : p_.outputs) last_use_[v] = at_end;
    for (const Program::Guard& g : p_.guards) last_use_[g.value] = at_end;
    // Whoever reads a view may read what it is a view of.
    for (size_t k = p_.steps.size(); k-- > 0;)
      if (const Program::Step& s = p_.steps[k]; is_view(s)) {
        uint32_t& base = last_use_[p_.in(s)[0]];
        base = std::max(base, last_use_[s.first_out]);
      }
  }

  // A place of its own for what v holds; `serves_again`: at each step.
  Operand new_place(ValueId v, bool serves_again) { return new_place(bytes(v), serves_again, v); }
  Operand new_place(size_t bytes, bool serves_again, ValueId v = no_value_) {
    // Rows that lie a multiple of 4 KiB apart make loads wait for stores to another one.
    plan_->places_.push_back({take(bytes + bound_slack + (bytes < 1024 ? 0 : 256))});
    bytes_of_place_.push_back(bytes);
    last_use_of_place_.push_back(v == no_value_ ? 0 : last_use_[v]);
    serves_again_.push_back(serves_again);
    return {static_cast<uint32_t>(plan_->places_.size() - 1), 0};
  }
  size_t take(size_t bytes) {
    return std::exchange(plan_->bytes_, plan_->bytes_ + Arena::aligned(bytes));
  }
  Operand alias(ValueId v, Operand of) {
    last_use_of_place_[of.place] = std::max(last_use_of_place_[of.place], last_use_[v]);
    return of;
  }

  void place_input(size_t i) {
    const ValueId v = p_.inputs[i];
    const bool is_carry = i < plan_->n_carry_, is_series = !is_carry && i < first_rest();
    varies_[v] = is_carry || is_series;
    if (!is_short(v)) return;
    at(v) = new_place(v, is_carry);
    if (is_series) plan_->places_[at(v).place].series = static_cast<uint32_t>(i - plan_->n_carry_);
  }
  size_t first_rest() const { return plan_->n_carry_ + plan_->n_series_; }

  bool plan_step(uint32_t k) {
    const Program::Step& s = p_.steps[k];
    const bool varies = std::ranges::any_of(p_.in(s), [&](ValueId v) { return varies_[v]; });
    for (uint32_t j = 0; j < s.n_out; ++j) varies_[s.first_out + j] = varies;
    to_ = varies ? &plan_->steps_ : &plan_->once_;
    const bool known =
        std::ranges::all_of(p_.in(s), [&](ValueId v) { return at(v).place != none; });
    // A view of an array that has no place is made where it is read.
    if (is_view(s) && (!known || !is_short(s.first_out))) return true;
    if (known && (s.kernel >= 0 ? plan_kernel(s, varies)
                                : plan_elementwise(s, varies) || plan_moves(k, varies) ||
                                      plan_addition(k, varies)))
      return true;
    return plan_general(k, varies);
  }

  bool plan_kernel(const Program::Step& s, bool varies) {
    const auto* fused =
        dynamic_cast<const FusedKernel*>(p_.kernels[static_cast<size_t>(s.kernel)].get());
    return fused && plan_kernel(s, fused->lanes.kernel(), fused->space, varies);
  }

  bool plan_elementwise(const Program::Step& s, bool varies) {
    const std::optional<LaneKernel> kernel = kernel_of_step(p_, s);
    return kernel && plan_kernel(s, *kernel, p_.type_of(s.first_out).shape, varies);
  }

  bool plan_kernel(const Program::Step& s, const LaneKernel& kernel, const Dims& space,
                   bool varies) {
    const auto in = p_.in(s);
    const int64_t size = element_count(space);
    // Inputs that are moved before the kernel runs: what is taken by constant positions, or spread.
    std::vector<std::optional<MoveRuns>> moved(in.size());
    std::vector<TensorType> types;
    for (size_t i = 0; i < in.size(); ++i) types.push_back(p_.type_of(in[i]));
    for (size_t i = 0; i < kernel.n_inputs && !kernel.batch; ++i) {
      const Dims& shape = types[i].shape;
      if (const LaneGather* g = kernel.gather_of(static_cast<uint32_t>(i))) {
        const ValueId index = in[kernel.n_inputs + g->index];
        if (p_.is_constant(index)) moved[i] = runs_of_take(shape, g->axis, p_.constant_of(index));
        if (!moved[i]) return false;
      } else if (const int64_t n = element_count(shape);
                 kernel.offset(i) == no_offset && n != 1 && n != size) {
        moved[i] = runs_of_broadcast(shape, space);
      }
      if (moved[i]) types[i].shape = space;
    }
    types.resize(kernel.batch ? in.size() : kernel.n_inputs);
    // Masks that stay the same become numbers once.
    std::vector<bool> is_numbered(types.size(), false);
    for (size_t i = 0; i < types.size() && !kernel.batch; ++i) {
      is_numbered[i] =
          is_bool(types[i].dtype) && !varies_[in[i]] && element_count(types[i].shape) > 0;
      if (is_numbered[i]) types[i].dtype = kernel.dtype;
    }
    auto bound = kernel.gathers.empty() ? BoundKernel::of(kernel, space, types)
                                        : BoundKernel::of(without_gathers(kernel), space, types);
    if (!bound) return false;
    Step step{.kind = Kind::kernel, .in = {}, .out = {}};
    for (size_t i = 0; i < types.size(); ++i) {
      const Operand from = moved[i] ? moved_input(in[i], *moved[i], size) : at(in[i]);
      step.in.push_back(is_numbered[i] ? as_numbers(from, types[i]) : from);
    }
    step.scratch = take(bound->scratch_bytes());
    step.kernel = std::move(bound);
    for (uint32_t j = 0; j < s.n_out; ++j)
      step.out.push_back(at(s.first_out + j) = new_place(s.first_out + j, varies));
    to_->push_back(std::move(step));
    return true;
  }

  // 1 for true and 0 for false, in numbers of this type.
  Operand as_numbers(Operand mask, const TensorType& type) {
    const Dims space{element_count(type.shape)};
    const TensorType given{DType::bool_, space};
    Step step{.kind = Kind::kernel, .in = {mask}, .out = {}};
    step.kernel = BoundKernel::of(kernel_of_mask(type.dtype), space, {&given, 1});
    step.scratch = take(step.kernel->scratch_bytes());
    const Operand to = new_place(static_cast<size_t>(space[0]) * item_size(type.dtype), false);
    step.out = {to};
    plan_->once_.push_back(std::move(step));
    return to;
  }

  Operand moved_input(ValueId v, const MoveRuns& runs, int64_t n) {
    const Operand to = new_place(static_cast<size_t>(n) * item(v), varies_[v]);
    auto& steps = varies_[v] ? plan_->steps_ : plan_->once_;
    steps.push_back(moves({at(v)}, to, runs, p_.type_of(v).dtype, n));
    return to;
  }

  static Step moves(std::vector<Operand> in, Operand out, const MoveRuns& runs, DType dtype,
                    int64_t n) {
    return {.kind = Kind::moves,
            .in = std::move(in),
            .out = {out},
            .runs = grouped(runs, true),
            .dtype = dtype,
            .count = n};
  }

  std::optional<std::vector<MoveRuns>> runs_of(const Op& op, const Attrs& attrs,
                                               std::span<const ValueId> in, size_t n_out) const {
    std::vector<TensorType> types;
    std::vector<const Value*> constants;
    for (ValueId v : in) {
      types.push_back(p_.type_of(v));
      constants.push_back(p_.is_constant(v) ? &p_.constant_of(v) : nullptr);
    }
    return runs_of_step(op, attrs, types, constants, n_out);
  }

  bool plan_moves(uint32_t k, bool varies) {
    const Program::Step& s = p_.steps[k];
    const Op& op = op_by_id(s.op);
    if (op.elements != ElementKind::moved || s.n_in == 0) return false;
    auto all = runs_of(op, p_.attrs_of(s), p_.in(s), s.n_out);
    if (!all) return false;
    const auto in = p_.in(s);
    std::vector<Operand> operands;
    for (ValueId v : in) operands.push_back(at(v));
    for (uint32_t j = 0; j < s.n_out; ++j) {
      const ValueId out = s.first_out + j;
      MoveRuns& runs = (*all)[j];
      hides_strides_[out] = std::ranges::any_of(
          in, [&](ValueId v) { return hides_strides_[v] || (is_strided_[v] && !is_view(s)); });
      if (is_alias(runs, count(out))) {
        Operand of = operands[runs[0].input];
        of.offset += static_cast<size_t>(runs[0].source) * item(out);
        at(out) = alias(out, of);
        continue;
      }
      is_strided_[out] = is_view(s);
      if (op.update == UpdateKind::set && count(out) > 0 && serves_as_result(k, in)) {
        at(out) = alias(out, operands[0]);
        std::erase_if(runs, [](const MoveRun& r) {
          return r.input == 0 && r.source == r.at && (r.stride == 1 || r.count == 1);
        });
      } else {
        at(out) = new_place(out, varies);
      }
      to_->push_back(moves(operands, at(out), runs, p_.type_of(out).dtype, count(out)));
    }
    return true;
  }

  // Whether the first input's place may be written to: nothing reads it any more.
  bool serves_as_result(uint32_t k, std::span<const ValueId> in) {
    const uint32_t place = at(in[0]).place;
    if (!serves_again_[place] || last_use_of_place_[place] > k) return false;
    return std::none_of(in.begin() + 1, in.end(), [&](ValueId v) { return at(v).place == place; });
  }

  bool plan_addition(uint32_t k, bool varies) {
    const Program::Step& s = p_.steps[k];
    const Op& op = op_by_id(s.op);
    if (is_scalar_fn(s.op) || op.key == KeyKind::none || op.update != UpdateKind::add) return false;
    const auto in = p_.in(s);
    const TensorType &array = p_.type_of(in[0]), &update = p_.type_of(in[1]);
    if (!is_floating(array.dtype) || update.dtype != array.dtype || count(in[0]) == 0) return false;
    // Where the elements lie that a read by the same key would give.
    std::vector<ValueId> read{in[0]};
    read.insert(read.end(), in.begin() + 2, in.end());
    const Op& reads = op.key == KeyKind::basic ? slice_op() : gather_op();
    const auto region = runs_of(reads, p_.attrs_of(s), read, 1);
    if (!region) return false;
    int64_t n = 0;
    for (const MoveRun& r : region->front()) n += r.count;
    if (n != count(in[1])) return false;  // it is broadcast
    const ValueId out = s.first_out;
    if (serves_as_result(k, in)) {
      at(out) = alias(out, at(in[0]));
    } else {
      at(out) = new_place(out, varies);
      to_->push_back(
          moves({at(in[0])}, at(out), {{0, 0, 1, 0, count(out), 0}}, array.dtype, count(out)));
    }
    to_->push_back({.kind = Kind::addition,
                    .in = {at(out), at(in[1])},
                    .out = {at(out)},
                    .runs = grouped(region->front(), false),
                    .dtype = array.dtype});
    return true;
  }

  static bool is_scalar_fn(uint16_t op) { return op < scalar_fn_count; }

  bool plan_general(uint32_t k, bool varies) {
    const Program::Step& s = p_.steps[k];
    // It would write to its input where it lies; here it would copy it.
    if (s.kernel < 0 && op_by_id(s.op).in_place && !is_scalar_fn(s.op) &&
        count(p_.in(s)[0]) > most_copied)
      return false;
    if (std::ranges::any_of(p_.in(s), [this](ValueId v) { return hides_strides_[v]; }))
      return false;
    Step step{.kind = Kind::general, .in = {}, .out = {}, .number = k};
    for (ValueId v : p_.in(s)) step.in.push_back(at(v));
    for (uint32_t j = 0; j < s.n_out; ++j)
      step.out.push_back(at(s.first_out + j) = new_place(s.first_out + j, varies));
    if (s.kernel < 0 && op_by_id(s.op).converts)  // to what it is already: the view itself
      hides_strides_[s.first_out] = is_strided_[p_.in(s)[0]] || hides_strides_[p_.in(s)[0]];
    to_->push_back(std::move(step));
    return true;
  }

  // Whether a step is run as an op; products of matrices are set up once.
  bool is_op(const Step& s) const {
    if (s.kind != Kind::general) return false;
    const Program::Step& step = p_.steps[s.number];
    return step.kernel >= 0 || op_by_id(step.op).product != ProductKind::matrices;
  }

  void plan_carries() {
    std::set<uint32_t> taken;  // places whose memory goes to a carry, and the carries' own
    for (size_t c = 0; c < plan_->n_carry_; ++c) taken.insert(at(p_.inputs[c]).place);
    for (size_t c = 0; c < plan_->n_carry_; ++c) {
      const uint32_t place = at(p_.inputs[c]).place;
      const Operand next = at(p_.outputs[c]);
      if (next.place == place && next.offset == 0) {
        plan_->carries_.push_back({next, place, 0, 1, false});
        continue;
      }
      const bool swaps = next.offset == 0 && serves_again_[next.place] &&
                         plan_->places_[next.place].series == none &&
                         bytes_of_place_[next.place] == bytes(p_.inputs[c]) &&
                         taken.insert(next.place).second;
      plan_->carries_.push_back({next, place, bytes(p_.inputs[c]), item(p_.inputs[c]), swaps});
    }
  }

  static constexpr ValueId no_value_ = ~ValueId{0};

  std::unique_ptr<StaticPlan> plan_;
  const Program& p_;
  std::vector<bool>& strided_carries_;
  std::vector<bool> varies_;         // by value: from step to step
  std::vector<bool> is_strided_;     // by value: a view that is not packed
  std::vector<bool> hides_strides_;  // by value: moved, perhaps as a view, out of such a one
  std::vector<uint32_t> last_use_;   // by value
  std::vector<uint32_t> last_use_of_place_;
  std::vector<size_t> bytes_of_place_;
  std::vector<bool> serves_again_;  // by place: it is written at every step
  std::vector<StaticPlan::Step>* to_ = nullptr;
};

std::string StaticPlan::machine_code() const {
  std::string all;
  for (const std::vector<Step>* steps : {&once_, &steps_})
    for (const Step& s : *steps)
      if (s.kernel) all += s.kernel->machine_code();
  return all;
}

std::unique_ptr<const StaticPlan> StaticPlan::of(const Program& p, size_t n_carry,
                                                 size_t n_series) {
  // Where a carry is a view with strides, steps that round by them can't be planned.
  std::vector<bool> strided(n_carry, false);
  std::unique_ptr<const StaticPlan> plan;
  for (bool is_new = true; is_new;) {
    const std::vector<bool> known = strided;
    plan = StaticPlanner(p, n_carry, n_series, strided).run();
    is_new = plan != nullptr && strided != known;
  }
  return plan;
}

}  // namespace tapegrad
