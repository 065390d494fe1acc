#include <algorithm>

#include "tapegrad/program/passes/batch/batch_scalars.h"

namespace tapegrad {
namespace {

class KernelWriter {
 public:
  KernelWriter(const LaneScalars& w, const Program& p, const BatchAxes& axes, DType dtype,
               const std::vector<bool>& rows)
      : w_(w), p_(p), axes_(axes), rows_(rows), nodes_(w.nodes()) {
    kernel_.dtype = dtype;
  }

  BatchKernel run(std::span<const ValueId> results, LaneScalars& w) {
    for (ValueId v : results) add_results(v, w.elements(v));
    if (w.required() != ScalarWriter::no_operand) add_required(w.required());
    find_uses();
    find_waiting();
    for (uint32_t s : ready_) write_product(s);
    ready_.clear();
    for (const Wanted& o : outputs_) {
      if (!is_summed_product(o)) demand(o.node);
      for (uint32_t arg : nodes_[o.node].args)
        if (is_summed_product(o) && arg != none) demand(arg);
      if (o.once != none) demand(o.once);
    }
    return finish();
  }

 private:
  static constexpr uint32_t none = LaneNode::none;
  // Operands are numbered when all inputs are known: two bits say of which sort.
  static constexpr uint32_t is_input = 0, is_constant = 1u << 30, is_result = 2u << 30;
  // A cheap row that was computed so many instructions ago is computed again. A product that one
  // instruction alone reads is not counted: it becomes part of that.
  static constexpr uint32_t kept = 96;

  struct Wanted {
    uint32_t node;
    uint32_t once;  // what is added to a sum, or none
    bool summed;
    LaneBatch::Part part;
  };
  struct Place {
    uint32_t operand = none;
    uint32_t written = 0;  // when
    uint32_t uses = 0;
    bool cheap = false;
  };

  LaneBatch::Array array_of(ValueId v) const {
    const TensorType& type = p_.type_of(v);
    if (rows_[v]) return {Dims{axes_.elements(v), axes_.n()}, type.dtype, 1};
    return {type.shape, type.dtype, axes_.has_lanes(v) ? axes_.axis(v) : LaneBatch::no_axis};
  }

  void add_results(ValueId v, const std::vector<ValueId>& elements) {
    const auto array = static_cast<uint32_t>(batch_.out.size());
    batch_.out.push_back(array_of(v));
    for (uint32_t k = 0; k < elements.size(); ++k) {
      const LaneNode& n = nodes_[elements[k]];
      const bool summed = n.kind == LaneNode::Kind::sum;
      outputs_.push_back(
          {summed ? n.args[0] : elements[k], summed ? n.args[1] : none, summed, {array, k}});
    }
  }

  void add_required(uint32_t n) {
    const bool varies = nodes_[n].varies;
    const auto array = static_cast<uint32_t>(batch_.out.size());
    required_ = {DType::bool_, varies ? Dims{axes_.n()} : Dims()};
    batch_.out.push_back({required_->shape, DType::bool_, varies ? 0 : LaneBatch::no_axis});
    outputs_.push_back({n, none, false, {array, 0}});
  }

  const LaneNode& node(uint32_t n) const { return nodes_[n]; }
  bool is_computed(uint32_t n) const { return node(n).kind == LaneNode::Kind::result; }

  bool is_product(uint32_t n) const {
    return is_computed(n) &&
           (node(n).fn == scalar_fn_of<Multiply>() || node(n).fn == scalar_fn_of<Square>());
  }
  // Nothing but this sum reads the product.
  bool is_summed_product(const Wanted& o) const {
    return o.summed && is_product(o.node) && place_[o.node].uses == 1;
  }
  // Rows of inputs and uniform operands alone, in one cheap instruction.
  bool is_cheap(uint32_t n) const { return place_[n].cheap; }
  bool find_cheap(uint32_t n) const {
    if (!is_computed(n) || !node(n).varies || scalar_fn_info(node(n).fn).ns > 1) return false;
    for (uint32_t arg : node(n).args)
      if (arg != none && is_computed(arg) && node(arg).varies) return false;
    return true;
  }

