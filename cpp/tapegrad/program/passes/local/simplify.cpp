#include <cmath>

#include "tapegrad/ops/axes.h"
#include "tapegrad/program/passes/local/local.h"

// Identities of arithmetic. Without `reorder` only those that hold for every number, to the bit:
// NaN (whose sign IEEE leaves open), infinities and signed zeros too, in any rounding mode.

namespace tapegrad {
namespace {

class Algebra final : public LocalRule {
 public:
  explicit Algebra(bool reorder) : reorder_(reorder) {}

  ValueId replace(LocalPass& pass, const Application& a) override {
    if (a.like.held || a.in.empty()) return no_value;
    pass_ = &pass;
    out_ = a.out[0];
    const ValueId x = a.in[0], y = a.in.size() > 1 ? a.in[1] : x;
    switch (a.like.op) {
      case op_of_fn<Add>():
        return add(x, y);
      case op_of_fn<Subtract>():
        return subtract(x, y);
      case op_of_fn<Multiply>():
        return multiply(x, y);
      case op_of_fn<Divide>():
        return divide(x, y);
      case op_of_fn<Zmul>():
        return zmul(x, y);
      case op_of_fn<Zproduct>():
        return zproduct(x, y);
      case op_of_fn<Power>():
        return power(x, y);
      case op_of_fn<Negative>():
        return negated(x);
      case op_of_fn<Positive>():
      case op_of_fn<Conjugate>():
        return pass.as_type(x, out_);
      case op_of_fn<Square>():
      case op_of_fn<Absolute>():
      case op_of_fn<Fabs>():
        return even(a.like.op, x);
      case op_of_fn<Maximum>():
      case op_of_fn<Minimum>():
      case op_of_fn<Fmax>():
      case op_of_fn<Fmin>():
        return x == y ? pass.as_type(x, out_) : no_value;
      case op_of_fn<Select>():
        return select(x, y, a.in[2]);
      case op_of_fn<LogicalNot>():
        return opposite(x);
      default:
        break;
    }
    const Op& op = op_by_id(a.like.op);
    if (op.converts) return cast(x);
    if (adds_to_region(op)) return add_to_region(a);
    if (reorder_ && op.adds_up() && (op.axes < 0 || pass.type(out_).shape.empty())) return sum(x);
    return no_value;
  }

 private:
  static bool adds_to_region(const Op& op) {
    return op.key == KeyKind::basic && op.update == UpdateKind::add;
  }
  bool is_plus_zero(ValueId v) const {
    const auto c = pass_->uniform(v);
    return c && *c == 0 && !std::signbit(*c);
  }
  bool is_minus_zero(ValueId v) const {
    const auto c = pass_->uniform(v);
    return c && *c == 0 && std::signbit(*c);
  }
  bool has_out_type(ValueId v) const { return pass_->type_number(v) == out_; }

  // y where v is -y and of its type, else no_value.
  ValueId negated(ValueId v) const {
    const Program::Step* s = pass_->made_by<Negative>(v);
    if (!s) return no_value;
    const ValueId y = pass_->input_of(*s, 0);
    return pass_->type_number(y) == pass_->type_number(v) ? y : no_value;
  }

  bool is_never_minus_zero(ValueId v) const {
    const Program& p = pass_->program();
    if (!is_floating(p.type_of(v).dtype)) return true;
    if (const auto c = pass_->uniform(v)) return !is_minus_zero(v);
    const Program::Step* s = pass_->producer(v);
    if (!s) return false;
    switch (s->op) {
      case op_of_fn<Square>():
      case op_of_fn<Absolute>():
      case op_of_fn<Fabs>():
      case op_of_fn<Exp>():
      case op_of_fn<Exp2>():
      case op_of_fn<Cosh>():
        return true;
      default:
        return op_by_id(s->op).view == ViewKind::broadcast &&
               is_never_minus_zero(pass_->input_of(*s, 0));
    }
  }

  ValueId add(ValueId x, ValueId y) {
    for (const auto& [u, v] : {std::pair{x, y}, std::pair{y, x}}) {
      if (is_minus_zero(v) || (is_plus_zero(v) && (reorder_ || is_never_minus_zero(u))))
        if (const ValueId same = pass_->as_type(u, out_); same != no_value) return same;
      if (const ValueId w = negated(v); w != no_value) return pass_->emit<Subtract>({u, w}, out_);
    }
    return no_value;
  }

