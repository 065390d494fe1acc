#include "tapegrad/ops/expand.h"
#include "tapegrad/program/passes/expand/expand.h"

// What a rule of an op sees of a step, and where it writes.

namespace tapegrad {
namespace {

class StepContext final : public ExpandContext {
 public:
  StepContext(ScalarWriter& w, const Program::Step& s) : w_(w), s_(s), op_(op_by_id(s.op)) {}

  const Op& op() const override { return op_; }
  const Attrs& attrs() const override { return w_.from().attrs_of(s_); }
  size_t n_in() const override { return s_.n_in; }
  size_t n_out() const override { return s_.n_out; }
  const TensorType& in_type(size_t i) const override { return w_.from().type_of(input(i)); }
  const TensorType& out_type(size_t j) const override { return w_.from().type_of(output(j)); }

  const Scalars& in(size_t i) override { return w_.elements(input(i)); }
  const Value* constant(size_t i) const override {
    const ValueId v = input(i);
    return w_.from().is_constant(v) ? &w_.from().constant_of(v) : nullptr;
  }
  void set(size_t j, Scalars elements) override { w_.set_elements(output(j), std::move(elements)); }

  Scalar apply(ScalarFn fn, DType dtype, Scalar a, Scalar b, Scalar c) override {
    return w_.apply(fn, dtype, a, b, c);
  }
  Scalar number(double x, DType dtype) override { return w_.number(x, dtype); }
  bool is_zero(Scalar x) const override { return w_.is_zero(x); }

  bool keeps_order() const override { return w_.keeps_order(); }
  int64_t most_terms() const override { return w_.most_terms(); }
  bool may_require() const override { return w_.may_require(); }
  void require(Scalar condition) override { w_.require(condition); }
  bool is_strided(size_t i) const override { return w_.is_strided(input(i)); }
  void mark_strided(size_t j) override { w_.mark_strided(output(j)); }
  Value numbered(int64_t first, const Dims& shape) override { return w_.numbered(first, shape); }

 private:
  ValueId input(size_t i) const { return w_.from().in(s_)[i]; }
  ValueId output(size_t j) const { return s_.first_out + static_cast<ValueId>(j); }

  ScalarWriter& w_;
  const Program::Step& s_;
  const Op& op_;
};

}  // namespace

bool expand_step(ScalarWriter& w, const Program::Step& s) {
  if (s.kernel >= 0) return false;
  StepContext context(w, s);
  return expand_op(context);
}

bool is_expandable(const Program& p, const Program::Step& s, bool may_require) {
  if (s.kernel >= 0 || !has_expand_rule(op_by_id(s.op))) return false;
  if (!op_by_id(s.op).matrix_stack) return true;
  const Dims& shape = p.type_of(p.in(s)[0]).shape;
  return may_require && shape.back() > 0 && shape.back() <= most_expanded_rows;
}

bool only_moves(const Program::Step& s) { return s.kernel < 0 && only_moves(op_by_id(s.op)); }

}  // namespace tapegrad
