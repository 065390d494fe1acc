#include "tapegrad/sweep/elementwise_rule.h"

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/kernels/partials/partial_product.h"
#include "tapegrad/kernels/reduce/reduce_sum.h"
#include "tapegrad/sweep/reverse_sweep.h"

namespace tapegrad {

double partial_at(const PartialTape& p, const double* x, bool single) {
  if (!single) return eval_partial(p, x);
  float narrow[4];
  for (uint32_t k = 0; k < p.n_inputs; ++k) narrow[k] = static_cast<float>(x[k]);
  return static_cast<double>(eval_partial(p, narrow));
}

ElementwiseNode::ElementwiseNode(Tape& tape, const Node& node)
    : fn_(static_cast<ScalarFn>(node.op)),
      n_in_(static_cast<int>(node.inputs().size())),
      out_(node.value) {
  const std::span<const uint32_t> inputs = node.inputs();
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k] == 0) continue;  // a constant that no partial reads
    in_[k] = tape.node(inputs[k]).value;
    if (in_[k].has_data()) operands_[k] = in_[k];
  }
  if (out_.has_data()) operands_[n_in_] = out_;
}

std::optional<Value> ElementwiseNode::partial(int i) const {
  const PartialTape& p = partial_tape(fn_, i);
  for (int k = 0; k <= n_in_; ++k) {
    const unsigned bit = k == n_in_ ? PartialTape::reads_output : 1U << k;
    if ((p.reads & bit) && !operands_[k].has_data()) return std::nullopt;
  }
  Value result;
  accumulate_product(p, {operands_, static_cast<size_t>(n_in_) + 1},
                     Value::full(out_.dtype(), out_.shape(), 1.0), result, false);
  return result;
}

bool ElementwiseNode::fits(int i) const {
  return in_[i].dtype() == out_.dtype() && in_[i].same_shape(out_);
}

Value ElementwiseNode::pullback(int i, const Value& ct) const {
  const PartialTape& p = partial_tape(fn_, i);
  Value result;
  if (p.constant && *p.constant == 1.0) {
    result = ct;
  } else {
    accumulate_product(p, {operands_, static_cast<size_t>(n_in_) + 1}, ct, result, false);
  }
  if (!in_[i].same_shape(result)) result = sum_to_shape(result, in_[i].shape());
  return result;
}

void ElementwiseNode::add_pullback(int i, const Value& ct, Value& adjoint) const {
  const PartialTape& p = partial_tape(fn_, i);
  if (p.is_zero) return;
  if (!fits(i) || adjoint.is_scalar()) {
    add_into(adjoint, pullback(i, ct).cast(adjoint.dtype()));
    return;
  }
  accumulate_product(p, {operands_, static_cast<size_t>(n_in_) + 1}, ct, adjoint, true);
}

void ElementwiseNode::pushforward(int i, const Value& tangent_i, Value& tangent,
                                  bool accumulate) const {
  const PartialTape& p = partial_tape(fn_, i);
  const Value dot = tangent_i.cast(out_.dtype());
  Value whole = dot;
  if (!dot.same_shape(out_)) {
    whole = Value::empty(out_.dtype(), out_.shape());
    copy_into(whole, dot);
  }
  accumulate_product(p, {operands_, static_cast<size_t>(n_in_) + 1}, whole, tangent, accumulate);
}

}  // namespace tapegrad
