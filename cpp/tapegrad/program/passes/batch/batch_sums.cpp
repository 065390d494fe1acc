#include "tapegrad/program/passes/batch/batch_sums.h"

#include <algorithm>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/local/local.h"

// The sum over all rows of a @ b is (the sum of a's rows) @ b: one row times a matrix. Derivatives
// with respect to what was subtracted from, or added to, every row of a product's operand are such
// sums.

namespace tapegrad {
namespace {

constexpr int64_t least_rows = 256;

class SumOfProduct final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    if (a.like.held || !op_by_id(a.like.op).adds_up()) return no_value;
    if (!adds_rows(pass, a)) return no_value;
    ValueId x = a.in[0];
    const Program::Step* s = pass.producer(x);
    const bool negative = s && s->op == op_of_fn<Negative>();
    if (negative) s = pass.producer(pass.input_of(*s, 0));
    if (!s || op_by_id(s->op).product != ProductKind::matrices) return no_value;
    const ValueId left = pass.input_of(*s, 0), right = pass.input_of(*s, 1);
    const TensorType &from = pass.program().type_of(left), &by = pass.program().type_of(right);
    const TensorType product = pass.program().type_of(x), out = pass.type(a.out[0]);
    if (from.dtype != out.dtype || by.dtype != out.dtype || by.shape.size() < 2 ||
        from.shape.size() != product.shape.size())
      return no_value;
    const TensorType row = with_one_row(from), rows = with_one_row(product);
    ValueId sum = emit_shaped(pass, sum_to_shape_op().id, left, row);
    const ValueId in[] = {sum, right};
    sum = pass.emit(s->op, 0, in, pass.edit().type(rows));
    if (negative) sum = pass.emit<Negative>({sum}, pass.edit().type(rows));
    return emit_shaped(pass, reshape_op().id, sum, out);
  }

 private:
  static TensorType with_one_row(TensorType t) {
    t.shape[t.shape.size() - 2] = 1;
    return t;
  }

  static ValueId emit_shaped(LocalPass& pass, uint16_t op, ValueId x, const TensorType& to) {
    const uint32_t attrs = pass.edit().attrs(Attrs{to_vector(to.shape)});
    return pass.emit(op, attrs, {&x, 1}, pass.edit().type(to));
  }

  // Whether the sum is over the last axis but one, and no other.
  static bool adds_rows(const LocalPass& pass, const Application& a) {
    const Dims& from = pass.program().type_of(a.in[0]).shape;
    if (from.size() < 2 || from[from.size() - 2] < least_rows) return false;
    Dims kept = from;
    kept[from.size() - 2] = 1;
    const Dims& to = pass.type(a.out[0]).shape;
    const Op& op = op_by_id(a.like.op);
    if (op.axes < 0) return to == kept;
    const AttrKey axes(static_cast<size_t>(op.axes));
    const Dims flags = axis_flags(pass.program().attrs[a.like.attrs], axes, from.ndim(), op.name);
    return std::count(flags.begin(), flags.end(), 1) == 1 && flags[from.size() - 2] == 1;
  }
};

}  // namespace

Program sums_before_products(const Program& p) {
  std::vector<std::unique_ptr<LocalRule>> rules;
  rules.push_back(std::make_unique<SumOfProduct>());
  return drop_dead(LocalPass(p, std::move(rules)).run());
}

}  // namespace tapegrad
