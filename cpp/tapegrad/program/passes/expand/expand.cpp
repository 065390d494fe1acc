#include "tapegrad/program/passes/expand/expand.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/lanes/lane_kernel.h"
#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/passes.h"

// A program over small arrays (vectors of 3, matrices of 4x4) spends its time on the fixed cost of
// its steps. Taken apart into scalars it becomes one kernel: over lanes, where it is the function
// of one lane of a vmap, else a scalar tape. Sums are added in the order of the elements, which may
// round otherwise than the array's own order, and terms that are a constant zero are left out.

namespace tapegrad {

ValueId ScalarWriter::number(double x, DType dtype) {
  return constant(is_floating(dtype) ? Value::scalar(x, dtype)
                                     : Value::integer_scalar(static_cast<int64_t>(x), dtype));
}

ValueId ScalarWriter::simplified(ScalarFn fn, DType dtype, ValueId a, ValueId b, ValueId c) {
  const auto at = [&](ValueId v) { return v == no_operand ? nullptr : constant_at(v); };
  const Value *x = at(a), *y = at(b), *z = at(c);
  const int arity = scalar_fn_info(fn).arity;
  const bool all = x && (arity < 2 || y) && (arity < 3 || z);
  const auto is = [](const Value* v, double number) { return v && v->as_double() == number; };
  if (all) {
    const Value in[3] = {*x, y ? *y : Value(), z ? *z : Value()};
    Value out = is_floating(dtype) ? Value::scalar(0, dtype) : Value::integer_scalar(0, dtype);
    eval_elementwise(fn, {in, static_cast<size_t>(arity)}, out);
    return constant(std::move(out));
  }
  const auto same_type = [&](ValueId v) { return dtype_at(v) == dtype; };
  if (fn == scalar_fn_of<Add>()) {
    const auto adds_nothing = [&](const Value* v) {
      return is(v, 0) && (!keeps_order() || std::signbit(v->as_double()));
    };
    if (adds_nothing(x) && same_type(b)) return b;
    if (adds_nothing(y) && same_type(a)) return a;
  } else if (fn == scalar_fn_of<Subtract>()) {
    if (is(y, 0) && (!keeps_order() || !std::signbit(y->as_double())) && same_type(a)) return a;
  } else if (fn == scalar_fn_of<Multiply>() || fn == scalar_fn_of<Zmul>()) {
    // zmul(c, p) is +0 where c is zero, of either sign, and c * p elsewhere.
    const bool strong = fn == scalar_fn_of<Zmul>(), to_the_bit = strong && keeps_order();
    if (is(x, 1) && same_type(b)) return b;
    if (is(y, 1) && same_type(a) && !to_the_bit) return a;
    if (strong && is(x, 0)) return number(0, dtype);  // where p is 0, c may be infinite
    if (is(x, -1) && same_type(b)) return apply(scalar_fn_of<Negative>(), dtype, b);
    if (is(y, -1) && same_type(a) && !to_the_bit) return apply(scalar_fn_of<Negative>(), dtype, a);
  } else if (fn == scalar_fn_of<Zproduct>()) {
    if (is(x, 0) || is(y, 0)) return number(0, dtype);
    if (x) return apply(scalar_fn_of<Zmul>(), dtype, b, a);
    if (y) return apply(scalar_fn_of<Zmul>(), dtype, a, b);
  } else if (fn == scalar_fn_of<Select>() && b == c && same_type(b)) {
    return b;
  } else if (fn == scalar_fn_of<Select>() && x) {
    const ValueId chosen = x->as_double() != 0 ? b : c;
    if (same_type(chosen)) return chosen;
  } else if (fn == scalar_fn_of<Positive>() && same_type(a)) {
    return a;
  }
  return no_operand;
}

ValueId ScalarWriter::apply(ScalarFn fn, DType dtype, ValueId a, ValueId b, ValueId c) {
  if (const ValueId found = simplified(fn, dtype, a, b, c); found != no_operand) return found;
  const uint64_t hash = mix_hash(mix_hash(mix_hash(static_cast<uint64_t>(fn) + 1, a), b), c);
  const uint32_t known = table_.find(hash, [&](uint32_t k) {
    const Known& other = known_[k];
    return other.fn == fn && other.a == a && other.b == b && other.c == c;
  });
  if (known != FlatTable::none) return known_[known].result;
  const ValueId in[3] = {a, b, c};
  const auto arity = static_cast<size_t>(scalar_fn_info(fn).arity);
  const ValueId id = write(fn, dtype, {in, arity});
  table_.insert(hash, static_cast<uint32_t>(known_.size()));
  known_.push_back({fn, a, b, c, id});
  return id;
}

std::vector<ValueId>& ScalarWriter::place_of(ValueId old) {
  const uint64_t hash = mix_hash(1, old);
  const uint32_t at = places_.find(hash, [&](uint32_t k) { return elements_[k].of == old; });
  if (at != FlatTable::none) return elements_[at].list;
  places_.insert(hash, static_cast<uint32_t>(elements_.size()));
  return elements_.emplace_back(Elements{old, {}}).list;
}

const std::vector<ValueId>& ScalarWriter::elements(ValueId old) {
  std::vector<ValueId>& found = place_of(old);
  if (!found.empty() || element_count(from_.type_of(old).shape) == 0) return found;
  if (!from_.is_constant(old)) {
    std::vector<ValueId> loaded = load(old);
    taken_ += loaded.size();
    return found = std::move(loaded);
  }
  const Value& v = from_.constant_of(old);
  std::vector<ValueId> numbers;
  for (int64_t i = 0; i < v.size(); ++i) numbers.push_back(number(v.at(i), v.dtype()));
  return found = std::move(numbers);
}

Value ScalarWriter::numbered(int64_t first, const Dims& shape) {
  const int64_t end = first + element_count(shape);
  if (numbers_.buffer() == nullptr || numbers_.size() < end) {
    std::vector<int64_t> all(static_cast<size_t>(std::max(2 * end, int64_t{64})));
    std::iota(all.begin(), all.end(), 0);
    const int64_t n[] = {std::ssize(all)};
    numbers_ = Value::from_int64(all, n);
  }
  return numbers_.view(shape, contiguous_strides(shape), first);
}

namespace {

// Scalars as steps of a program, which puts arrays together again for whoever needs them whole.
class ProgramScalars final : public ScalarWriter {
 public:
  ProgramScalars(const Program& from, bool keeps_order)
      : ScalarWriter(from), keeps_order_(keeps_order), whole_(from.values.size(), no_operand) {}