  // Rows that stay where they are from when they were computed to their last use.
  bool is_kept(uint32_t n) const { return is_computed(n) && node(n).varies && !is_cheap(n); }

  void find_uses() {
    place_.resize(nodes_.size());
    std::vector<uint32_t> stack;
    const auto use = [&](uint32_t n) {
      if (place_[n].uses++ != 0) return;
      place_[n].cheap = find_cheap(n);
      stack.push_back(n);
    };
    for (const Wanted& o : outputs_) {
      use(o.node);
      if (o.once != none) use(o.once);
    }
    while (!stack.empty()) {
      const uint32_t n = stack.back();
      stack.pop_back();
      if (!is_computed(n)) continue;
      for (uint32_t arg : node(n).args)
        if (arg != none) use(arg);
    }
  }

  // A sum of a product waits for the factors that are neither at hand nor cheap.
  void find_waiting() {
    waiting_first_.assign(nodes_.size(), none);
    missing_.resize(outputs_.size());
    for (uint32_t s = 0; s < outputs_.size(); ++s) {
      if (!is_summed_product(outputs_[s])) continue;
      uint32_t last = none;
      for (uint32_t arg : node(outputs_[s].node).args) {
        if (arg == none || arg == last || !is_kept(arg)) continue;
        last = arg;
        ++missing_[s];
        waiting_.push_back({s, waiting_first_[arg]});
        waiting_first_[arg] = static_cast<uint32_t>(waiting_.size() - 1);
      }
      if (missing_[s] == 0) ready_.push_back(s);
    }
  }

  uint32_t operand(uint32_t n) {
    Place& place = place_[n];
    if (place.operand != none) return place.operand;
    if (node(n).kind == LaneNode::Kind::constant) {
      place.operand = is_constant | static_cast<uint32_t>(kernel_.constants.size());
      kernel_.constants.push_back(w_.constants()[node(n).args[0]]);
    } else {
      place.operand = is_input | static_cast<uint32_t>(batch_.inputs.size());
      batch_.inputs.push_back({node(n).args[0], node(n).args[1]});
    }
    return place.operand;
  }

  bool is_there(uint32_t n) const { return !is_computed(n) || place_[n].operand != none; }

  void demand(uint32_t root) {
    if (!is_computed(root)) {
      operand(root);
      return;
    }
    if (!node(root).varies) return demand_uniform(root);
    stack_.push_back(root);
    while (!stack_.empty()) {
      const uint32_t n = stack_.back();
      if (is_there(n)) {
        stack_.pop_back();
        continue;
      }
      const size_t before = stack_.size();
      for (size_t i = 3; i-- > 0;)
        if (const uint32_t arg = node(n).args[i]; arg != none && is_kept(arg) && !is_there(arg))
          stack_.push_back(arg);
      if (stack_.size() > before) continue;
      stack_.pop_back();
      write(n);
      for (uint32_t s : ready_) write_product(s);
      ready_.clear();
    }
  }

  void demand_uniform(uint32_t root) {
    std::vector<uint32_t> stack{root};
    while (!stack.empty()) {
      const uint32_t n = stack.back();
      const size_t before = stack.size();
      for (size_t i = 3; i-- > 0 && !is_there(n);)
        if (const uint32_t arg = node(n).args[i]; arg != none && !is_there(arg))
          stack.push_back(arg);
      if (stack.size() > before) continue;
      stack.pop_back();
      if (!is_there(n)) write(n);
    }
  }

  void write(uint32_t n) {
    LaneKernel::Instruction code{node(n).fn, {0, 0, 0}};
    for (size_t i = 0; i < 3; ++i) {
      const uint32_t arg = node(n).args[i];
      if (arg == none) continue;
      if (is_computed(arg) && !node(arg).varies && !is_there(arg)) demand_uniform(arg);
      if (is_cheap(arg) && (!is_there(arg) || clock_ - place_[arg].written > kept)) write(arg);
      code.args[i] = operand(arg);
    }
    place_[n].operand = is_result | static_cast<uint32_t>(kernel_.code.size());
    place_[n].written = clock_;
    clock_ += node(n).varies && !(is_product(n) && place_[n].uses == 1);
    kernel_.code.push_back(code);
    uint32_t k = std::exchange(waiting_first_[n], none);
    const auto first = static_cast<std::ptrdiff_t>(ready_.size());
    for (; k != none; k = waiting_[k].next)
      if (--missing_[waiting_[k].output] == 0) ready_.push_back(waiting_[k].output);
    std::reverse(ready_.begin() + first, ready_.end());  // in the order of the outputs
  }