  ValueId subtract(ValueId x, ValueId y) {
    if (is_plus_zero(y)) return pass_->as_type(x, out_);
    if (is_minus_zero(x) && has_out_type(y)) return pass_->emit<Negative>({y}, out_);
    if (const ValueId w = negated(y); w != no_value) return pass_->emit<Add>({x, w}, out_);
    return no_value;
  }

  ValueId multiply(ValueId x, ValueId y) {
    for (const auto& [u, v] : {std::pair{x, y}, std::pair{y, x}}) {
      const auto c = pass_->uniform(v);
      if (!c) continue;
      if (*c == 1)
        if (const ValueId same = pass_->as_type(u, out_); same != no_value) return same;
      if (*c == -1 && has_out_type(u)) return pass_->emit<Negative>({u}, out_);
      if (const ValueId w = negated(u); w != no_value && may_be_number(v, w))
        return pass_->emit<Multiply>({w, number(-*c)}, out_);
      if (reorder_)
        if (const ValueId scaled = rescaled(u, *c); scaled != no_value) return scaled;
    }
    const ValueId u = negated(x), v = negated(y);
    if (u != no_value && v != no_value) return pass_->emit<Multiply>({u, v}, out_);
    if (x == y && has_out_type(x)) return pass_->emit<Square>({x}, out_);
    return no_value;
  }

  // (u' * d) * c as u' * (d c).
  ValueId rescaled(ValueId u, double c) {
    const Program::Step* s = pass_->made_by<Multiply>(u);
    if (!s || !has_out_type(u)) return no_value;
    const ValueId a = pass_->input_of(*s, 0), b = pass_->input_of(*s, 1);
    for (const auto& [inner, v] : {std::pair{a, b}, std::pair{b, a}})
      if (const auto d = pass_->uniform(v); d && may_be_number(v, inner))
        return pass_->emit<Multiply>({inner, number(*d * c)}, out_);
    return no_value;
  }

  ValueId divide(ValueId x, ValueId y) {
    if (const auto c = pass_->uniform(y)) {
      if (*c == 1)
        if (const ValueId same = pass_->as_type(x, out_); same != no_value) return same;
      if (*c == -1 && has_out_type(x)) return pass_->emit<Negative>({x}, out_);
      int exponent = 0;
      const bool power_of_two = std::abs(std::frexp(*c, &exponent)) == 0.5;
      const int most = pass_->type(out_).dtype == DType::float32 ? 120 : 1000;
      if ((power_of_two || reorder_) && *c != 0 && std::abs(exponent) < most && may_be_number(y, x))
        return pass_->emit<Multiply>({x, number(1 / *c)}, out_);
    }
    if (const auto c = pass_->uniform(x); c && *c == 1 && has_out_type(y))
      return pass_->emit<Reciprocal>({y}, out_);
    const ValueId u = negated(x), v = negated(y);
    if (u != no_value && v != no_value) return pass_->emit<Divide>({u, v}, out_);
    return no_value;
  }

  // 0 where c is 0, else c * p.
  ValueId zmul(ValueId c, ValueId p) {
    if (const auto k = pass_->uniform(c)) {
      if (*k == 0) return pass_->as_type(number(0), out_);
      return pass_->emit<Multiply>({c, p}, out_);
    }
    const auto k = pass_->uniform(p);
    if (!k || !std::isfinite(*k)) return no_value;
    if (reorder_ || (*k > 0 && is_never_minus_zero(c))) return pass_->emit<Multiply>({c, p}, out_);
    return no_value;
  }

  // 0 where a or b is 0, else a * b.
  ValueId zproduct(ValueId a, ValueId b) {
    const auto k = pass_->uniform(a), l = pass_->uniform(b);
    if ((k && *k == 0) || (l && *l == 0)) return pass_->as_type(number(0), out_);
    if (k) return pass_->emit<Zmul>({b, a}, out_);
    return l ? pass_->emit<Zmul>({a, b}, out_) : no_value;
  }

  // The exponents that ops compute by products.
  ValueId power(ValueId x, ValueId y) {
    const auto c = pass_->uniform(y);
    if (!c || !has_out_type(x)) return no_value;
    if (*c == 1) return x;
    if (*c == 2) return pass_->emit<Square>({x}, out_);
    if (*c == 3) {
      const ValueId squared = pass_->emit<Square>({x}, out_);
      return pass_->emit<Multiply>({squared, x}, out_);
    }
    if (*c == -1) return pass_->emit<Reciprocal>({x}, out_);
    return no_value;
  }

  bool has_attrs_of(const Program::Step& s, const Program::Step& t) const {
    const Program& p = pass_->program();
    return s.attrs == t.attrs || p.attrs_of(s) == p.attrs_of(t);
  }