  ProgramWriter& to() { return to_; }
  bool keeps_order() const override { return keeps_order_; }
  ValueId whole(ValueId old);
  // Scalars side by side, as an array of this type.
  ValueId joined(std::span<const ValueId> parts, const TensorType& type);
  void set_whole(ValueId old, ValueId now) { whole_[old] = now; }

 private:
  std::vector<ValueId> load(ValueId old) override;
  ValueId constant(Value scalar) override { return to_.constant(std::move(scalar)); }
  const Value* constant_at(ValueId v) const override {
    return to_.program().is_constant(v) ? &to_.program().constant_of(v) : nullptr;
  }
  DType dtype_at(ValueId v) const override { return to_.program().type_of(v).dtype; }
  ValueId write(ScalarFn fn, DType dtype, std::span<const ValueId> in) override {
    const TensorType type{dtype, Dims()};
    return to_.step(op_by_id(static_cast<uint16_t>(fn)), Attrs(), in, {&type, 1});
  }

  const bool keeps_order_;
  ProgramWriter to_;
  std::vector<ValueId> whole_;
};

std::vector<ValueId> ProgramScalars::load(ValueId old) {
  const TensorType& type = from().type_of(old);
  const int64_t n = element_count(type.shape);
  ValueId all = whole(old);
  if (type.shape.empty()) return {all};
  if (type.shape.size() != 1) {
    const TensorType flat{type.dtype, Dims{n}};
    all = to_.step(reshape_op(), Attrs{std::vector<int64_t>{n}}, {&all, 1}, {&flat, 1});
  }
  const TensorType scalar{type.dtype, Dims()};
  std::vector<ValueId> found;
  for (int64_t i = 0; i < n; ++i)
    found.push_back(
        to_.step(slice_op(), Attrs{std::vector<int64_t>{0, i, 0, 0}}, {&all, 1}, {&scalar, 1}));
  return found;
}

ValueId ProgramScalars::whole(ValueId old) {
  ValueId& whole = whole_[old];
  if (whole != no_operand) return whole;
  if (from().is_constant(old)) return whole = to_.constant(from().constant_of(old));
  const TensorType& type = from().type_of(old);
  if (element_count(type.shape) == 0)
    return whole = to_.constant(Value::zeros(type.dtype, type.shape));
  const std::vector<ValueId>& parts = elements(old);
  return whole = type.shape.empty() ? parts.at(0) : joined(parts, type);
}

ValueId ProgramScalars::joined(std::span<const ValueId> parts, const TensorType& type) {
  const TensorType flat{type.dtype, Dims{static_cast<int64_t>(parts.size())}};
  const ValueId all = to_.step(stack_op(), Attrs{int64_t{0}}, parts, {&flat, 1});
  if (type.shape.size() == 1) return all;
  return to_.step(reshape_op(), Attrs{std::vector<int64_t>(type.shape.begin(), type.shape.end())},
                  {&all, 1}, {&type, 1});
}

bool is_scalar_fn(uint16_t op) { return op < scalar_fn_count; }

// A view, perhaps, that was not taken apart.
bool may_be_strided(const Program& p, ValueId v) {
  return p.values[v].source == Source::step && only_moves(p.steps[p.values[v].index]);
}

// Small arrays that are joined along their first axis to a larger one.
bool joins_rows(const Program& p, const Program::Step& s) {
  if (s.kernel >= 0 || s.held || is_scalar_fn(s.op)) return false;
  const Op& op = op_by_id(s.op);
  if (op.join != JoinKind::stack && op.join != JoinKind::concatenate) return false;
  const int axes = p.type_of(s.first_out).shape.ndim();
  if (p.attrs_of(s).is_none(join_attrs::axis)) return false;
  const int64_t axis = normalize_axis(p.attrs_of(s).integer(join_attrs::axis), axes, op.name);
  return axis == 0;
}

}  // namespace

namespace {

// What is expanded in its own order is run, and never differentiated again. Where elements are
// equal, the derivative of a maximum goes to all of them alike, that of maxima of two does not.
bool keeps_derivative(const Program::Step& s) {
  if (s.kernel >= 0 || is_scalar_fn(s.op)) return true;
  const ReductionKind reduces = op_by_id(s.op).reduces;
  return reduces != ReductionKind::maximum && reduces != ReductionKind::minimum;
}

Program expanded(const Program& p, int64_t most_elements, size_t most_scalars, bool keeps_order) {
  const auto is_small = [&](ValueId v) {
    const int64_t n = element_count(p.type_of(v).shape);
    return n > 0 && n <= most_elements;
  };
  const auto is_known = [&](ValueId v) {
    const DType d = p.type_of(v).dtype;
    return !keeps_order || is_bool(d) || is_floating(d) || p.is_constant(v);
  };
  ProgramScalars w(p, keeps_order);
  std::vector<bool> apart(p.steps.size(), false);
  for (ValueId v : p.inputs) w.set_whole(v, w.to().input(p.type_of(v)));
  for (ValueId v : p.captures) w.set_whole(v, w.to().capture(p.type_of(v)));
  std::vector<ValueId> ins;
  std::vector<TensorType> outs;
  for (size_t k = 0; k < p.steps.size(); ++k) {
    const Program::Step& s = p.steps[k];
    const std::span<const ValueId> in = p.in(s);
    w.to().at_line(p.line_of(s));
    const bool reads_small = s.kernel < 0 && !s.held && std::ranges::all_of(in, is_small) &&
                             std::ranges::all_of(in, is_known);
    bool small = reads_small && (keeps_order || keeps_derivative(s));
    for (uint32_t j = 0; j < s.n_out; ++j) small = small && is_small(s.first_out + j);
    for (ValueId v : in)
      if (small && keeps_order && may_be_strided(p, v) && !apart[p.values[v].index])
        w.mark_strided(v);
    if (small && expand_step(w, s)) {
      apart[k] = true;
      if (w.written() > most_scalars) return p;
      continue;
    }
    if (s.kernel >= 0) return p;
    if (keeps_order && reads_small && joins_rows(p, s)) {
      ins.clear();
      for (ValueId v : in) std::ranges::copy(w.elements(v), std::back_inserter(ins));
      w.set_whole(s.first_out, w.joined(ins, p.type_of(s.first_out)));
      continue;
    }
    ins.clear();
    outs.clear();
    for (ValueId v : in) ins.push_back(w.whole(v));
    for (uint32_t j = 0; j < s.n_out; ++j) outs.push_back(p.type_of(s.first_out + j));
    const ValueId first = w.to().step(op_by_id(s.op), p.attrs_of(s), ins, outs, s.held);
    for (uint32_t j = 0; j < s.n_out; ++j) w.set_whole(s.first_out + j, first + j);
  }
  for (const Program::Guard& g : p.guards)
    w.to().guard(w.whole(g.value), g.expected, g.where, g.of_pass);
  for (ValueId v : p.outputs) w.to().output(w.whole(v));
  return std::move(w.to()).finish();
}

}  // namespace

Program expand_small(const Program& p, int64_t most_elements, size_t most_scalars) {
  return expanded(p, most_elements, most_scalars, false);
}

Program expand_tiny(Program p) {
  // Three elements are faster as a row of lanes. But a few of up to four go along with pairs, and
  // where rows are joined and cut all the time, and functions don't cost the most, a row has to be
  // longer for that. Rows that are left must be few: each is joined of numbers then.
  constexpr int64_t pair = 2, tiny = 4, short_row = 8, medium = 4096;  // elements
  constexpr size_t least_steps = 256, most_scalars = 1'500'000, few = 8;
  constexpr double cheap = 2;  // ns
  size_t of_pairs = 0, of_tiny = 0, of_short = 0, of_medium = 0, joins = 0, functions = 0;
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0) return p;
    const Op& op = op_by_id(s.op);
    const Dims& shape = p.type_of(s.first_out).shape;
    if (op.matrix_stack) return p;  // systems stay whole here, and would be joined of numbers
    if (op.view != ViewKind::none || op.update != UpdateKind::none || shape.empty()) continue;
    const int64_t n = element_count(shape);
    size_t& kind = n <= pair        ? of_pairs
                   : n <= tiny      ? of_tiny
                   : n <= short_row ? of_short
                                    : of_medium;
    kind += n <= medium;
    joins += n <= short_row && op.join != JoinKind::none;
    functions += n > pair && n <= short_row && is_scalar_fn(s.op) &&
                 lane_ns(static_cast<ScalarFn>(s.op)) > cheap;
  }
  const bool cuts =
      8 * joins >= of_pairs + of_tiny + of_short && 16 * functions <= of_tiny + of_short;
  const bool takes_short = cuts && of_short > 0,
             takes_tiny = takes_short || few * of_tiny <= of_pairs;
  const size_t taken = of_pairs + (takes_tiny ? of_tiny : 0) + (takes_short ? of_short : 0);
  const size_t left = of_pairs + of_tiny + of_short + of_medium - taken;
  if (taken < least_steps || taken < few * left) return p;
  return expanded(p, takes_short ? short_row : takes_tiny ? tiny : pair, most_scalars, true);
}

}  // namespace tapegrad