  void write_product(uint32_t s) { write(outputs_[s].node); }

  uint32_t numbered(uint32_t coded) const {
    const uint32_t k = coded & (is_constant - 1);
    if (coded & is_result) return kernel_.first_result() + k;
    return coded & is_constant ? kernel_.first_constant() + k : k;
  }

  BatchKernel finish() {
    kernel_.n_inputs = static_cast<uint32_t>(batch_.inputs.size());
    for (LaneKernel::Instruction& code : kernel_.code) {
      const int arity = scalar_fn_info(code.fn).arity;
      for (size_t k = 0; k < static_cast<size_t>(arity); ++k) code.args[k] = numbered(code.args[k]);
    }
    for (const Wanted& o : outputs_) {
      const DType dtype = batch_.out[o.part.array].dtype;
      LaneKernel::Output out{numbered(operand(o.node)), o.summed, Dims(), dtype};
      if (o.once != none) out.once = numbered(operand(o.once));
      kernel_.outputs.push_back(std::move(out));
      batch_.outputs.push_back(o.part);
    }
    std::vector<uint32_t> number(w_.arrays().size(), none);  // those that are read
    std::vector<ValueId> arrays;
    for (LaneBatch::Part& part : batch_.inputs) {
      uint32_t& own = number[part.array];
      if (own == none) {
        const ValueId v = w_.arrays()[part.array];
        own = static_cast<uint32_t>(arrays.size());
        arrays.push_back(v);
        batch_.in.push_back(array_of(v));
      }
      part.array = own;
    }
    kernel_.batch = std::make_shared<const LaneBatch>(std::move(batch_));
    return {std::move(kernel_), std::move(arrays), std::move(required_)};
  }

  struct Waiting {
    uint32_t output, next;
  };

  const LaneScalars& w_;
  const Program& p_;
  const BatchAxes& axes_;
  const std::vector<bool>& rows_;
  const std::vector<LaneNode>& nodes_;
  std::vector<Wanted> outputs_;
  std::vector<Place> place_;             // by node
  std::vector<uint32_t> waiting_first_;  // by node: into waiting_
  std::vector<Waiting> waiting_;
  std::vector<uint32_t> missing_;  // by output: factors that are not there yet
  std::vector<uint32_t> ready_, stack_;
  uint32_t clock_ = 0;
  LaneKernel kernel_;
  LaneBatch batch_;
  std::optional<TensorType> required_;
};

}  // namespace

BatchKernel batch_kernel(LaneScalars& w, const Program& p, const BatchAxes& axes, DType dtype,
                         const std::vector<bool>& rows, std::span<const ValueId> results) {
  return KernelWriter(w, p, axes, dtype, rows).run(results, w);
}

void write_kernel(Edit& edit, BatchKernel made, const Dims& space, std::span<const ValueId> results,
                  std::vector<uint32_t> types) {
  Program::Step like;
  like.kernel = edit.kernel(std::make_shared<const FusedKernel>(std::move(made.kernel), space));
  if (made.required) types.push_back(edit.type(*made.required));
  for (ValueId& v : made.inputs) v = edit.at(v);
  const ValueId first = edit.write(like, made.inputs, types);
  for (size_t j = 0; j < results.size(); ++j) edit.set(results[j], first + static_cast<ValueId>(j));
  if (made.required)
    edit.require(first + static_cast<ValueId>(results.size()),
                 made.required->shape.empty() ? Value::integer_scalar(1, DType::bool_)
                                              : Value::full(DType::bool_, made.required->shape, 1));
}

}  // namespace tapegrad
