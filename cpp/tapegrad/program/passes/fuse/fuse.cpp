#include <algorithm>

#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/fuse/fuse_gathers.h"
#include "tapegrad/program/passes/fuse/kernel_cache.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

// A mean of what a kernel computes, as its sum divided by the count: the same operations.
class MeanAsSum final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    if (!applies(pass.program(), a.like.op, a.in)) return no_value;
    const TensorType &from = pass.program().type_of(a.in[0]), &to = pass.type(a.out[0]);
    const int64_t n = element_count(to.shape);
    if (from.dtype != to.dtype || n == 0) return no_value;
    const int64_t count = element_count(from.shape) / n;
    const ValueId sum = pass.emit(sum_op().id, a.like.attrs, a.in, a.out[0]);
    if (count == 1) return sum;
    const DType dtype = pass.type(a.out[0]).dtype;
    const ValueId divisor = pass.number(static_cast<double>(count), dtype);
    return pass.emit<Divide>({sum, divisor}, a.out[0]);
  }

  static bool applies(const Program& p, uint16_t op, std::span<const ValueId> in) {
    if (op_by_id(op).reduces != ReductionKind::mean || p.values[in[0]].source != Source::step)
      return false;
    const Program::Step& s = p.steps[p.values[in[0]].index];
    return s.kernel < 0 && is_elementwise(s.op);
  }
};

Program with_means_as_sums(const Program& p) {
  std::vector<std::unique_ptr<LocalRule>> rules;
  rules.push_back(mean_rule());
  return LocalPass(p, std::move(rules)).run();
}

// Writes the program with a kernel for each group of the plan. A kernel is written when its last
// member's turn comes, or earlier where a step needs it.
class Fuser {
 public:
  explicit Fuser(const Program& p)
      : p_(p),
        plan_(p),
        gathers_(p, plan_),
        edit_(p),
        needed_(p.steps.size(), false),
        owner_(p.values.size(), none),
        operand_(p.values.size(), 0),
        read_owner_(plan_.windows->reads().size(), none),
        read_operand_(plan_.windows->reads().size(), 0),
        state_(plan_.groups.size() + p.steps.size(), State::waiting) {}