  // (zeros + u) + v in one region is zeros + (u + v) there, minus zeros too.
  ValueId add_to_region(const Application& a) {
    const Program::Step* s = pass_->producer(a.in[0]);
    if (!s || s->op != a.like.op || !is_plus_zero(pass_->input_of(*s, 0)) ||
        !has_attrs_of(*s, a.like))
      return no_value;
    const uint32_t out = out_;  // emit() moves it on
    const ValueId zeros = pass_->input_of(*s, 0), u = pass_->input_of(*s, 1), v = a.in[1];
    if (pass_->type_number(u) != pass_->type_number(v)) return no_value;
    const ValueId sum = pass_->emit<Add>({u, v}, pass_->type_number(v));
    const ValueId in[] = {zeros, sum};
    return pass_->emit(a.like.op, a.like.attrs, in, out);
  }

  // f(-x) = f(|x|) = f(x)
  ValueId even(uint16_t op, ValueId x) {
    const Program::Step* s = pass_->producer(x);
    if (!s || !has_out_type(x)) return no_value;
    const bool is_sign_lost =
        s->op == op_of_fn<Negative>() || s->op == op_of_fn<Absolute>() || s->op == op_of_fn<Fabs>();
    const ValueId inner = pass_->input_of(*s, 0);
    if (is_sign_lost && pass_->type_number(inner) == out_) return pass_->emit(op, {inner}, out_);
    return s->op == op_of_fn<Square>() && op != op_of_fn<Square>() ? x : no_value;
  }

  ValueId select(ValueId mask, ValueId x, ValueId y) {
    if (const auto m = pass_->uniform(mask)) return pass_->as_type(*m != 0 ? x : y, out_);
    return x == y ? pass_->as_type(x, out_) : no_value;
  }

  ValueId opposite(ValueId x) {
    const Program::Step* s = pass_->producer(x);
    if (!s || !has_out_type(x) || s->n_in == 0) return no_value;
    const ValueId u = pass_->input_of(*s, 0), v = pass_->input_of(*s, s->n_in - 1);
    if (s->op == op_of_fn<Equal>()) return pass_->emit<NotEqual>({u, v}, out_);
    if (s->op == op_of_fn<NotEqual>()) return pass_->emit<Equal>({u, v}, out_);
    return s->op == op_of_fn<LogicalNot>() && has_out_type(u) ? u : no_value;
  }

  // A cast to what x is already, or back to the dtype that it was widened from.
  ValueId cast(ValueId x) {
    if (has_out_type(x)) return x;
    const Program::Step* s = pass_->producer(x);
    if (!s || !op_by_id(s->op).converts) return no_value;
    const ValueId inner = pass_->input_of(*s, 0);
    const bool widened = pass_->program().type_of(inner).dtype == DType::float32 &&
                         pass_->program().type_of(x).dtype == DType::float64;
    return widened && has_out_type(inner) ? inner : no_value;
  }

  // The sum of what was broadcast from the sum's own shape.
  ValueId sum(ValueId x) {
    const Program::Step* s = pass_->view_made_by(x, ViewKind::broadcast);
    if (!s || !has_out_type(pass_->input_of(*s, 0))) return no_value;
    const ValueId inner = pass_->input_of(*s, 0);
    const TensorType& to = pass_->type(out_);
    const int64_t n = element_count(to.shape);
    if (n == 0 || !is_floating(to.dtype)) return no_value;
    const int64_t copies = element_count(pass_->program().type_of(x).shape) / n;
    return pass_->emit<Multiply>({inner, number(static_cast<double>(copies))}, out_);
  }

  // Whether v, a constant, can be written as a number: w keeps the result's shape and dtype.
  bool may_be_number(ValueId v, ValueId w) const {
    return is_floating_scalar(v) || has_out_type(w);
  }
  bool is_floating_scalar(ValueId v) const {
    const TensorType& t = pass_->program().type_of(v);
    return t.shape.empty() && t.dtype == pass_->type(out_).dtype;
  }
  ValueId number(double x) const { return pass_->number(x, pass_->type(out_).dtype); }

  bool reorder_;
  LocalPass* pass_ = nullptr;
  uint32_t out_ = 0;
};

}  // namespace

std::unique_ptr<LocalRule> algebra_rule(bool reorder) { return std::make_unique<Algebra>(reorder); }

Program simplify(const Program& p) {
  PassOptions only{.parts = false,
                   .fold = false,
                   .shared = false,
                   .algebra = true,
                   .views = true,
                   .fuse = false};
  return rewrite_locally(p, only);
}

}  // namespace tapegrad