  Program run() {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      const uint32_t g = plan_.group[i];
      if (g == none) {
        if (is_live(i)) require(unit_of_step(i));
      } else if (plan_.members[plan_.groups[g].first + plan_.groups[g].count - 1] == i) {
        require(g);
      }
    }
    return edit_.finish();
  }

 private:
  static constexpr uint32_t none = FusePlan::none;
  enum class State : uint8_t { waiting, opened, written };

  // Units are what is written at once: the groups, then the steps.
  uint32_t unit_of_step(uint32_t i) const {
    return plan_.group[i] != none ? plan_.group[i] : static_cast<uint32_t>(plan_.groups.size()) + i;
  }

  bool is_live(uint32_t i) const {
    const Program::Step& s = p_.steps[i];
    if (plan_.kind[i] != FusePlan::Kind::other || gathers_.axis(i) >= 0) return false;
    for (uint32_t j = 0; j < s.n_out; ++j)
      if (plan_.live[s.first_out + j]) return true;
    return false;
  }

  std::span<const uint32_t> members(uint32_t g) const {
    return {plan_.members.data() + plan_.groups[g].first, plan_.groups[g].count};
  }

  void require(uint32_t unit) {
    stack_.push_back(unit);
    while (!stack_.empty()) {
      const uint32_t top = stack_.back();
      if (state_[top] == State::waiting) {
        state_[top] = State::opened;
        push_inputs(top);
        continue;
      }
      stack_.pop_back();
      if (state_[top] == State::written) continue;
      state_[top] = State::written;
      if (top < plan_.groups.size()) {
        write_group(top);
      } else {
        edit_.copy(p_.steps[top - plan_.groups.size()]);
      }
    }
  }

  void push_inputs(uint32_t unit) {
    const auto push = [&](ValueId v) {
      if (p_.values[v].source != Source::step) return;
      const uint32_t from = unit_of_step(p_.values[v].index);
      if (from != unit && state_[from] == State::waiting) stack_.push_back(from);
    };
    if (unit >= plan_.groups.size()) {
      for (ValueId v : p_.in(p_.steps[unit - plan_.groups.size()])) push(v);
      return;
    }
    for (uint32_t i : members(unit)) {
      for (ValueId v : plan_.shifted(i)) push(v);
      for (ValueId v : plan_.in(i)) {
        const ValueId from = plan_.source[v];
        const uint32_t gather = gathers_.of(from);
        if (gather == none) {
          push(from);
        } else {
          for (ValueId x : p_.in(p_.steps[gather])) push(x);
        }
      }
    }
  }

  // Members that nothing reads in this kernel (they are made again elsewhere) are left out.
  void find_needed(uint32_t g) {
    const std::span<const uint32_t> all = members(g);
    for (size_t k = all.size(); k-- > 0;) {
      const uint32_t i = all[k];
      if (plan_.kind[i] == FusePlan::Kind::sum || plan_.stored[p_.steps[i].first_out])
        needed_[i] = true;
      if (!needed_[i]) continue;
      for (ValueId v : plan_.in(i))
        if (const uint32_t lane = plan_.lane_of(plan_.source[v]);
            lane != none && plan_.group[lane] == g)
          needed_[lane] = true;
    }
  }

  void write_group(uint32_t g) {
    find_needed(g);
    uint32_t lanes = 0, sums = 0, only = 0;
    for (uint32_t i : members(g)) {
      if (!needed_[i]) continue;
      ++(plan_.kind[i] == FusePlan::Kind::sum ? sums : lanes);
      only = i;
    }
    if (lanes == 1 && sums == 0 && write_single(only)) return;
    if (lanes != 0) write_kernel(g);
  }

  // One elementwise step alone stays what it is.
  bool write_single(uint32_t i) {
    if (plan_.windows->at(i)) return false;
    const Program::Step& s = p_.steps[i];
    Dims shape;
    ins_.clear();
    for (ValueId v : p_.in(s)) {
      ValueId from = plan_.source[v];
      const uint32_t lane = plan_.lane_of(from);
      if (lane != none && plan_.copied[lane] && !plan_.stored[from]) return false;
      if (gathers_.of(from) != none) return false;
      if (p_.type_of(from).dtype != p_.type_of(v).dtype) return false;
      if (p_.is_constant(v)) from = v;
      shape = broadcast_shapes(shape, p_.type_of(from).shape, "");
      ins_.push_back(from);
    }
    if (!(shape == p_.type_of(s.first_out).shape)) return false;
    for (ValueId& v : ins_) v = edit_.at(v);
    const uint32_t type = p_.values[s.first_out].type;
    edit_.set(s.first_out, edit_.write(s, ins_, {&type, 1}));
    return true;
  }

  // Operands of the kernel at work, numbered when all are known: two bits say of which sort.
  static constexpr uint32_t is_input = 0, is_constant = 1u << 30, is_result = 2u << 30;

  uint32_t operand(uint32_t g, ValueId v) {
    v = plan_.source[v];
    if (owner_[v] == g) return operand_[v];
    uint32_t number;
    if (const auto c = uniform_.at(p_, v)) {
      number = constant(*c);
    } else if (const uint32_t lane = plan_.lane_of(v);
               lane != none && plan_.copied[lane] && !plan_.stored[v]) {
      number = instruction(g, lane);
    } else {
      const uint32_t gather = gathers_.of(v);
      number = input(gather != none ? p_.in(p_.steps[gather])[0] : v, no_offset);
      if (gather != none) taken_.push_back({gather, number & (is_constant - 1)});
    }
    owner_[v] = g;
    operand_[v] = number;
    return number;
  }

  uint32_t input(ValueId v, int64_t offset, LaneWindow box = {}) {
    inputs_.push_back(v);
    kernel_.offsets.push_back(offset);
    kernel_.boxes.push_back(std::move(box));
    return is_input | static_cast<uint32_t>(inputs_.size() - 1);
  }

  uint32_t constant(double c) {
    kernel_.constants.push_back(c);
    return is_constant | static_cast<uint32_t>(kernel_.constants.size() - 1);
  }

  uint32_t result(const LaneKernel::Instruction& code) {
    kernel_.code.push_back(code);
    return is_result | static_cast<uint32_t>(kernel_.code.size() - 1);
  }

  uint32_t instruction(uint32_t g, uint32_t i) {
    if (const FuseWindows::Step* w = plan_.windows->at(i)) return window(g, *w);
    const Program::Step& s = p_.steps[i];
    LaneKernel::Instruction code{static_cast<ScalarFn>(s.op), {0, 0, 0}};
    for (size_t k = 0; k < s.n_in; ++k) code.args[k] = operand(g, p_.in(s)[k]);
    return result(code);
  }

  uint32_t window(uint32_t g, const FuseWindows::Step& w) {
    size_t part = 0;
    uint32_t now = w.fill               ? constant(*w.fill)
                   : w.base != no_value ? operand(g, w.base)
                                        : read(g, w.parts[part++].read);
    for (; part < w.parts.size(); ++part) {
      const FuseWindows::Part& p = w.parts[part];
      if (p.adds && p.fills) {  // to add -0.0 changes nothing
        now = result({scalar_fn_of<Add>(), {now, read(g, p.read), 0}});
        continue;
      }
      const auto number = static_cast<uint32_t>(kernel_.windows.size());
      kernel_.windows.push_back(p.window);
      now = result({p.adds ? window_add : window_set, {now, read(g, p.read), number}});
    }
    return now;
  }

  uint32_t read(uint32_t g, uint32_t r) {
    if (read_owner_[r] == g) return read_operand_[r];
    const FuseReads& reads = plan_.windows->reads();
    const FuseReads::Read& read = reads[r];
    uint32_t number;
    if (read.how == FuseReads::How::plain) {
      number = operand(g, read.value);
    } else if (read.how == FuseReads::How::shifted) {
      number = input(read.value, read.offset, read.box);
    } else {
      LaneKernel::Instruction code{static_cast<ScalarFn>(p_.steps[p_.values[read.value].index].op),
                                   {0, 0, 0}};
      for (size_t k = 0; k < reads.arity(read); ++k) code.args[k] = this->read(g, read.args[k]);
      number = result(code);
    }
    read_owner_[r] = g;
    return read_operand_[r] = number;
  }

  // The gathers of the kernel at work, in the program's order, and their index arrays after the
  // inputs.
  void add_index_arrays() {
    kernel_.gathers.clear();
    std::sort(taken_.begin(), taken_.end());
    for (const auto& [gather, input] : taken_) {
      const ValueId index = p_.in(p_.steps[gather])[1];
      const auto first = inputs_.begin() + kernel_.n_inputs;
      const auto at = std::find(first, inputs_.end(), index) - first;
      kernel_.gathers.push_back({input, static_cast<uint32_t>(at), gathers_.axis(gather)});
      if (first + at == inputs_.end()) inputs_.push_back(index);
    }
    kernel_.n_indices = static_cast<uint32_t>(inputs_.size()) - kernel_.n_inputs;
  }

  uint32_t numbered(uint32_t coded) const {
    const uint32_t k = coded & (is_constant - 1);
    if (coded & is_result) return kernel_.first_result() + k;
    return coded & is_constant ? kernel_.first_constant() + k : k;
  }

  // The shape that a kernel sums to, which has the elements of the step's result.
  Dims summed_shape(const Program::Step& s) const {
    const Dims& to = p_.type_of(s.first_out).shape;
    const Dims& from = p_.type_of(p_.in(s)[0]).shape;
    const Op& op = op_by_id(s.op);
    if (op.axes < 0 || from.size() == to.size()) return to;
    const AttrKey axes(static_cast<size_t>(op.axes));
    const Dims flags = axis_flags(p_.attrs_of(s), axes, from.ndim(), op.name);
    const bool leads = std::is_sorted(flags.begin(), flags.end(), std::greater<>());
    return leads ? to : reduced_shape(from, flags, true);
  }

  void write_kernel(uint32_t g) {
    const FusePlan::Group& group = plan_.groups[g];
    kernel_.dtype = group.dtype;
    kernel_.constants.clear();
    kernel_.code.clear();
    kernel_.outputs.clear();
    kernel_.windows.clear();
    kernel_.offsets.clear();
    kernel_.boxes.clear();
    inputs_.clear();
    taken_.clear();
    results_.clear();
    outs_.clear();
    for (uint32_t i : members(g)) {
      if (!needed_[i]) continue;
      const Program::Step& s = p_.steps[i];
      const ValueId v = s.first_out;
      const bool is_sum = plan_.kind[i] == FusePlan::Kind::sum;
      if (!is_sum) {
        operand_[v] = instruction(g, i);
        owner_[v] = g;
        if (!plan_.stored[v]) continue;
      }
      LaneKernel::Output out{is_sum ? operand(g, p_.in(s)[0]) : operand_[v]};
      const TensorType& type = p_.type_of(v);
      out.summed = is_sum;
      if (is_sum) out.shape = summed_shape(s);
      out.dtype = type.dtype;
      outs_.push_back(is_sum ? edit_.type({type.dtype, out.shape}) : p_.values[v].type);
      kernel_.outputs.push_back(std::move(out));
      results_.push_back(v);
    }
    kernel_.n_inputs = static_cast<uint32_t>(inputs_.size());
    add_index_arrays();
    for (LaneKernel::Instruction& code : kernel_.code) {
      const auto arity = static_cast<size_t>(lane_arity(code.fn));
      for (size_t k = 0; k < arity; ++k) code.args[k] = numbered(code.args[k]);
    }
    if (std::ranges::count(kernel_.offsets, no_offset) == std::ssize(kernel_.offsets)) {
      kernel_.offsets.clear();
      kernel_.boxes.clear();
    }
    for (LaneKernel::Output& out : kernel_.outputs) out.operand = numbered(out.operand);
    Program::Step like;
    like.kernel = edit_.kernel(cache_(kernel_, p_.types[group.space].shape));
    for (ValueId& v : inputs_) v = edit_.at(v);
    const ValueId first = edit_.write(like, inputs_, outs_);
    for (size_t k = 0; k < results_.size(); ++k)
      edit_.set(results_[k], in_shape(first + static_cast<ValueId>(k), results_[k]));
  }

  // A kernel's result as the old value's type.
  ValueId in_shape(ValueId result, ValueId old) {
    const uint32_t type = p_.values[old].type;
    if (edit_.program().values[result].type == type) return result;
    Program::Step like;
    like.op = reshape_op().id;
    like.attrs = edit_.attrs(Attrs{to_vector(p_.types[type].shape)});
    return edit_.write(like, {&result, 1}, {&type, 1});
  }

  const Program& p_;
  FusePlan plan_;
  FusedGathers gathers_;
  Edit edit_;
  UniformConstants uniform_;
  KernelCache cache_;
  std::vector<bool> needed_;
  std::vector<uint32_t> owner_, operand_;  // by value: the group that last used it, and how
  std::vector<uint32_t> read_owner_, read_operand_;  // by read, the same
  std::vector<State> state_;                         // by unit
  std::vector<uint32_t> stack_;
  LaneKernel kernel_;
  std::vector<ValueId> inputs_, results_, ins_;
  std::vector<std::pair<uint32_t, uint32_t>> taken_;  // gathers, and the inputs that they make
  std::vector<uint32_t> outs_;
};

}  // namespace

std::unique_ptr<LocalRule> mean_rule() { return std::make_unique<MeanAsSum>(); }

Program fuse(const Program& p) {
  for (const Program::Step& s : p.steps)
    if (s.kernel < 0 && MeanAsSum::applies(p, s.op, p.in(s)))
      return Fuser(with_means_as_sums(p)).run();
  return Fuser(p).run();
}

}  // namespace tapegrad
